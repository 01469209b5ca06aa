// SPDX-License-Identifier: MIT
//
// Directories, write side: add, remove, replace, start a new one.
//
// Each function changes the block through the undo log and the index in step with it; the caller's
// transaction takes back both. Only the bytes that change are logged: a record's header, and the
// place a new record is written to.
//
// Adding to a directory with a hash tree clears its index flag: it is a linear directory from then
// on, as every reader of ext2 understands, and e2fsck -D can index it again. Removing and replacing
// keep the tree valid.
#include "internal.h"

static uint8_t type_of(const struct ext_vol *vol, uint32_t mode)
{
    static const uint8_t types[16] = {
        [LX_DT_REG] = EXT_FT_REG, [LX_DT_DIR] = EXT_FT_DIR,   [LX_DT_CHR] = EXT_FT_CHR,
        [LX_DT_BLK] = EXT_FT_BLK, [LX_DT_FIFO] = EXT_FT_FIFO, [LX_DT_SOCK] = EXT_FT_SOCK,
        [LX_DT_LNK] = EXT_FT_LNK,
    };
    return vol->has_filetype ? types[LX_IFTODT(mode) & 15] : 0;
}

struct ext_entry {
    const char *name;
    uint32_t len, ino;
    uint8_t type;
};

static int entry_write(struct ext_vol *vol, uint32_t blk, uint32_t off, uint32_t rec_len,
                       const struct ext_entry *e)
{
    struct ext_disk_dirent *de;
    int err = ext_block_edit(vol, blk, off, EXT_DIRENT_HEAD + e->len, (void **)&de);
    if (err)
        return err;
    *de = (struct ext_disk_dirent){e->ino, (uint16_t)rec_len, (uint8_t)e->len, e->type};
    memcpy(de->name, e->name, e->len);
    return 0;
}

// 1 and *off: added; 0: no room in this block.
static int block_add(struct ext_vol *vol, const struct ext_inode *dir, uint32_t lblk,
                     const struct ext_entry *e, uint32_t *off)
{
    const uint8_t *base;
    const struct ext_disk_dirent *de;
    struct ext_disk_dirent *head;
    uint32_t blk, used = 0, need = EXT_DIRENT_SIZE(e->len);
    int err = ext_dir_block(vol, dir, lblk, &blk, &base);
    if (err)
        return err;
    for (*off = 0; *off < EXT_BLOCK_SIZE; *off += de->rec_len) {
        err = ext_dirent_check(vol, base, *off, &de);
        if (err)
            return err;
        used = de->inode ? EXT_DIRENT_SIZE(de->name_len) : 0;
        if (de->rec_len - used >= need)
            break;
    }
    if (*off >= EXT_BLOCK_SIZE)
        return 0;
    uint32_t rest = de->rec_len - used;
    err = ext_block_edit(vol, blk, *off, EXT_DIRENT_HEAD, (void **)&head);
    if (err)
        return err;
    if (used)
        head->rec_len = (uint16_t)used;
    *off += used;
    err = entry_write(vol, blk, *off, rest, e);
    return err ? err : 1;
}

// Searches the blocks for room, starting where the last entry found some.
static int room_search(struct ext_vol *vol, const struct ext_inode *dir, const struct ext_entry *e,
                       uint32_t *at)
{
    uint32_t n = (uint32_t)(dir->size >> EXT_BLOCK_SHIFT);
    uint32_t first = vol->index ? ext_dindex_room(vol->index, dir->ino) : 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t lblk = (first + i) % n, off = 0;
        int err = block_add(vol, dir, lblk, e, &off);
        if (err <= 0) {
            if (err)
                return err;
            continue;
        }
        *at = (lblk << EXT_BLOCK_SHIFT) + off;
        if (vol->index)
            ext_dindex_room_set(vol->index, dir->ino, lblk);
        return 1;
    }
    return 0;
}

static int dir_grow(struct ext_vol *vol, struct ext_inode *dir, const struct ext_entry *e,
                    uint32_t *at)
{
    uint32_t blk;
    if (dir->size > INT32_MAX - EXT_BLOCK_SIZE)
        return -LX_ENOSPC;
    *at = (uint32_t)dir->size;
    int err = ext_map_fill(vol, dir, dir->size >> EXT_BLOCK_SHIFT, &blk);
    if (!err)
        err = entry_write(vol, blk, 0, EXT_BLOCK_SIZE, e);
    if (err)
        return err;
    dir->size += EXT_BLOCK_SIZE;
    if (vol->index)
        ext_dindex_room_set(vol->index, dir->ino, *at >> EXT_BLOCK_SHIFT);
    return 0;
}

