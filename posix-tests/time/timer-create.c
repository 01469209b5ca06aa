// SPDX-License-Identifier: MIT
//
// timer_create(): signals with value and SI_TIMER, one-shot and periodic, disarm, overruns, several
// at once, gone in the child of a fork.
#include "tap.h"
static volatile sig_atomic_t count, value, code;

static void note(int sig, siginfo_t *si, void *context)
{
    (void)sig, (void)context;
    count++;
    value = si->si_value.sival_int;
    code = si->si_code;
}

int main(void)
{
    timer_t a, b;
    sigset_t none, block;
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec t = {{0, 0}, {0, 15000000}}, old;
    tap_start();
    ev.sigev_value.sival_int = 99;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGRTMIN);
    SYS(sigaction(SIGRTMIN, &sa, NULL));
    SYS(sigprocmask(SIG_BLOCK, &block, NULL));
    EQ(timer_create(CLOCK_MONOTONIC, &ev, &a), 0);
    ev.sigev_value.sival_int = 5;
    EQ(timer_create(CLOCK_REALTIME, &ev, &b), 0);
    EQ(timer_gettime(a, &old), 0);
    EQ(old.it_value.tv_nsec, 0);
    EQ(timer_settime(a, 0, &t, NULL), 0);
    while (count < 1)
        sigsuspend(&none);
    EQ(value, 99);
    EQ(code, SI_TIMER);
    t.it_interval.tv_nsec = 3000000;
    t.it_value.tv_nsec = 3000000;
    EQ(timer_settime(b, 0, &t, NULL), 0);
    tap_sleep(30);
    while (count < 2)
        sigsuspend(&none);
    EQ(value, 5);
    OK(timer_getoverrun(b) >= 1);
    while (count < 5)
        sigsuspend(&none);
    t.it_value.tv_nsec = 0;
    EQ(timer_settime(b, 0, &t, &old), 0);
    EQ(old.it_interval.tv_nsec, 3000000);
    t.it_value.tv_sec = 100;
    EQ(timer_settime(a, 0, &t, NULL), 0);
    EQ(timer_gettime(a, &old), 0);
    OK(old.it_value.tv_sec >= 90);
    IN_CHILD("a child has no timers") {
        OK(timer_gettime(a, &old) == -1 && errno == EINVAL);
    }
    EQ(timer_delete(a), 0);
    EQ(timer_delete(b), 0);
    OK(timer_create(12345, &ev, &a) == -1 && errno == EINVAL);
    return tap_done();
}
