// SPDX-License-Identifier: MIT
//
// Giving back the blocks behind the end of a file.
//
// A pointer is cleared before the block behind it is visited, so however the pointers of a damaged
// volume cross, each is followed once. The first error stops the work; what was freed until then is
// gone from the inode, and the caller stores it. Recursion is three deep at most.
//
// Blocks of a file are freed one bit at a time: the counts on disk are right after every step.
#include "internal.h"

static int trim_tree(struct ext_vol *vol, struct ext_inode *inode, uint32_t *ptr, uint32_t level,
                     uint64_t keep);

// Frees what *ptr leads to, except the first `keep` data blocks below it.
static int trim_pointer(struct ext_vol *vol, struct ext_inode *inode, uint32_t *ptr, uint32_t level,
                        uint64_t keep)
{
    uint32_t blk = *ptr;
    if (!blk)
        return 0;
    if (level)
        return trim_tree(vol, inode, ptr, level, keep);
    *ptr = 0;
    int err = ext_block_free(vol, blk);
    if (!err)
        inode->blocks -= ext_min(inode->blocks, EXT_BLOCK_SIZE / 512);
    return err;
}

static bool all_zero(const uint32_t *ptrs)
{
    for (uint32_t i = 0; i < EXT_PTRS; i++)
        if (ptrs[i])
            return false;
    return true;
}

static int trim_tree(struct ext_vol *vol, struct ext_inode *inode, uint32_t *ptr, uint32_t level,
                     uint64_t keep)
{
    uint32_t blk = *ptr, shift = (level - 1) * EXT_PTRS_SHIFT;
    uint32_t first = (uint32_t)(keep >> shift);
    uint64_t part = keep & (((uint64_t)1 << shift) - 1);
    uint32_t *ptrs;
    if (!ext_block_is_data(vol, blk))
        return ext_unclean(vol, "a block pointer names a block no file can own");
    int err = ext_block_data(vol, blk, (void **)&ptrs);
    if (err)
        return err;
    if (!keep)
        *ptr = 0;
    for (uint32_t i = first; i < EXT_PTRS && !err; i++)
        err = trim_pointer(vol, inode, ptrs + i, level - 1, i == first ? part : 0);
    if (err || (keep && !all_zero(ptrs)))
        return err;
    *ptr = blk;
    return trim_pointer(vol, inode, ptr, 0, 0);
}

// Frees all blocks of the inode but the first `keep`. The caller stores the inode, whatever the
// result.
int ext_trim(struct ext_vol *vol, struct ext_inode *inode, uint64_t keep)
{
    uint64_t base = 0, span = 1;
    int err = 0;
    for (uint32_t i = 0; i < EXT_NBLOCK && !err; i++) {
        uint32_t level = i < EXT_NDIRECT ? 0 : i - EXT_NDIRECT + 1;
        span = (uint64_t)1 << level * EXT_PTRS_SHIFT;
        if (base + span > keep)
            err = trim_pointer(vol, inode, inode->block + i, level, keep > base ? keep - base : 0);
        base += span;
    }
    return err;
}

// Zeroes the last block of the file from `size` on. Clients that map the block may have written
// behind the end; it must not show when the file grows.
int ext_tail_zero(struct ext_vol *vol, const struct ext_inode *inode, uint64_t size)
{
    uint32_t blk, off = (uint32_t)size % EXT_BLOCK_SIZE;
    void *base;
    if (!off)
        return 0;
    int err = ext_map_get(vol, inode, size >> EXT_BLOCK_SHIFT, &blk);
    if (err || !blk)
        return err;
    err = ext_block_data(vol, blk, &base);
    if (!err)
        memset((uint8_t *)base + off, 0, EXT_BLOCK_SIZE - off);
    return err;
}
