// SPDX-License-Identifier: MIT
// Calls that belong nowhere else: accounting, scheduling parameters, system information, random
// bytes, prctl.
#include <lx/time.h>
#include <proc/signal.h>

uint64_t cpu_time(void);
const volatile struct proc_rec *proc_find(int pid);

// --- accounting ----------------------------------------------------------------------------------

#define TICKS_PER_SECOND 100
#define RUSAGE_SELF      0
#define RUSAGE_CHILDREN  (-1)
#define RUSAGE_THREAD    1

static struct lx_timeval timeval_of(uint64_t ns)
{
    return (struct lx_timeval){(int64_t)(ns / 1000000000), (int64_t)(ns % 1000000000 / 1000)};
}

// There is no kernel time to tell from user time: system calls are function calls. All of it is
// user time.
long px_getrusage(int who, uint64_t uusage)
{
    struct lx_rusage u = {0};
    if (who == RUSAGE_SELF || who == RUSAGE_THREAD)
        u.utime = timeval_of(cpu_time());
    else if (who == RUSAGE_CHILDREN)
        u.utime = timeval_of(proc_self()->cutime_ns);
    else
        return -LX_EINVAL;
    u.minflt = (int64_t)EXO_ENVS[EXO_ENV_INDEX(ctx_self()->env)].faults;
    return user_write(uusage, &u, sizeof(u));
}

long px_times(uint64_t utms)
{
    uint64_t tick = 1000000000 / TICKS_PER_SECOND;
    struct lx_tms t = {.utime = (int64_t)(cpu_time() / tick),
                       .cutime = (int64_t)(proc_self()->cutime_ns / tick)};
    if (utms && user_write(utms, &t, sizeof(t)) < 0)
        return -LX_EFAULT;
    return (long)(clock_now() / tick);
}

// --- scheduling ----------------------------------------------------------------------------------

#define PRIO_PROCESS 0
#define PRIO_PGRP    1
#define PRIO_USER    2

long px_sched_yield(void)
{
    exo_ctx_yield(0, 0, 0);
    return 0;
}

static bool prio_matches(const volatile struct proc_rec *rec, int which, uint32_t who)
{
    if (rec->state == PROC_FREE || rec->state == PROC_ZOMBIE)
        return false;
    switch (which) {
    case PRIO_PROCESS:
        return (uint32_t)rec->pid == (who ? who : (uint32_t)proc_self()->pid);
    case PRIO_PGRP:
        return (uint32_t)rec->pgid == (who ? who : (uint32_t)proc_self()->pgid);
    default:
        return rec->ruid == (who ? who : proc_self()->ruid);
    }
}

// The system call answers 20 - nice, so that no result looks like an error.
long px_getpriority(int which, uint32_t who)
{
    long best = -LX_ESRCH;
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -LX_EINVAL;
    for (uint32_t i = 0; i < EXO_INFO->envs; i++) {
        const volatile struct proc_rec *rec = proc_at(i);
        if (rec && prio_matches(rec, which, who) && 20 - rec->nice > best)
            best = 20 - rec->nice;
    }
    return best;
}

long px_setpriority(int which, uint32_t who, int nice)
{
    long result = -LX_ESRCH;
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -LX_EINVAL;
    nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
    for (uint32_t i = 0; i < EXO_INFO->envs; i++) {
        const volatile struct proc_rec *rec = proc_at(i);
        if (!rec || !prio_matches(rec, which, who))
            continue;
        struct exo_msg m = {.w = {PROC_OP_SETNICE, (uint64_t)rec->pid, (uint64_t)(int64_t)nice}};
        result = server_call(H_INIT, &m);
    }
    return result;
}

long px_sched_getaffinity(int pid, size_t size, uint64_t umask)
{
    uint64_t mask = EXO_INFO->cpus >= 64 ? ~0ull : (1ull << EXO_INFO->cpus) - 1;
    if (size < sizeof(mask))
        return -LX_EINVAL;
    if (pid && !proc_find(pid))
        return -LX_ESRCH;
    return user_write(umask, &mask, sizeof(mask)) < 0 ? -LX_EFAULT : (long)sizeof(mask);
}

