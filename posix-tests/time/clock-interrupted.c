// SPDX-License-Identifier: MIT
//
// clock_gettime() is async-signal-safe: signals that arrive in it are handled, a handler may leave
// by siglongjmp, time does not go back meanwhile; a bad pointer is EFAULT or SIGSEGV and no more.
#include "tap.h"
#include <setjmp.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;
static sigjmp_buf out;

static void count(int sig)
{
    (void)sig;
    ticks++;
}

static void leave(int sig)
{
    (void)sig;
    ticks++;
    siglongjmp(out, 1);
}

static int before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static void tick(int us)
{
    struct itimerval t = {{0, us}, {0, us}};
    SYS(setitimer(ITIMER_REAL, &t, NULL));
}

int main(void)
{
    struct timespec last = {0, 0}, now;
    volatile int backwards = 0;
    tap_start();
    tick(1000);
    signal(SIGALRM, count);
    while (ticks < 40) {
        NEED(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
        backwards += before(&now, &last);
        last = now;
    }
    EQ(backwards, 0);
    signal(SIGALRM, leave);
    sigsetjmp(out, 1);
    while (ticks < 80)
        NEED(clock_gettime(CLOCK_REALTIME, &now) == 0);
    OK(ticks >= 80);
    tick(0);
    signal(SIGSEGV, leave);
    if (sigsetjmp(out, 1) == 0)
        ERR(clock_gettime(CLOCK_MONOTONIC, (struct timespec *)8), EFAULT);
    OK(1);
    EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return tap_done();
}
