// SPDX-License-Identifier: MIT
//
// getrusage(), times(), clock(): time used grows with work, children count once they are waited
// for.
#include "tap.h"
#include <sys/resource.h>
#include <sys/times.h>

static long long us(struct rusage *u)
{
    return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000LL + u->ru_utime.tv_usec +
           u->ru_stime.tv_usec;
}

static void burn(int ms)
{
    struct timespec t;
    long long end = -1, now;
    do {
        for (volatile int i = 0; i < 10000; i++)
            ;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        now = t.tv_sec * 1000LL + t.tv_nsec / 1000000;
        end = end < 0 ? now + ms : end;
    } while (now < end);
}

int main(void)
{
    struct rusage a, b, kids;
    struct tms t;
    tap_start();
    EQ(getrusage(RUSAGE_SELF, &a), 0);
    burn(60);
    EQ(getrusage(RUSAGE_SELF, &b), 0);
    OK(us(&b) - us(&a) >= 40000);
    EQ(getrusage(RUSAGE_CHILDREN, &kids), 0);
    EQ(us(&kids), 0);
    pid_t pid = tap_fork();
    if (pid == 0) {
        burn(60);
        _exit(0);
    }
    EQ(tap_wait(pid), 0);
    EQ(getrusage(RUSAGE_CHILDREN, &kids), 0);
    OK(us(&kids) >= 40000);
    OK(times(&t) != (clock_t)-1);
    OK(t.tms_utime + t.tms_stime >= 3);
    OK(t.tms_cutime + t.tms_cstime >= 3);
    OK(clock() >= CLOCKS_PER_SEC / 25);
    ERR(getrusage(77, &a), EINVAL);
    return tap_done();
}
