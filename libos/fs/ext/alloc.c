// SPDX-License-Identifier: MIT
//
// Allocation of blocks.
//
// The caller names a goal, usually the block after the file's previous one. The search takes the
// goal itself, else a block in the same 64-block word, else a run of eight free blocks further on
// in the group, else anything in the group, and then the same in the following groups. So a file
// written in order lies in order, and two files growing at once settle at least eight blocks apart.
// There is no reservation window: the volume knows no seek time, and in memory no order matters.
//
// The last s_r_blocks_count blocks are kept for the superuser and s_def_resuid/resgid. Which of the
// two the current call acts for is noted by ext_cred_note at its start.
#include "internal.h"

// Remembers for this call whether reserved blocks may be taken.
void ext_cred_note(struct ext_vol *vol, const struct ext_cred *cred)
{
    vol->may_reserve = !cred || cred->uid == 0 || cred->uid == vol->reserve_uid ||
                       (vol->reserve_gid && ext_cred_in_group(cred, vol->reserve_gid));
}

uint32_t ext_group_goal(const struct ext_vol *vol, uint32_t ino)
{
    return (ino - 1) / vol->inodes_per_group * vol->blocks_per_group;
}

static uint32_t group_blocks(const struct ext_vol *vol, uint32_t group)
{
    uint32_t start = group * vol->blocks_per_group;
    return (uint32_t)ext_min(vol->blocks_per_group, vol->nblocks - start);
}

// A free bit as near behind `goal` as reasonable, or `end`.
static uint32_t bit_choose(const uint8_t *map, uint32_t goal, uint32_t hint, uint32_t end)
{
    if (goal < end) {
        uint32_t near = (uint32_t)ext_min((goal | 63u) + 1, end);
        uint32_t bit = ext_bit_find(map, goal, near);
        if (bit < near)
            return bit;
        hint = near;
    }
    if (hint >= end)
        hint = 0;
    uint32_t bit = ext_byte_find(map, hint, end);
    if (bit >= end)
        bit = ext_bit_find(map, hint, end);
    if (bit >= end)
        bit = ext_byte_find(map, 0, end);
    return bit < end ? bit : ext_bit_find(map, 0, end);
}

static int blocks_take(struct ext_vol *vol, uint32_t group, uint32_t bitmap, uint32_t bit,
                       uint32_t n)
{
    struct ext_disk_group *gd;
    uint32_t first = bit / 8, last = (bit + n - 1) / 8;
    uint8_t *bytes;
    int err = ext_block_edit(vol, bitmap, first, last - first + 1, (void **)&bytes);
    if (err)
        return err;
    ext_bits_put(bytes, bit % 8, bit % 8 + n, true);
    err = ext_group_edit(vol, group, &gd);
    if (err)
        return err;
    gd->bg_free_blocks_count -= (uint16_t)n;
    return ext_super_add(vol, EXT_SUPER_FIELD(s_free_blocks_count), -(int32_t)n);
}

// 1 and [*out, *out + *n): free in this group, *n at most what it was; 0: nothing is.
static int group_try(struct ext_vol *vol, uint32_t group, uint32_t goal, uint32_t *out, uint32_t *n)
{
    const struct ext_disk_group *gd;
    const void *map;
    int err = ext_group_get(vol, group, &gd);
    if (err || gd->bg_free_blocks_count == 0)
        return err;
    uint32_t bitmap = gd->bg_block_bitmap, end = group_blocks(vol, group);
    if (ext_block_is_data(vol, bitmap))
        return ext_unclean(vol, "a group descriptor changed");
    err = ext_block_get(vol, bitmap, &map);
    if (err)
        return err;
    uint32_t bit = bit_choose(map, goal, vol->hints[group], end);
    if (bit >= end)
        return 0;
    *out = group * vol->blocks_per_group + bit;
    *n = (uint32_t)ext_min(*n, gd->bg_free_blocks_count);
    if (*n > 1)
        *n = ext_bit_find_set(map, bit, (uint32_t)ext_min(bit + *n, end)) - bit;
    *n = ext_data_run(vol, *out, *n);
    return *n ? 1 : ext_unclean(vol, "a metadata block is marked free");
}

static int space_check(struct ext_vol *vol, uint32_t *n)
{
    const struct ext_disk_super *sb;
    int err = ext_super_get(vol, &sb);
    if (err)
        return err;
    uint32_t held = vol->may_reserve ? 0 : sb->s_r_blocks_count;
    if (sb->s_free_blocks_count <= held)
        return -LX_ENOSPC;
    *n = (uint32_t)ext_min(*n, sb->s_free_blocks_count - held);
    return 0;
}

