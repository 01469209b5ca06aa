// SPDX-License-Identifier: MIT
// Signals between processes: who may, to whom, and what init itself does about them. POSIX: kill(),
// sigqueue().
//
// Delivery is a notification bit; the sender stands in the record. What the target does about it is
// its own business, but for SIGKILL (its environment is killed), SIGCONT (a stopped process runs
// again, whatever it thinks of it) and SIGSTOP (a process that does not stop by itself within
// FORCE_NS is taken off the CPU).
#include "init.h"
#include <stdlib.h>

#define FORCE_NS   200000000ull
#define QUEUE_USER 4096 // signals one user, root excepted, may have in all queues
#define QUEUE_MAX                                                                                  \
    1024 // queued signals a process may have pending, as _POSIX_SIGQUEUE_MAX asks for 32

#define STOPS                                                                                      \
    (LX_SIGBIT(LX_SIGSTOP) | LX_SIGBIT(LX_SIGTSTP) | LX_SIGBIT(LX_SIGTTIN) | LX_SIGBIT(LX_SIGTTOU))

static bool permitted(const struct proc *from, const struct proc *to, int signo)
{
    const struct proc_rec *f = from->rec, *t = to->rec;
    if (f->euid == 0 || f->euid == t->ruid || f->euid == t->suid || f->ruid == t->ruid ||
        f->ruid == t->suid)
        return true;
    return signo == LX_SIGCONT && f->sid == t->sid;
}

// All that the process runs on, of which it may have made more than its library OS would.
static void bind_all(const struct proc *p, exo_handle_t slice)
{
    for (uint32_t i = 0; i < EXO_ENVS[p->index].contexts; i++)
        exo_ctx_bind(p->env, i, slice);
}

// NOLINTNEXTLINE(misc-no-recursion): SIGCHLD is sent, which lets nobody run again
static void run_again(struct proc *p)
{
    p->stop_pending = false;
    p->force_at = 0;
    if (p->rec->state != PROC_STOPPED)
        return;
    rec_begin(p);
    p->rec->state = PROC_RUNNING;
    p->rec->flags |= PROC_F_CONTINUED;
    p->rec->waited = 0;
    p->rec->resume++;
    p->rec->event++;
    rec_end(p);
    wake_word(&p->rec->resume);
    if (p->forced)
        bind_all(p, job_slice(p->job));
    p->forced = false;
    signal_child_event(p, LX_CLD_CONTINUED, LX_SIGCONT);
}

static void notify(struct proc *p, int signo)
{
    exo_env_notify(p->env, LX_SIGBIT(signo));
}

// NOLINTNEXTLINE(misc-no-recursion): SIGCHLD is sent, which lets nobody run again
void signal_send(struct proc *p, int signo, int pid, uint32_t uid, int code, int32_t value)
{
    if (p->rec->state == PROC_ZOMBIE || p->rec->state == PROC_FREE || p->pid == 1)
        return;
    if (signo == LX_SIGKILL) {
        exo_env_kill(p->env, LX_SIGKILL, 0);
        return;
    }
    if (signo <= 32)
        p->rec->sender[signo - 1] = (struct proc_sender){pid, uid, code, value};
    if (signo == LX_SIGCONT)
        run_again(p);
    if (LX_SIGBIT(signo) & STOPS) {
        p->stop_pending = true;
        if (signo == LX_SIGSTOP && !p->force_at)
            p->force_at = exo_clock_ns() + FORCE_NS;
    }
    notify(p, signo);
}

// NOLINTNEXTLINE(misc-no-recursion): SIGCHLD is sent, which lets nobody run again
void signal_child_event(struct proc *child, int code, int32_t status)
{
    struct proc *parent = child->parent;
    bool stop = code == LX_CLD_STOPPED || code == LX_CLD_CONTINUED;
    if (!parent)
        return;
    parent->rec->child_event++;
    wake_word(&parent->rec->child_event);
    if (stop && (parent->rec->flags & PROC_F_NOCLDSTOP))
        return;
    signal_send(parent, LX_SIGCHLD, child->pid, child->rec->ruid, code, status);
}

// --- kill ----------------------------------------------------------------------------------------

struct tally {
    int sent, refused;
};

static void try_one(struct proc *caller, struct proc *p, int signo, struct tally *t)
{
    if (p->pid == 1 && signo) { // init takes no signals
        t->sent++;
        return;
    }
    if (!permitted(caller, p, signo)) {
        t->refused++;
        return;
    }
    t->sent++;
    if (signo)
        signal_send(p, signo, caller->pid, caller->rec->ruid, LX_SI_USER, 0);
}

long signal_kill(struct proc *caller, int pid, int signo)
{
    struct tally t = {0, 0};
    struct proc *p;
    if (signo < 0 || signo > LX_NSIG)
        return -LX_EINVAL;
    if (pid > 0) {
        p = proc_by_pid(pid);
        if (!p)
            return -LX_ESRCH;
        try_one(caller, p, signo, &t);
        return t.sent ? 0 : -LX_EPERM;
    }
    int group = pid == 0 ? caller->rec->pgid : (int)(0u - (unsigned)pid); // of INT_MIN: none
    TAILQ_FOREACH (p, &procs, all) {
        if (pid == -1 ? (p->pid == 1 || p == caller) : p->rec->pgid != group)
            continue;
        try_one(caller, p, signo, &t);
    }
    if (t.sent)
        return 0;
    return t.refused ? -LX_EPERM : -LX_ESRCH;
}

