// SPDX-License-Identifier: MIT
//
// Bytes of files: read, write, truncate, allocate, symbolic link targets.
//
// These are the slow paths: processes read and write through mapped frames, and fsd uses the block
// map. What keeps a file whole is the same in both: bytes behind the end are zero before the size
// grows over them, blocks behind the end do not stay allocated, and a file beyond 2 GiB announces
// itself in the superblock.
#include "internal.h"

// Sets the size in the inode; the caller stores it.
int ext_size_set(struct ext_vol *vol, struct ext_inode *inode, uint64_t size)
{
    const struct ext_disk_super *sb;
    if (size > EXT_FILE_MAX)
        return -LX_EFBIG;
    if (size > INT32_MAX) {
        int err = ext_super_get(vol, &sb);
        if (!err && sb->s_rev_level == 0)
            err = -LX_EFBIG;
        if (!err && !(sb->s_feature_ro_compat & EXT_RO_LARGE_FILE))
            err = ext_super_set32(vol, EXT_SUPER_FIELD(s_feature_ro_compat),
                                  sb->s_feature_ro_compat | EXT_RO_LARGE_FILE);
        if (err)
            return err;
    }
    inode->size = size;
    return 0;
}

// Changing the content takes set-user-id away, and set-group-id from what the group may execute.
void ext_privs_drop(const struct ext_cred *cred, struct ext_inode *inode)
{
    if (!cred || cred->uid == 0 || !LX_S_ISREG(inode->mode))
        return;
    inode->mode &= (uint16_t)~LX_S_ISUID;
    if (inode->mode & LX_S_IXGRP)
        inode->mode &= (uint16_t)~LX_S_ISGID;
}

static int file_load(struct ext_vol *vol, uint32_t ino, struct ext_inode *out)
{
    int err = ext_inode_load(vol, ino, out);
    if (err)
        return err;
    if (LX_S_ISDIR(out->mode))
        return -LX_EISDIR;
    return LX_S_ISREG(out->mode) ? 0 : -LX_EINVAL;
}

static int file_load_write(struct ext_vol *vol, uint32_t ino, struct ext_inode *out)
{
    int err = ext_writable(vol);
    if (!err)
        err = file_load(vol, ino, out);
    if (!err && (out->flags & EXT_FL_IMMUTABLE))
        err = -LX_EPERM;
    return err;
}

static int read_piece(struct ext_vol *vol, const struct ext_inode *inode, uint8_t *buf,
                      uint64_t off, size_t len)
{
    uint32_t blk;
    const void *base;
    int err = ext_map_get(vol, inode, off >> EXT_BLOCK_SHIFT, &blk);
    if (!err && blk)
        err = ext_block_get(vol, blk, &base);
    if (err)
        return err;
    if (blk)
        memcpy(buf, (const uint8_t *)base + off % EXT_BLOCK_SIZE, len);
    else
        memset(buf, 0, len);
    return 0;
}

int64_t ext_read(struct ext_vol *vol, uint32_t ino, void *buf, uint64_t off, size_t len)
{
    struct ext_inode inode;
    int err = file_load(vol, ino, &inode);
    if (err)
        return err;
    if (off >= inode.size)
        return 0;
    len = ext_min(len, inode.size - off);
    for (size_t done = 0, n; done < len; done += n) {
        n = ext_min(len - done, EXT_BLOCK_SIZE - (off + done) % EXT_BLOCK_SIZE);
        err = read_piece(vol, &inode, (uint8_t *)buf + done, off + done, n);
        if (err)
            return done ? (int64_t)done : err;
    }
    return (int64_t)len;
}

// Writes within one block. Either all of it happens, the size included, or nothing.
static int write_piece(struct ext_vol *vol, struct ext_inode *inode, const uint8_t *buf,
                       uint64_t off, size_t len)
{
    struct ext_inode before = *inode;
    uint32_t blk, mark = ext_txn_begin(vol);
    void *base;
    int err = ext_map_fill(vol, inode, off >> EXT_BLOCK_SHIFT, &blk);
    if (!err)
        err = ext_block_data(vol, blk, &base);
    if (!err && off + len > inode->size)
        err = ext_size_set(vol, inode, off + len);
    if (!err)
        err = ext_inode_store(vol, inode);
    if (err)
        *inode = before;
    else
        memcpy((uint8_t *)base + off % EXT_BLOCK_SIZE, buf, len);
    return ext_txn_end(vol, mark, err);
}

static int write_finish(struct ext_vol *vol, const struct ext_cred *cred, struct ext_inode *inode,
                        uint64_t end)
{
    int err = end > inode->size ? ext_size_set(vol, inode, end) : 0;
    if (err)
        return err;
    ext_privs_drop(cred, inode);
    ext_inode_touch(vol, inode, true);
    return ext_inode_store(vol, inode);
}

