// SPDX-License-Identifier: MIT
//
// C side of the recoverable accessors (user.S): address checks and the table of recoveries.
//
// None of them refuses addresses of the libOS: calls also move data through buffers and windows of
// its own, and the application, being in the same protection domain, can reach that memory anyway.
#include <core/libos.h>
#include <core/core.h>

struct fixup {
    uint64_t from, to, at;
};
extern const struct fixup user_fixups[], user_fixups_end[];
long user_string_raw(char *dst, uint64_t src, size_t max);

uint64_t user_fixup(uint64_t rip)
{
    for (const struct fixup *f = user_fixups; f < user_fixups_end; f++)
        if (rip >= f->from && rip < f->to)
            return f->at;
    return 0;
}

int user_read(void *dst, uint64_t src, size_t n)
{
    if (user_copy(dst, (const void *)src, n))
        return -LX_EFAULT;
    return 0;
}

int user_write(uint64_t dst, const void *src, size_t n)
{
    if (user_copy((void *)dst, src, n))
        return -LX_EFAULT;
    return 0;
}

long user_string(char *dst, uint64_t src, size_t max)
{
    long n = user_string_raw(dst, src, max);
    if (n >= 0)
        return n;
    return n == -1 ? -LX_EFAULT : -LX_ENAMETOOLONG;
}
