// SPDX-License-Identifier: MIT
//
// Real-time signals: queued, in order of number and then of sending, with their values; standard
// signals are kept once.
#include "tap.h"
static volatile sig_atomic_t order[64], values[64], length, plain;

static void note(int sig, siginfo_t *si, void *context)
{
    (void)context;
    if (sig == SIGUSR1) {
        plain++;
        return;
    }
    order[length] = sig - SIGRTMIN;
    values[length++] = si->si_value.sival_int;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigset_t all, none;
    tap_start();
    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    sigemptyset(&none);
    sigfillset(&sa.sa_mask);
    for (int i = 0; i < 4; i++)
        SYS(sigaction(SIGRTMIN + i, &sa, NULL));
    SYS(sigaction(SIGUSR1, &sa, NULL));
    SYS(sigprocmask(SIG_SETMASK, &all, NULL));
    for (int i = 0; i < 5; i++)
        for (int n = 3; n >= 0; n--)
            EQ(sigqueue(getpid(), SIGRTMIN + n, (union sigval){.sival_int = n * 10 + i}), 0);
    for (int i = 0; i < 5; i++)
        kill(getpid(), SIGUSR1);
    EQ(length, 0);
    SYS(sigprocmask(SIG_SETMASK, &none, NULL));
    EQ(plain, 1);
    EQ(length, 20);
    for (int i = 0; i < length; i++) {
        EQ(order[i], i / 5);
        EQ(values[i], i / 5 * 10 + i % 5);
    }
    length = 0;
    SYS(sigprocmask(SIG_SETMASK, &all, NULL));
    pid_t parent = getpid(), pid = tap_fork();
    if (pid == 0) {
        for (int i = 0; i < 30; i++)
            SYS(sigqueue(parent, SIGRTMIN, (union sigval){.sival_int = i}));
        _exit(0);
    }
    EQ(tap_wait(pid), 0);
    SYS(sigprocmask(SIG_SETMASK, &none, NULL));
    EQ(length, 30);
    for (int i = 0; i < length; i++)
        EQ(values[i], i);
    ERR(sigqueue(999999, SIGRTMIN, (union sigval){0}), ESRCH);
    ERR(sigqueue(parent, 1000, (union sigval){0}), EINVAL);
    return tap_done();
}
