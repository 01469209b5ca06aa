// SPDX-License-Identifier: MIT
//
// ppoll() and pselect(): the mask is swapped atomically: a signal that is pending and let through
// ends the call with EINTR, and the old mask is back afterwards.
#include "tap.h"
#include <poll.h>
#include <sys/select.h>
static volatile sig_atomic_t got;

static void note(int sig)
{
    got = sig;
}

int main(void)
{
    sigset_t block, none, now;
    struct timespec second = {1, 0}, zero = {0, 0};
    tap_start();
    signal(SIGUSR1, note);
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    SYS(sigprocmask(SIG_BLOCK, &block, NULL));
    raise(SIGUSR1);
    EQ(poll(NULL, 0, 1), 0);
    EQ(got, 0);
    ERR(ppoll(NULL, 0, &second, &none), EINTR);
    EQ(got, SIGUSR1);
    SYS(sigprocmask(SIG_SETMASK, NULL, &now));
    EQ(sigismember(&now, SIGUSR1), 1);
    got = 0;
    raise(SIGUSR1);
    EQ(got, 0);
    ERR(pselect(0, NULL, NULL, NULL, &second, &none), EINTR);
    EQ(got, SIGUSR1);
    SYS(sigprocmask(SIG_SETMASK, NULL, &now));
    EQ(sigismember(&now, SIGUSR1), 1);
    EQ(ppoll(NULL, 0, &zero, NULL), 0);
    EQ(pselect(0, NULL, NULL, NULL, &zero, &block), 0);
    got = 0;
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_sleep(20);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    ERR(ppoll(NULL, 0, NULL, &none), EINTR);
    EQ(got, SIGUSR1);
    EQ(tap_wait(pid), 0);
    return tap_done();
}
