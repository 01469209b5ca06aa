// SPDX-License-Identifier: MIT
// Start of the file server, and its loop.
#include "fsd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

struct ext_vol vol;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "fsd: %s: %s\n", what, why);
    exit(1);
}

static void clock_set(void)
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
        return op_open(r);
    case FS_OP_MKDIR:
    case FS_OP_MKNOD:
    case FS_OP_UNLINK:
    case FS_OP_LINK:
    case FS_OP_RENAME:
    case FS_OP_SYMLINK:
    case FS_OP_READLINK:
    case FS_OP_GETCWD:
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
        return op_data(r);
    default:
        return -LX_ENOSYS;
    }
}

static void serve_call(struct exo_msg *m)
{
    static struct request r;
    uint64_t args[5];
    uint64_t badge = CTX->in_badge;
    memcpy(args, &m->w[1], sizeof(args));
    r.m = m;
    r.arg = args;
    r.env = CTX->in_env;
    r.bytes = EXO_META_BYTES(m->meta);
    r.received = CTX->recv[0];
    r.open = badge ? open_by_badge(badge) : NULL;
    memcpy(r.path, MSG, r.bytes); // before anything is looked at
    r.path[r.bytes] = 0;
    m->meta = 0;
    memset(&m->w[1], 0, 5 * sizeof(m->w[0]));
    clock_set();
    long result = identify(&r);
    if (result == 0)
        result = badge && !r.open ? -LX_EBADF : dispatch(&r);
    if (result < 0 && result != -FS_MOUNT)
        m->meta = 0;
    for (int i = 0; i < EXO_MSG_CAPS; i++) {
        if (CTX->recv[i])
            exo_cap_delete(CTX->recv[i]);
        CTX->recv[i] = 0;
    }
    m->w[0] = (uint64_t)result;
}

static void mount_root(const struct libos_start *start)
{
    struct ext_dev *dev;
    int err = dev_init(start->extra[FSD_X_ROOT], start->extra[FSD_X_ROOT_BYTES], &dev);
    if (err < 0)
        die("the root module", "cannot be mapped");
    clock_set();
    struct ext_mount_args args = {.now = vol.now};
    int64_t need = ext_mount_size(dev);
    args.mem_size = need < 0 ? 0 : (size_t)need + (1u << 20);
    args.mem = aligned_alloc(16, (args.mem_size + 15) & ~15ul);
    if (need < 0 || !args.mem)
        die("the root volume", need < 0 ? "is no ext2 volume with blocks of 4 KiB" : "no memory");
    if (ext_mount(&vol, dev, &args) < 0)
        die("the root volume", vol.why ? vol.why : "cannot be mounted");
    if (ext_lookup(&vol, EXT_ROOT_INO, "proc", 4, &proc_ino) < 0)
        proc_ino = 0;
}

static void announce(void)
{
    int64_t h = exo_endpoint_create(H_BANK);
    if (h < 0)
        die("endpoint", exo_error_text(h));
    endpoint = (exo_handle_t)h;
    struct exo_msg m = {.meta = EXO_META(0, 1), .w = {PROC_OP_SERVICE, SERVER_FSD}};
    CTX->send[0] = (struct exo_send){endpoint, EXO_R_CALL, EXO_SEND_DERIVE};
    int64_t err = exo_call(H_INIT, &m);
    if (err < 0 || m.w[0])
        die("init", "does not take the service");
}

int main(void)
{
    const struct libos_start *start = (const void *)getauxval(AT_EXO_START);
    struct exo_msg m = {.meta = EXO_REPLY_NONE};
    if (!start)
        die("start", "not started by init");
    mount_root(start);
    announce();
    CTX->recv_max = EXO_MSG_CAPS;
    for (;;) {
        int64_t err = exo_reply_wait(endpoint, &m, EXO_NEVER);
        if (err == 0 && CTX->in_kind == EXO_EV_CALL) {
            serve_call(&m);
            continue;
        }
        if (err == 0 && CTX->in_kind == EXO_EV_CHILDLESS) {
            clock_set();
            open_childless(CTX->in_handle);
        }
        if (err == 0 && CTX->in_kind == EXO_EV_NOTIFY)
            __atomic_exchange_n(&CTX->pending, 0, __ATOMIC_SEQ_CST);
        m = (struct exo_msg){.meta = EXO_REPLY_NONE};
    }
}