long px_sched_setaffinity(int pid, size_t size, uint64_t umask)
{
    uint64_t mask = 0;
    if (user_read(&mask, umask, size < sizeof(mask) ? size : sizeof(mask)) < 0)
        return -LX_EFAULT;
    if (pid && !proc_find(pid))
        return -LX_ESRCH;
    return mask & 1 ? 0 : -LX_EINVAL;
}

// One policy, SCHED_OTHER with priority 0.
long px_sched_getscheduler(int pid)
{
    return pid && !proc_find(pid) ? -LX_ESRCH : 0;
}

long px_sched_setscheduler(int pid, int policy, uint64_t uparam)
{
    uint32_t priority;
    if (user_load32(uparam, &priority) < 0)
        return -LX_EFAULT;
    if (pid && !proc_find(pid))
        return -LX_ESRCH;
    if (policy == 1 || policy == 2) // FIFO, RR: slices are the kernel's, not to be had by asking
        return -LX_EPERM;
    return policy == 0 && priority == 0 ? 0 : -LX_EINVAL;
}

long px_sched_getparam(int pid, uint64_t uparam)
{
    return pid && !proc_find(pid) ? -LX_ESRCH : user_store32(uparam, 0);
}

long px_sched_setparam(int pid, uint64_t uparam)
{
    return px_sched_setscheduler(pid, 0, uparam);
}

long px_sched_get_priority_max(int policy)
{
    return policy == 1 || policy == 2                  ? 99
           : policy == 0 || policy == 3 || policy == 5 ? 0
                                                       : -LX_EINVAL;
}

long px_sched_get_priority_min(int policy)
{
    return policy == 1 || policy == 2                  ? 1
           : policy == 0 || policy == 3 || policy == 5 ? 0
                                                       : -LX_EINVAL;
}

long px_sched_rr_get_interval(int pid, uint64_t utime)
{
    struct lx_timespec t = {0, (int64_t)EXO_INFO->tick_ns};
    return pid && !proc_find(pid) ? -LX_ESRCH : user_write(utime, &t, sizeof(t));
}

long px_getcpu(uint64_t ucpu, uint64_t unode)
{
    uint32_t on = EXO_ENVS[EXO_ENV_INDEX(ctx_self()->env)].running_on;
    if (ucpu && user_store32(ucpu, on ? on - 1 : 0) < 0)
        return -LX_EFAULT;
    return unode ? user_store32(unode, 0) : 0;
}

// --- the system ----------------------------------------------------------------------------------

long px_uname(uint64_t ubuf)
{
    struct lx_utsname u = {
        .sysname = "exoc",
        .nodename = "exoc",
        .release = "6.1.0-exoc", // the version of the Linux interface that is spoken
        .version = "#1 library OS on an exokernel",
        .machine = "x86_64",
        .domainname = "(none)",
    };
    return user_write(ubuf, &u, sizeof(u));
}

long px_sysinfo(uint64_t uinfo)
{
    struct lx_sysinfo s = {.mem_unit = (uint32_t)EXO_PAGE_SIZE};
    s.uptime = (int64_t)(clock_now() / 1000000000);
    s.totalram = EXO_INFO->frames;
    s.freeram = EXO_INFO->frames_free;
    for (uint32_t i = 0; i < EXO_INFO->envs; i++)
        s.procs += EXO_ENVS[i].state == EXO_ENV_LIVE;
    return user_write(uinfo, &s, sizeof(s));
}

// --- random bytes --------------------------------------------------------------------------------
// From the CPU's generator where there is one. Without it: ChaCha20 keyed by the time stamp
// counter's jitter and the process's identity; the boot page's seed reaches init alone.
// docs/limits.md says so.

