// SPDX-License-Identifier: MIT
//
// Names: create, link, unlink, rmdir.
//
// Each function checks everything it can, then changes the volume inside one transaction; what
// fails in there is taken back. Order of errors as Linux has it: the name's shape, the directory,
// whether the name exists, permission, the types, the limits.
//
// Nothing is freed here. What loses its last name goes on the orphan list (see ext.h).
#include "internal.h"

// May entries be added to the directory?
int ext_may_change(const struct ext_inode *dir, const struct ext_cred *cred)
{
    if (dir->nlink == 0)
        return -LX_ENOENT;
    int err = ext_cred_access(dir, cred, EXT_W | EXT_X);
    if (!err && (dir->flags & EXT_FL_IMMUTABLE))
        err = -LX_EPERM;
    return err;
}

// May this entry be taken out of the directory?
int ext_may_remove(const struct ext_inode *dir, const struct ext_inode *victim,
                   const struct ext_cred *cred)
{
    int err = ext_may_change(dir, cred);
    if (err)
        return err;
    if ((dir->flags & EXT_FL_APPEND) || (victim->flags & (EXT_FL_APPEND | EXT_FL_IMMUTABLE)))
        return -LX_EPERM;
    return cred && ext_sticky_denies(dir, victim, cred->uid) ? -LX_EPERM : 0;
}

// The inode an entry of `dir` names.
int ext_child_load(struct ext_vol *vol, const struct ext_inode *dir, uint32_t ino,
                   struct ext_inode *out)
{
    int err = ext_inode_load(vol, ino, out);
    if (err == -LX_ESTALE || (!err && out->nlink == 0))
        return ext_unclean(vol, "a directory names a deleted inode");
    if (!err && ino == dir->ino)
        return ext_unclean(vol, "a directory names itself");
    return err;
}

static int dir_open(struct ext_vol *vol, const struct ext_cred *cred, uint32_t dir,
                    const char *name, uint32_t len, struct ext_inode *out)
{
    int err = ext_writable(vol);
    if (!err)
        err = ext_name_check(name, len);
    if (!err)
        err = ext_inode_load_dir(vol, dir, out);
    ext_cred_note(vol, cred);
    return err;
}

static bool is_dot(const char *name, uint32_t len)
{
    return len == 1 && name[0] == '.';
}

static bool is_dotdot(const char *name, uint32_t len)
{
    return len == 2 && name[0] == '.' && name[1] == '.';
}

// 0 if the name can be added to the directory.
static int name_is_new(struct ext_vol *vol, const struct ext_cred *cred,
                       const struct ext_inode *dir, const char *name, uint32_t len)
{
    struct ext_slot slot;
    if (is_dot(name, len) || is_dotdot(name, len))
        return -LX_EEXIST;
    int err = ext_dir_find(vol, dir, name, len, &slot);
    if (err != -LX_ENOENT)
        return err ? err : -LX_EEXIST;
    return ext_may_change(dir, cred);
}

static int create_check(const struct ext_inode *dir, const struct ext_create_args *args)
{
    uint32_t type = args->mode & LX_S_IFMT;
    switch (type) {
    case LX_S_IFDIR:
        return dir->nlink >= EXT_LINK_MAX ? -LX_EMLINK : 0;
    case LX_S_IFLNK:
        if (args->target_len == 0)
            return -LX_ENOENT;
        if (args->target_len >= LX_PATH_MAX)
            return -LX_ENAMETOOLONG;
        return ext_has_byte(args->target, args->target_len, 0) ? -LX_EINVAL : 0;
    case LX_S_IFREG:
    case LX_S_IFCHR:
    case LX_S_IFBLK:
    case LX_S_IFIFO:
    case LX_S_IFSOCK:
        return 0;
    default:
        return -LX_EINVAL;
    }
}

// Owner, group and mode of a new inode: a set-group-id directory passes its group on.
static void owner_set(const struct ext_inode *dir, const struct ext_cred *owner, uint32_t mode,
                      struct ext_inode *inode)
{
    inode->mode = (uint16_t)(mode & (LX_S_IFMT | 07777));
    inode->uid = owner ? owner->uid : 0;
    inode->gid = owner ? owner->gid : 0;
    if (!(dir->mode & LX_S_ISGID))
        return;
    inode->gid = dir->gid;
    uint32_t run = LX_S_ISGID | LX_S_IXGRP;
    if (LX_S_ISDIR(mode))
        inode->mode |= LX_S_ISGID;
    else if ((mode & run) == run && owner && owner->uid && !ext_cred_in_group(owner, dir->gid))
        inode->mode &= (uint16_t)~LX_S_ISGID;
}

