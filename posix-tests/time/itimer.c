// SPDX-License-Identifier: MIT
//
// setitimer(ITIMER_REAL) ends blocked calls, survives exec, and its ticks do not drift below the
// interval.
#include "tap.h"
#include <sys/time.h>
static volatile sig_atomic_t count;

static void note(int sig)
{
    (void)sig;
    count++;
}

int main(int argc, char **argv)
{
    struct itimerval t = {{0, 5000}, {0, 5000}}, off = {{0, 0}, {0, 0}};
    char byte;
    int p[2];
    if (argc > 1)
        for (;;)
            pause();
    tap_start();
    const char *self = tap_self(argv);
    SYS(pipe(p));
    struct sigaction sa = {.sa_handler = note};
    SYS(sigaction(SIGALRM, &sa, NULL));
    long long start = tap_ms();
    EQ(setitimer(ITIMER_REAL, &t, NULL), 0);
    for (int i = 0; i < 10; i++)
        ERR(read(p[0], &byte, 1), EINTR);
    OK(count >= 10);
    int ticks = count;
    OK(tap_ms() - start >= 5 * (ticks < 10 ? ticks : 10) - 5);
    SYS(setitimer(ITIMER_REAL, &off, NULL));
    tap_alarm();
    pid_t pid = tap_fork();
    if (pid == 0) {
        t = (struct itimerval){{0, 0}, {0, 100000}};
        SYS(setitimer(ITIMER_REAL, &t, NULL));
        execl(self, self, "child", NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 128 + SIGALRM);
    return tap_done();
}
