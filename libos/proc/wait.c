// SPDX-License-Identifier: MIT
// Waiting for children. Their state is in the process records, so looking costs nothing; only
// taking a report goes to init. POSIX: wait(), waitpid(), waitid().
#include <lx/time.h>
#include <proc/signal.h>

const volatile struct proc_rec *proc_find(int pid)
{
    uint64_t n = EXO_INFO->envs;
    for (uint32_t i = 0; i < n; i++) {
        const volatile struct proc_rec *rec = proc_at(i);
        if (rec && rec->state != PROC_FREE && rec->pid == pid)
            return rec;
    }
    return NULL;
}

struct wanted {
    int type; // LX_P_*
    int id;
    int options;
};

struct report {
    int pid;
    uint32_t uid, status;
    int code;
    struct lx_rusage usage;
};

static bool matches(const volatile struct proc_rec *child, const struct wanted *w)
{
    switch (w->type) {
    case LX_P_PID:
        return child->pid == w->id;
    case LX_P_PGID:
        return child->pgid == w->id;
    default:
        return true;
    }
}

static int code_of(uint32_t status)
{
    return (status & 0x7f) == 0 ? LX_CLD_EXITED : LX_CLD_KILLED;
}

static void usage_from(struct lx_rusage *u, uint64_t ns)
{
    memset(u, 0, sizeof(*u));
    u->utime = (struct lx_timeval){(int64_t)(ns / 1000000000), (int64_t)(ns % 1000000000 / 1000)};
}

// Takes the report of one child if it has one of the wanted kinds. 1 = taken, 0 = none.
static long take_report(const volatile struct proc_rec *child, const struct wanted *w,
                        struct report *r)
{
    bool keep = w->options & LX_WNOWAIT;
    struct exo_msg m;
    r->pid = child->pid;
    r->uid = child->ruid;
    r->status = child->status;
    usage_from(&r->usage, child->utime_ns + child->cutime_ns);
    if (child->state == PROC_ZOMBIE && (w->options & LX_WEXITED)) {
        r->status = child->status; // read before, it could be older than the state
        usage_from(&r->usage, child->utime_ns + child->cutime_ns);
        r->code = code_of(r->status);
        m = (struct exo_msg){.w = {PROC_OP_REAP, (uint64_t)r->pid}};
        return keep || server_call(H_INIT, &m) == 0;
    }
    if (child->state == PROC_STOPPED && (w->options & LX_WSTOPPED) && !(child->waited & 1)) {
        r->status = child->status;
        r->code = LX_CLD_STOPPED;
        m = (struct exo_msg){.w = {PROC_OP_ACK, (uint64_t)r->pid, 1}};
        return keep || server_call(H_INIT, &m) == 0;
    }
    if ((child->flags & PROC_F_CONTINUED) && (w->options & LX_WCONTINUED)) {
        r->code = LX_CLD_CONTINUED;
        r->status = 0xffff;
        m = (struct exo_msg){.w = {PROC_OP_ACK, (uint64_t)r->pid, 2}};
        return keep || server_call(H_INIT, &m) == 0;
    }
    return 0;
}

// 1 = a report was taken, 0 = there are such children, -LX_ECHILD = there are none.
static long look(const struct wanted *w, struct report *r)
{
    bool any = false;
    const volatile struct proc_rec *child;
    uint64_t bound = EXO_INFO->envs; // the list is init's, but a bound costs nothing
    for (uint32_t i = proc_self()->first_child; i && bound--; i = child->next_sibling) {
        child = proc_at(i);
        if (!child)
            break;
        if (!matches(child, w))
            continue;
        any = true;
        if (take_report(child, w, r))
            return 1;
    }
    return any ? 0 : -LX_ECHILD;
}

static bool has_report(const volatile struct proc_rec *child)
{
    return child->state == PROC_ZOMBIE || (child->flags & PROC_F_CONTINUED) ||
           (child->state == PROC_STOPPED && !(child->waited & 1));
}

