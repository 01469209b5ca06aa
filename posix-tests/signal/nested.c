// SPDX-License-Identifier: MIT
//
// Handlers interrupted by other handlers: each signal nests once, sa_mask holds some back, order of
// return is that of a stack.
#include "tap.h"
static volatile sig_atomic_t trace[32], length;

static void note(int sig)
{
    trace[length++] = sig;
    if (sig == SIGUSR1) {
        raise(SIGUSR2);
        raise(SIGHUP);
    }
    if (sig == SIGUSR2)
        raise(SIGINT);
    trace[length++] = -sig;
}

int main(void)
{
    struct sigaction sa = {.sa_handler = note};
    tap_start();
    sigemptyset(&sa.sa_mask);
    SYS(sigaction(SIGUSR2, &sa, NULL));
    SYS(sigaction(SIGHUP, &sa, NULL));
    SYS(sigaction(SIGINT, &sa, NULL));
    sigaddset(&sa.sa_mask, SIGHUP);
    SYS(sigaction(SIGUSR1, &sa, NULL));
    raise(SIGUSR1);
    static const int want[] = {SIGUSR1,  SIGUSR2,  SIGINT, -SIGINT,
                               -SIGUSR2, -SIGUSR1, SIGHUP, -SIGHUP};
    EQ(length, 8);
    for (int i = 0; i < 8; i++)
        EQ(trace[i], want[i]);
    return tap_done();
}
