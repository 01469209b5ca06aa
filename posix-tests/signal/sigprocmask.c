// SPDX-License-Identifier: MIT
//
// sigprocmask(): block, unblock, set; KILL and STOP cannot be blocked; what is pending arrives
// before the unblocking call returns; EINVAL for a bad how.
#include "tap.h"
static volatile sig_atomic_t got;

static void note(int sig)
{
    got = got * 100 + sig;
}

int main(void)
{
    sigset_t set, old, all;
    tap_start();
    signal(SIGUSR1, note);
    signal(SIGUSR2, note);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    EQ(sigprocmask(SIG_BLOCK, &set, &old), 0);
    EQ(sigismember(&old, SIGUSR1), 0);
    raise(SIGUSR1);
    raise(SIGUSR1);
    EQ(got, 0);
    raise(SIGUSR2);
    EQ(got, SIGUSR2);
    EQ(sigprocmask(SIG_UNBLOCK, &set, &old), 0);
    EQ(got, SIGUSR2 * 100 + SIGUSR1);
    EQ(sigismember(&old, SIGUSR1), 1);
    sigfillset(&all);
    EQ(sigprocmask(SIG_SETMASK, &all, &old), 0);
    EQ(sigismember(&old, SIGUSR1), 0);
    EQ(sigprocmask(SIG_BLOCK, NULL, &set), 0);
    EQ(sigismember(&set, SIGKILL), 0);
    EQ(sigismember(&set, SIGSTOP), 0);
    EQ(sigismember(&set, SIGTERM), 1);
    EQ(sigismember(&set, SIGRTMAX), 1);
    EQ(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    ERR(sigprocmask(77, &set, NULL), EINVAL);
    EQ(sigprocmask(77, NULL, &set), 0);
    sigemptyset(&set);
    EQ(sigaddset(&set, SIGRTMIN + 3), 0);
    EQ(sigismember(&set, SIGRTMIN + 3), 1);
    EQ(sigdelset(&set, SIGRTMIN + 3), 0);
    EQ(sigismember(&set, SIGRTMIN + 3), 0);
    ERR(sigaddset(&set, 0), EINVAL);
    ERR(sigaddset(&set, 1000), EINVAL);
    return tap_done();
}
