// SPDX-License-Identifier: MIT
//
// sigaction(): sets and reports; what was set comes back; EINVAL for bad numbers and for KILL and
// STOP; a null action only asks.
#include "tap.h"
static volatile sig_atomic_t got;

static void note(int sig)
{
    got = sig;
}

int main(void)
{
    struct sigaction sa = {.sa_handler = note, .sa_flags = SA_RESTART | SA_NODEFER}, old;
    tap_start();
    sigemptyset(&sa.sa_mask);
    sigaddset(&sa.sa_mask, SIGUSR2);
    EQ(sigaction(SIGUSR1, NULL, &old), 0);
    OK(old.sa_handler == SIG_DFL);
    EQ(sigaction(SIGUSR1, &sa, &old), 0);
    OK(old.sa_handler == SIG_DFL);
    EQ(sigaction(SIGUSR1, NULL, &old), 0);
    OK(old.sa_handler == note);
    EQ(old.sa_flags & (SA_RESTART | SA_NODEFER | SA_SIGINFO | SA_RESETHAND),
       SA_RESTART | SA_NODEFER);
    EQ(sigismember(&old.sa_mask, SIGUSR2), 1);
    EQ(sigismember(&old.sa_mask, SIGUSR1), 0);
    EQ(raise(SIGUSR1), 0);
    EQ(got, SIGUSR1);
    ERR(sigaction(0, NULL, &old), EINVAL);
    ERR(sigaction(-1, NULL, &old), EINVAL);
    ERR(sigaction(65, NULL, &old), EINVAL);
    ERR(sigaction(SIGKILL, &sa, NULL), EINVAL);
    ERR(sigaction(SIGSTOP, &sa, NULL), EINVAL);
    OK(signal(SIGKILL, SIG_IGN) == SIG_ERR);
    OK(signal(SIGUSR1, SIG_IGN) == note);
    got = 0;
    EQ(raise(SIGUSR1), 0);
    EQ(got, 0);
    OK(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
    for (int sig = 1; sig <= 31; sig++)
        OK(sig == SIGKILL || sig == SIGSTOP || signal(sig, note) != SIG_ERR);
    tap_alarm();
    OK(SIGRTMAX - SIGRTMIN >= 7);
    return tap_done();
}