int64_t ext_write(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, const void *buf,
                  uint64_t off, size_t len)
{
    struct ext_inode inode;
    int err = file_load_write(vol, ino, &inode);
    if (err || !len)
        return err;
    if (off >= EXT_FILE_MAX)
        return -LX_EFBIG;
    len = ext_min(len, EXT_FILE_MAX - off);
    ext_cred_note(vol, cred);
    if (off > inode.size)
        err = ext_tail_zero(vol, &inode, inode.size, off);
    ext_privs_drop(cred, &inode);
    ext_inode_touch(vol, &inode, true);
    size_t done = 0;
    while (done < len && !err) {
        size_t n = ext_min(len - done, EXT_BLOCK_SIZE - (off + done) % EXT_BLOCK_SIZE);
        err = write_piece(vol, &inode, (const uint8_t *)buf + done, off + done, n);
        done += err ? 0 : n;
    }
    return done ? (int64_t)done : err;
}

int ext_write_done(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, uint64_t off,
                   uint64_t end)
{
    struct ext_inode inode;
    int err = file_load_write(vol, ino, &inode);
    if (!err && off > inode.size)
        err = ext_tail_zero(vol, &inode, inode.size, off);
    return err ? err : write_finish(vol, cred, &inode, end);
}

static bool has_pointers(const struct ext_inode *inode)
{
    uint32_t any = 0;
    for (uint32_t i = 0; i < EXT_NBLOCK; i++)
        any |= inode->block[i];
    return any;
}

int ext_truncate(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, uint64_t size)
{
    struct ext_inode inode;
    int err = file_load_write(vol, ino, &inode);
    if (!err && (inode.flags & EXT_FL_APPEND))
        err = -LX_EPERM;
    if (err)
        return err;
    bool shrink = size < inode.size;
    err = ext_tail_zero(vol, &inode, shrink ? size : inode.size, shrink ? inode.size : size);
    if (!err)
        err = ext_size_set(vol, &inode, size);
    if (!err)
        err = write_finish(vol, cred, &inode, 0);
    if (err || !shrink || !has_pointers(&inode))
        return err;
    err = ext_trim(vol, &inode, (size + EXT_BLOCK_SIZE - 1) >> EXT_BLOCK_SHIFT);
    int stored = ext_inode_store(vol, &inode);
    return err ? err : stored;
}

int ext_trim_end(struct ext_vol *vol, uint32_t ino)
{
    struct ext_inode inode;
    int err = file_load_write(vol, ino, &inode);
    if (err)
        return err;
    err = ext_trim(vol, &inode, (inode.size + EXT_BLOCK_SIZE - 1) >> EXT_BLOCK_SHIFT);
    int stored = ext_inode_store(vol, &inode);
    return err ? err : stored;
}

int ext_allocate(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, uint64_t off,
                 uint64_t len)
{
    struct ext_inode inode;
    int err = file_load_write(vol, ino, &inode);
    if (err)
        return err;
    if (off > EXT_FILE_MAX || len > EXT_FILE_MAX - off)
        return -LX_EFBIG;
    if (!len)
        return -LX_EINVAL;
    ext_cred_note(vol, cred);
    if (off + len > inode.size)
        err = ext_tail_zero(vol, &inode, inode.size, off + len);
    uint64_t last = (off + len - 1) >> EXT_BLOCK_SHIFT;
    for (uint64_t lblk = off >> EXT_BLOCK_SHIFT; lblk <= last && !err; lblk++) {
        uint32_t blk;
        err = ext_map_fill(vol, &inode, lblk, &blk);
    }
    if (!err)
        return write_finish(vol, cred, &inode, off + len);
    ext_trim(vol, &inode, (inode.size + EXT_BLOCK_SIZE - 1) >> EXT_BLOCK_SHIFT);
    ext_inode_store(vol, &inode);
    return err;
}

// Where the target of a symbolic link lies: in the inode's record, or in its one block. Its length
// is inode->size. Valid until the ext_ call returns.
int ext_symlink_get(struct ext_vol *vol, const struct ext_inode *inode, const char **target)
{
    uint32_t blk, off = 0;
    const void *base;
    int err;
    if (ext_inode_is_fast_symlink(inode)) {
        if (inode->size >= sizeof(inode->block))
            return ext_unclean(vol, "a symbolic link is longer than its place");
        err = 0;
        ext_inode_locate(vol, inode->ino, &blk, &off);
        off += (uint32_t)offsetof(struct ext_disk_inode, i_block);
    } else {
        err = ext_map_get(vol, inode, 0, &blk);
        if (!err && !blk)
            err = ext_unclean(vol, "a symbolic link has no content");
    }
    if (!err)
        err = ext_block_get(vol, blk, &base);
    if (err)
        return err;
    *target = (const char *)base + off;
    if (ext_has_byte(*target, (uint32_t)inode->size, 0))
        return ext_unclean(vol, "a symbolic link contains a zero byte");
    return 0;
}

int ext_readlink(struct ext_vol *vol, uint32_t ino, char *buf, size_t len)
{
    struct ext_inode inode;
    const char *target;
    int err = ext_inode_load(vol, ino, &inode);
    if (!err && !LX_S_ISLNK(inode.mode))
        err = -LX_EINVAL;
    if (!err)
        err = ext_symlink_get(vol, &inode, &target);
    if (err)
        return err;
    len = ext_min(len, inode.size);
    memcpy(buf, target, len);
    return (int)len;
}
