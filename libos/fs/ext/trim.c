// SPDX-License-Identifier: MIT
//
// Giving back the blocks behind the end of a file.
//
// Every pointer is cleared when its block is freed, and an indirect block is freed after all below
// it. The first error stops the work; what was freed until then is gone from the map, the rest is
// still in it, and the caller stores the inode. However the pointers of a damaged volume cross,
// freeing a block twice is an error, so each is visited at most once. Recursion is three deep.
//
// Blocks of a file are freed in runs: the counts on disk are right after each.
#include "internal.h"

struct ext_trim {
    struct ext_vol *vol;
    struct ext_inode *inode;
    uint32_t held[4]; // by level: the indirect block being walked
};

// A block that is being walked must not be freed below itself: its memory would go away under us.
static bool is_held(const struct ext_trim *t, uint32_t blk)
{
    return blk == t->held[1] || blk == t->held[2] || blk == t->held[3];
}

static int pointer_check(const struct ext_trim *t, uint32_t blk)
{
    if (is_held(t, blk) || !ext_block_is_data(t->vol, blk))
        return ext_unclean(t->vol, "a block pointer names a block no file can own there");
    return 0;
}

// Frees the n blocks behind each other that ptrs[0..n) name.
static int trim_run(struct ext_trim *t, uint32_t *ptrs, uint32_t n)
{
    int err = ext_blocks_free(t->vol, ptrs[0], n);
    if (err)
        return err;
    memset(ptrs, 0, n * sizeof(*ptrs));
    t->inode->blocks -= ext_min(t->inode->blocks, (uint64_t)n * (EXT_BLOCK_SIZE / 512));
    return 0;
}

// Frees the data blocks of ptrs[from..end), those in a row at once.
static int trim_leaves(struct ext_trim *t, uint32_t *ptrs, uint32_t from, uint32_t end)
{
    int err = 0;
    for (uint32_t i = from, run; i < end && !err; i += run) {
        run = 1;
        if (!ptrs[i])
            continue;
        err = pointer_check(t, ptrs[i]);
        while (i + run < end && ptrs[i + run] == ptrs[i] + run && !is_held(t, ptrs[i + run]))
            run++;
        run = (uint32_t)ext_min(run, t->vol->blocks_per_group -
                                         ptrs[i] % t->vol->blocks_per_group); // all or nothing
        if (!err)
            run = ext_data_run(t->vol, ptrs[i], run);
        if (!err)
            err = trim_run(t, ptrs + i, run);
    }
    return err;
}

static bool all_zero(const uint32_t *ptrs)
{
    for (uint32_t i = 0; i < EXT_PTRS; i++)
        if (ptrs[i])
            return false;
    return true;
}

// Frees what the table at *ptr leads to and, if nothing is left below it, the table; the first
// `keep` data blocks below it stay.
// NOLINTNEXTLINE(misc-no-recursion): down the three levels
static int trim_tree(struct ext_trim *t, uint32_t *ptr, uint32_t level, uint64_t keep)
{
    uint32_t shift = (level - 1) * EXT_PTRS_SHIFT, first = (uint32_t)(keep >> shift);
    uint64_t part = keep & (((uint64_t)1 << shift) - 1);
    uint32_t *ptrs;
    if (!*ptr)
        return 0;
    int err = pointer_check(t, *ptr);
    if (!err)
        err = ext_block_data(t->vol, *ptr, (void **)&ptrs);
    if (err)
        return err;
    t->held[level] = *ptr;
    if (level == 1)
        err = trim_leaves(t, ptrs, first, EXT_PTRS);
    for (uint32_t i = first; i < EXT_PTRS && level > 1 && !err; i++)
        err = trim_tree(t, ptrs + i, level - 1, i == first ? part : 0);
    t->held[level] = 0;
    if (err || (keep && !all_zero(ptrs)))
        return err;
    return trim_run(t, ptr, 1);
}

// Frees all blocks of the inode but the first `keep`. The caller stores the inode, whatever the
// result.
int ext_trim(struct ext_vol *vol, struct ext_inode *inode, uint64_t keep)
{
    struct ext_trim t = {vol, inode, {0}};
    int err = 0;
    if (keep < EXT_NDIRECT)
        err = trim_leaves(&t, inode->block, (uint32_t)keep, EXT_NDIRECT);
    uint64_t base = EXT_NDIRECT;
    for (uint32_t level = 1; level <= EXT_NBLOCK - EXT_NDIRECT && !err; level++) {
        uint64_t span = (uint64_t)1 << level * EXT_PTRS_SHIFT;
        if (base + span > keep)
            err = trim_tree(&t, inode->block + EXT_NDIRECT + level - 1, level,
                            keep > base ? keep - base : 0);
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
