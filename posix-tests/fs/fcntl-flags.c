// SPDX-License-Identifier: MIT
//
// fcntl(): F_SETFD and F_SETFL change what they may and nothing else; unknown commands are EINVAL.
#include "tap.h"

int main(void)
{
    int p[2];
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EQ(fcntl(fd, F_SETFD, 0), 0);
    EQ(fcntl(fd, F_GETFD), 0);
    EQ(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_APPEND);
    EQ(fcntl(fd, F_SETFL, O_NONBLOCK | O_WRONLY | O_EXCL), 0);
    EQ(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_NONBLOCK);
    ERR(fcntl(fd, 9999), EINVAL);
    EQ(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    for (int i = 0; i < 2; i++) {
        EQ(fcntl(p[i], F_GETFD), FD_CLOEXEC);
        EQ(fcntl(p[i], F_GETFL) & (O_ACCMODE | O_NONBLOCK), (i ? O_WRONLY : O_RDONLY) | O_NONBLOCK);
    }
    EQ(fcntl(p[0], F_SETFL, 0), 0);
    EQ(fcntl(p[0], F_GETFL) & O_NONBLOCK, 0);
    EQ(fcntl(p[1], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    ERR(pipe2(p, O_APPEND), EINVAL);
    return tap_done();
}
