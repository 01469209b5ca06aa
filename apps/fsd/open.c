// SPDX-License-Identifier: MIT
// Opening and closing. POSIX: open(), close().
//
// An open is named by the badge of an endpoint capability derived from ours. We keep the parent;
// clients hold children and copies of them. When the last is gone, in whatever way, the kernel
// tells, and the open is closed. If the answer to an open did not reach the client (it died
// meanwhile, or its table is full), the answering call says so.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

exo_handle_t endpoint;

static uint64_t endpoint_object;
static struct open **opens; // by index
static uint32_t nopens, *free_index, nfree;
static struct open **by_slot; // by the slot index of open->cap
static uint32_t nslots;
static uint32_t generation = 1;
static struct open *delivering; // made by the call that is being answered
static LIST_HEAD(, open) spares = LIST_HEAD_INITIALIZER(spares); // memory of past opens
static uint32_t nspares;
#define SPARES 128u

int open_init(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    int64_t h = exo_endpoint_create(H_BANK);
    if (h < 0 || exo_cap_identify((exo_handle_t)h, &info) < 0)
        return -LX_ENOMEM;
    endpoint = (exo_handle_t)h;
    endpoint_object = info.object;
    return 0;
}

struct open *open_by_badge(uint64_t badge)
{
    uint32_t index = (uint32_t)badge - 1;
    if (index >= nopens || !opens[index] || opens[index]->generation != badge >> 32)
        return NULL;
    return opens[index];
}

int open_by_cap(exo_handle_t cap, struct open **open)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    *open = NULL;
    if (exo_cap_identify(cap, &info) < 0 || info.type != EXO_CAP_ENDPOINT ||
        info.object != endpoint_object)
        return -LX_EBADF;
    if (info.badge)
        *open = open_by_badge(info.badge);
    return info.badge && !*open ? -LX_EBADF : 0;
}

static int index_new(uint32_t *index)
{
    if (!nfree) {
        uint32_t room = nopens ? 2 * nopens : 64;
        struct open **more = realloc(opens, room * sizeof(struct open *));
        if (more)
            opens = more;
        uint32_t *list = realloc(free_index, room * sizeof(*list));
        if (list)
            free_index = list;
        if (!more || !list)
            return -LX_ENFILE;
        for (uint32_t i = room; i > nopens; i--) {
            opens[i - 1] = NULL;
            free_index[nfree++] = i - 1;
        }
        nopens = room;
    }
    *index = free_index[--nfree];
    return 0;
}

static int remember_slot(struct open *o)
{
    uint32_t slot = EXO_HANDLE_INDEX(o->cap);
    if (slot >= nslots) {
        uint32_t room = slot + slot / 2 + 64;
        struct open **more = realloc(by_slot, room * sizeof(struct open *));
        if (!more)
            return -LX_ENFILE;
        memset(more + nslots, 0, (room - nslots) * sizeof(struct open *));
        by_slot = more;
        nslots = room;
    }
    by_slot[slot] = o;
    return 0;
}

static struct open *open_memory(void)
{
    struct open *o = LIST_FIRST(&spares);
    if (!o)
        return calloc(1, sizeof(*o));
    LIST_REMOVE(o, link);
    nspares--;
    return memset(o, 0, sizeof(*o));
}

static void open_forget(struct open *o)
{
    if (nspares == SPARES) {
        free(o);
        return;
    }
    LIST_INSERT_HEAD(&spares, o, link);
    nspares++;
}

void open_free(struct open *o)
{
    opens[o->index] = NULL;
    free_index[nfree++] = o->index;
    if (o->cap) {
        uint32_t slot = EXO_HANDLE_INDEX(o->cap);
        if (slot < nslots && by_slot[slot] == o)
            by_slot[slot] = NULL;
        exo_cap_delete(o->cap);
    }
    struct node *n = o->node;
    LIST_REMOVE(o, link);
    fifo_leave(o);
    if (o->holder)
        holder_leave(o->holder);
    locks_drop_open(n, o);
    reserves_drop(n, o);
    if (o->access != LX_O_RDONLY)
        node_note_writes(n);
    node_put(n);
    if (o->root)
        node_put(o->root);
    quota_give(o->uid, COST_OPEN);
    open_forget(o);
}

void open_childless(exo_handle_t cap)
{
    uint32_t slot = EXO_HANDLE_INDEX(cap);
    struct open *o = slot < nslots ? by_slot[slot] : NULL;
    if (o && o->cap == cap)
        open_free(o);
}

void open_delivered(bool ok)
{
    struct open *o = delivering;
    delivering = NULL;
    if (o && !ok)
        open_free(o);
}

