// SPDX-License-Identifier: MIT
// Clocks, timers, resource usage and limits, system information: constants and structures of the
// Linux x86-64 ABI.
#ifndef LX_TIME_H
#define LX_TIME_H

#include <stdint.h>
#include <lx/fcntl.h> // struct lx_timespec, lx_timeval

#define LX_CLOCK_REALTIME           0
#define LX_CLOCK_MONOTONIC          1
#define LX_CLOCK_PROCESS_CPUTIME_ID 2
#define LX_CLOCK_THREAD_CPUTIME_ID  3
#define LX_CLOCK_MONOTONIC_RAW      4
#define LX_CLOCK_REALTIME_COARSE    5
#define LX_CLOCK_MONOTONIC_COARSE   6
#define LX_CLOCK_BOOTTIME           7
#define LX_TIMER_ABSTIME            1

#define LX_ITIMER_REAL    0
#define LX_ITIMER_VIRTUAL 1
#define LX_ITIMER_PROF    2

#define LX_SIGEV_SIGNAL    0
#define LX_SIGEV_NONE      1
#define LX_SIGEV_THREAD_ID 4

struct lx_itimerspec {
    struct lx_timespec interval, value;
};
struct lx_itimerval {
    struct lx_timeval interval, value;
};
struct lx_sigevent {
    uint64_t value;
    int32_t signo, notify, tid;
    int32_t pad[11];
};
_Static_assert(sizeof(struct lx_sigevent) == 64, "Linux sigevent");

struct lx_rusage {
    struct lx_timeval utime, stime;
    int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv,
        nsignals, nvcsw, nivcsw;
};
_Static_assert(sizeof(struct lx_rusage) == 144, "Linux struct rusage");

struct lx_tms {
    int64_t utime, stime, cutime, cstime;
};

#define LX_RLIMIT_CPU     0
#define LX_RLIMIT_FSIZE   1
#define LX_RLIMIT_DATA    2
#define LX_RLIMIT_STACK   3
#define LX_RLIMIT_CORE    4
#define LX_RLIMIT_RSS     5
#define LX_RLIMIT_NPROC   6
#define LX_RLIMIT_NOFILE  7
#define LX_RLIMIT_MEMLOCK 8
#define LX_RLIMIT_AS      9
#define LX_RLIM_NLIMITS   16
#define LX_RLIM_INFINITY  UINT64_MAX

struct lx_rlimit {
    uint64_t cur, max;
};

struct lx_utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

struct lx_sysinfo {
    int64_t uptime;
    uint64_t loads[3];
    uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, pad;
    uint32_t pad2;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit;
    char f[4];
};
_Static_assert(sizeof(struct lx_sysinfo) == 112, "Linux struct sysinfo");

#endif