// POSIX, wait(): once a report was taken, a blocked SIGCHLD goes unless another child has one. A
// child has its report before its signal comes, so signals are taken first: what comes later stays.
static void forget_signal(void)
{
    const volatile struct proc_rec *child;
    uint64_t bound = EXO_INFO->envs;
    if (!(thread_self()->sigmask & LX_SIGBIT(LX_SIGCHLD)))
        return;
    sig_take();
    for (uint32_t i = proc_self()->first_child; i && bound--; i = child->next_sibling) {
        child = proc_at(i);
        if (!child)
            break;
        if (has_report(child))
            return;
    }
    sig_forget(LX_SIGCHLD);
}

static long wait_report(const struct wanted *w, struct report *r)
{
    for (;;) {
        const volatile struct proc_rec *self = proc_self();
        uint32_t event = self->child_event;
        long got = look(w, r);
        if (got == 1 && !(w->options & LX_WNOWAIT))
            forget_signal();
        if (got || (w->options & LX_WNOHANG))
            return got;
        struct exo_cond same = {EXO_COND_WORD, event, (uint64_t)&self->child_event};
        int err = block_wait(&same, 1, EXO_NEVER);
        if (err < 0)
            return err;
    }
}

long px_wait4(int pid, uint64_t ustatus, int options, uint64_t uusage)
{
    struct wanted w = {LX_P_ALL, 0, (options & ~LX_WNOWAIT) | LX_WEXITED};
    struct report r;
    if (options &
        ~(int)(LX_WNOHANG | LX_WUNTRACED | LX_WCONTINUED | LX_WNOTHREAD | LX_WALL | LX_WCLONE))
        return -LX_EINVAL;
    if (pid > 0)
        w.type = LX_P_PID, w.id = pid;
    else if (pid != -1)
        w.type = LX_P_PGID, w.id = pid ? -pid : proc_self()->pgid;
    long got = wait_report(&w, &r);
    if (got <= 0)
        return got;
    if (ustatus && user_store32(ustatus, r.status) < 0)
        return -LX_EFAULT;
    if (uusage && user_write(uusage, &r.usage, sizeof(r.usage)) < 0)
        return -LX_EFAULT;
    return r.pid;
}

// siginfo's status: the exit code or the signal.
static int plain_status(const struct report *r)
{
    switch (r->code) {
    case LX_CLD_EXITED:
    case LX_CLD_STOPPED:
        return (int)(r->status >> 8 & 0xff);
    case LX_CLD_CONTINUED:
        return LX_SIGCONT;
    default:
        return (int)(r->status & 0x7f);
    }
}

long px_waitid(int type, int id, uint64_t uinfo, int options, uint64_t uusage)
{
    struct wanted w = {type, id, options};
    struct report r;
    int kinds = LX_WEXITED | LX_WSTOPPED | LX_WCONTINUED;
    if (!(options & kinds) || type < LX_P_ALL || type > LX_P_PGID ||
        (options & ~(int)(kinds | LX_WNOHANG | LX_WNOWAIT | LX_WNOTHREAD | LX_WALL | LX_WCLONE)))
        return -LX_EINVAL;
    if (type == LX_P_PGID && id == 0)
        w.id = proc_self()->pgid;
    long got = wait_report(&w, &r);
    if (got < 0)
        return got;
    struct lx_siginfo info = {0};
    if (got) {
        info.signo = LX_SIGCHLD;
        info.code = r.code;
        info.from.pid = r.pid;
        info.from.uid = r.uid;
        info.from.status = plain_status(&r);
    }
    if (uinfo && siginfo_write(uinfo, &info) < 0)
        return -LX_EFAULT;
    if (got && uusage && user_write(uusage, &r.usage, sizeof(r.usage)) < 0)
        return -LX_EFAULT;
    return 0;
}
