// SPDX-License-Identifier: MIT
//
// clock_nanosleep(): relative and absolute, past times return at once, errors as return value.
#include "tap.h"

static void note(int sig)
{
    (void)sig;
}

int main(void)
{
    struct timespec t, now;
    tap_start();
    SYS(clock_gettime(CLOCK_MONOTONIC, &t));
    t.tv_nsec += 30000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
    SYS(clock_gettime(CLOCK_MONOTONIC, &now));
    OK(now.tv_sec > t.tv_sec || (now.tv_sec == t.tv_sec && now.tv_nsec >= t.tv_nsec));
    EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
    t = (struct timespec){1000, 0};
    EQ(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0);
    long long start = tap_ms();
    t = (struct timespec){0, 20000000};
    EQ(clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL), 0);
    OK(tap_ms() - start >= 19);
    t.tv_nsec = 1000000000;
    EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL), EINVAL);
    EQ(clock_nanosleep(12345, 0, &now, NULL), EINVAL);
    signal(SIGUSR1, note);
    pid_t pid = tap_fork();
    if (pid == 0)
        for (;;) {
            tap_sleep(10);
            kill(getppid(), SIGUSR1);
        }
    SYS(clock_gettime(CLOCK_MONOTONIC, &t));
    t.tv_sec += 20;
    EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), EINTR);
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    return tap_done();
}
