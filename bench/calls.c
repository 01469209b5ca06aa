// SPDX-License-Identifier: MIT
// Calls that need nobody: what a system call itself costs.
#include "bench.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static int fd;
static char byte;

static void run_getppid(long n)
{
    while (n--)
        getppid();
}

static void handler(int number)
{
    (void)number;
}

static void run_sigaction(long n)
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    while (n--)
        must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
}

static void run_sigprocmask(long n)
{
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    while (n--)
        must(sigprocmask(n & 1 ? SIG_BLOCK : SIG_UNBLOCK, &set, &old) == 0, "sigprocmask");
}

static int open_zero(void)
{
    return fd = open("/dev/zero", O_RDONLY);
}
static int open_null(void)
{
    return fd = open("/dev/null", O_WRONLY);
}

static void run_read_zero(long n)
{
    while (n--)
        must(read(fd, &byte, 1) == 1, "read");
}
static void run_write_null(long n)
{
    while (n--)
        must(write(fd, &byte, 1) == 1, "write");
}

static void run_clock(long n)
{
    struct timespec t;
    while (n--)
        must(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "clock_gettime");
}

static void run_cpu_clock(long n)
{
    struct timespec t;
    while (n--)
        must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "clock_gettime");
}

static void run_getuid(long n)
{
    while (n--)
        must(getuid() == geteuid(), "getuid");
}

static void run_uname(long n)
{
    struct utsname u;
    while (n--)
        must(uname(&u) == 0, "uname");
}

static void run_umask(long n)
{
    while (n--)
        umask(022);
}

static void run_getrusage(long n)
{
    struct rusage usage;
    while (n--)
        must(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
}

static void run_yield(long n)
{
    while (n--)
        must(sched_yield() == 0, "sched_yield");
}

static void run_itimer(long n)
{
    struct itimerval t = {.it_value = {1000, 0}}, old;
    while (n--)
        must(setitimer(ITIMER_REAL, &t, &old) == 0, "setitimer");
}

static void run_times(long n)
{
    struct tms t;
    while (n--)
        must(times(&t) != (clock_t)-1, "times");
}

static void run_getrlimit(long n)
{
    struct rlimit limit;
    while (n--)
        must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
}

static void run_isatty(long n)
{
    while (n--)
        must(!isatty(fd), "isatty");
}

static void run_getpgid(long n)
{
    while (n--)
        must(getpgid(0) >= 0 && getsid(0) >= 0, "getpgid");
}

static void run_getgroups(long n)
{
    gid_t groups[64];
    while (n--)
        must(getgroups(64, groups) >= 0, "getgroups");
}

static void run_sigpending(long n)
{
    sigset_t set;
    while (n--)
        must(sigpending(&set) == 0, "sigpending");
}

static void run_fcntl(long n)
{
    while (n--)
        must(fcntl(fd, F_GETFL) >= 0, "fcntl");
}

const struct bench bench_calls[] = {
    {"getppid", "getppid", 0, NULL, NULL, run_getppid, NULL},
    {"sigaction", "sigaction", 0, NULL, NULL, run_sigaction, NULL},
    {"sigprocmask", "sigprocmask", 0, NULL, NULL, run_sigprocmask, NULL},
    {"read-zero", "read 1 B of /dev/zero", 0, open_zero, NULL, run_read_zero, NULL},
    {"write-null", "write 1 B to /dev/null", 0, open_null, NULL, run_write_null, NULL},
    {"clock", "clock_gettime, monotonic", 0, NULL, NULL, run_clock, NULL},
    {"clock-cpu", "clock_gettime, CPU time", 0, NULL, NULL, run_cpu_clock, NULL},
    {"getuid", "getuid and geteuid", 0, NULL, NULL, run_getuid, NULL},
    {"uname", "uname", 0, NULL, NULL, run_uname, NULL},
    {"umask", "umask", 0, NULL, NULL, run_umask, NULL},
    {"getrusage", "getrusage", 0, NULL, NULL, run_getrusage, NULL},
    {"yield", "sched_yield, alone", 0, NULL, NULL, run_yield, NULL},
    {"itimer", "setitimer", 0, NULL, NULL, run_itimer, NULL},
    {"times", "times", 0, NULL, NULL, run_times, NULL},
    {"getrlimit", "getrlimit", 0, NULL, NULL, run_getrlimit, NULL},
    {"isatty", "isatty of /dev/null", 0, open_null, NULL, run_isatty, NULL},
    {"getpgid", "getpgid and getsid", 0, NULL, NULL, run_getpgid, NULL},
    {"getgroups", "getgroups", 0, NULL, NULL, run_getgroups, NULL},
    {"sigpending", "sigpending", 0, NULL, NULL, run_sigpending, NULL},
    {"fcntl", "fcntl(F_GETFL)", 0, open_null, NULL, run_fcntl, NULL},
    BENCH_END,
};
