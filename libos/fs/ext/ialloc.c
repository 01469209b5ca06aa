// SPDX-License-Identifier: MIT
//
// Allocation of inodes.
//
// Directories spread, files stay. A directory below the root starts a new part of the tree: it goes
// to the group with the fewest directories among those with at least the average of free inodes and
// blocks. A deeper directory stays in its parent's group while that group has its share left, else
// takes the next that has. Any other inode goes to its directory's group, then to groups at growing
// distance, then to any. (After Orlov's allocator in outline; without its debt counters.)
//
// An inode number comes with a cleared record and a generation one higher than its last life's, so
// that a handle of ino and generation never means another file.
#include "internal.h"

struct ext_averages {
    uint32_t inodes, blocks; // free, per group
};

static int averages(struct ext_vol *vol, struct ext_averages *avg)
{
    const struct ext_disk_super *sb;
    int err = ext_super_get(vol, &sb);
    if (err)
        return err;
    if (!sb->s_free_inodes_count)
        return -LX_ENOSPC;
    avg->inodes = sb->s_free_inodes_count / vol->ngroups;
    avg->blocks = sb->s_free_blocks_count / vol->ngroups;
    return 0;
}

static int group_top(struct ext_vol *vol, const struct ext_averages *avg, uint32_t *out)
{
    uint32_t fewest = UINT32_MAX;
    for (uint32_t g = 0; g < vol->ngroups; g++) {
        const struct ext_disk_group *gd;
        int err = ext_group_get(vol, g, &gd);
        if (err)
            return err;
        if (!gd->bg_free_inodes_count || gd->bg_free_inodes_count < avg->inodes ||
            gd->bg_free_blocks_count < avg->blocks || gd->bg_used_dirs_count >= fewest)
            continue;
        fewest = gd->bg_used_dirs_count;
        *out = g;
    }
    return 0;
}

static int group_deep(struct ext_vol *vol, const struct ext_averages *avg, uint32_t *out)
{
    for (uint32_t i = 0; i < vol->ngroups; i++) {
        uint32_t g = (*out + i) % vol->ngroups;
        const struct ext_disk_group *gd;
        int err = ext_group_get(vol, g, &gd);
        if (err)
            return err;
        if (gd->bg_free_inodes_count && gd->bg_free_inodes_count >= avg->inodes / 4 &&
            gd->bg_free_blocks_count >= avg->blocks / 4) {
            *out = g;
            return 0;
        }
    }
    return 0;
}

static int group_near(struct ext_vol *vol, uint32_t *out)
{
    for (uint32_t step = 0, g = *out; step < vol->ngroups; step = step ? 2 * step : 1) {
        const struct ext_disk_group *gd;
        g = (g + step) % vol->ngroups;
        int err = ext_group_get(vol, g, &gd);
        if (err)
            return err;
        if (gd->bg_free_inodes_count && gd->bg_free_blocks_count) {
            *out = g;
            return 0;
        }
    }
    return 0;
}

static int group_choose(struct ext_vol *vol, const struct ext_inode *dir, uint32_t mode,
                        uint32_t *out)
{
    struct ext_averages avg;
    int err = averages(vol, &avg);
    if (err)
        return err;
    *out = (dir->ino - 1) / vol->inodes_per_group;
    if (!LX_S_ISDIR(mode))
        return group_near(vol, out);
    if (dir->ino == EXT_ROOT_INO || (dir->flags & EXT_FL_TOPDIR))
        return group_top(vol, &avg, out);
    return group_deep(vol, &avg, out);
}

static int bitmap_of(struct ext_vol *vol, uint32_t group, uint32_t *blk)
{
    const struct ext_disk_group *gd;
    int err = ext_group_get(vol, group, &gd);
    if (err)
        return err;
    *blk = gd->bg_inode_bitmap;
    return ext_block_is_data(vol, *blk) ? ext_unclean(vol, "a group descriptor changed") : 0;
}

