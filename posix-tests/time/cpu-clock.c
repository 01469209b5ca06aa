// SPDX-License-Identifier: MIT
//
// CLOCK_PROCESS_CPUTIME_ID counts work and not sleep; a child starts at zero;
// clock_getcpuclockid().
#include "tap.h"

static long long us(clockid_t id)
{
    struct timespec t;
    NEED(clock_gettime(id, &t) == 0);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
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
    int error = clock_getcpuclockid(999999, &id);
    OK(error == ESRCH || error == EINVAL);
    return tap_done();
}
