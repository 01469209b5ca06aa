// SPDX-License-Identifier: MIT
//
// mmap(), munmap(), mprotect(): EINVAL, EBADF, EACCES, ENODEV, ENOMEM.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    int p[2];
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "data");
    long page = sysconf(_SC_PAGESIZE);
    const int rw = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;
    int r = SYS(open("f", O_RDONLY)), w = SYS(open("f", O_WRONLY));
    SYS(pipe(p));
    ERR(mmap(NULL, 0, rw, anon, -1, 0), EINVAL);
    ERR(mmap(NULL, page, rw, MAP_ANONYMOUS, -1, 0), EINVAL);
    ERR(mmap(NULL, page, PROT_READ, MAP_PRIVATE, r, 1), EINVAL);
    ERR(mmap(NULL, page, PROT_READ, MAP_PRIVATE, 60, 0), EBADF);
    ERR(mmap(NULL, page, rw, MAP_SHARED, r, 0), EACCES);
    ERR(mmap(NULL, page, PROT_READ, MAP_PRIVATE, w, 0), EACCES);
    ERR(mmap(NULL, page, PROT_READ, MAP_SHARED, w, 0), EACCES);
    ERR(mmap(NULL, page, PROT_READ, MAP_PRIVATE, p[0], 0), ENODEV);
    ERR(mmap((void *)1, page, rw, anon | MAP_FIXED, -1, 0), EINVAL);
    OK(mmap(NULL, SIZE_MAX - page, rw, anon, -1, 0) == MAP_FAILED);
    OK(mmap(NULL, 1UL << 60, rw, anon, -1, 0) == MAP_FAILED);
    char *m = mmap(NULL, 3 * page, PROT_READ, MAP_SHARED, r, 0);
    NEED(m != MAP_FAILED);
    ERR(mprotect(m, page, rw), EACCES);
    ERR(munmap(m + 1, page), EINVAL);
    ERR(munmap(m, 0), EINVAL);
    EQ(munmap(m + page, page), 0);
    ERR(mprotect(m, 3 * page, PROT_NONE), ENOMEM);
    ERR(msync(m + page, page, MS_SYNC), ENOMEM);
    ERR(msync(m, page, MS_SYNC | MS_ASYNC), EINVAL);
    ERR(munmap((void *)-4096L, 4096), EINVAL);
    char *priv = mmap(NULL, page, rw, MAP_PRIVATE, r, 0);
    OK(priv != MAP_FAILED);
    priv[0] = 'X';
    EQ(priv[0], 'X');
    STR(tap_get("f"), "data");
    return tap_done();
}
