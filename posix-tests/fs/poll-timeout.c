// SPDX-License-Identifier: MIT
//
// poll() and select(): a timeout is waited at least, 0 returns at once, an event from another
// process ends the wait, EINTR by a signal handler even with SA_RESTART.
#include "tap.h"
#include <poll.h>
#include <sys/select.h>

static void nothing(int sig)
{
    (void)sig;
}

int main(void)
{
    int p[2];
    tap_start();
    SYS(pipe(p));
    struct pollfd f = {p[0], POLLIN, 0};
    long long start = tap_ms();
    EQ(poll(&f, 1, 40), 0);
    OK(tap_ms() - start >= 39);
    start = tap_ms();
    EQ(poll(NULL, 0, 20), 0);
    OK(tap_ms() - start >= 19);
    struct timeval tv = {0, 30000};
    start = tap_ms();
    EQ(select(0, NULL, NULL, NULL, &tv), 0);
    OK(tap_ms() - start >= 29);
    EQ(poll(&f, 1, 0), 0);
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_sleep(20);
        tap_post(p[1]);
        _exit(0);
    }
    EQ(poll(&f, 1, -1), 1);
    EQ(f.revents, POLLIN);
    EQ(tap_wait(pid), 0);
    tap_await(p[0]);
    struct sigaction sa = {.sa_handler = nothing, .sa_flags = SA_RESTART};
    SYS(sigaction(SIGUSR1, &sa, NULL));
    pid_t poker = tap_fork();
    if (poker == 0)
        for (;;) {
            tap_sleep(15);
            kill(getppid(), SIGUSR1);
        }
    ERR(poll(&f, 1, -1), EINTR);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    ERR(select(p[0] + 1, &set, NULL, NULL, NULL), EINTR);
    SYS(kill(poker, SIGKILL));
    EQ(tap_wait(poker), 128 + SIGKILL);
    return tap_done();
}
