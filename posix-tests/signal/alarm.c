// SPDX-License-Identifier: MIT
//
// alarm(): seconds left of the former, 0 cancels, SIGALRM ends by default; setitimer() shares its
// clock.
#include "tap.h"
#include <sys/time.h>
static volatile sig_atomic_t count;

static void note(int sig)
{
    (void)sig;
    count++;
}

int main(void)
{
    struct itimerval t = {{0, 0}, {0, 20000}}, old;
    tap_start();
    signal(SIGALRM, note);
    alarm(0);
    EQ(alarm(100), 0);
    unsigned left = alarm(0);
    OK(left >= 90 && left <= 100);
    EQ(alarm(0), 0);
    EQ(setitimer(ITIMER_REAL, &t, NULL), 0);
    while (count < 1)
        pause();
    EQ(count, 1);
    EQ(getitimer(ITIMER_REAL, &old), 0);
    EQ(old.it_value.tv_sec + old.it_value.tv_usec, 0);
    t.it_interval.tv_usec = 5000;
    EQ(setitimer(ITIMER_REAL, &t, NULL), 0);
    while (count < 5)
        pause();
    OK(count >= 5);
    t.it_value.tv_usec = t.it_interval.tv_usec = 0;
    t.it_value.tv_sec = 50;
    EQ(setitimer(ITIMER_REAL, &t, &old), 0);
    EQ(old.it_interval.tv_usec, 5000);
    left = alarm(40);
    OK(left >= 40 && left <= 50);
    ERR(setitimer(99, &t, NULL), EINVAL);
    t.it_value.tv_usec = 1000000;
    ERR(setitimer(ITIMER_REAL, &t, NULL), EINVAL);
    pid_t pid = tap_fork();
    if (pid == 0) {
        signal(SIGALRM, SIG_DFL);
        t = (struct itimerval){{0, 0}, {0, 10000}};
        setitimer(ITIMER_REAL, &t, NULL);
        for (;;)
            ;
    }
    EQ(tap_wait(pid), 128 + SIGALRM);
    return tap_done();
}
