// SPDX-License-Identifier: MIT
//
// posix_fallocate(): reserves and extends with zeros, keeps data, never shrinks; posix_fadvise()
// returns its error instead of setting errno.
#include "tap.h"

int main(void)
{
    char buf[8];
    struct stat st;
    int p[2];
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    EQ(write(fd, "data", 4), 4);
    int result = posix_fallocate(fd, 0, 100000);
    if (result == EOPNOTSUPP || result == EINVAL)
        tap_skip_all("this file system does not reserve");
    EQ(result, 0);
    SYS(fstat(fd, &st));
    EQ(st.st_size, 100000);
    OK(st.st_blocks * 512LL >= 100000);
    EQ(pread(fd, buf, 8, 0), 8);
    OK(!memcmp(buf, "data\0\0\0\0", 8));
    EQ(posix_fallocate(fd, 10, 10), 0);
    SYS(fstat(fd, &st));
    EQ(st.st_size, 100000);
    EQ(posix_fallocate(fd, 0, 0), EINVAL);
    EQ(posix_fallocate(fd, -1, 10), EINVAL);
    EQ(posix_fallocate(60, 0, 10), EBADF);
    EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0);
    EQ(posix_fadvise(60, 0, 0, POSIX_FADV_NORMAL), EBADF);
    SYS(pipe(p));
    EQ(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
    return tap_done();
}