// Takes the references to the node and the root (or NULL), also when it fails.
static struct open *open_new(struct node *n, struct node *root)
{
    struct open *o = open_memory();
    uint32_t index;
    if (!o || index_new(&index) < 0) {
        free(o);
        node_put(n);
        if (root)
            node_put(root);
        return NULL;
    }
    o->index = index;
    o->generation = generation;
    generation = generation < 0x7fffffff ? generation + 1 : 1;
    o->node = n;
    o->root = root;
    opens[index] = o;
    LIST_INSERT_HEAD(&n->openers, o, link);
    int64_t cap = exo_cap_derive(endpoint, EXO_R_CALL | EXO_R_REVOKE,
                                 (uint64_t)o->generation << 32 | (index + 1),
                                 EXO_DERIVE_BADGE | EXO_DERIVE_WATCH, 0);
    if (cap > 0)
        o->cap = (exo_handle_t)cap;
    if (cap < 0 || remember_slot(o) < 0) {
        open_free(o);
        return NULL;
    }
    return o;
}

// --- may it be opened? ---------------------------------------------------------------------------

static bool wants_write(uint64_t flags)
{
    return (flags & LX_O_ACCMODE) != LX_O_RDONLY || (flags & LX_O_TRUNC);
}

static int check_flags(uint64_t flags)
{
    if ((flags & LX_O_ACCMODE) == LX_O_ACCMODE)
        return -LX_EINVAL;
    if ((flags & LX_O_TMPFILE) == LX_O_TMPFILE)
        return -LX_EOPNOTSUPP;
    return (flags & LX_O_CREAT) && (flags & LX_O_DIRECTORY) ? -LX_EINVAL : 0;
}

static int check_type(const struct ext_inode *inode, const struct ext_walk *w, uint64_t flags)
{
    bool dir = LX_S_ISDIR(inode->mode);
    if ((flags & (LX_O_CREAT | LX_O_EXCL)) == (LX_O_CREAT | LX_O_EXCL))
        return -LX_EEXIST;
    if (dir && (flags & LX_O_CREAT))
        return -LX_EISDIR;
    if ((w->must_be_dir || (flags & LX_O_DIRECTORY)) && !dir)
        return -LX_ENOTDIR;
    if (flags & LX_O_PATH)
        return 0;
    if (LX_S_ISLNK(inode->mode))
        return -LX_ELOOP;
    return dir && wants_write(flags) ? -LX_EISDIR : 0;
}

static int check_access(const struct request *r, const struct ext_inode *inode, uint64_t flags)
{
    uint32_t want = (flags & LX_O_ACCMODE) != LX_O_WRONLY ? EXT_R : 0;
    if (wants_write(flags))
        want |= EXT_W;
    int err = ext_cred_access(inode, &r->cred, want);
    if (err == 0 && wants_write(flags) && LX_S_ISREG(inode->mode)) {
        if (vol.read_only)
            return -LX_EROFS;
        if (inode->flags & EXT_FL_IMMUTABLE)
            return -LX_EPERM;
        if ((inode->flags & EXT_FL_APPEND) && (!(flags & LX_O_APPEND) || (flags & LX_O_TRUNC)))
            return -LX_EPERM;
    }
    if (err == 0 && (flags & LX_O_NOATIME) && r->cred.uid && r->cred.uid != inode->uid)
        return -LX_EPERM;
    return err;
}

static int create(struct request *r, struct ext_walk *w, uint64_t mode)
{
    struct ext_create_args args = {.mode = LX_S_IFREG | (mode & 07777)};
    if (w->must_be_dir || w->last != EXT_LAST_NORM)
        return -LX_EISDIR;
    return ext_create(&vol, &r->cred, w->parent, w->name, w->name_len, &args, &w->ino);
}

static int prepare(struct request *r, struct ext_walk *w, uint64_t flags, uint64_t mode,
                   struct ext_inode *inode)
{
    bool created = !w->ino;
    int err = created ? create(r, w, mode) : 0;
    struct node *n = created || err < 0 ? NULL : node_find(w->ino);
    if (n)
        lease_end(n);
    if (err == 0)
        err = ext_inode_load(&vol, w->ino, inode);
    if (err < 0 || created)
        return err;
    err = check_type(inode, w, flags);
    if (err < 0 || (flags & LX_O_PATH))
        return err;
    err = check_access(r, inode, flags);
    if (err == 0 && (flags & LX_O_TRUNC) && LX_S_ISREG(inode->mode)) {
        err = node_truncate(w->ino, 0, &r->cred);
        if (err == 0)
            err = ext_inode_load(&vol, w->ino, inode);
    }
    return err;
}

static int find(struct request *r, uint64_t flags, uint64_t mode, struct ext_inode *inode)
{
    static struct ext_walk w;
    uint32_t how = (flags & LX_O_CREAT) ? EXT_WALK_CREATE : 0;
    if ((flags & LX_O_NOFOLLOW) || (flags & (LX_O_CREAT | LX_O_EXCL)) == (LX_O_CREAT | LX_O_EXCL))
        how |= EXT_WALK_NOFOLLOW;
    int err = walk(r, start_ino(r), r->path, r->bytes, how, &w);
    return err == 0 ? prepare(r, &w, flags, mode, inode) : err;
}

// --- opening -------------------------------------------------------------------------------------

