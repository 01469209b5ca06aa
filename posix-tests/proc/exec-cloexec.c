// SPDX-License-Identifier: MIT
//
// exec: FD_CLOEXEC descriptors close, all others stay with their offsets, also high numbers.
#include "tap.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        int open = (fcntl(10, F_GETFD) == 0) | (fcntl(11, F_GETFD) != -1) << 1 |
                   (fcntl(200, F_GETFD) == 0) << 2 | (fcntl(201, F_GETFD) != -1) << 3;
        return lseek(10, 0, SEEK_CUR) == 3 && lseek(200, 0, SEEK_CUR) == 3 ? open : 99;
    }
    tap_start();
    const char *self = tap_self(argv);
    tap_tmp();
    tap_put("f", 0644, "0123456789");
    int fd = SYS(open("f", O_RDONLY | O_CLOEXEC));
    SYS(lseek(fd, 3, SEEK_SET));
    SYS(dup2(fd, 10));
    SYS(dup3(fd, 11, O_CLOEXEC));
    SYS(dup2(fd, 200));
    SYS(dup3(fd, 201, O_CLOEXEC));
    pid_t pid = tap_fork();
    if (pid == 0) {
        execl("/none", "x", NULL);
        NEED(fcntl(11, F_GETFD) == FD_CLOEXEC);
        execl(self, self, "child", NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 1 | 4);
    EQ(fcntl(201, F_GETFD), FD_CLOEXEC);
    return tap_done();
}
