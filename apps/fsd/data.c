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

// A part may be mapped before the file reaches it, but only as far as files can reach.
static int op_segment(struct request *r, struct open *o)
{
    bool write = r->arg[1];
    struct part *p;
    struct node *n = o->node;
    if (!LX_S_ISREG(n->mode) || o->path_only)
        return -LX_EINVAL;
    if (write && !writable(o))
        return -LX_EBADF;
    // A segment can be read by whoever maps it.
    if (write ? !o->may_map_write : !readable(o) && !o->may_map_write)
        return -LX_EACCES;
    int err = seg_get(n, r->arg[0], r->payer, &p);
    if (err < 0)
        return err;
    if (write) {
        p->written = n->written = true;
        attr_forget(n->ino);
        n->user_writes |= r->cred.uid != 0;
    }
    if (readable(o) && !o->no_atime)
        note_atime(n->ino);
    uint32_t rights = EXO_R_READ | EXO_R_EXEC | (write ? EXO_R_WRITE : 0);
    CTX->send[0] = (struct exo_send){p->seg, rights, EXO_SEND_DERIVE};
    r->m->meta = EXO_META(0, 1);
    return 0;
}

static int op_fill(struct request *r, struct open *o)
{
    bool write = r->arg[1];
    if (!LX_S_ISREG(o->node->mode) || (write ? !writable(o) : !readable(o) && !o->may_map_write))
        return -LX_EBADF;
    return seg_fill(o->node, r->arg[0], write, reserve_limit(o->node, o, r->env), r);
}

static long op_read(struct request *r, struct open *o)
{
    size_t n = r->arg[1] < EXO_MSG_SIZE ? r->arg[1] : EXO_MSG_SIZE;
    if (!readable(o))
        return -LX_EBADF;
    if (!LX_S_ISREG(o->node->mode))
        return LX_S_ISDIR(o->node->mode) ? -LX_EISDIR : -LX_EINVAL;
    lease_end(o->node);
    long got = ext_read(&vol, o->node->ino, MSG, r->arg[0], n);
    if (got > 0)
        r->m->meta = EXO_META(got, 0);
    if (got > 0 && !o->no_atime)
        note_atime(o->node->ino);
    return got;
}

static long op_readdir(struct request *r, struct open *o)
{
    uint32_t room = r->arg[1] < EXO_MSG_SIZE ? (uint32_t)r->arg[1] : EXO_MSG_SIZE;
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
    uint32_t merges = cookie == o->list_next ? o->list_merges : EXT_ANY_COOKIE;
    err = ext_dir_list(&vol, o->node->ino, &cookie, &merges, (uint8_t *)MSG, room);
    if (err < 0)
        return err;
    o->list_next = cookie;
    o->list_merges = merges;
    note_atime(o->node->ino);
    r->m->w[1] = cookie;
    r->m->meta = EXO_META(err, 0);
    return err;
}

static int op_ftruncate(struct request *r, struct open *o)
{
    if (!writable(o) || !LX_S_ISREG(o->node->mode))
        return -LX_EINVAL;
    if (o->append_only)
        return -LX_EPERM;
    return node_truncate(o->node->ino, r->arg[0], &r->cred);
}

long op_data(struct request *r)
{
    struct open *o = r->open;
    if (r->m->w[0] == FS_OP_SYNC) { // memory is the medium
        nodes_note_writes();
        return 0;
    }
    if (r->m->w[0] == FS_OP_SETTLE)
        return op_settle(r);
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
    default: // FSYNC
        node_note_writes(o->node);
        return 0;
    }
}
