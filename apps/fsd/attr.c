// SPDX-License-Identifier: MIT
// Attributes: stat, access, chmod, chown, times, truncate by name, statfs.
#include "fsd.h"
#include <string.h>

static int op_stat(struct request *r)
{
    uint32_t ino;
    struct ext_inode inode;
    struct fs_told *out = (struct fs_told *)MSG;
    r->tells = !r->open || !r->open->root;
    int err = target_ino(r, r->arg[0], &ino);
    if (err < 0)
        return err;
    struct node *n = node_find(ino);
    if (n)
        node_note_writes(n);
    err = ext_inode_load(&vol, ino, &inode);
    if (err < 0)
        return err;
    attr_publish(r, &inode);
    if (n)
        node_attr_publish(n, &inode);
    ext_stat_fill(&inode, FS_ROOT_DEV, &out->st);
    out->told = told_number(r, n, ino);
    out->alone = n && r->open && r->open->node == n && node_only_writer(n, r->open);
    r->m->meta = EXO_META(sizeof(*out), 0);
    return 0;
}

// access() asks for the real ids.
static int op_access(struct request *r)
{
    uint32_t ino;
    struct ext_inode inode;
    if (r->arg[0] & ~7ull)
        return -LX_EINVAL;
    if (!(r->arg[1] & LX_AT_EACCESS)) {
        r->cred.uid = r->ruid;
        r->cred.gid = r->rgid;
    }
    int err = target_ino(r, r->arg[1], &ino);
    if (err == 0)
        err = ext_inode_load(&vol, ino, &inode);
    if (err)
        return err;
    attr_publish(r, &inode);
    uint32_t want = (uint32_t)r->arg[0]; // R_OK, W_OK, X_OK are EXT_R, EXT_W, EXT_X
    bool changes = (want & EXT_W) && (LX_S_ISREG(inode.mode) || LX_S_ISDIR(inode.mode));
    if (changes && vol.read_only)
        return -LX_EROFS;
    return want ? ext_cred_access(&inode, &r->cred, want) : 0;
}

static int set_attr(struct request *r, uint64_t at_flags, const struct ext_attr *attr)
{
    uint32_t ino;
    int err = target_ino(r, at_flags, &ino);
    if (err < 0)
        return err;
    struct node *n = node_find(ino);
    if (n)
        node_note_writes(n);
    return ext_attr_set(&vol, &r->cred, ino, attr);
}

static int no_change(struct request *r, uint64_t at_flags)
{
    uint32_t ino;
    return target_ino(r, at_flags, &ino);
}

static int op_chmod(struct request *r)
{
    struct ext_attr attr = {.what = EXT_ATTR_MODE, .mode = r->arg[0] & 07777};
    return set_attr(r, r->arg[1], &attr);
}

static int op_chown(struct request *r)
{
    struct ext_attr attr = {.uid = (uint32_t)r->arg[0], .gid = (uint32_t)r->arg[1]};
    if (attr.uid != 0xffffffffu)
        attr.what |= EXT_ATTR_UID;
    if (attr.gid != 0xffffffffu)
        attr.what |= EXT_ATTR_GID;
    return attr.what ? set_attr(r, r->arg[2], &attr) : no_change(r, r->arg[2]);
}

static bool pick_time(uint64_t sec, uint64_t nsec, struct ext_time *t, bool *now)
{
    *t = (struct ext_time){(int64_t)sec, (uint32_t)nsec};
    if (nsec == LX_UTIME_OMIT)
        return false;
    if (nsec == LX_UTIME_NOW)
        *t = vol.now;
    else
        *now = false;
    return true;
}

static int op_utimens(struct request *r)
{
    struct ext_attr attr = {0};
    bool now = true;
    for (int i = 2; i <= 4; i += 2) {
        if (r->arg[i] > 999999999 && r->arg[i] != LX_UTIME_NOW && r->arg[i] != LX_UTIME_OMIT)
            return -LX_EINVAL;
    }
    if (pick_time(r->arg[1], r->arg[2], &attr.atime, &now))
        attr.what |= EXT_ATTR_ATIME;
    if (pick_time(r->arg[3], r->arg[4], &attr.mtime, &now))
        attr.what |= EXT_ATTR_MTIME;
    if (now && attr.what == (EXT_ATTR_ATIME | EXT_ATTR_MTIME))
        attr.what |= EXT_ATTR_NOW;
    return attr.what ? set_attr(r, r->arg[0], &attr) : no_change(r, r->arg[0]);
}

static int op_truncate(struct request *r)
{
    uint32_t ino;
    struct ext_inode inode;
    int err = target_ino(r, 0, &ino);
    if (err == 0)
        err = ext_inode_load(&vol, ino, &inode);
    if (err)
        return err;
    if (LX_S_ISDIR(inode.mode))
        return -LX_EISDIR;
    if (!LX_S_ISREG(inode.mode))
        return -LX_EINVAL;
    err = ext_cred_access(&inode, &r->cred, EXT_W);
    return err < 0 ? err : node_truncate(ino, r->arg[0], &r->cred);
}

static int op_statfs(struct request *r)
{
    struct lx_statfs sf;
    memset(&sf, 0, sizeof(sf));
    int err = ext_statfs(&vol, &sf);
    if (err < 0)
        return err;
    uint64_t have = dev_free(sf.f_bfree);
    sf.f_blocks -= sf.f_bfree - have; // so that what is used is the difference
    sf.f_bfree = have;
    if (sf.f_bavail > sf.f_bfree)
        sf.f_bavail = sf.f_bfree;
    memcpy(MSG, &sf, sizeof(sf));
    r->m->meta = EXO_META(sizeof(sf), 0);
    return 0;
}

long op_attr(struct request *r)
{
    switch (r->m->w[0]) {
    case FS_OP_STAT:
        return op_stat(r);
    case FS_OP_ACCESS:
        return op_access(r);
    case FS_OP_CHMOD:
        return op_chmod(r);
    case FS_OP_CHOWN:
        return op_chown(r);
    case FS_OP_UTIMENS:
        return op_utimens(r);
    case FS_OP_TRUNCATE:
        return op_truncate(r);
    default:
        return op_statfs(r);
    }
}
