// SPDX-License-Identifier: MIT
// The data of open files: handing out segments, filling holes, and what changes the size.
#include "fsd.h"
#include <string.h>

static bool readable(const struct open *o)
{
    return !o->path_only && o->access != LX_O_WRONLY;
}

static bool writable(const struct open *o)
{
    return !o->path_only && o->access != LX_O_RDONLY;
}

static int op_segment(struct request *r, struct open *o)
{
    bool write = r->arg[1];
    struct part *p;
    if (!LX_S_ISREG(o->node->mode) || o->path_only)
        return -LX_EINVAL;
    if (write && !writable(o))
        return -LX_EBADF;
    // A segment can be read by whoever maps it.
    if (write ? !o->may_map_write : !readable(o) && !o->may_map_write)
        return -LX_EACCES;
    int err = node_segment(o->node, r->arg[0], &p);
    if (err < 0)
        return err;
    if (write)
        o->node->written = true;
    uint32_t rights = EXO_R_READ | EXO_R_EXEC | (write ? EXO_R_WRITE : 0);
    CTX->send[0] = (struct exo_send){p->seg, rights, EXO_SEND_DERIVE};
    r->m->meta = EXO_META(0, 1);
    return 0;
}

static int op_fill(struct request *r, struct open *o)
{
    bool write = r->arg[1];
    if (o->path_only || (write ? !writable(o) : !readable(o) && !o->may_map_write))
        return -LX_EBADF;
    return node_fill(o->node, r->arg[0], write, &r->cred);
}

static long op_read(struct request *r, struct open *o)
{
    size_t n = r->arg[1] < EXO_MSG_SIZE ? r->arg[1] : EXO_MSG_SIZE;
    if (!readable(o))
        return -LX_EBADF;
    if (!LX_S_ISREG(o->node->mode))
        return -LX_EINVAL;
    long got = ext_read(&vol, o->node->ino, MSG, r->arg[0], n);
    if (got > 0)
        r->m->meta = EXO_META(got, 0);
    return got;
}

// The size or blocks in [offset, end) changed.
static void changed(struct node *n, uint64_t offset, uint64_t end)
{
    uint64_t first = offset / PAGE, last = (end + PAGE - 1) / PAGE;
    node_refresh(n, first, last > first ? last - first : 0);
    node_publish(n);
}

static int bounds(const struct node *n, uint64_t *offset, uint64_t length)
{
    if (*offset == UINT64_MAX)
        *offset = n->page->size;
    if (*offset > EXT_FILE_MAX || length > EXT_FILE_MAX - *offset)
        return -LX_EFBIG;
    return 0;
}

static long op_write(struct request *r, struct open *o)
{
    struct node *n = o->node;
    uint64_t offset = r->arg[0], length = r->arg[1], before = n->page->size;
    if (!writable(o) || !LX_S_ISREG(n->mode))
        return -LX_EBADF;
    if (length > r->bytes)
        return -LX_EINVAL;
    int err = bounds(n, &offset, length);
    if (err < 0)
        return err;
    long put = ext_write(&vol, &r->cred, n->ino, r->path, offset, length);
    if (put < 0)
        return put;
    changed(n, offset < before ? offset : before, offset + (uint64_t)put);
    r->m->w[1] = n->page->size;
    r->m->w[2] = offset;
    return put;
}

#define RESERVE_MAX (4ull << 20) // bounded work a call: the client asks again for more

static long op_reserve(struct request *r, struct open *o)
{
    struct node *n = o->node;
    uint64_t offset = r->arg[0], length = r->arg[1];
    struct ext_inode inode;
    if (!writable(o) || !LX_S_ISREG(n->mode))
        return -LX_EBADF;
    if (!o->may_map_write)
        return -LX_EACCES;
    if (length > RESERVE_MAX)
        length = RESERVE_MAX;
    int err = bounds(n, &offset, length);
    if (err == 0)
        err = ext_inode_load(&vol, n->ino, &inode);
    if (err < 0 || !length)
        return err;
    uint64_t page = offset / PAGE, end = (offset + length + PAGE - 1) / PAGE;
    uint64_t got = page;
    for (; got < end; got++) {
        uint32_t blk;
        err = ext_map_alloc(&vol, &r->cred, &inode, got, &blk);
        if (err < 0)
            break;
    }
    if (got == page)
        return err;
    n->reserved = true;
    n->written = true;
    struct part *p;
    for (uint64_t part = page / PART_PAGES; part <= (got - 1) / PART_PAGES; part++) {
        err = node_segment(n, part, &p);
        if (err < 0)
            return err;
    }
    err = node_refresh(n, page, got - page);
    if (err < 0)
        return err;
    r->m->w[1] = offset;
    uint64_t reach = got * PAGE - offset;
    return (long)(reach < length ? reach : length);
}

