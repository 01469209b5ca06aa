// SPDX-License-Identifier: MIT
// Clocks: read from the exposed page and the time stamp counter, without the kernel. POSIX:
// clock_gettime(), nanosleep().
#include <core/libos.h>
#include <lx/time.h>

#define NS 1000000000ull

const volatile struct proc_rec *proc_find(int pid); // proc/wait.c

// CPU time of this process: what the kernel accounted, up to the present slice.
uint64_t cpu_time(void)
{
    return EXO_ENVS[EXO_ENV_INDEX(ctx_self()->env)].cpu_ns + proc_self()->utime_ns;
}

static int64_t wall_offset(void)
{
    return EXO_INFO->wall_ns;
}

// The CPU-time clock of a process (clock_getcpuclockid): ~pid << 3 | kind, pid 0 = own.
static int process_clock(int clock, int64_t *ns)
{
    int pid = ~(clock >> 3);
    const volatile struct proc_rec *rec = pid ? proc_find(pid) : proc_self();
    if (!rec || (clock & 3) == 3) // 3: of a file
        return -LX_EINVAL;
    *ns = (int64_t)EXO_ENVS[EXO_ENV_INDEX(rec->env)].cpu_ns;
    return 0;
}

static int clock_read(int clock, int64_t *ns)
{
    if (clock < 0)
        return process_clock(clock, ns);
    switch (clock) {
    case LX_CLOCK_REALTIME:
    case LX_CLOCK_REALTIME_COARSE:
        *ns = (int64_t)clock_now() + wall_offset();
        return 0;
    case LX_CLOCK_MONOTONIC:
    case LX_CLOCK_MONOTONIC_RAW:
    case LX_CLOCK_MONOTONIC_COARSE:
    case LX_CLOCK_BOOTTIME:
        *ns = (int64_t)clock_now();
        return 0;
    case LX_CLOCK_PROCESS_CPUTIME_ID:
    case LX_CLOCK_THREAD_CPUTIME_ID:
        *ns = (int64_t)cpu_time();
        return 0;
    default:
        return -LX_EINVAL;
    }
}

long px_clock_gettime(int clock, uint64_t utime)
{
    int64_t ns;
    int err = clock_read(clock, &ns);
    if (err < 0)
        return err;
    struct lx_timespec t = {ns / (int64_t)NS, ns % (int64_t)NS};
    return user_write(utime, &t, sizeof(t));
}

long px_clock_getres(int clock, uint64_t utime)
{
    int64_t ns;
    int err = clock_read(clock, &ns);
    struct lx_timespec t = {0, 1};
    if (err < 0 || !utime)
        return err;
    return user_write(utime, &t, sizeof(t));
}

// The clock belongs to the machine, and there is no capability for setting it.
long px_clock_settime(int clock, uint64_t utime)
{
    struct lx_timespec t;
    if (clock != LX_CLOCK_REALTIME)
        return -LX_EINVAL;
    if (user_read(&t, utime, sizeof(t)) < 0)
        return -LX_EFAULT;
    return t.sec < 0 || t.nsec < 0 || t.nsec >= (int64_t)NS ? -LX_EINVAL : -LX_EPERM;
}

long px_settimeofday(uint64_t utime, uint64_t uzone)
{
    (void)utime, (void)uzone;
    return -LX_EPERM;
}

long px_gettimeofday(uint64_t utime, uint64_t uzone)
{
    int64_t ns = (int64_t)clock_now() + wall_offset();
    struct lx_timeval t = {ns / (int64_t)NS, ns % (int64_t)NS / 1000};
    uint32_t zone[2] = {0, 0};
    if (utime && user_write(utime, &t, sizeof(t)) < 0)
        return -LX_EFAULT;
    return uzone ? user_write(uzone, zone, sizeof(zone)) : 0;
}

long px_time(uint64_t utime)
{
    int64_t now = ((int64_t)clock_now() + wall_offset()) / (int64_t)NS;
    if (utime && user_write(utime, &now, sizeof(now)) < 0)
        return -LX_EFAULT;
    return now;
}

// --- sleeping ------------------------------------------------------------------------------------

static exo_ns_t plus(exo_ns_t base, const struct lx_timespec *t)
{
    if ((uint64_t)t->sec >= (EXO_NEVER - 1 - base) / NS)
        return EXO_NEVER;
    return base + (uint64_t)t->sec * NS + (uint64_t)t->nsec;
}

// An absolute time of a clock as a deadline of the monotonic one.
static exo_ns_t absolute(int clock, const struct lx_timespec *t)
{
    bool real = clock == LX_CLOCK_REALTIME || clock == LX_CLOCK_REALTIME_COARSE;
    exo_ns_t at = plus(0, t);
    if (!real || at == EXO_NEVER)
        return at;
    int64_t offset = wall_offset();
    return (int64_t)at <= offset ? 0 : at - (uint64_t)offset;
}

long px_clock_nanosleep(int clock, int flags, uint64_t utime, uint64_t urest)
{
    struct lx_timespec t;
    int64_t dummy;
    if (clock == LX_CLOCK_THREAD_CPUTIME_ID || clock_read(clock, &dummy) < 0)
        return -LX_EINVAL;
    if (clock == LX_CLOCK_PROCESS_CPUTIME_ID || clock < 0)
        return -LX_EOPNOTSUPP; // nothing tells when another process has used so much
    if (user_read(&t, utime, sizeof(t)) < 0)
        return -LX_EFAULT;
    if (t.sec < 0 || t.nsec < 0 || t.nsec >= (int64_t)NS)
        return -LX_EINVAL;
    bool abs = flags & LX_TIMER_ABSTIME;
    exo_ns_t deadline = abs ? absolute(clock, &t) : block_deadline(plus(clock_now(), &t));
    int err;
    do {
        err = block_wait(NULL, 0, deadline);
    } while (err == 0);
    if (err == -LX_ETIMEDOUT)
        return 0;
    if (abs && err == -ERESTARTSYS)
        return -ERESTARTNOHAND;
    if (urest && !abs) {
        exo_ns_t now = clock_now();
        uint64_t left = deadline > now ? deadline - now : 0;
        struct lx_timespec rest = {(int64_t)(left / NS), (int64_t)(left % NS)};
        if (user_write(urest, &rest, sizeof(rest)) < 0)
            return -LX_EFAULT;
    }
    return err == -ERESTARTSYS ? block_again(deadline) : err;
}

long px_nanosleep(uint64_t utime, uint64_t urest)
{
    return px_clock_nanosleep(LX_CLOCK_MONOTONIC, 0, utime, urest);
}
