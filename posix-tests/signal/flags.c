// SPDX-License-Identifier: MIT
//
// SA_RESETHAND, SA_NODEFER, and the mask while a handler runs: its own signal and sa_mask.
#include "tap.h"
static volatile sig_atomic_t depth, deepest, calls, masked;

static void nested(int sig)
{
    sigset_t now;
    calls++;
    deepest = ++depth > deepest ? depth : deepest;
    sigprocmask(SIG_BLOCK, NULL, &now);
    masked =
        sigismember(&now, sig) | sigismember(&now, SIGUSR2) << 1 | sigismember(&now, SIGHUP) << 2;
    if (calls < 3)
        raise(sig);
    depth--;
}

static void set(int flags, int also)
{
    struct sigaction sa = {.sa_handler = nested, .sa_flags = flags};
    sigemptyset(&sa.sa_mask);
    if (also)
        sigaddset(&sa.sa_mask, also);
    SYS(sigaction(SIGUSR1, &sa, NULL));
    calls = deepest = depth = 0;
}

int main(void)
{
    struct sigaction now;
    sigset_t mask;
    tap_start();
    set(0, SIGUSR2);
    raise(SIGUSR1);
    EQ(calls, 3);
    EQ(deepest, 1);
    EQ(masked, 3);
    set(SA_NODEFER, 0);
    raise(SIGUSR1);
    EQ(calls, 3);
    EQ(deepest, 3);
    EQ(masked, 0);
    set(SA_NODEFER, SIGUSR1);
    raise(SIGUSR1);
    EQ(deepest, 1);
    set(SA_RESETHAND, 0);
    calls = 2;
    raise(SIGUSR1);
    EQ(calls, 3);
    SYS(sigaction(SIGUSR1, NULL, &now));
    OK(now.sa_handler == SIG_DFL);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    EQ(sigismember(&mask, SIGUSR1), 0);
    EQ(sigismember(&mask, SIGUSR2), 0);
    pid_t pid = tap_fork();
    if (pid == 0) {
        set(SA_RESETHAND, 0);
        raise(SIGUSR1);
        _exit(1);
    }
    EQ(tap_wait(pid), 128 + SIGUSR1);
    return tap_done();
}