static long op_commit(struct request *r, struct open *o)
{
    struct node *n = o->node;
    uint64_t offset = r->arg[0], before = n->page->size;
    if (!writable(o) || !LX_S_ISREG(n->mode))
        return -LX_EBADF;
    int err = bounds(n, &offset, r->arg[1]);
    if (err == 0)
        err = ext_write_done(&vol, &r->cred, n->ino, offset, offset + r->arg[1]);
    if (err < 0)
        return err;
    if (offset + r->arg[1] > before)
        changed(n, before, offset + r->arg[1]);
    r->m->w[1] = n->page->size;
    return 0;
}

struct listing {
    size_t room, done;
};

static bool emit(void *ctx, const struct ext_dirent *e)
{
    struct listing *l = ctx;
    size_t need = (offsetof(struct lx_dirent64, d_name) + e->name_len + 1 + 7) & ~7ull;
    if (need > l->room - l->done)
        return false;
    struct lx_dirent64 *d = (void *)(MSG + l->done);
    memset(d, 0, need);
    d->d_ino = e->ino;
    d->d_off = (int64_t)e->next;
    d->d_reclen = (uint16_t)need;
    d->d_type = e->type;
    memcpy(d->d_name, e->name, e->name_len);
    l->done += need;
    return true;
}

static long op_readdir(struct request *r, struct open *o)
{
    struct listing l = {.room = r->arg[1] < EXO_MSG_SIZE ? r->arg[1] : EXO_MSG_SIZE};
    uint64_t cookie = r->arg[0];
    struct ext_inode inode;
    if (o->path_only)
        return -LX_EBADF;
    if (!LX_S_ISDIR(o->node->mode))
        return -LX_ENOTDIR;
    int err = ext_inode_load(&vol, o->node->ino, &inode);
    if (err < 0)
        return err;
    if (!inode.nlink)
        return 0; // a removed directory is empty
    uint64_t before = cookie;
    err = ext_dir_iterate(&vol, o->node->ino, &cookie, emit, &l);
    if (err < 0)
        return err;
    if (!l.done && cookie == before && l.room < 280)
        return -LX_EINVAL;
    r->m->w[1] = cookie;
    r->m->meta = EXO_META(l.done, 0);
    return (long)l.done;
}

static int op_ftruncate(struct request *r, struct open *o)
{
    if (!writable(o) || !LX_S_ISREG(o->node->mode))
        return -LX_EINVAL;
    return node_truncate(o->node->ino, r->arg[0], &r->cred);
}

static int op_fallocate(struct request *r, struct open *o)
{
    struct node *n = o->node;
    uint64_t offset = r->arg[1], before = n->page->size;
    if (!writable(o))
        return -LX_EBADF;
    if (r->arg[0])
        return -LX_EOPNOTSUPP;
    int err = bounds(n, &offset, r->arg[2]);
    if (err == 0)
        err = ext_allocate(&vol, &r->cred, n->ino, offset, r->arg[2]);
    if (err == 0)
        changed(n, offset < before ? offset : before, offset + r->arg[2]);
    return err;
}

long op_data(struct request *r)
{
    struct open *o = r->open;
    if (r->m->w[0] == FS_OP_SYNC) {
        ext_sync(&vol, true);
        return ext_sync(&vol, false);
    }
    if (!o)
        return -LX_EBADF;
    switch (r->m->w[0]) {
    case FS_OP_SEGMENT:
        return op_segment(r, o);
    case FS_OP_FILL:
        return op_fill(r, o);
    case FS_OP_READ:
        return op_read(r, o);
    case FS_OP_WRITE:
        return op_write(r, o);
    case FS_OP_RESERVE:
        return op_reserve(r, o);
    case FS_OP_COMMIT:
        return op_commit(r, o);
    case FS_OP_READDIR:
        return op_readdir(r, o);
    case FS_OP_FTRUNCATE:
        return op_ftruncate(r, o);
    case FS_OP_FALLOCATE:
        return op_fallocate(r, o);
    default: // FSYNC: memory is the medium
        node_note_writes(o->node);
        return 0;
    }
}
