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

static int block_take(struct ext_vol *vol, uint32_t group, uint32_t bitmap, uint32_t bit)
{
    struct ext_disk_group *gd;
    uint8_t *byte;
    int err = ext_block_edit(vol, bitmap, bit / 8, 1, (void **)&byte);
    if (err)
        return err;
    *byte |= (uint8_t)(1u << bit % 8);
    err = ext_group_edit(vol, group, &gd);
    if (err)
        return err;
    gd->bg_free_blocks_count--;
    return ext_super_add(vol, EXT_SUPER_FIELD(s_free_blocks_count), -1);
}

// 1 and *out: taken; 0: nothing free in this group.
static int group_try(struct ext_vol *vol, uint32_t group, uint32_t goal, uint32_t *out)
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
    if (!ext_block_is_data(vol, *out))
        return ext_unclean(vol, "a metadata block is marked free");
    err = block_take(vol, group, bitmap, bit);
    vol->hints[group] = bit + 1;
    return err ? err : 1;
}

static int space_check(struct ext_vol *vol)
{
    const struct ext_disk_super *sb;
    int err = ext_super_get(vol, &sb);
    if (err)
        return err;
    uint32_t held = vol->may_reserve ? 0 : sb->s_r_blocks_count;
    return sb->s_free_blocks_count > held ? 0 : -LX_ENOSPC;
}

static int block_search(struct ext_vol *vol, uint32_t goal, uint32_t *out)
{
    int err = space_check(vol);
    if (err)
        return err;
    uint32_t first = goal < vol->nblocks ? goal / vol->blocks_per_group : 0;
    for (uint32_t i = 0; i < vol->ngroups; i++) {
        uint32_t group = (first + i) % vol->ngroups;
        uint32_t near = i == 0 && goal < vol->nblocks ? goal % vol->blocks_per_group : UINT32_MAX;
        err = group_try(vol, group, near, out);
        if (err)
            return err;
    }
    return -LX_ENOSPC;
}

// Allocates a block, content zero.
int ext_block_alloc(struct ext_vol *vol, uint32_t goal, uint32_t *out)
{
    void *base;
    uint32_t mark = ext_txn_begin(vol);
    int err = block_search(vol, goal, out);
    if (err > 0)
        err = ext_block_fresh(vol, *out, &base);
    return ext_txn_end(vol, mark, err);
}

int ext_block_free(struct ext_vol *vol, uint32_t blk)
{
    const struct ext_disk_group *old;
    struct ext_disk_group *gd;
    uint8_t *byte;
    if (!ext_block_is_data(vol, blk))
        return ext_unclean(vol, "an inode owns a block it cannot own");
    uint32_t group = blk / vol->blocks_per_group, bit = blk % vol->blocks_per_group;
    int err = ext_group_get(vol, group, &old);
    if (err)
        return err;
    if (ext_block_is_data(vol, old->bg_block_bitmap))
        return ext_unclean(vol, "a group descriptor changed");
    err = ext_block_edit(vol, old->bg_block_bitmap, bit / 8, 1, (void **)&byte);
    if (err)
        return err;
    if (!ext_bit_test(byte, bit % 8))
        return ext_unclean(vol, "an inode owns a free block");
    err = ext_group_edit(vol, group, &gd);
    if (!err)
        err = ext_super_add(vol, EXT_SUPER_FIELD(s_free_blocks_count), 1);
    if (err)
        return err;
    *byte &= (uint8_t) ~(1u << bit % 8);
    if (gd->bg_free_blocks_count < group_blocks(vol, group))
        gd->bg_free_blocks_count++;
    if (vol->dev->discard)
        vol->dev->discard(vol->dev, blk);
    return 0;
}
