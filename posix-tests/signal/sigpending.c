// SPDX-License-Identifier: MIT
//
// sigpending(): blocked and raised signals; ignoring a pending signal discards it; the default
// action "ignore" discards too.
#include "tap.h"

int main(void)
{
    sigset_t all, set;
    tap_start();
    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    SYS(sigprocmask(SIG_SETMASK, &all, NULL));
    EQ(sigpending(&set), 0);
    EQ(sigismember(&set, SIGUSR1), 0);
    raise(SIGUSR1);
    raise(SIGTERM);
    raise(SIGRTMIN + 1);
    EQ(sigpending(&set), 0);
    EQ(sigismember(&set, SIGUSR1), 1);
    EQ(sigismember(&set, SIGTERM), 1);
    EQ(sigismember(&set, SIGRTMIN + 1), 1);
    EQ(sigismember(&set, SIGUSR2), 0);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGRTMIN + 1, SIG_IGN);
    EQ(sigpending(&set), 0);
    EQ(sigismember(&set, SIGUSR1), 0);
    EQ(sigismember(&set, SIGTERM), 0);
    EQ(sigismember(&set, SIGRTMIN + 1), 0);
    signal(SIGTERM, SIG_DFL);
    sigemptyset(&all);
    SYS(sigprocmask(SIG_SETMASK, &all, NULL));
    EQ(getpid() > 0, 1);
    return tap_done();
}
