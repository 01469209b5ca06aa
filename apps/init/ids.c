// SPDX-License-Identifier: MIT
// Credentials. POSIX: setuid(), setgid(); the three-argument forms are Linux's, from which the
// others are made.
#include "init.h"
#include <string.h>

#define KEEP 0xffffffffu

static bool among(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
    return id == KEEP || id == a || id == b || id == c;
}

static void take_back(struct proc *p)
{
    p->notifiable = false;
    while (exo_cap_revoke(p->env) == -EXO_EAGAIN)
        ;
}

// Who could notify the process by capability must ask again; and so must everybody it could notify,
// whose rights its children may have too.
static void changed(struct proc *p)
{
    struct proc *other;
    take_back(p);
    TAILQ_FOREACH (other, &procs, all)
        if (other->notifiable)
            take_back(other);
}

long ids_setuid(struct proc *p, uint32_t r, uint32_t e, uint32_t s)
{
    struct proc_rec *rec = p->rec;
    uint32_t a = rec->ruid, b = rec->euid, c = rec->suid;
    if (b != 0 && !(among(r, a, b, c) && among(e, a, b, c) && among(s, a, b, c)))
        return -LX_EPERM;
    r = r == KEEP ? a : r;
    e = e == KEEP ? b : e;
    s = s == KEEP ? c : s;
    if (r == a && e == b && s == c)
        return 0;
    rec_begin(p);
    rec->ruid = r;
    rec->euid = e;
    rec->suid = s;
    rec_end(p);
    changed(p);
    return 0;
}

long ids_setgid(struct proc *p, uint32_t r, uint32_t e, uint32_t s)
{
    struct proc_rec *rec = p->rec;
    uint32_t a = rec->rgid, b = rec->egid, c = rec->sgid;
    if (rec->euid != 0 && !(among(r, a, b, c) && among(e, a, b, c) && among(s, a, b, c)))
        return -LX_EPERM;
    rec_begin(p);
    rec->rgid = r == KEEP ? a : r;
    rec->egid = e == KEEP ? b : e;
    rec->sgid = s == KEEP ? c : s;
    rec_end(p);
    return 0;
}

long ids_setgroups(struct proc *p, unsigned n, const uint32_t *groups)
{
    if (p->rec->euid != 0)
        return -LX_EPERM;
    if (n > PROC_NGROUPS)
        return -LX_EINVAL;
    rec_begin(p);
    memcpy(p->rec->groups, groups, n * sizeof(*groups));
    p->rec->ngroups = n;
    rec_end(p);
    return 0;
}

long ids_nice(struct proc *caller, int pid, int nice)
{
    struct proc *p = proc_by_pid(pid);
    const struct proc_rec *c = caller->rec;
    if (!p)
        return -LX_ESRCH;
    if (c->euid != 0 && c->euid != p->rec->ruid && c->euid != p->rec->euid)
        return -LX_EPERM;
    if (c->euid != 0 && nice < p->rec->nice)
        return -LX_EACCES;
    p->rec->nice = nice < -20 ? -20 : nice > 19 ? 19 : nice;
    return 0;
}

// RLIMIT_NPROC is the one resource limit that counts other processes, so it is kept where they are
// known.
long ids_nproc(struct proc *p, uint64_t soft, uint64_t hard)
{
    if (soft > hard)
        return -LX_EINVAL;
    if (hard > p->nproc_max && p->rec->euid != 0)
        return -LX_EPERM;
    p->nproc = soft;
    p->nproc_max = hard;
    return 0;
}

bool ids_may_fork(const struct proc *p)
{
    const struct proc *other;
    uint64_t have = 0;
    if (p->nproc == UINT64_MAX || p->rec->ruid == 0 || p->rec->euid == 0)
        return true;
    TAILQ_FOREACH (other, &procs, all)
        have += other->rec->ruid == p->rec->ruid;
    return have < p->nproc;
}