static int block_search(struct ext_vol *vol, uint32_t goal, uint32_t *out, uint32_t *n)
{
    int err = space_check(vol, n);
    if (err)
        return err;
    uint32_t first = goal < vol->nblocks ? goal / vol->blocks_per_group : 0;
    for (uint32_t i = 0; i < vol->ngroups; i++) {
        uint32_t group = (first + i) % vol->ngroups;
        uint32_t near = i == 0 && goal < vol->nblocks ? goal % vol->blocks_per_group : UINT32_MAX;
        err = group_try(vol, group, near, out, n);
        if (err)
            return err;
    }
    return -LX_ENOSPC;
}

// The memory of n blocks, zeroed. Less is had when the device has no more.
static int blocks_fresh(struct ext_vol *vol, uint32_t blk, uint32_t *n)
{
    void *base;
    for (uint32_t i = 0; i < *n; i++) {
        int err = ext_block_fresh(vol, blk + i, &base);
        if (err && !i)
            return err;
        if (err)
            *n = i;
    }
    return 0;
}

static int run_take(struct ext_vol *vol, uint32_t blk, uint32_t n)
{
    const struct ext_disk_group *gd;
    uint32_t group = blk / vol->blocks_per_group, bit = blk % vol->blocks_per_group;
    int err = ext_group_get(vol, group, &gd);
    if (!err)
        err = blocks_take(vol, group, gd->bg_block_bitmap, bit, n);
    vol->hints[group] = bit + n;
    return err;
}

// Allocates blocks that lie one behind the other, at least one and at most `want`; content zero.
int ext_blocks_alloc(struct ext_vol *vol, uint32_t goal, uint32_t want, uint32_t *out,
                     uint32_t *got)
{
    uint32_t n = (uint32_t)ext_min(want, EXT_RUN_MAX), mark = ext_txn_begin(vol);
    int err = block_search(vol, goal, out, &n);
    if (err > 0)
        err = blocks_fresh(vol, *out, &n);
    if (!err)
        err = run_take(vol, *out, n);
    *got = n;
    return ext_txn_end(vol, mark, err);
}

// Frees blocks that lie one behind the other. An error: none was freed.
static int run_free(struct ext_vol *vol, uint32_t blk, uint32_t n)
{
    const struct ext_disk_group *old;
    struct ext_disk_group *gd;
    uint32_t group = blk / vol->blocks_per_group, bit = blk % vol->blocks_per_group;
    uint8_t *bytes;
    int err = ext_group_get(vol, group, &old);
    if (err)
        return err;
    if (ext_block_is_data(vol, old->bg_block_bitmap))
        return ext_unclean(vol, "a group descriptor changed");
    uint32_t first = bit / 8, last = (bit + n - 1) / 8;
    const void *map;
    err = ext_block_get(vol, old->bg_block_bitmap, &map);
    if (err)
        return err;
    if (ext_bit_find(map, bit, bit + n) != bit + n)
        return ext_unclean(vol, "an inode owns a free block");
    err = ext_block_edit(vol, old->bg_block_bitmap, first, last - first + 1, (void **)&bytes);
    if (!err)
        err = ext_group_edit(vol, group, &gd);
    if (!err)
        err = ext_super_add(vol, EXT_SUPER_FIELD(s_free_blocks_count), (int32_t)n);
    if (err)
        return err;
    ext_bits_put(bytes, bit % 8, bit % 8 + n, false);
    gd->bg_free_blocks_count =
        (uint16_t)ext_min(gd->bg_free_blocks_count + n, group_blocks(vol, group));
    for (uint32_t i = 0; i < n && vol->dev->discard; i++)
        vol->dev->discard(vol->dev, blk + i);
    return 0;
}

// The same, over the ends of groups. An error: those before some block were freed.
int ext_blocks_free(struct ext_vol *vol, uint32_t blk, uint32_t n)
{
    int err = 0;
    if (ext_data_run(vol, blk, n) < n)
        return ext_unclean(vol, "an inode owns a block it cannot own");
    for (uint32_t run; n && !err; blk += run, n -= run) {
        run = (uint32_t)ext_min(n, vol->blocks_per_group - blk % vol->blocks_per_group);
        err = run_free(vol, blk, run);
    }
    return err;
}
