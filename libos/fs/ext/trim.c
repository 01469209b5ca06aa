// SPDX-License-Identifier: MIT
//
// Giving back the blocks behind the end of a file.
//
// Every pointer is cleared when its block is freed, and an indirect block is freed after all below
// it. The first error stops the work; what was freed until then is gone from the map, the rest is
// still in it, and the caller stores the inode. However the pointers of a damaged volume cross,
// freeing a block twice is an error, so each is visited at most once. Recursion is three deep.
//
// Blocks of a file are freed one bit at a time: the counts on disk are right after every step.
#include "internal.h"

struct ext_trim {
    struct ext_vol *vol;
    struct ext_inode *inode;
    uint32_t held[4]; // by level: the indirect block being walked
};

static int trim_tree(struct ext_trim *t, uint32_t *ptr, uint32_t level, uint64_t keep);

// A block that is being walked must not be freed below itself: its memory would go away under us.
static bool is_held(const struct ext_trim *t, uint32_t blk)
{
    return blk == t->held[1] || blk == t->held[2] || blk == t->held[3];
}

static int trim_block(struct ext_trim *t, uint32_t *ptr)
{
    int err = ext_block_free(t->vol, *ptr);
    if (err)
        return err;
    *ptr = 0;
    t->inode->blocks -= ext_min(t->inode->blocks, EXT_BLOCK_SIZE / 512);
    return 0;
}

// Frees what *ptr leads to, except the first `keep` data blocks below it.
static int trim_pointer(struct ext_trim *t, uint32_t *ptr, uint32_t level, uint64_t keep)
{
    if (!*ptr)
        return 0;
    if (is_held(t, *ptr) || !ext_block_is_data(t->vol, *ptr))
        return ext_unclean(t->vol, "a block pointer names a block no file can own there");
    return level ? trim_tree(t, ptr, level, keep) : trim_block(t, ptr);
}

static bool all_zero(const uint32_t *ptrs)
{
    for (uint32_t i = 0; i < EXT_PTRS; i++)
        if (ptrs[i])
            return false;
    return true;
}

static int trim_tree(struct ext_trim *t, uint32_t *ptr, uint32_t level, uint64_t keep)
{
    uint32_t shift = (level - 1) * EXT_PTRS_SHIFT, first = (uint32_t)(keep >> shift);
    uint64_t part = keep & (((uint64_t)1 << shift) - 1);
    uint32_t *ptrs;
    int err = ext_block_data(t->vol, *ptr, (void **)&ptrs);
    if (err)
        return err;
    t->held[level] = *ptr;
    for (uint32_t i = first; i < EXT_PTRS && !err; i++)
        if (ptrs[i])
            err = trim_pointer(t, ptrs + i, level - 1, i == first ? part : 0);
    t->held[level] = 0;
    if (err || (keep && !all_zero(ptrs)))
        return err;
    return trim_block(t, ptr);
}

// Frees all blocks of the inode but the first `keep`. The caller stores the inode, whatever the
// result.
int ext_trim(struct ext_vol *vol, struct ext_inode *inode, uint64_t keep)
{
    struct ext_trim t = {vol, inode, {0}};
    uint64_t base = 0;
    int err = 0;
    for (uint32_t i = 0; i < EXT_NBLOCK && !err; i++) {
        uint32_t level = i < EXT_NDIRECT ? 0 : i - EXT_NDIRECT + 1;
        uint64_t span = (uint64_t)1 << level * EXT_PTRS_SHIFT;
        if (base + span > keep)
            err = trim_pointer(&t, inode->block + i, level, keep > base ? keep - base : 0);
        base += span;
    }
    return err;
}

// Zeroes bytes from `from` to `to`, but not beyond the end of the block `from` is in. Clients that
// map the last block may have written behind the end; it must not show when the file grows.
int ext_tail_zero(struct ext_vol *vol, const struct ext_inode *inode, uint64_t from, uint64_t to)
{
    uint32_t blk, off = (uint32_t)from % EXT_BLOCK_SIZE;
    void *base;
    if (!off || to <= from)
        return 0;
    int err = ext_map_get(vol, inode, from >> EXT_BLOCK_SHIFT, &blk);
    if (err || !blk)
        return err;
    err = ext_block_data(vol, blk, &base);
    if (!err)
        memset((uint8_t *)base + off, 0, ext_min(to - from, EXT_BLOCK_SIZE - off));
    return err;
}
