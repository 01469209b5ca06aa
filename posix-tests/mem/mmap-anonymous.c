// SPDX-License-Identifier: MIT
//
// mmap(): anonymous memory is zero, private, page-aligned, usable up to its last byte; munmap takes
// it back; large sparse reservations cost nothing until touched.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    tap_start();
    long page = sysconf(_SC_PAGESIZE);
    char *a = mmap(NULL, 10 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *b = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(a != MAP_FAILED && b != MAP_FAILED);
    EQ((uintptr_t)a % page, 0);
    OK(b + page <= a || b >= a + 10 * page);
    int dirty = 0;
    for (int i = 0; i < 10 * page; i++)
        dirty |= a[i];
    EQ(dirty, 0);
    memset(a, 'x', 10 * page);
    EQ(b[0], 0);
    EQ(munmap(a, 10 * page), 0);
    a = mmap(NULL, 10 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(a != MAP_FAILED);
    for (int i = 0; i < 10 * page; i++)
        dirty |= a[i];
    EQ(dirty, 0);
    EQ(munmap(a, 10 * page), 0);
    EQ(munmap(a, 10 * page), 0);
    const size_t huge = 1UL << 30;
    char *s = mmap(NULL, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    OK(s != MAP_FAILED);
    for (size_t at = 0; at < huge; at += huge / 16)
        s[at] = 1;
    s[huge - 1] = 2;
    EQ(s[huge / 2] + s[huge - 1] + s[huge / 2 + 5000], 3);
    IN_CHILD("fork with a large sparse mapping") {
        EQ(s[huge - 1], 2);
        s[huge / 2 + 5000] = 1;
    }
    EQ(s[huge / 2 + 5000], 0);
    EQ(munmap(s, huge), 0);
    return tap_done();
}
