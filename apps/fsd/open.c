// SPDX-License-Identifier: MIT
// Opening and closing. POSIX: open(), close().
//
// An open is named by the badge of an endpoint capability derived from ours. We keep the parent; clients hold children
// and copies of them. When the last is gone, in whatever way, the kernel tells, and the open is closed.
#include "fsd.h"
#include <fs/pipe.h>
#include <stdlib.h>
#include <string.h>

exo_handle_t endpoint;

static struct open **opens; // by index
static uint32_t nopens, *free_index, nfree;
static struct open **by_slot; // by the slot index of open->cap
static uint32_t nslots;
static uint32_t generation = 1;

struct open *open_by_badge(uint64_t badge)
{
    uint32_t index = (uint32_t)badge - 1;
    if (index >= nopens || !opens[index] || opens[index]->generation != badge >> 32)
        return NULL;
    return opens[index];
}

static int index_new(uint32_t *index)
{
    if (!nfree) {
        uint32_t room = nopens ? 2 * nopens : 64;
        struct open **more = realloc(opens, room * sizeof(*more));
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
        uint32_t room = slot + 64;
        struct open **more = realloc(by_slot, room * sizeof(*more));
        if (!more)
            return -LX_ENFILE;
        memset(more + nslots, 0, (room - nslots) * sizeof(*more));
        by_slot = more;
        nslots = room;
    }
    by_slot[slot] = o;
    return 0;
}

static void open_free(struct open *o)
{
    opens[o->index] = NULL;
    free_index[nfree++] = o->index;
    if (o->cap) {
        uint32_t slot = EXO_HANDLE_INDEX(o->cap);
        if (slot < nslots && by_slot[slot] == o)
            by_slot[slot] = NULL;
        exo_cap_delete(o->cap);
    }
    if (o->node) {
        LIST_REMOVE(o, link);
        locks_drop_open(o->node, o);
        node_put(o->node);
    }
    free(o);
}

void open_childless(exo_handle_t cap)
{
    uint32_t slot = EXO_HANDLE_INDEX(cap);
    struct open *o = slot < nslots ? by_slot[slot] : NULL;
    if (o && o->cap == cap)
        open_free(o);
}

static struct open *open_new(struct node *n, int *err)
{
    struct open *o = calloc(1, sizeof(*o));
    uint32_t index;
    *err = -LX_ENFILE;
    if (!o || index_new(&index) < 0) {
        free(o);
        node_put(n);
        return NULL;
    }
    o->index = index;
    o->generation = generation++ & 0x7fffffff;
    o->node = n;
    opens[index] = o;
    LIST_INSERT_HEAD(&n->openers, o, link);
    int64_t cap = exo_cap_derive(endpoint, EXO_R_CALL, (uint64_t)o->generation << 32 | (index + 1),
                                 EXO_DERIVE_BADGE | EXO_DERIVE_WATCH, 0);
    if (cap > 0)
        o->cap = (exo_handle_t)cap;
    if (cap < 0 || remember_slot(o) < 0) {
        open_free(o);
        return NULL;
    }
    *err = 0;
    return o;
}

// --- FIFOs -------------------------------------------------------------------------------------------------
// We keep one capability with the write right of each half, and no ends (libos/fs/pipe.c: FIFO_BASE).

struct fifo {
    exo_handle_t w, r;
};

void fifo_drop(struct fifo *f)
{
    exo_cap_delete(f->w);
    exo_cap_delete(f->r);
    free(f);
}

long fifo_caps(struct node *n, uint32_t access, struct exo_send send[2])
{
    uint32_t rw = EXO_R_READ | EXO_R_WRITE;
    if (!n->fifo) {
        struct fifo *f = calloc(1, sizeof(*f));
        int64_t w = f ? exo_frames_alloc(H_BANK, 1 + PIPE_PAGES, 0, 0) : -EXO_ENOMEM;
        int64_t r = w < 0 ? w : exo_frames_alloc(H_BANK, 1, 0, 0);
        if (r < 0) {
            if (w > 0)
                exo_cap_delete((exo_handle_t)w);
            free(f);
            return -LX_ENOMEM;
        }
        *f = (struct fifo){(exo_handle_t)w, (exo_handle_t)r};
        n->fifo = f;
    }
    send[0] = (struct exo_send){n->fifo->w, access == LX_O_RDONLY ? EXO_R_READ : rw, EXO_SEND_COPY};
    send[1] = (struct exo_send){n->fifo->r, access == LX_O_WRONLY ? EXO_R_READ : rw, EXO_SEND_COPY};
    return 0;
}

// --- open -----------------------------------------------------------------------------------------------------

