// SPDX-License-Identifier: MIT
//
// The orphan list: inodes without names that somebody still has open; and the end of an inode.
//
// It is a singly linked list on disk: s_last_orphan names the first, i_dtime of each the next. If
// the machine stops, e2fsck or the next mount finds on it what must be freed. An inode with names
// may be on a list written by Linux (a truncate was under way): it is cut to its size again.
//
// Numbers on the list are checked like any other; a list that runs in circles ends at the first
// inode that is not an orphan any more, because each inode is taken off before it is freed.
#include "internal.h"

static int head_get(struct ext_vol *vol, uint32_t *head)
{
    const struct ext_disk_super *sb;
    int err = ext_super_get(vol, &sb);
    if (!err)
        *head = sb->s_last_orphan;
    return err;
}

// Puts the inode on the list and stores it.
int ext_orphan_add(struct ext_vol *vol, struct ext_inode *inode)
{
    uint32_t head;
    int err = head_get(vol, &head);
    if (err)
        return err;
    inode->dtime = head;
    err = ext_super_set32(vol, EXT_SUPER_FIELD(s_last_orphan), inode->ino);
    return err ? err : ext_inode_store(vol, inode);
}

static int unlink_after(struct ext_vol *vol, uint32_t at, const struct ext_inode *inode)
{
    for (uint32_t hops = 0; hops < vol->ninodes; hops++) {
        struct ext_inode prev;
        int err = ext_inode_load_any(vol, at, &prev);
        if (err == -LX_ESTALE)
            return ext_unclean(vol, "the orphan list is broken");
        if (err)
            return err;
        if (prev.dtime == inode->ino) {
            prev.dtime = inode->dtime;
            return ext_inode_store(vol, &prev);
        }
        at = prev.dtime;
    }
    return ext_unclean(vol, "the orphan list runs in a circle");
}

// Takes the inode off the list; the caller stores it, in the same transaction.
static int unlist(struct ext_vol *vol, struct ext_inode *inode)
{
    uint32_t head;
    int err = head_get(vol, &head);
    if (!err && head == inode->ino)
        err = ext_super_set32(vol, EXT_SUPER_FIELD(s_last_orphan), inode->dtime);
    else if (!err)
        err = unlink_after(vol, head, inode);
    if (!err)
        inode->dtime = 0;
    return err;
}

static int orphan_remove(struct ext_vol *vol, struct ext_inode *inode)
{
    uint32_t mark = ext_txn_begin(vol);
    int err = unlist(vol, inode);
    if (!err)
        err = ext_inode_store(vol, inode);
    return ext_txn_end(vol, mark, err);
}

// The attribute block that Linux may have left; it can be shared.
static int xattr_release(struct ext_vol *vol, struct ext_inode *inode)
{
    struct ext_disk_xattr *x;
    if (!inode->file_acl)
        return 0;
    if (!ext_block_is_data(vol, inode->file_acl))
        return ext_unclean(vol, "an attribute block cannot be one");
    int err = ext_block_edit(vol, inode->file_acl, 0, sizeof(*x), (void **)&x);
    if (err)
        return err;
    if (x->h_magic != EXT_XATTR_MAGIC)
        return ext_unclean(vol, "an attribute block is none");
    if (x->h_refcount > 1)
        x->h_refcount--;
    else
        err = ext_blocks_free(vol, inode->file_acl, 1);
    inode->file_acl = 0;
    inode->blocks -= ext_min(inode->blocks, EXT_BLOCK_SIZE / 512);
    return err;
}

static bool owns_blocks(const struct ext_inode *inode)
{
    return LX_S_ISREG(inode->mode) || LX_S_ISDIR(inode->mode) ||
           (LX_S_ISLNK(inode->mode) && !ext_inode_is_fast_symlink(inode));
}

static bool has_content(const struct ext_inode *inode)
{
    uint32_t any = inode->file_acl;
    for (uint32_t i = 0; i < EXT_NBLOCK && owns_blocks(inode); i++)
        any |= inode->block[i];
    return any != 0;
}

static int content_release(struct ext_vol *vol, struct ext_inode *inode)
{
    int err = 0;
    if (!has_content(inode))
        return 0;
    if (owns_blocks(inode))
        err = ext_trim(vol, inode, 0);
    return err ? err : xattr_release(vol, inode);
}

// Stores what is left of an inode whose end failed.
static int end_failed(struct ext_vol *vol, const struct ext_inode *inode, int err)
{
    ext_inode_store(vol, inode);
    return err;
}

// An inode without names, stored as it may be, that is on no list: frees its blocks and itself.
// After an error it is an orphan.
int ext_inode_end(struct ext_vol *vol, struct ext_inode *inode)
{
    if (LX_S_ISDIR(inode->mode) && vol->index)
        ext_dindex_drop(vol->index, inode->ino);
    int err = content_release(vol, inode);
    if (!err)
        err = ext_inode_free(vol, inode);
    if (err)
        ext_orphan_add(vol, inode);
    return err;
}

int ext_inode_drop(struct ext_vol *vol, uint32_t ino)
{
    struct ext_inode inode;
    int err = ext_writable(vol);
    if (!err)
        err = ext_inode_load(vol, ino, &inode);
    if (err)
        return err;
    if (inode.nlink)
        return -LX_EBUSY;
    if (LX_S_ISDIR(inode.mode) && vol->index)
        ext_dindex_drop(vol->index, ino);
    uint32_t next = inode.dtime;
    err = content_release(vol, &inode);
    if (err)
        return end_failed(vol, &inode, err);
    uint32_t mark = ext_txn_begin(vol);
    err = unlist(vol, &inode);
    if (!err)
        err = ext_inode_free(vol, &inode);
    err = ext_txn_end(vol, mark, err);
    inode.dtime = next;
    return err ? end_failed(vol, &inode, err) : 0;
}

static int replay_one(struct ext_vol *vol, uint32_t ino)
{
    struct ext_inode inode;
    int err = ext_inode_load_any(vol, ino, &inode);
    if (err || ino == EXT_ROOT_INO || inode.dtime > vol->ninodes)
        return ext_unclean(vol, "the orphan list is broken");
    if (inode.nlink == 0)
        return ext_inode_drop(vol, ino);
    err = ext_inode_load(vol, ino, &inode);
    if (!err && LX_S_ISREG(inode.mode))
        err = ext_trim(vol, &inode, (inode.size + EXT_BLOCK_SIZE - 1) >> EXT_BLOCK_SHIFT);
    return err ? err : orphan_remove(vol, &inode);
}

// Frees what a crash left. A broken list makes the volume read-only: its bitmaps cannot be trusted
// to hand out blocks.
int ext_orphan_replay(struct ext_vol *vol)
{
    for (uint32_t n = 0; n <= vol->ninodes; n++) {
        uint32_t head;
        int err = head_get(vol, &head);
        if (err || !head)
            return err;
        err = replay_one(vol, head);
        if (!err)
            continue;
        if (err != -LX_EUCLEAN && err != -LX_ESTALE)
            return err;
        ext_unclean(vol, vol->why ? vol->why : "the orphan list is broken");
        vol->read_only = true;
        return 0;
    }
    return 0;
}
