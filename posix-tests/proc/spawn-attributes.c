// SPDX-License-Identifier: MIT
//
// posix_spawn attributes: process group, session, signal mask, signals back to default.
#include "tap.h"
#include <spawn.h>

static int child(void)
{
    struct sigaction sa;
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigaction(SIGUSR1, NULL, &sa);
    int defaulted = sa.sa_handler == SIG_DFL;
    sigaction(SIGUSR2, NULL, &sa);
    int ignored = sa.sa_handler == SIG_IGN;
    return (getpgrp() == getpid()) | sigismember(&mask, SIGHUP) << 1 | defaulted << 2 |
           ignored << 3 | (getsid(0) == getpid()) << 4;
}

int main(int argc, char **argv)
{
    pid_t pid;
    sigset_t set;
    posix_spawnattr_t a;
    if (argc > 1)
        return child();
    tap_start();
    const char *self = tap_self(argv);
    char *args[] = {(char *)self, "child", NULL};
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    EQ(posix_spawnattr_init(&a), 0);
    EQ(posix_spawn(&pid, self, NULL, &a, args, NULL), 0);
    EQ(tap_wait(pid), 8);
    EQ(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETPGROUP), 0);
    EQ(posix_spawn(&pid, self, NULL, &a, args, NULL), 0);
    EQ(tap_wait(pid), 8 | 1);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    EQ(posix_spawnattr_setsigmask(&a, &set), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    EQ(posix_spawnattr_setsigdefault(&a, &set), 0);
    EQ(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF), 0);
    EQ(posix_spawn(&pid, self, NULL, &a, args, NULL), 0);
    EQ(tap_wait(pid), 8 | 4 | 2);
    EQ(posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSID), 0);
    EQ(posix_spawn(&pid, self, NULL, &a, args, NULL), 0);
    EQ(tap_wait(pid), 8 | 1 | 16);
    sigprocmask(SIG_BLOCK, NULL, &set);
    EQ(sigismember(&set, SIGHUP), 0);
    return tap_done();
}
