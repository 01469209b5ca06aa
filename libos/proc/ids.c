// SPDX-License-Identifier: MIT
// Identities: read from the own process record, changed by init. POSIX: getpid(), setpgid(),
// setsid(), setuid() ...
#include <proc/signal.h>

const volatile struct proc_rec *proc_find(int pid);

#define KEEP 0xffffffffu

long px_getpid(void)
{
    return proc_self()->pid;
}
long px_gettid(void)
{
    return thread_self()->tid;
}
long px_getppid(void)
{
    return proc_self()->ppid;
}
long px_getpgrp(void)
{
    return proc_self()->pgid;
}
long px_getuid(void)
{
    return proc_self()->ruid;
}
long px_geteuid(void)
{
    return proc_self()->euid;
}
long px_getgid(void)
{
    return proc_self()->rgid;
}
long px_getegid(void)
{
    return proc_self()->egid;
}

long px_getpgid(int pid)
{
    const volatile struct proc_rec *rec = pid ? proc_find(pid) : proc_self();
    return rec ? rec->pgid : -LX_ESRCH;
}

long px_getsid(int pid)
{
    const volatile struct proc_rec *rec = pid ? proc_find(pid) : proc_self();
    return rec ? rec->sid : -LX_ESRCH;
}

static long init_call(enum proc_op op, uint64_t a, uint64_t b, uint64_t c)
{
    struct exo_msg m = {.w = {op, a, b, c}};
    return server_call(H_INIT, &m);
}

long px_setpgid(int pid, int pgid)
{
    if (pgid < 0 || (!pgid && pid < 0))
        return -LX_EINVAL;
    return init_call(PROC_OP_SETPGID, (uint64_t)(int64_t)pid, (uint64_t)pgid, 0);
}

long px_setsid(void)
{
    return init_call(PROC_OP_SETSID, 0, 0, 0);
}

long px_setresuid(uint32_t r, uint32_t e, uint32_t s)
{
    return init_call(PROC_OP_SETUID, r, e, s);
}

long px_setresgid(uint32_t r, uint32_t e, uint32_t s)
{
    return init_call(PROC_OP_SETGID, r, e, s);
}

// A privileged process sets all three; others only the effective one.
long px_setuid(uint32_t uid)
{
    if (uid == KEEP)
        return -LX_EINVAL;
    return proc_self()->euid == 0 ? px_setresuid(uid, uid, uid) : px_setresuid(KEEP, uid, KEEP);
}

long px_setgid(uint32_t gid)
{
    if (gid == KEEP)
        return -LX_EINVAL;
    return proc_self()->euid == 0 ? px_setresgid(gid, gid, gid) : px_setresgid(KEEP, gid, KEEP);
}

// The saved ID follows the effective one when the real one is set, or the effective one becomes
// another than the real.
static long set_re(uint32_t r, uint32_t e, uint32_t real, long (*set)(uint32_t, uint32_t, uint32_t),
                   uint32_t effective)
{
    bool save = r != KEEP || (e != KEEP && e != real);
    return set(r, e, save ? (e != KEEP ? e : effective) : KEEP);
}

// POSIX lets an unprivileged process set the real ID to the effective one, which setres* allows as
// well.
long px_setreuid(uint32_t r, uint32_t e)
{
    return set_re(r, e, proc_self()->ruid, px_setresuid, proc_self()->euid);
}

long px_setregid(uint32_t r, uint32_t e)
{
    return set_re(r, e, proc_self()->rgid, px_setresgid, proc_self()->egid);
}

static long store_three(const uint32_t id[3], uint64_t ur, uint64_t ue, uint64_t us)
{
    if (user_store32(ur, id[0]) < 0 || user_store32(ue, id[1]) < 0 || user_store32(us, id[2]) < 0)
        return -LX_EFAULT;
    return 0;
}

long px_getresuid(uint64_t ur, uint64_t ue, uint64_t us)
{
    const volatile struct proc_rec *p = proc_self();
    return store_three((uint32_t[3]){p->ruid, p->euid, p->suid}, ur, ue, us);
}

long px_getresgid(uint64_t ur, uint64_t ue, uint64_t us)
{
    const volatile struct proc_rec *p = proc_self();
    return store_three((uint32_t[3]){p->rgid, p->egid, p->sgid}, ur, ue, us);
}

long px_getgroups(int size, uint64_t ulist)
{
    const volatile struct proc_rec *p = proc_self();
    uint32_t n = p->ngroups <= PROC_NGROUPS ? p->ngroups : PROC_NGROUPS, list[PROC_NGROUPS];
    if (size < 0 || (size && (uint32_t)size < n))
        return -LX_EINVAL;
    for (uint32_t i = 0; i < n; i++)
        list[i] = p->groups[i];
    if (size && user_write(ulist, list, n * sizeof(list[0])) < 0)
        return -LX_EFAULT;
    return n;
}

long px_setgroups(uint64_t n, uint64_t ulist)
{
    if (n > PROC_NGROUPS)
        return -LX_EINVAL;
    if (proc_self()->euid != 0)
        return -LX_EPERM;
    if (user_read(msg_page(), ulist, n * sizeof(uint32_t)) < 0)
        return -LX_EFAULT;
    struct exo_msg m = {.meta = EXO_META(n * sizeof(uint32_t), 0), .w = {PROC_OP_SETGROUPS, n}};
    return server_call(H_INIT, &m);
}

// File access uses the effective IDs; Linux's separate ones follow them.
long px_setfsuid(uint32_t uid)
{
    (void)uid;
    return proc_self()->euid;
}

long px_setfsgid(uint32_t gid)
{
    (void)gid;
    return proc_self()->egid;
}
