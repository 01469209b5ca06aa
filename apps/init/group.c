// SPDX-License-Identifier: MIT
// Process groups and sessions. POSIX: setpgid(), setsid(), 11.1.4 on orphaned groups.
#include "init.h"
#include <proto/tty.h>

static bool group_in_session(int pgid, int sid)
{
    struct proc *p;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->rec->pgid == pgid && p->rec->sid == sid)
            return true;
    }
    return false;
}

long group_setpgid(struct proc *caller, int pid, int pgid)
{
    struct proc *p = pid ? proc_by_pid(pid) : caller;
    if (!p || (p != caller && p->parent != caller))
        return -LX_ESRCH;
    if (p->rec->sid != caller->rec->sid || p->rec->sid == p->pid)
        return -LX_EPERM;
    if (p != caller && (p->rec->flags & PROC_F_EXECED))
        return -LX_EACCES;
    if (!pgid)
        pgid = p->pid;
    if (pgid != p->pid && !group_in_session(pgid, caller->rec->sid))
        return -LX_EPERM;
    p->rec->pgid = pgid;
    return 0;
}

long group_setsid(struct proc *p)
{
    struct proc *other;
    TAILQ_FOREACH (other, &procs, all) {
        if (other->rec->pgid == p->pid)
            return -LX_EPERM;
    }
    rec_begin(p);
    p->rec->sid = p->rec->pgid = p->pid;
    p->rec->tty = 0;
    rec_end(p);
    return p->pid;
}

// A group is orphaned when no member has a parent in another group of the same session. init does
// not count: it takes orphans in, and would never continue one. `without`: as if that process were
// gone.
bool group_orphaned(int pgid, const struct proc *without)
{
    struct proc *p;
    TAILQ_FOREACH (p, &procs, all) {
        if (p == without || p->rec->pgid != pgid || p->rec->state == PROC_ZOMBIE || !p->parent ||
            p->parent == without || p->parent->pid == 1)
            continue;
        if (p->parent->rec->pgid != pgid && p->parent->rec->sid == p->rec->sid)
            return false;
    }
    return true;
}

static bool has_stopped(int pgid)
{
    struct proc *p;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->rec->pgid == pgid && p->rec->state == PROC_STOPPED)
            return true;
    }
    return false;
}

static void hang_up(int pgid)
{
    struct proc *p;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->rec->pgid != pgid)
            continue;
        signal_send(p, LX_SIGHUP, 0, 0, LX_SI_KERNEL, 0);
        signal_send(p, LX_SIGCONT, 0, 0, LX_SI_KERNEL, 0);
    }
}

// Called while `leaving` is dead but still the parent of its children: its own group and those of
// its children may lose their last link.
void group_check_orphans(struct proc *leaving)
{
    struct proc *child;
    int own_group = leaving->rec->pgid;
    if (leaving->parent && leaving->parent->pid != 1 &&
        leaving->parent->rec->sid == leaving->rec->sid && leaving->parent->rec->pgid != own_group &&
        group_orphaned(own_group, leaving) && has_stopped(own_group))
        hang_up(own_group);
    LIST_FOREACH (child, &leaving->children, sibling) {
        int group = child->rec->pgid;
        if (group != own_group && child->rec->sid == leaving->rec->sid &&
            group_orphaned(group, leaving) && has_stopped(group))
            hang_up(group);
    }
}

// --- what ttyd asks for --------------------------------------------------------------------------

static long group_kill(int pgid, int signo, int sid, bool stop)
{
    struct proc *p;
    if (signo < 1 || signo > LX_NSIG)
        return -LX_EINVAL;
    if (!group_in_session(pgid, sid))
        return -LX_ESRCH;
    if (stop && group_orphaned(pgid, NULL))
        return -LX_EIO;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->rec->pgid == pgid)
            signal_send(p, signo, 0, 0, LX_SI_KERNEL, 0);
    }
    return 0;
}

static long group_leader(int sid, int signo)
{
    struct proc *p = proc_by_pid(sid);
    if (!p || p->rec->sid != sid || p->rec->state == PROC_ZOMBIE)
        return -LX_ESRCH;
    if (signo > 0 && signo <= LX_NSIG)
        signal_send(p, signo, 0, 0, LX_SI_KERNEL, 0);
    return 0;
}

static long group_sid(int pgid)
{
    struct proc *p;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->rec->pgid == pgid)
            return p->rec->sid;
    }
    return -LX_ESRCH;
}

static long group_ctty(int sid, uint32_t rdev)
{
    struct proc *p;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->rec->sid == sid)
            p->rec->tty = rdev;
    }
    return 0;
}

long group_server_op(struct exo_msg *m)
{
    switch (m->w[1]) {
    case PROC_GROUP_KILL:
        return group_kill((int)m->w[2], (int)m->w[3], (int)m->w[4], false);
    case PROC_GROUP_STOP:
        return group_kill((int)m->w[2], (int)m->w[3], (int)m->w[4], true);
    case PROC_GROUP_LEADER:
        return group_leader((int)m->w[2], (int)m->w[3]);
    case PROC_GROUP_SID:
        return group_sid((int)m->w[2]);
    case PROC_GROUP_CTTY:
        return group_ctty((int)m->w[2], (uint32_t)m->w[3]);
    default:
        return -LX_EINVAL;
    }
}
