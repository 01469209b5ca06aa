// SPDX-License-Identifier: MIT
// Host tests of pure parts of the libOS: compiled against the same freestanding headers as in the
// machine, so the few functions of the host are declared here.
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stddef.h>
#include <stdint.h>

int printf(const char *format, ...);
void *calloc(size_t n, size_t size);
void free(void *p);
void exit(int status) __attribute__((noreturn));

static unsigned checks;
static inline void check_at(int good, const char *what, int line)
{
    checks++;
    if (good)
        return;
    printf("not ok %u - line %d: %s\n", checks, line, what);
    exit(1);
}
#define CHECK(cond) check_at((cond) != 0, #cond, __LINE__)

static inline uint64_t random_next(uint64_t *state) // xorshift
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline int passed(void)
{
    printf("ok 1 - %u checks\n1..1\n", checks);
    return 0;
}
#endif