static void answer(struct request *r, const struct ext_inode *inode)
{
    r->m->w[1] = inode->ino;
    r->m->w[2] = inode->size;
    r->m->w[3] = inode->mode | (uint64_t)ext_inode_rdev(inode) << 32;
    r->m->w[4] = inode->uid | (uint64_t)inode->gid << 32;
}

static long hand_out(struct request *r, struct open *o, const struct ext_inode *inode,
                     uint32_t flags)
{
    struct node *n = o->node;
    bool append_only = inode->flags & EXT_FL_APPEND;
    o->uid = r->payer;
    o->access = flags & LX_O_ACCMODE;
    o->path_only = flags & LX_O_PATH;
    o->append_only = append_only;
    o->no_atime = flags & LX_O_NOATIME;
    o->may_map_write = !append_only &&
                       (o->access == LX_O_RDWR ||
                        (o->access == LX_O_WRONLY && ext_cred_access(inode, &r->cred, EXT_R) == 0));
    if (o->access != LX_O_RDONLY)
        node_touch(n); // whoever was the only writer is so no longer
    bool dir = LX_S_ISDIR(inode->mode), plain = LX_S_ISREG(inode->mode) && !o->path_only;
    if (o->access == LX_O_RDONLY && (dir || plain) && !o->root &&
        (o->holder = holder_find(r->env))) {
        o->holder->opens++;
        r->m->w[5] = o->generation;
    }
    if (dir || o->holder)
        attr_publish(r, inode);
    unsigned caps = 2;
    CTX->send[0] = (struct exo_send){o->cap, EXO_R_CALL, EXO_SEND_DERIVE};
    CTX->send[1] = (struct exo_send){n->shared.cap, EXO_R_READ, EXO_SEND_DERIVE};
    if (LX_S_ISFIFO(inode->mode) && !o->path_only) {
        long err = fifo_enter(o, flags, &CTX->send[2]);
        if (err < 0)
            return err;
        caps = 4;
        r->m->w[5] = n->page->fifo_readers | (uint64_t)n->page->fifo_writers << 32;
    }
    struct fs_told *told = (struct fs_told *)MSG;
    uint32_t number = o->holder ? told_number(r, n, inode->ino) : 0;
    if (number) {
        *told = (struct fs_told){.told = number};
        ext_stat_fill(inode, FS_ROOT_DEV, &told->st);
    }
    r->m->meta = EXO_META(number ? sizeof(*told) : 0, caps);
    delivering = o;
    return 0;
}

// The inode of the root that what is opened will be under.
static int future_root(const struct request *r, uint32_t opened, uint32_t *ino)
{
    struct open *o;
    *ino = root_ino(r);
    if (r->m->w[0] != FS_OP_CHROOT)
        return 0;
    *ino = opened;
    if (!r->received)
        return 0;
    int err = open_by_cap(r->received, &o);
    *ino = err == 0 && o && o->root ? o->root->ino : EXT_ROOT_INO;
    return err;
}

static struct node *root_get(uint32_t ino, uint32_t uid)
{
    struct ext_inode inode;
    return ext_inode_load(&vol, ino, &inode) == 0 ? node_get(&inode, uid) : NULL;
}

static struct open *open_make(const struct request *r, const struct ext_inode *inode,
                              uint32_t root_at)
{
    struct node *root = NULL, *n = node_get(inode, r->payer);
    if (n && root_at != EXT_ROOT_INO && !(root = root_get(root_at, r->payer))) {
        node_put(n);
        n = NULL;
    }
    return n ? open_new(n, root) : NULL;
}

long op_open(struct request *r)
{
    bool chroot = r->m->w[0] == FS_OP_CHROOT;
    uint64_t flags = chroot ? LX_O_PATH | LX_O_DIRECTORY : r->arg[0];
    struct ext_inode inode = {0};
    uint32_t root_at = EXT_ROOT_INO;
    bool path_only = flags & LX_O_PATH;
    if (path_only)
        flags &= LX_O_PATH | LX_O_DIRECTORY | LX_O_NOFOLLOW;
    long err = chroot && r->cred.uid ? -LX_EPERM : check_flags(flags);
    if (err == 0)
        err = quota_take(r->payer, COST_OPEN); // before anything is created
    if (err < 0)
        return err;
    r->tells = (!r->open || !r->open->root) && !(flags & LX_O_CREAT) && holder_find(r->env);
    err = find(r, flags, r->arg[1], &inode);
    if (err == 0)
        err = future_root(r, inode.ino, &root_at);
    bool special = LX_S_ISCHR(inode.mode) || LX_S_ISBLK(inode.mode) || LX_S_ISSOCK(inode.mode);
    if (err == 0)
        answer(r, &inode);
    if (err < 0 || (special && !path_only)) { // the caller takes it to whoever serves the device
        quota_give(r->payer, COST_OPEN);
        return err;
    }
    struct open *o = open_make(r, &inode, root_at);
    if (!o) {
        quota_give(r->payer, COST_OPEN);
        return -LX_ENFILE;
    }
    err = hand_out(r, o, &inode, (uint32_t)flags);
    if (err < 0)
        open_free(o);
    return err;
}
