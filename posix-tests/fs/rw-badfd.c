// SPDX-License-Identifier: MIT
//
// EBADF from every call that takes a descriptor, for closed, negative and absurd numbers.
#include "tap.h"
#include <poll.h>
#include <sys/uio.h>

int main(void)
{
    static const int bad[] = {-1, 63, 1000000, INT_MAX, INT_MIN};
    char buf[4] = "abc";
    struct stat st;
    struct iovec v = {buf, 1};
    tap_start();
    for (int i = 0; i < 5; i++) {
        int fd = bad[i];
        ERR(read(fd, buf, 1), EBADF);
        ERR(write(fd, buf, 1), EBADF);
        ERR(readv(fd, &v, 1), EBADF);
        ERR(writev(fd, &v, 1), EBADF);
        ERR(lseek(fd, 0, SEEK_SET), EBADF);
        ERR(fstat(fd, &st), EBADF);
        ERR(close(fd), EBADF);
        ERR(dup(fd), EBADF);
        ERR(dup2(fd, 5), EBADF);
        ERR(fcntl(fd, F_GETFD), EBADF);
        ERR(fchdir(fd), EBADF);
        ERR(fchmod(fd, 0600), EBADF);
        ERR(fsync(fd), EBADF);
        ERR(ftruncate(fd, 0), EBADF);
    }
    ERR(dup2(1, -1), EBADF);
    ERR(dup2(1, 1 << 30), EBADF);
    ERR(fcntl(1, F_DUPFD, -1), EINVAL);
    ERR(openat(-1, "x", O_RDONLY), EBADF);
    EQ(fcntl(1, F_GETFD) >= 0, 1);
    return tap_done();
}