// 1 and *bit: a free inode of the group; 0: none.
static int group_search(struct ext_vol *vol, uint32_t group, uint32_t *bitmap, uint32_t *bit)
{
    const void *map;
    int err = bitmap_of(vol, group, bitmap);
    if (!err)
        err = ext_block_get(vol, *bitmap, &map);
    if (err)
        return err;
    uint32_t from = group == 0 ? vol->first_ino - 1 : 0;
    *bit = ext_bit_find(map, from, vol->inodes_per_group);
    return *bit < vol->inodes_per_group;
}

static int inode_take(struct ext_vol *vol, uint32_t group, uint32_t bitmap, uint32_t bit, bool dir)
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
    if (gd->bg_free_inodes_count)
        gd->bg_free_inodes_count--;
    if (dir && gd->bg_used_dirs_count < UINT16_MAX)
        gd->bg_used_dirs_count++;
    return ext_super_add(vol, EXT_SUPER_FIELD(s_free_inodes_count), -1);
}

static int inode_search(struct ext_vol *vol, uint32_t first, bool dir, uint32_t *ino)
{
    for (uint32_t i = 0; i < vol->ngroups; i++) {
        uint32_t group = (first + i) % vol->ngroups, bitmap = 0, bit = 0;
        int err = group_search(vol, group, &bitmap, &bit);
        if (err < 0)
            return err;
        if (!err)
            continue;
        *ino = group * vol->inodes_per_group + bit + 1;
        return inode_take(vol, group, bitmap, bit, dir);
    }
    return -LX_ENOSPC;
}

// A new inode in memory: type, number, generation and times set, nothing else. Its record on disk
// is cleared; the caller fills in the rest and stores it. Runs inside the caller's transaction.
int ext_inode_alloc(struct ext_vol *vol, const struct ext_inode *dir, uint32_t mode,
                    struct ext_inode *out)
{
    uint32_t group;
    memset(out, 0, sizeof(*out));
    int err = group_choose(vol, dir, mode, &group);
    if (!err)
        err = inode_search(vol, group, LX_S_ISDIR(mode), &out->ino);
    if (!err)
        err = ext_inode_clear(vol, out->ino, &out->generation);
    if (err)
        return err;
    out->generation++;
    out->mode = (uint16_t)mode;
    out->flags = dir->flags & EXT_FL_INHERIT;
    out->atime = out->mtime = out->ctime = out->crtime = vol->now;
    return 0;
}

static int inode_release(struct ext_vol *vol, uint32_t ino, bool dir)
{
    uint32_t group = (ino - 1) / vol->inodes_per_group, bit = (ino - 1) % vol->inodes_per_group;
    uint32_t bitmap;
    struct ext_disk_group *gd;
    uint8_t *byte;
    int err = bitmap_of(vol, group, &bitmap);
    if (!err)
        err = ext_block_edit(vol, bitmap, bit / 8, 1, (void **)&byte);
    if (!err)
        err = ext_group_edit(vol, group, &gd);
    if (err)
        return err;
    if (!ext_bit_test(byte, bit % 8))
        return ext_unclean(vol, "an inode in use is marked free");
    *byte &= (uint8_t) ~(1u << bit % 8);
    if (gd->bg_free_inodes_count < vol->inodes_per_group)
        gd->bg_free_inodes_count++;
    if (dir && gd->bg_used_dirs_count)
        gd->bg_used_dirs_count--;
    return ext_super_add(vol, EXT_SUPER_FIELD(s_free_inodes_count), 1);
}

// The inode has no blocks left and is on no list: marks it deleted and free, and stores it.
int ext_inode_free(struct ext_vol *vol, struct ext_inode *inode)
{
    bool dir = LX_S_ISDIR(inode->mode);
    if (!ext_ino_valid(vol, inode->ino) || inode->ino == EXT_ROOT_INO)
        return ext_unclean(vol, "a reserved inode lost its last name");
    // A small dtime would be read as the next inode of the orphan list.
    inode->dtime = vol->now.sec > vol->ninodes ? (uint32_t)vol->now.sec : vol->ninodes + 1;
    inode->size = 0;
    uint32_t mark = ext_txn_begin(vol);
    int err = ext_inode_store(vol, inode);
    if (!err)
        err = inode_release(vol, inode->ino, dir);
    return ext_txn_end(vol, mark, err);
}
