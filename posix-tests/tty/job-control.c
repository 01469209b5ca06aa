// SPDX-License-Identifier: MIT
//
// A controlling terminal: the first one a session leader opens; foreground group; keys that signal
// it; SIGTTIN for background readers; EIO for orphaned ones; SIGHUP on hangup.
#include "tap.h"
#include <sys/ioctl.h>
#include <termios.h>

static int child(const char *name, int ready)
{
    int status;
    SYS(setsid());
    ERR(open("/dev/tty", O_RDWR), ENXIO);
    int s = SYS(open(name, O_RDWR));
    ioctl(s, TIOCSCTTY, 0);
    OK(open("/dev/tty", O_RDWR) >= 0);
    EQ(tcgetpgrp(s), getpgrp());
    EQ(tcgetsid(s), getpid());
    pid_t front = tap_fork();
    if (front == 0) {
        SYS(setpgid(0, 0));
        signal(SIGTTOU, SIG_IGN);
        SYS(tcsetpgrp(s, getpid()));
        signal(SIGTTOU, SIG_DFL);
        tap_post(ready);
        for (;;)
            pause();
    }
    NEED(waitpid(front, &status, WUNTRACED) == front);
    EQ(WIFSTOPPED(status) ? WSTOPSIG(status) : -1, SIGTSTP);
    EQ(tcgetpgrp(s), front);
    SYS(kill(front, SIGCONT));
    tap_post(ready);
    EQ(tap_wait(front), 128 + SIGINT);
    pid_t reader = tap_fork();
    if (reader == 0) {
        char byte;
        SYS(setpgid(0, 0));
        read(s, &byte, 1);
        _exit(1);
    }
    NEED(waitpid(reader, &status, WUNTRACED) == reader);
    EQ(WIFSTOPPED(status) ? WSTOPSIG(status) : -1, SIGTTIN);
    SYS(kill(reader, SIGKILL));
    EQ(tap_wait(reader), 128 + SIGKILL);
    signal(SIGTTOU, SIG_IGN);
    EQ(tcsetpgrp(s, getpgrp()), 0);
    OK(tcsetpgrp(s, 999999) == -1 && (errno == EPERM || errno == ESRCH));
    tap_post(ready);
    for (;;)
        pause();
}

int main(void)
{
    int p[2];
    tap_start();
    int m = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (m < 0)
        tap_skip_all("no pseudo terminals");
    NEED(grantpt(m) == 0 && unlockpt(m) == 0);
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        char name[64];
        snprintf(name, sizeof name, "%s", ptsname(m));
        SYS(close(m));
        _exit(child(name, p[1]));
    }
    SYS(close(p[1]));
    tap_await(p[0]);
    EQ(write(m, "\032", 1), 1);
    tap_await(p[0]);
    EQ(write(m, "\003", 1), 1);
    tap_await(p[0]);
    SYS(close(m));
    EQ(tap_wait(pid), 128 + SIGHUP);
    return tap_done();
}