static uint32_t rotl(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void quarter(uint32_t s[16], int a, int b, int c, int d)
{
    s[a] += s[b], s[d] = rotl(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = rotl(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = rotl(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = rotl(s[b] ^ s[c], 7);
}

// RFC 8439, 2.3: the block function, on a state that counts itself.
static void chacha_block(uint32_t state[16], uint32_t out[16])
{
    memcpy(out, state, 64);
    for (int i = 0; i < 10; i++) {
        quarter(out, 0, 4, 8, 12), quarter(out, 1, 5, 9, 13);
        quarter(out, 2, 6, 10, 14), quarter(out, 3, 7, 11, 15);
        quarter(out, 0, 5, 10, 15), quarter(out, 1, 6, 11, 12);
        quarter(out, 2, 7, 8, 13), quarter(out, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++)
        out[i] += state[i];
    if (++state[12] == 0)
        state[13]++;
}

static bool rdrand(uint64_t *value)
{
    for (int i = 0; i < 10; i++) {
        uint8_t ok;
        __asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ok) : : "cc");
        if (ok)
            return true;
    }
    return false;
}

static uint64_t random_word(void)
{
    static uint32_t state[16], block[16], used = 16;
    static uint64_t keyed_for; // a forked child must not repeat its parent's numbers
    uint64_t value, me = ctx_self()->env;
    if ((EXO_INFO->features & EXO_CPU_RDRAND) && rdrand(&value))
        return value;
    if (keyed_for != me) {
        for (int i = 0; i < 12; i++) {
            uint32_t low, high;
            __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
            state[4 + i] = block[i] ^ low ^ rotl(high, i) ^ (uint32_t)(me >> (i & 32));
        }
        memcpy(state, "expand 32-byte k", 16);
        keyed_for = me;
        used = 16;
    }
    if (used > 14) {
        chacha_block(state, block);
        used = 0;
    }
    memcpy(&value, block + used, 8);
    used += 2;
    return value;
}

#define GRND_FLAGS 7u

long px_getrandom(uint64_t buf, size_t n, uint32_t flags)
{
    uint64_t words[8];
    size_t done = 0;
    if (flags & ~GRND_FLAGS)
        return -LX_EINVAL;
    while (done < n) {
        size_t chunk = n - done < sizeof(words) ? n - done : sizeof(words);
        for (size_t i = 0; i < (chunk + 7) / 8; i++)
            words[i] = random_word();
        if (user_write(buf + done, words, chunk) < 0)
            return done ? (long)done : -LX_EFAULT;
        done += chunk;
    }
    return (long)done;
}

// --- prctl ---------------------------------------------------------------------------------------

#define PR_SET_PDEATHSIG    1
#define PR_GET_PDEATHSIG    2
#define PR_GET_DUMPABLE     3
#define PR_SET_DUMPABLE     4
#define PR_SET_NAME         15
#define PR_GET_NAME         16
#define PR_SET_NO_NEW_PRIVS 38
#define PR_GET_NO_NEW_PRIVS 39

static char thread_name[16];
static uint32_t dumpable = 1;

long px_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b, (void)c, (void)d;
    switch (option) {
    case PR_SET_NAME: {
        char name[16] = {0};
        long n = user_string(name, a, sizeof(name));
        if (n == -LX_EFAULT)
            return n;
        name[15] = 0;
        memcpy(thread_name, name, sizeof(name));
        return 0;
    }
    case PR_GET_NAME: {
        if (!thread_name[0]) {
            for (int i = 0; i < 15; i++)
                thread_name[i] = proc_self()->comm[i];
        }
        return user_write(a, thread_name, sizeof(thread_name));
    }
    case PR_GET_DUMPABLE:
        return dumpable;
    case PR_SET_DUMPABLE:
        if (a > 1)
            return -LX_EINVAL;
        dumpable = (uint32_t)a;
        return 0;
    case PR_GET_PDEATHSIG:
        return user_store32(a, 0);
    case PR_GET_NO_NEW_PRIVS:
        return 0;
    default:
        return -LX_EINVAL;
    }
}

#define REBOOT_MAGIC1 0xfee1dead
long px_reboot(uint32_t magic, uint32_t magic2, uint32_t command, uint64_t arg)
{
    (void)magic2, (void)arg;
    if (magic != REBOOT_MAGIC1)
        return -LX_EINVAL;
    struct exo_msg m = {.w = {PROC_OP_REBOOT, command}};
    return server_call(H_INIT, &m);
}
