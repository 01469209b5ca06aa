// SPDX-License-Identifier: MIT
//
// Files, pipes and /dev/null are no terminals: isatty() 0 and ENOTTY from every terminal call.
#include "tap.h"
#include <sys/ioctl.h>
#include <termios.h>

int main(void)
{
    int p[2];
    struct termios t;
    struct winsize w;
    tap_start();
    tap_tmp();
    SYS(pipe(p));
    const int fds[] = {SYS(open("f", O_RDWR | O_CREAT, 0600)), p[0], SYS(open("/dev/null", O_RDWR)),
                       SYS(open(".", O_RDONLY))};
    for (int i = 0; i < 4; i++) {
        EQ(isatty(fds[i]), 0);
        OK(errno == ENOTTY || errno == EINVAL);
        ERR(tcgetattr(fds[i], &t), ENOTTY);
        ERR(tcgetpgrp(fds[i]), ENOTTY);
        ERR(tcsetpgrp(fds[i], getpgrp()), ENOTTY);
        ERR(ioctl(fds[i], TIOCGWINSZ, &w), ENOTTY);
        OK(ttyname(fds[i]) == NULL);
        ERR(tcflush(fds[i], TCIFLUSH), ENOTTY);
    }
    EQ(isatty(60), 0);
    EQ(errno, EBADF);
    ERR(tcgetattr(60, &t), EBADF);
    return tap_done();
}
