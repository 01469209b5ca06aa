// SPDX-License-Identifier: MIT
//
// The shared object that Linux calls vDSO: reading a clock without a system call, for whoever looks
// it up by AT_SYSINFO_EHDR, as musl and glibc do. It is a part of the libOS image that counts as
// the application's code: it runs on the application's stack and holds nothing, so signals are
// taken in it as anywhere, and a bad pointer is SIGSEGV, as on Linux. vdso(7).
//
// Clocks that need the process's own record are read by the system call.
#include <proto/clock.h>
#include <lx/time.h>

#define NS                1000000000ull
#define SYS_CLOCK_GETTIME 228
#define EXPORT            __attribute__((visibility("default")))

int __vdso_clock_gettime(int clock, struct lx_timespec *t) EXPORT;
int __vdso_gettimeofday(struct lx_timeval *t, void *zone) EXPORT;
int64_t __vdso_time(int64_t *t) EXPORT;

static int clock_call(int clock, struct lx_timespec *t)
{
    int64_t result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"((int64_t)SYS_CLOCK_GETTIME), "D"((int64_t)clock), "S"(t)
                     : "rcx", "r11", "memory");
    return (int)result;
}

static uint64_t wall_now(void)
{
    return exo_clock_now() + (uint64_t)EXO_INFO->wall_ns;
}

int __vdso_clock_gettime(int clock, struct lx_timespec *t)
{
    uint64_t ns;

    if (clock == LX_CLOCK_MONOTONIC || clock == LX_CLOCK_BOOTTIME ||
        clock == LX_CLOCK_MONOTONIC_RAW || clock == LX_CLOCK_MONOTONIC_COARSE)
        ns = exo_clock_now();
    else if (clock == LX_CLOCK_REALTIME || clock == LX_CLOCK_REALTIME_COARSE)
        ns = wall_now();
    else
        return clock_call(clock, t);
    t->sec = (int64_t)(ns / NS);
    t->nsec = (int64_t)(ns % NS);
    return 0;
}

// The zone is obsolete and always UTC.
int __vdso_gettimeofday(struct lx_timeval *t, void *zone)
{
    uint64_t us = wall_now() / 1000;

    if (zone)
        *(uint64_t *)zone = 0;
    if (!t)
        return 0;
    t->sec = (int64_t)(us / 1000000);
    t->usec = (int64_t)(us % 1000000);
    return 0;
}

int64_t __vdso_time(int64_t *t)
{
    int64_t now = (int64_t)(wall_now() / NS);

    if (t)
        *t = now;
    return now;
}