static int symlink_fill(struct ext_vol *vol, struct ext_inode *inode, const char *target,
                        uint32_t len)
{
    uint32_t blk;
    void *base;
    inode->size = len;
    if (len < sizeof(inode->block)) {
        memcpy(inode->block, target, len);
        return 0;
    }
    int err = ext_map_fill(vol, inode, 0, &blk);
    if (!err)
        err = ext_block_data(vol, blk, &base);
    if (!err)
        memcpy(base, target, len);
    return err;
}

static int content_fill(struct ext_vol *vol, struct ext_inode *inode, uint32_t parent,
                        const struct ext_create_args *args)
{
    inode->nlink = LX_S_ISDIR(inode->mode) ? 2 : 1;
    if (LX_S_ISDIR(inode->mode))
        return ext_dir_init(vol, inode, parent);
    if (LX_S_ISLNK(inode->mode)) {
        int err = symlink_fill(vol, inode, args->target, args->target_len);
        if (err)
            return err;
    }
    if (LX_S_ISCHR(inode->mode) || LX_S_ISBLK(inode->mode)) {
        bool fits = args->rdev <= 0xffff && args->rdev != 0;
        inode->block[fits ? 0 : 1] = args->rdev;
    }
    return ext_inode_store(vol, inode);
}

static int create_apply(struct ext_vol *vol, struct ext_inode *dir, const char *name, uint32_t len,
                        const struct ext_create_args *args, const struct ext_cred *owner,
                        uint32_t *ino)
{
    struct ext_inode inode;
    int err = ext_inode_alloc(vol, dir, args->mode & LX_S_IFMT, &inode);
    if (err)
        return err;
    owner_set(dir, owner, args->mode, &inode);
    *ino = inode.ino;
    err = content_fill(vol, &inode, dir->ino, args);
    if (err)
        return err;
    if (LX_S_ISDIR(inode.mode))
        dir->nlink++;
    return ext_dir_add(vol, dir, name, len, inode.ino, inode.mode);
}

int ext_create(struct ext_vol *vol, const struct ext_cred *cred, uint32_t dir, const char *name,
               uint32_t len, const struct ext_create_args *args, uint32_t *ino)
{
    struct ext_inode d;
    int err = dir_open(vol, cred, dir, name, len, &d);
    if (!err)
        err = name_is_new(vol, cred, &d, name, len);
    if (!err)
        err = create_check(&d, args);
    if (err)
        return err;
    uint32_t mark = ext_txn_begin(vol);
    err = create_apply(vol, &d, name, len, args, args->owner ? args->owner : cred, ino);
    return ext_txn_end(vol, mark, err);
}

static int link_check(const struct ext_inode *inode)
{
    if (inode->nlink == 0)
        return -LX_ENOENT;
    if (LX_S_ISDIR(inode->mode) || (inode->flags & (EXT_FL_APPEND | EXT_FL_IMMUTABLE)))
        return -LX_EPERM;
    return inode->nlink >= EXT_LINK_MAX ? -LX_EMLINK : 0;
}

int ext_link(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, uint32_t dir,
             const char *name, uint32_t len)
{
    struct ext_inode d, inode;
    int err = dir_open(vol, cred, dir, name, len, &d);
    if (!err)
        err = ext_inode_load(vol, ino, &inode);
    if (!err)
        err = name_is_new(vol, cred, &d, name, len);
    if (!err)
        err = link_check(&inode);
    if (err)
        return err;
    uint32_t mark = ext_txn_begin(vol);
    inode.nlink++;
    ext_inode_touch(vol, &inode, false);
    err = ext_inode_store(vol, &inode);
    if (!err)
        err = ext_dir_add(vol, &d, name, len, ino, inode.mode);
    return ext_txn_end(vol, mark, err);
}

