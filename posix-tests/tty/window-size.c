// SPDX-License-Identifier: MIT
//
// TIOCSWINSZ: both sides see it, and the foreground group gets SIGWINCH when it changes.
#include "tap.h"
#include <sys/ioctl.h>
#include <termios.h>

int main(void)
{
    struct winsize w = {.ws_row = 33, .ws_col = 111}, got;
    int ready[2];
    tap_start();
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    if (m < 0)
        tap_skip_all("no pseudo terminals");
    NEED(grantpt(m) == 0 && unlockpt(m) == 0);
    char name[64];
    snprintf(name, sizeof name, "%s", ptsname(m));
    int s = SYS(open(name, O_RDWR | O_NOCTTY));
    EQ(ioctl(m, TIOCSWINSZ, &w), 0);
    EQ(ioctl(s, TIOCGWINSZ, &got), 0);
    EQ(got.ws_row, 33);
    EQ(got.ws_col, 111);
    SYS(pipe(ready));
    pid_t pid = tap_fork();
    if (pid == 0) {
        sigset_t set;
        SYS(setsid());
        ioctl(SYS(open(name, O_RDWR)), TIOCSCTTY, 0);
        sigemptyset(&set);
        sigaddset(&set, SIGWINCH);
        SYS(sigprocmask(SIG_BLOCK, &set, NULL));
        tap_post(ready[1]);
        struct timespec t = {30, 0};
        _exit(sigtimedwait(&set, NULL, &t) == SIGWINCH ? 0 : 1);
    }
    tap_await(ready[0]);
    w.ws_row = 44;
    EQ(ioctl(m, TIOCSWINSZ, &w), 0);
    EQ(tap_wait(pid), 0);
    EQ(ioctl(s, TIOCGWINSZ, &got), 0);
    EQ(got.ws_row, 44);
    return tap_done();
}
