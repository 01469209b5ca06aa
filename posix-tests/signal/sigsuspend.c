// SPDX-License-Identifier: MIT
//
// sigsuspend(): mask swap and sleep are one step (no signal is lost between them), always EINTR,
// the old mask is back after the handler.
#include "tap.h"
static volatile sig_atomic_t got;

static void note(int sig)
{
    (void)sig;
    got++;
}

int main(void)
{
    sigset_t block, none, now;
    tap_start();
    signal(SIGUSR1, note);
    signal(SIGUSR2, note);
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    SYS(sigprocmask(SIG_BLOCK, &block, NULL));
    raise(SIGUSR1);
    ERR(sigsuspend(&none), EINTR);
    EQ(got, 1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    EQ(sigismember(&now, SIGUSR1), 1);
    pid_t parent = getpid(), pid = tap_fork();
    if (pid == 0) {
        got = 0;
        for (int i = 0; i < 100; i++) {
            kill(parent, SIGUSR1);
            while (got <= i)
                sigsuspend(&none);
        }
        _exit(0);
    }
    for (int i = 0; i < 100; i++) {
        while (got < 2 + i)
            sigsuspend(&none);
        kill(pid, SIGUSR1);
    }
    EQ(tap_wait(pid), 0);
    EQ(got, 101);
    return tap_done();
}