// The inode loses a name; a directory loses all of them. Stores it, but for one that nobody has or
// uses any more: ext_gone_end.
int ext_nlink_drop(struct ext_vol *vol, struct ext_inode *inode, uint32_t *orphan)
{
    inode->nlink = LX_S_ISDIR(inode->mode) ? 0 : (uint16_t)(inode->nlink - 1);
    ext_inode_touch(vol, inode, false);
    if (inode->nlink)
        return ext_inode_store(vol, inode);
    if (vol->watch && vol->watch->held && !vol->watch->held(inode->ino))
        return 0;
    *orphan = inode->ino;
    return ext_orphan_add(vol, inode);
}

// After the transaction, which ended with err: the end of an inode that lost its last name in it
// and is no orphan.
int ext_gone_end(struct ext_vol *vol, int err, struct ext_inode *inode, uint32_t *orphan)
{
    if (err)
        *orphan = 0;
    else if (!inode->nlink && !*orphan)
        ext_inode_end(vol, inode); // an error is the volume's: the name is gone
    return err;
}

static int remove_apply(struct ext_vol *vol, struct ext_inode *dir, const char *name, uint32_t len,
                        const struct ext_slot *slot, struct ext_inode *victim, uint32_t *orphan)
{
    int err = ext_dir_remove(vol, dir, name, len, slot);
    if (!err)
        err = ext_nlink_drop(vol, victim, orphan);
    if (err)
        return err;
    if (LX_S_ISDIR(victim->mode) && dir->nlink > 2)
        dir->nlink--;
    ext_inode_touch(vol, dir, true);
    return ext_inode_store(vol, dir);
}

static int victim_find(struct ext_vol *vol, const struct ext_cred *cred,
                       const struct ext_inode *dir, const char *name, uint32_t len,
                       struct ext_slot *slot, struct ext_inode *victim)
{
    int err = ext_dir_find(vol, dir, name, len, slot);
    if (!err)
        err = ext_child_load(vol, dir, slot->ino, victim);
    return err ? err : ext_may_remove(dir, victim, cred);
}

int ext_unlink(struct ext_vol *vol, const struct ext_cred *cred, uint32_t dir, const char *name,
               uint32_t len, uint32_t *orphan)
{
    struct ext_inode d, victim;
    struct ext_slot slot;
    *orphan = 0;
    int err = dir_open(vol, cred, dir, name, len, &d);
    if (!err && (is_dot(name, len) || is_dotdot(name, len)))
        err = -LX_EISDIR;
    if (!err)
        err = victim_find(vol, cred, &d, name, len, &slot, &victim);
    if (!err && LX_S_ISDIR(victim.mode))
        err = -LX_EISDIR;
    if (err)
        return err;
    uint32_t mark = ext_txn_begin(vol);
    err = ext_txn_end(vol, mark, remove_apply(vol, &d, name, len, &slot, &victim, orphan));
    return ext_gone_end(vol, err, &victim, orphan);
}

static int rmdir_check(struct ext_vol *vol, const struct ext_inode *victim)
{
    if (!LX_S_ISDIR(victim->mode))
        return -LX_ENOTDIR;
    if (victim->ino == EXT_ROOT_INO)
        return -LX_EBUSY;
    int empty = ext_dir_is_empty(vol, victim);
    return empty < 0 ? empty : empty ? 0 : -LX_ENOTEMPTY;
}

int ext_rmdir(struct ext_vol *vol, const struct ext_cred *cred, uint32_t dir, const char *name,
              uint32_t len, uint32_t *orphan)
{
    struct ext_inode d, victim;
    struct ext_slot slot;
    *orphan = 0;
    int err = dir_open(vol, cred, dir, name, len, &d);
    if (!err && (is_dot(name, len) || is_dotdot(name, len)))
        err = is_dot(name, len) ? -LX_EINVAL : -LX_ENOTEMPTY;
    if (!err)
        err = victim_find(vol, cred, &d, name, len, &slot, &victim);
    if (!err)
        err = rmdir_check(vol, &victim);
    if (err)
        return err;
    uint32_t mark = ext_txn_begin(vol);
    err = ext_txn_end(vol, mark, remove_apply(vol, &d, name, len, &slot, &victim, orphan));
    return ext_gone_end(vol, err, &victim, orphan);
}
