// SPDX-License-Identifier: MIT
//
// Attributes of inodes: stat and statx, chmod, chown, utimensat.
//
// The rules are those of POSIX chmod(), chown(), utimensat(), with Linux's choices where POSIX
// leaves one: chown takes the set-user-id bit of non-directories away even from root, and the
// set-group-id bit if the group may execute (else it would mean mandatory locking).
#include "internal.h"

void ext_stat_fill(const struct ext_inode *inode, uint64_t dev, struct lx_stat *out)
{
    memset(out, 0, sizeof(*out));
    out->st_dev = dev;
    out->st_ino = inode->ino;
    out->st_nlink = inode->nlink;
    out->st_mode = inode->mode;
    out->st_uid = inode->uid;
    out->st_gid = inode->gid;
    out->st_rdev = ext_inode_rdev(inode);
    out->st_size = (int64_t)inode->size;
    out->st_blksize = EXT_BLOCK_SIZE;
    out->st_blocks = (int64_t)inode->blocks;
    out->st_atime_sec = inode->atime.sec;
    out->st_atime_nsec = inode->atime.nsec;
    out->st_mtime_sec = inode->mtime.sec;
    out->st_mtime_nsec = inode->mtime.nsec;
    out->st_ctime_sec = inode->ctime.sec;
    out->st_ctime_nsec = inode->ctime.nsec;
}

static struct lx_statx_time statx_time(struct ext_time t)
{
    return (struct lx_statx_time){t.sec, t.nsec, 0};
}

static uint32_t dev_major(uint64_t dev)
{
    return (uint32_t)(dev >> 8) & 0xfff;
}

static uint32_t dev_minor(uint64_t dev)
{
    return (uint32_t)(dev & 0xff) | ((uint32_t)(dev >> 12) & 0xfff00);
}

void ext_statx_fill(const struct ext_inode *inode, uint64_t dev, struct lx_statx *out)
{
    memset(out, 0, sizeof(*out));
    out->stx_mask = LX_STATX_BASIC_STATS;
    if (inode->crtime.sec || inode->crtime.nsec)
        out->stx_mask |= LX_STATX_BTIME;
    out->stx_blksize = EXT_BLOCK_SIZE;
    out->stx_attributes_mask = LX_STATX_ATTR_IMMUTABLE | LX_STATX_ATTR_APPEND;
    out->stx_attributes = (inode->flags & EXT_FL_IMMUTABLE ? LX_STATX_ATTR_IMMUTABLE : 0) |
                          (inode->flags & EXT_FL_APPEND ? LX_STATX_ATTR_APPEND : 0);
    out->stx_nlink = inode->nlink;
    out->stx_uid = inode->uid;
    out->stx_gid = inode->gid;
    out->stx_mode = inode->mode;
    out->stx_ino = inode->ino;
    out->stx_size = inode->size;
    out->stx_blocks = inode->blocks;
    out->stx_atime = statx_time(inode->atime);
    out->stx_btime = statx_time(inode->crtime);
    out->stx_ctime = statx_time(inode->ctime);
    out->stx_mtime = statx_time(inode->mtime);
    out->stx_rdev_major = dev_major(ext_inode_rdev(inode));
    out->stx_rdev_minor = dev_minor(ext_inode_rdev(inode));
    out->stx_dev_major = dev_major(dev);
    out->stx_dev_minor = dev_minor(dev);
}

static bool is_owner(const struct ext_cred *cred, const struct ext_inode *inode)
{
    return !cred || cred->uid == 0 || cred->uid == inode->uid;
}

static int chown_check(const struct ext_cred *cred, const struct ext_inode *inode,
                       const struct ext_attr *a)
{
    if (!cred || cred->uid == 0)
        return 0;
    bool owner = cred->uid == inode->uid;
    if ((a->what & EXT_ATTR_UID) && !(owner && a->uid == inode->uid))
        return -LX_EPERM;
    if ((a->what & EXT_ATTR_GID) &&
        !(owner && (a->gid == inode->gid || ext_cred_in_group(cred, a->gid))))
        return -LX_EPERM;
    return 0;
}

static int attr_check(const struct ext_cred *cred, const struct ext_inode *inode,
                      const struct ext_attr *a)
{
    uint32_t times = a->what & (EXT_ATTR_ATIME | EXT_ATTR_MTIME);
    bool now = a->what & EXT_ATTR_NOW;
    if (inode->flags & EXT_FL_IMMUTABLE)
        return -LX_EPERM;
    if ((inode->flags & EXT_FL_APPEND) && !(times && now && a->what == (times | EXT_ATTR_NOW)))
        return -LX_EPERM;
    int err = chown_check(cred, inode, a);
    if (err)
        return err;
    if ((a->what & EXT_ATTR_MODE) && !is_owner(cred, inode))
        return -LX_EPERM;
    if (times && !is_owner(cred, inode))
        return now ? ext_cred_access(inode, cred, EXT_W) : -LX_EPERM;
    return 0;
}

static void chown_apply(struct ext_inode *inode, const struct ext_attr *a)
{
    if (a->what & EXT_ATTR_UID)
        inode->uid = a->uid;
    if (a->what & EXT_ATTR_GID)
        inode->gid = a->gid;
    if (!(a->what & (EXT_ATTR_UID | EXT_ATTR_GID)) || LX_S_ISDIR(inode->mode))
        return;
    inode->mode &= (uint16_t)~LX_S_ISUID;
    if (inode->mode & LX_S_IXGRP)
        inode->mode &= (uint16_t)~LX_S_ISGID;
}

static void attr_apply(struct ext_vol *vol, const struct ext_cred *cred, struct ext_inode *inode,
                       const struct ext_attr *a)
{
    chown_apply(inode, a);
    if (a->what & EXT_ATTR_MODE) {
        inode->mode = (uint16_t)((inode->mode & LX_S_IFMT) | (a->mode & 07777));
        if (cred && cred->uid != 0 && !ext_cred_in_group(cred, inode->gid))
            inode->mode &= (uint16_t)~LX_S_ISGID;
    }
    bool now = a->what & EXT_ATTR_NOW;
    if (a->what & EXT_ATTR_ATIME)
        inode->atime = now ? vol->now : a->atime;
    if (a->what & EXT_ATTR_MTIME)
        inode->mtime = now ? vol->now : a->mtime;
    if (!(a->what & EXT_ATTR_FORCE))
        inode->ctime = vol->now;
}

int ext_attr_set(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino,
                 const struct ext_attr *attr)
{
    struct ext_inode inode;
    int err = ext_writable(vol);
    if (!err)
        err = ext_inode_load(vol, ino, &inode);
    if (!err && !(attr->what & EXT_ATTR_FORCE))
        err = attr_check(cred, &inode, attr);
    if (err)
        return err;
    attr_apply(vol, cred, &inode, attr);
    return ext_inode_store(vol, &inode);
}