// The right to notify, as a capability. Derived from ours: revoked when the credentials of either
// change (ids.c).
long signal_peer(struct proc *caller, int pid, struct exo_msg *m)
{
    struct proc *p = proc_by_pid(pid);
    struct exo_ctx *ctx = (struct exo_ctx *)EXO_BOOT_CTX_VA;
    if (!p || p->pid == 1)
        return -LX_ESRCH;
    if (!permitted(caller, p, 0))
        return -LX_EPERM;
    if (p->rec->state == PROC_EMBRYO)
        return -LX_EAGAIN; // the kernel would forget who sent the signal
    ctx->send[0] = (struct exo_send){p->env, EXO_R_NOTIFY, EXO_SEND_DERIVE};
    m->meta = EXO_META(0, 1);
    p->notifiable = true;
    return 0;
}

// How many of this user's signals lie in queues: they take memory of ours.
static unsigned sent_by(uint32_t uid)
{
    const struct proc *p;
    const struct queued *q;
    unsigned n = 0;
    TAILQ_FOREACH (p, &procs, all) {
        STAILQ_FOREACH (q, &p->queue, link)
            n += q->uid == uid;
    }
    return n;
}

long signal_queue(struct proc *caller, int pid, int signo, uint64_t value, int code)
{
    struct proc *p = proc_by_pid(pid);
    if (signo < 0 || signo > LX_NSIG)
        return -LX_EINVAL;
    if (!p)
        return -LX_ESRCH;
    if (!permitted(caller, p, signo))
        return -LX_EPERM;
    if (!signo || p->rec->state == PROC_ZOMBIE)
        return 0;
    if (p->queued >= QUEUE_MAX || (caller->rec->ruid && sent_by(caller->rec->ruid) >= QUEUE_USER))
        return -LX_EAGAIN;
    struct queued *q = malloc(sizeof(*q));
    if (!q)
        return -LX_EAGAIN;
    *q = (struct queued){
        .signo = signo, .pid = caller->pid, .code = code, .uid = caller->rec->ruid, .value = value};
    STAILQ_INSERT_TAIL(&p->queue, q, link);
    p->queued++;
    signal_send(p, signo, caller->pid, caller->rec->ruid, LX_SI_QUEUE, 0);
    return 0;
}

static bool more_queued(const struct proc *p, int signo)
{
    struct queued *q;
    STAILQ_FOREACH (q, &p->queue, link) {
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the freed one left the list before
        if (q->signo == signo)
            return true;
    }
    return false;
}

long signal_fetch(struct proc *p, int signo, struct exo_msg *m)
{
    struct queued *q;
    STAILQ_FOREACH (q, &p->queue, link) {
        if (q->signo == signo)
            break;
    }
    if (!q)
        return -LX_EAGAIN;
    STAILQ_REMOVE(&p->queue, q, queued, link);
    p->queued--;
    m->w[1] = (uint64_t)q->pid;
    m->w[2] = q->uid;
    m->w[3] = q->value;
    m->w[4] = (uint64_t)(int64_t)q->code;
    free(q);
    m->w[5] = more_queued(p, signo);
    return 0;
}

void signal_drop_queue(struct proc *p)
{
    struct queued *q;
    while ((q = STAILQ_FIRST(&p->queue))) {
        STAILQ_REMOVE_HEAD(&p->queue, link);
        free(q);
    }
    p->queued = 0;
}

// --- stopping ------------------------------------------------------------------------------------

static void mark_stopped(struct proc *p, int signo)
{
    p->stop_pending = false;
    p->force_at = 0;
    rec_begin(p);
    p->rec->state = PROC_STOPPED;
    p->rec->status = (uint32_t)signo << 8 | 0x7f;
    p->rec->waited = 0;
    p->rec->flags &= ~PROC_F_CONTINUED;
    p->rec->event++;
    rec_end(p);
    signal_child_event(p, LX_CLD_STOPPED, signo);
}

long signal_stopped(struct proc *p, int signo)
{
    if (signo < 1 || signo > 63 || !(LX_SIGBIT(signo) & STOPS))
        return -LX_EINVAL;
    if (!p->stop_pending || p->rec->state != PROC_RUNNING)
        return -LX_EAGAIN; // a SIGCONT came after the stop
    // POSIX: a terminal stop does nothing to a process in an orphaned group.
    if (signo != LX_SIGSTOP && group_orphaned(p->rec->pgid, NULL)) {
        p->stop_pending = false;
        return -LX_EAGAIN;
    }
    mark_stopped(p, signo);
    return 0;
}

exo_ns_t signal_deadline(void)
{
    exo_ns_t first = EXO_NEVER;
    struct proc *p;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->force_at && p->force_at < first)
            first = p->force_at;
    }
    return first;
}

void signal_force_due(void)
{
    exo_ns_t now = exo_clock_ns();
    struct proc *p;
    TAILQ_FOREACH (p, &procs, all) {
        if (!p->force_at || p->force_at > now)
            continue;
        p->force_at = 0;
        if (!p->stop_pending || p->rec->state != PROC_RUNNING)
            continue;
        bind_all(p, 0);
        p->forced = true;
        mark_stopped(p, LX_SIGSTOP);
    }
}
