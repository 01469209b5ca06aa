// SPDX-License-Identifier: MIT
//
// fork(): what the child inherits (mask, handlers, group, session, directory, ids) and what it does
// not (pending signals, alarms, times of its own).
#include "tap.h"
#include <sys/times.h>
#include <sys/time.h>

static void handler(int sig)
{
    (void)sig;
}

int main(void)
{
    sigset_t set;
    struct sigaction old;
    struct tms t;
    struct itimerval timer = {{0, 0}, {40, 0}}, left;
    tap_start();
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    SYS(sigprocmask(SIG_BLOCK, &set, NULL));
    raise(SIGUSR1);
    SYS(setitimer(ITIMER_REAL, &timer, NULL));
    pid_t parent = getpid(), group = getpgrp(), session = getsid(0);
    pid_t pid = fork();
    if (pid == 0) {
        tap_in_child = 1;
        SYS(getitimer(ITIMER_REAL, &left));
        EQ(left.it_value.tv_sec + left.it_value.tv_usec, 0);
        tap_alarm();
        OK(getpid() != parent);
        EQ(getppid(), parent);
        EQ(getpgrp(), group);
        EQ(getsid(0), session);
        SYS(sigprocmask(SIG_BLOCK, NULL, &set));
        EQ(sigismember(&set, SIGUSR1), 1);
        sigpending(&set);
        EQ(sigismember(&set, SIGUSR1), 0);
        SYS(sigaction(SIGUSR1, NULL, &old));
        OK(old.sa_handler == handler);
        SYS(sigaction(SIGUSR2, NULL, &old));
        OK(old.sa_handler == SIG_IGN);
        times(&t);
        EQ(t.tms_cutime + t.tms_cstime, 0);
        _exit(0);
    }
    EQ(tap_wait(pid), 0);
    sigpending(&set);
    EQ(sigismember(&set, SIGUSR1), 1);
    return tap_done();
}