// Adds an entry that is not there yet. Touches the directory and stores it.
int ext_dir_add(struct ext_vol *vol, struct ext_inode *dir, const char *name, uint32_t len,
                uint32_t ino, uint32_t mode)
{
    struct ext_entry e = {name, len, ino, type_of(vol, mode)};
    uint32_t at = 0;
    int err = room_search(vol, dir, &e, &at);
    if (!err)
        err = dir_grow(vol, dir, &e, &at);
    if (err < 0)
        return err;
    if (vol->index)
        ext_dindex_put(vol->index, dir->ino, name, len, at);
    ext_name_told(vol, dir->ino, name, len);
    dir->flags &= ~EXT_FL_INDEX;
    ext_inode_touch(vol, dir, true);
    return ext_inode_store(vol, dir);
}

// Offset in the block of the record before the one at `off`; `off` itself if that is the first.
static int record_before(struct ext_vol *vol, const uint8_t *base, uint32_t off, uint32_t *prev)
{
    const struct ext_disk_dirent *de;
    uint32_t at = 0;
    *prev = off;
    while (at < off) {
        int err = ext_dirent_check(vol, base, at, &de);
        if (err)
            return err;
        *prev = at;
        at += de->rec_len;
    }
    return at == off ? 0 : ext_unclean(vol, "two directories share a block");
}

// Removes the entry a search found. The caller touches and stores the directory.
int ext_dir_remove(struct ext_vol *vol, const struct ext_inode *dir, const char *name, uint32_t len,
                   const struct ext_slot *slot)
{
    struct ext_disk_dirent *gone, *before;
    uint32_t off = slot->off % EXT_BLOCK_SIZE, prev;
    const void *base;
    int err = ext_block_get(vol, slot->blk, &base);
    if (!err)
        err = record_before(vol, base, off, &prev);
    if (!err)
        err = ext_block_edit(vol, slot->blk, off, EXT_DIRENT_HEAD, (void **)&gone);
    if (!err && prev != off) {
        err = ext_block_edit(vol, slot->blk, prev, EXT_DIRENT_HEAD, (void **)&before);
        if (!err) {
            before->rec_len = (uint16_t)(before->rec_len + gone->rec_len);
            ext_dir_merged(vol);
        }
    }
    if (err)
        return err;
    gone->inode = 0;
    ext_name_told(vol, dir->ino, name, len);
    if (vol->index)
        ext_dindex_del(vol->index, dir->ino, name, len, slot->off);
    return 0;
}

// The entry names another inode from now on.
int ext_dir_replace(struct ext_vol *vol, const struct ext_slot *slot, uint32_t ino, uint32_t mode)
{
    struct ext_disk_dirent *de;
    int err =
        ext_block_edit(vol, slot->blk, slot->off % EXT_BLOCK_SIZE, EXT_DIRENT_HEAD, (void **)&de);
    if (err)
        return err;
    de->inode = ino;
    de->file_type = type_of(vol, mode);
    return 0;
}

// Gives a new directory its first block, and stores it.
int ext_dir_init(struct ext_vol *vol, struct ext_inode *dir, uint32_t parent)
{
    struct ext_entry dot = {".", 1, dir->ino, type_of(vol, LX_S_IFDIR)};
    struct ext_entry dotdot = {"..", 2, parent, type_of(vol, LX_S_IFDIR)};
    uint32_t blk, first = EXT_DIRENT_SIZE(1);
    dir->size = EXT_BLOCK_SIZE;
    int err = ext_map_fill(vol, dir, 0, &blk); // stores it
    if (!err)
        err = entry_write(vol, blk, 0, first, &dot);
    if (!err)
        err = entry_write(vol, blk, first, EXT_BLOCK_SIZE - first, &dotdot);
    return err;
}

int ext_dir_set_parent(struct ext_vol *vol, const struct ext_inode *dir, uint32_t parent)
{
    uint32_t old;
    struct ext_slot slot = {0, EXT_DIRENT_SIZE(1), 0, 0};
    int err = ext_dir_parent(vol, dir, &old); // checks the shape of the block
    if (!err)
        err = ext_map_get(vol, dir, 0, &slot.blk);
    return err ? err : ext_dir_replace(vol, &slot, parent, LX_S_IFDIR);
}
