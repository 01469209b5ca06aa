// SPDX-License-Identifier: MIT
//
// CLOCK_PROCESS_CPUTIME_ID counts work and not sleep; a child starts at zero;
// clock_getcpuclockid().
#include "tap.h"
#include <sys/time.h>

static long long us(clockid_t id)
{
    struct timespec t;
    NEED(clock_gettime(id, &t) == 0);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void nothing(int sig)
{
    (void)sig;
}

int main(void)
{
    clockid_t id;
    tap_start();
    long long start = us(CLOCK_PROCESS_CPUTIME_ID);
    tap_sleep(100);
    long long slept = us(CLOCK_PROCESS_CPUTIME_ID) - start;
    OK(slept < 60000);
    start = us(CLOCK_PROCESS_CPUTIME_ID);
    while (us(CLOCK_PROCESS_CPUTIME_ID) - start < 40000)
        ;
    OK(us(CLOCK_PROCESS_CPUTIME_ID) - start >= 40000);
    OK(us(CLOCK_THREAD_CPUTIME_ID) > 0);
    IN_CHILD("a child starts anew") {
        OK(us(CLOCK_PROCESS_CPUTIME_ID) < 40000);
    }
    EQ(clock_getcpuclockid(0, &id), 0);
    OK(us(id) >= 40000);
    struct itimerval soon = {.it_value.tv_usec = 50000};
    signal(SIGALRM, nothing);
    SYS(setitimer(ITIMER_REAL, &soon, NULL));
    struct timespec work = {0, 20000000};
    int error = clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &work, NULL);
    OK(error == ENOTSUP || error == EINTR); // but time alone does not end it
    error = clock_getcpuclockid(999999, &id);
    OK(error == ESRCH || error == EINVAL);
    return tap_done();
}
