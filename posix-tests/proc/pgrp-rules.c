// SPDX-License-Identifier: MIT
//
// setpgid(), getpgid(), setsid(), getsid(): who may move whom where.
#include "tap.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        tap_post(1);
        for (;;)
            pause();
    }
    tap_start();
    const char *self = tap_self(argv);
    int p[2];
    SYS(pipe(p));
    EQ(getpgrp(), getpgid(0));
    EQ(getsid(0), getsid(getpid()));
    ERR(setpgid(-1, 0), EINVAL);
    ERR(setpgid(0, -1), EINVAL);
    ERR(setpgid(999999, 0), ESRCH);
    ERR(getpgid(999999), ESRCH);
    ERR(getsid(999999), ESRCH);
    pid_t a = tap_fork();
    if (a == 0)
        for (;;)
            pause();
    EQ(setpgid(a, a), 0);
    EQ(getpgid(a), a);
    EQ(setpgid(a, getpgrp()), 0);
    EQ(getpgid(a), getpgrp());
    ERR(setpgid(a, 999999), EPERM);
    pid_t b = tap_fork();
    if (b == 0) {
        alarm(TAP_CHILD_LIMIT);
        dup2(p[1], 1);
        execl(self, self, "child", NULL);
        _exit(98);
    }
    tap_await(p[0]);
    ERR(setpgid(b, b), EACCES);
    IN_CHILD("a session leader") {
        pid_t old = getpgrp();
        EQ(setsid(), getpid());
        EQ(getsid(0), getpid());
        EQ(getpgrp(), getpid());
        ERR(setsid(), EPERM);
        ERR(setpgid(0, 0), EPERM);
        ERR(setpgid(0, old), EPERM);
        ERR(setpgid(a, 0), ESRCH);
    }
    IN_CHILD("a group leader may not make a session, its child may") {
        EQ(setpgid(0, 0), 0);
        ERR(setsid(), EPERM);
        pid_t c = tap_fork();
        if (c == 0) {
            EQ(setsid(), getpid());
            _exit(0);
        }
        EQ(tap_wait(c), 0);
    }
    kill(a, SIGKILL);
    kill(b, SIGKILL);
    EQ(tap_wait(a), 128 + SIGKILL);
    EQ(tap_wait(b), 128 + SIGKILL);
    return tap_done();
}
