// SPDX-License-Identifier: MIT
//
// dup(), dup2(), dup3(), F_DUPFD and F_DUPFD_CLOEXEC: which number, which flags, which errors.
#include "tap.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit limit;
    tap_start();
    int a = fcntl(1, F_DUPFD, 50);
    EQ(a, 50);
    EQ(fcntl(1, F_DUPFD, 50), 51);
    EQ(fcntl(1, F_DUPFD_CLOEXEC, 50), 52);
    EQ(fcntl(52, F_GETFD), FD_CLOEXEC);
    EQ(fcntl(50, F_GETFD), 0);
    EQ(dup2(52, 51), 51);
    EQ(fcntl(51, F_GETFD), 0);
    EQ(dup2(52, 52), 52);
    EQ(fcntl(52, F_GETFD), FD_CLOEXEC);
    EQ(dup3(1, 53, O_CLOEXEC), 53);
    EQ(fcntl(53, F_GETFD), FD_CLOEXEC);
    ERR(dup3(1, 1, 0), EINVAL);
    ERR(dup2(60, 61), EBADF);
    ERR(dup2(60, 60), EBADF);
    ERR(fcntl(61, F_GETFD), EBADF);
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    ERR(dup2(1, limit.rlim_cur), EBADF);
    ERR(fcntl(1, F_DUPFD, (int)limit.rlim_cur), EINVAL);
    if (limit.rlim_cur > 256)
        EQ(dup2(1, 255), 255);
    EQ(dup(1) < 50, 1);
    return tap_done();
}
