// SPDX-License-Identifier: MIT
//
// Signals and blocked pipes: a blocked read gives EINTR; a blocked write that has moved bytes gives
// its partial count, and nothing is lost.
#include "tap.h"

static void nothing(int sig)
{
    (void)sig;
}

int main(void)
{
    static char big[300000], buf[4096];
    int p[2];
    char byte;
    tap_start();
    struct sigaction sa = {.sa_handler = nothing};
    SYS(sigaction(SIGUSR1, &sa, NULL));
    SYS(pipe(p));
    pid_t poker = tap_fork();
    if (poker == 0)
        for (;;) {
            tap_sleep(15);
            kill(getppid(), SIGUSR1);
        }
    ERR(read(p[0], &byte, 1), EINTR);
    ssize_t n = write(p[1], big, sizeof big);
    OK(n >= 4096 && n < (ssize_t)sizeof big);
    ERR(write(p[1], big, PIPE_BUF), EINTR);
    SYS(kill(poker, SIGKILL));
    EQ(tap_wait(poker), 128 + SIGKILL);
    SYS(fcntl(p[0], F_SETFL, O_NONBLOCK));
    long total = 0;
    for (long m; (m = read(p[0], buf, sizeof buf)) > 0;)
        total += m;
    EQ(total, n);
    return tap_done();
}
