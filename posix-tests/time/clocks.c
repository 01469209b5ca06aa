// SPDX-License-Identifier: MIT
//
// clock_gettime(): the monotonic clock never goes back, advances, and agrees between processes; the
// real-time clock agrees with time() and gettimeofday(); resolutions; EINVAL.
#include "tap.h"
#include <sys/time.h>

static long long ns(clockid_t id)
{
    struct timespec t;
    NEED(clock_gettime(id, &t) == 0);
    NEED(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void)
{
    struct timespec r;
    struct timeval tv;
    int p[2], back = 0;
    long long last, other;
    tap_start();
    last = ns(CLOCK_MONOTONIC);
    long long first = last;
    for (int i = 0; i < 20000; i++) {
        long long now = ns(CLOCK_MONOTONIC);
        back += now < last;
        last = now;
    }
    EQ(back, 0);
    OK(last > first);
    EQ(clock_getres(CLOCK_MONOTONIC, &r), 0);
    OK(r.tv_sec == 0 && r.tv_nsec > 0 && r.tv_nsec <= 20000000);
    EQ(clock_getres(CLOCK_REALTIME, &r), 0);
    OK(r.tv_sec == 0 && r.tv_nsec > 0 && r.tv_nsec <= 20000000);
    SYS(pipe(p));
    long long before = ns(CLOCK_MONOTONIC);
    pid_t pid = tap_fork();
    if (pid == 0) {
        long long mine = ns(CLOCK_MONOTONIC);
        NEED(write(p[1], &mine, sizeof mine) == sizeof mine);
        _exit(0);
    }
    EQ(read(p[0], &other, sizeof other), sizeof other);
    OK(before <= other);
    OK(other <= ns(CLOCK_MONOTONIC));
    EQ(tap_wait(pid), 0);
    time_t a = time(NULL), c, b;
    SYS(gettimeofday(&tv, NULL));
    SYS(clock_gettime(CLOCK_REALTIME, &r));
    b = time(&c);
    OK(a <= tv.tv_sec && tv.tv_sec <= r.tv_sec && r.tv_sec <= b + 1);
    EQ(b, c);
    OK(a > 1600000000);
    ERR(clock_gettime(12345, &r), EINVAL);
    ERR(clock_getres(12345, &r), EINVAL);
    r = (struct timespec){0, -1};
    ERR(clock_settime(CLOCK_REALTIME, &r), EINVAL);
    return tap_done();
}