static int check_existing(const struct ext_inode *inode, const struct ext_walk *w, uint64_t flags)
{
    bool dir = LX_S_ISDIR(inode->mode);
    if ((flags & (LX_O_CREAT | LX_O_EXCL)) == (LX_O_CREAT | LX_O_EXCL))
        return -LX_EEXIST;
    if ((w->must_be_dir || (flags & LX_O_DIRECTORY)) && !dir)
        return -LX_ENOTDIR;
    if (flags & LX_O_PATH)
        return 0;
    if (LX_S_ISLNK(inode->mode))
        return -LX_ELOOP;
    if (dir && ((flags & LX_O_ACCMODE) != LX_O_RDONLY || (flags & LX_O_CREAT)))
        return -LX_EISDIR;
    return 0;
}

static int check_access(const struct request *r, const struct ext_inode *inode, uint64_t flags)
{
    uint32_t mode = flags & LX_O_ACCMODE, want = 0;
    if (mode != LX_O_WRONLY)
        want |= EXT_R;
    if (mode != LX_O_RDONLY || (flags & LX_O_TRUNC))
        want |= EXT_W;
    return ext_cred_access(inode, &r->cred, want);
}

static int create(struct request *r, struct ext_walk *w, uint64_t mode)
{
    struct ext_create_args args = {.mode = LX_S_IFREG | (mode & 07777)};
    if (w->must_be_dir)
        return -LX_EISDIR;
    if (w->last != EXT_LAST_NORM)
        return -LX_EISDIR;
    return ext_create(&vol, &r->cred, w->parent, w->name, w->name_len, &args, &w->ino);
}

static int prepare(struct request *r, struct ext_walk *w, uint64_t flags, uint64_t mode,
                   struct ext_inode *inode)
{
    bool created = !w->ino;
    int err = created ? create(r, w, mode) : 0;
    if (err == 0)
        err = ext_inode_load(&vol, w->ino, inode);
    if (err < 0 || created)
        return err;
    err = check_existing(inode, w, flags);
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

static void answer(struct request *r, const struct ext_inode *inode)
{
    r->m->w[1] = inode->ino;
    r->m->w[2] = inode->size;
    r->m->w[3] = inode->mode | (uint64_t)ext_inode_rdev(inode) << 32;
    r->m->w[4] = inode->uid | (uint64_t)inode->gid << 32;
}

long op_open(struct request *r)
{
    uint64_t flags = r->arg[0], mode = r->arg[1];
    static struct ext_walk w;
    struct ext_inode inode;
    bool path_only = flags & LX_O_PATH;
    uint32_t how = (flags & LX_O_CREAT) ? EXT_WALK_CREATE : 0;
    if ((flags & LX_O_NOFOLLOW) || (flags & (LX_O_CREAT | LX_O_EXCL)) == (LX_O_CREAT | LX_O_EXCL))
        how |= EXT_WALK_NOFOLLOW;
    if (path_only)
        flags &= ~(uint64_t)(LX_O_CREAT | LX_O_TRUNC | LX_O_EXCL | LX_O_ACCMODE), how &= ~EXT_WALK_CREATE;
    long err = walk(r, start_ino(r), r->path, r->bytes, how, &w);
    if (err == 0)
        err = prepare(r, &w, flags, mode, &inode);
    if (err < 0)
        return err;
    answer(r, &inode);
    if ((LX_S_ISCHR(inode.mode) || LX_S_ISBLK(inode.mode) || LX_S_ISSOCK(inode.mode)) && !path_only)
        return 0; // the caller takes it to whoever serves the device
    struct node *n = node_get(inode.ino);
    if (!n)
        return -LX_ENFILE;
    int e;
    struct open *o = open_new(n, &e);
    if (!o)
        return e;
    o->access = flags & LX_O_ACCMODE;
    o->path_only = path_only;
    o->may_map_write = o->access == LX_O_RDWR ||
                       (o->access == LX_O_WRONLY && ext_cred_access(&inode, &r->cred, EXT_R) == 0);
    unsigned caps = 2;
    CTX->send[0] = (struct exo_send){o->cap, EXO_R_CALL, EXO_SEND_DERIVE};
    CTX->send[1] = (struct exo_send){n->page_cap, EXO_R_READ, EXO_SEND_COPY};
    if (LX_S_ISFIFO(inode.mode) && !path_only) {
        err = fifo_caps(n, o->access, &CTX->send[2]);
        if (err < 0) {
            open_free(o);
            return err;
        }
        caps = 4;
        node_event(n, &n->page->fifo_event);
    }
    r->m->meta = EXO_META(0, caps);
    return 0;
}
