// SPDX-License-Identifier: MIT
// One call: who asks, what is asked, and the answer.
#include "fsd.h"
#include <string.h>

struct ext_vol vol;

void clock_set(void)
{
    int64_t ns = (int64_t)exo_clock_ns() + EXO_INFO->wall_ns;
    vol.now = (struct ext_time){ns / 1000000000, (uint32_t)(ns % 1000000000)};
}

// The caller's credentials, from its process record; read again when init changed them meanwhile.
static int identify(struct request *r)
{
    uint32_t index = EXO_ENV_INDEX(r->env);
    if (index >= PROC_PER_SEGMENT)
        return -LX_EPERM;
    const volatile struct proc_rec *rec =
        (const volatile struct proc_rec *)(LIBOS_PROCTAB + (uint64_t)index * PROC_REC_SIZE);
    for (int tries = 0; tries < 1000; tries++) {
        uint32_t seq = __atomic_load_n(&rec->seq, __ATOMIC_ACQUIRE);
        r->pid = rec->pid;
        r->cred.uid = rec->euid;
        r->payer = rec->job ? rec->job : rec->euid;
        r->cred.gid = rec->egid;
        r->ruid = rec->ruid;
        r->rgid = rec->rgid;
        uint32_t n = rec->ngroups;
        r->cred.ngroups = n <= PROC_NGROUPS ? n : 0;
        for (uint32_t i = 0; i < r->cred.ngroups; i++)
            r->groups[i] = rec->groups[i];
        r->cred.groups = r->groups;
        uint64_t env = rec->env;
        uint32_t state = rec->state;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(seq & 1) && seq == rec->seq)
            return env == r->env && state != PROC_FREE ? 0 : -LX_EPERM;
    }
    return -LX_EAGAIN;
}

static long dispatch(struct request *r)
{
    switch (r->m->w[0]) {
    case FS_OP_OPEN:
    case FS_OP_CHROOT:
        return op_open(r);
    case FS_OP_READLINK:
        return op_readlink(r);
    case FS_OP_GETCWD:
        return op_getcwd(r);
    case FS_OP_MOUNT:
        return op_mount(r);
    case FS_OP_NAMES:
        return op_names(r);
    case FS_OP_OWN:
        return op_own(r);
    case FS_OP_MKDIR:
    case FS_OP_MKNOD:
    case FS_OP_UNLINK:
    case FS_OP_LINK:
    case FS_OP_RENAME:
    case FS_OP_SYMLINK:
        return op_name(r);
    case FS_OP_STAT:
    case FS_OP_ACCESS:
    case FS_OP_CHMOD:
    case FS_OP_CHOWN:
    case FS_OP_UTIMENS:
    case FS_OP_TRUNCATE:
    case FS_OP_STATFS:
        return op_attr(r);
    case FS_OP_LOCK:
    case FS_OP_FLOCK:
    case FS_OP_UNLOCK_ALL:
        return op_lock(r);
    case FS_OP_SYNC:
    case FS_OP_SEGMENT:
    case FS_OP_FILL:
    case FS_OP_READ:
    case FS_OP_WRITE:
    case FS_OP_RESERVE:
    case FS_OP_COMMIT:
    case FS_OP_READDIR:
    case FS_OP_FTRUNCATE:
    case FS_OP_FSYNC:
    case FS_OP_FALLOCATE:
    case FS_OP_SETTLE:
        return op_data(r);
    default:
        return -LX_ENOSYS;
    }
}

void serve_call(struct exo_msg *m)
{
    static struct request r;
    uint64_t args[5];
    uint64_t badge = CTX->in_badge;
    memcpy(args, &m->w[1], sizeof(args));
    r.m = m;
    r.arg = args;
    r.env = CTX->in_env;
    r.bytes = EXO_META_BYTES(m->meta) < EXO_MSG_SIZE ? EXO_META_BYTES(m->meta) : EXO_MSG_SIZE;
    r.received = CTX->recv[0];
    r.is_public = r.told = r.tells = false;
    r.open = badge ? open_by_badge(badge) : NULL;
    size_t text = m->w[0] == FS_OP_WRITE ? 0 : r.bytes; // bytes of a file are taken where they are
    memcpy(r.path, MSG, text);                          // before anything is looked at
    r.path[text] = 0;
    m->meta = 0;
    memset(&m->w[1], 0, 5 * sizeof(m->w[0]));
    clock_set();
    long result = identify(&r);
    if (result == 0)
        result = badge && !r.open ? -LX_EBADF : dispatch(&r);
    if (result == -LX_ENOSPC && leases_end()) // whose blocks nobody has used yet
        result = dispatch(&r);
    if (result < 0 && result != -FS_MOUNT) {
        m->meta = 0;
        memset(&m->w[1], 0, 5 * sizeof(m->w[0]));
    }
    for (int i = 0; i < EXO_MSG_CAPS; i++) {
        if (CTX->recv[i])
            exo_cap_delete(CTX->recv[i]);
        CTX->recv[i] = 0;
    }
    m->w[0] = (uint64_t)result;
}
