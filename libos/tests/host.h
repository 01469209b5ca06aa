// SPDX-License-Identifier: MIT
// What proc/elfcheck.c and proc/args.c want of the rest of the libOS, on the host. For one source
// of a program: these are the functions themselves.
#ifndef TESTS_HOST_H
#define TESTS_HOST_H

#include <stdlib.h>
#include <proc/exec.h>
#include "check.h"

void *heap_alloc(size_t size)
{
    return calloc(1, size);
}

void heap_free(void *p)
{
    free(p);
}

void *heap_resize(void *p, size_t old, size_t new)
{
    void *q = calloc(1, new);
    if (p && q)
        memcpy(q, p, old < new ? old : new);
    free(p);
    return q;
}

// The application's memory is the test's own; address 1 is not there.
int user_read(void *dst, uint64_t src, size_t n)
{
    if (src == 1)
        return -LX_EFAULT;
    memcpy(dst, (const void *)src, n);
    return 0;
}

long user_string(char *dst, uint64_t src, size_t max)
{
    if (src == 1)
        return -LX_EFAULT;
    const char *s = (const char *)src;
    for (size_t i = 0; i < max; i++)
        if (!(dst[i] = s[i]))
            return (long)i;
    return -LX_ENAMETOOLONG;
}

#endif
