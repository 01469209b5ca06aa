// SPDX-License-Identifier: MIT
// What the files of /proc say: text made from the process records and the kernel's exposed tables,
// which everybody may read. Formats: proc(5).
#include <fs/proctext.h>
#include <proc/signal.h>

static void put_state(struct text *t, const volatile struct proc_rec *r)
{
    bool running = EXO_ENVS[EXO_ENV_INDEX(r->env)].running_on != 0;
    const char *state = r->state == PROC_ZOMBIE    ? "Z"
                        : r->state == PROC_STOPPED ? "T"
                        : running                  ? "R"
                                                   : "S";
    text_put(t, state);
}

static void copy_comm(char name[16], const volatile struct proc_rec *r)
{
    for (int i = 0; i < 15; i++)
        name[i] = r->comm[i];
    name[15] = 0;
}

#define TICK_NS 10000000ul

static uint64_t cpu_ns(const volatile struct proc_rec *r)
{
    return r->utime_ns + (r->state == PROC_ZOMBIE ? 0 : EXO_ENVS[EXO_ENV_INDEX(r->env)].cpu_ns);
}

// proc(5), /proc/[pid]/stat: 52 fields; those that mean nothing here are 0.
void proc_put_stat(struct text *t, const struct who *w)
{
    const volatile struct proc_rec *r = w->rec;
    char comm[16];
    copy_comm(comm, r);
    text_printf(t, "%d (%s) ", r->pid, comm);
    put_state(t, r);
    text_printf(t, " %d %d %d %d -1 0 ", r->ppid, r->pgid, r->sid, (int)r->tty);
    text_printf(t, "%lu 0 0 0 ", (unsigned long)EXO_ENVS[EXO_ENV_INDEX(r->env)].faults);
    text_printf(t, "%lu 0 %lu 0 %d %d 1 0 ", cpu_ns(r) / TICK_NS, r->cutime_ns / TICK_NS,
                20 + r->nice, r->nice);
    text_printf(t, "%lu 0 0 18446744073709551615", r->start_ns / TICK_NS);
    for (int i = 26; i <= 52; i++)
        text_put(t, i == 38 ? " 17" : " 0");
    text_put(t, "\n");
}

// The signal sets as /proc shows them, of this process alone: those of others are in their own
// memory.
static void put_signals(struct text *t)
{
    uint64_t ignored = 0, caught = 0;
    for (int signo = 1; signo <= LX_NSIG; signo++) {
        uint64_t handler = sig.action[signo - 1].handler;
        ignored |= handler == LX_SIG_IGN ? LX_SIGBIT(signo) : 0;
        caught |= handler != LX_SIG_IGN && handler != LX_SIG_DFL ? LX_SIGBIT(signo) : 0;
    }
    sig_take();
    text_printf(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", 0ul, sig.pending,
                thread_self()->sigmask);
    text_printf(t, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", ignored, caught);
}

void proc_put_status(struct text *t, const struct who *w)
{
    const volatile struct proc_rec *r = w->rec;
    char comm[16];
    copy_comm(comm, r);
    text_printf(t, "Name:\t%s\nState:\t", comm);
    put_state(t, r);
    text_printf(t, "\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", r->pid, r->pid, r->ppid);
    text_printf(t, "Uid:\t%u\t%u\t%u\t%u\n", r->ruid, r->euid, r->suid, r->euid);
    text_printf(t, "Gid:\t%u\t%u\t%u\t%u\nGroups:\t", r->rgid, r->egid, r->sgid, r->egid);
    for (uint32_t i = 0; i < r->ngroups && i < PROC_NGROUPS; i++)
        text_printf(t, "%u ", r->groups[i]);
    text_put(t, "\nThreads:\t1\n");
    if (r == proc_self())
        put_signals(t);
}

void proc_put_cmdline(struct text *t, const struct who *w)
{
    char line[sizeof(w->rec->cmdline)];
    size_t n = sizeof(line);
    for (size_t i = 0; i < sizeof(line); i++)
        line[i] = w->rec->cmdline[i];
    while (n && !line[n - 1])
        n--;
    if (n && w->rec->state != PROC_ZOMBIE)
        text_add(t, line, n < sizeof(line) ? n + 1 : n);
}

void proc_put_comm(struct text *t, const struct who *w)
{
    char comm[16];
    copy_comm(comm, w->rec);
    text_printf(t, "%s\n", comm);
}

void proc_put_meminfo(struct text *t, const struct who *w)
{
    (void)w;
    unsigned long total = EXO_INFO->frames * 4, free = EXO_INFO->frames_free * 4;
    text_printf(t, "MemTotal:       %lu kB\nMemFree:        %lu kB\nMemAvailable:   %lu kB\n",
                total, free, free);
    text_put(
        t,
        "Buffers:        0 kB\nCached:         0 kB\nSwapCached:     0 kB\nShmem:          0 kB\n"
        "SReclaimable:   0 kB\nSwapTotal:      0 kB\nSwapFree:       0 kB\n");
}

void proc_put_uptime(struct text *t, const struct who *w)
{
    (void)w;
    unsigned long up = clock_now() / 10000000, idle = EXO_INFO->idle_ns / 10000000;
    text_printf(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
}

static unsigned count_processes(bool running)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < EXO_INFO->envs; i++) {
        const volatile struct proc_rec *r = proc_at(i);
        n += r && r->state != PROC_FREE && (!running || EXO_ENVS[i].running_on);
    }
    return n;
}

void proc_put_loadavg(struct text *t, const struct who *w)
{
    (void)w;
    text_printf(t, "0.00 0.00 0.00 %u/%u 1\n", count_processes(true), count_processes(false));
}

void proc_put_kernel_stat(struct text *t, const struct who *w)
{
    (void)w;
    unsigned long busy = 0;
    for (uint32_t i = 0; i < EXO_INFO->envs; i++)
        busy += EXO_ENVS[i].state != EXO_ENV_FREE ? EXO_ENVS[i].cpu_ns : 0;
    unsigned long user = busy / TICK_NS, idle = EXO_INFO->idle_ns / TICK_NS;
    text_printf(t, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\ncpu0 %lu 0 0 %lu 0 0 0 0 0 0\n", user, idle, user,
                idle);
    text_printf(t, "ctxt 0\nbtime %lu\n", (unsigned long)(EXO_INFO->wall_ns / 1000000000));
    text_printf(t, "processes %u\nprocs_running %u\nprocs_blocked 0\n", count_processes(false),
                count_processes(true));
}

void proc_put_version(struct text *t, const struct who *w)
{
    (void)w;
    text_put(t, "exoc version 6.1.0-exoc: library OS on an exokernel\n");
}

void proc_put_cpuinfo(struct text *t, const struct who *w)
{
    (void)w;
    for (uint32_t i = 0; i < EXO_INFO->cpus; i++)
        text_printf(t, "processor\t: %u\nvendor_id\t: x86-64\ncpu MHz\t\t: %lu.000\n\n", i,
                    (unsigned long)(EXO_INFO->tsc_hz / 1000000));
}

void proc_put_mounts(struct text *t, const struct who *w)
{
    (void)w;
    text_put(t, "root / ext2 rw 0 0\nproc /proc proc rw 0 0\n");
}

void proc_put_filesystems(struct text *t, const struct who *w)
{
    (void)w;
    text_put(t, "nodev\tproc\n\text2\n");
}
