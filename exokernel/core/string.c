// SPDX-License-Identifier: MIT
//
// The functions a C compiler takes for granted (but memmove, which nothing here needs), and strlen.
// The string instructions do well enough: the kernel moves little, and mostly whole pages.

#include <stdint.h>
#include <string.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t bytes)
{
    void *to = dst;
    size_t words = bytes / 8, rest = bytes % 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(src), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(src), "+c"(rest) : : "memory");
    return dst;
}

void *memset(void *dst, int value, size_t bytes)
{
    void *to = dst;
    size_t words = bytes / 8, rest = bytes % 8;
    uint64_t fill = (uint8_t)value * 0x0101010101010101ull;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(fill) : "memory");
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(fill) : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const uint8_t *x = a, *y = b;

    for (; bytes; bytes--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text)
{
    const char *end = text;

    while (*end)
        end++;
    return (size_t)(end - text);
}
