// SPDX-License-Identifier: MIT
//
// madvise(MADV_DONTNEED) drops anonymous contents; posix_madvise returns errors; mlock is allowed
// for a page or says why not.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    tap_start();
    char *m = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(m != MAP_FAILED);
    memset(m, 'x', 16384);
    EQ(posix_madvise(m, 16384, POSIX_MADV_SEQUENTIAL), 0);
    EQ(posix_madvise(m, 16384, POSIX_MADV_WILLNEED), 0);
    EQ(m[5], 'x');
    EQ(posix_madvise(m, 4096, 9999), EINVAL);
    EQ(madvise(m + 4096, 4096, MADV_DONTNEED), 0);
    EQ(m[4095], 'x');
    EQ(m[4096] | m[8191], 0);
    EQ(m[8192], 'x');
    ERR(madvise(m + 1, 4096, MADV_DONTNEED), EINVAL);
    OK(mlock(m, 4096) == 0 || errno == ENOMEM || errno == EPERM || errno == ENOSYS);
    OK(munlock(m, 4096) == 0 || errno == ENOSYS);
    SYS(munmap(m + 8192, 4096));
    EQ(posix_madvise(m, 16384, POSIX_MADV_WILLNEED), ENOMEM);
    return tap_done();
}
