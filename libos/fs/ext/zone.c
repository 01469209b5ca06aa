// SPDX-License-Identifier: MIT
//
// The table of metadata blocks: superblock copies, group descriptors, bitmaps, inode tables.
//
// It is made once at mount, sorted and merged, so that "may an inode own this block" is a binary
// search. A volume whose metadata overlap is refused here: past this point no block number in an
// inode, however hostile, can make the library write file data over its own tables.
#include "internal.h"

uint32_t ext_zones_max(uint32_t ngroups)
{
    return 4 * ngroups;
}

static bool power_of(uint32_t n, uint32_t base)
{
    uint64_t p = base;
    while (p < n)
        p *= base;
    return p == n;
}

static bool group_has_super(const struct ext_disk_super *sb, uint32_t group)
{
    if (group <= 1 || !(sb->s_feature_ro_compat & EXT_RO_SPARSE_SUPER))
        return true;
    return power_of(group, 3) || power_of(group, 5) || power_of(group, 7);
}

static void sift_down(struct ext_zone *z, uint32_t at, uint32_t n)
{
    for (;;) {
        uint32_t big = 2 * at + 1;
        if (big >= n)
            return;
        if (big + 1 < n && z[big + 1].start > z[big].start)
            big++;
        if (z[at].start >= z[big].start)
            return;
        struct ext_zone t = z[at];
        z[at] = z[big];
        z[big] = t;
        at = big;
    }
}

static void zones_sort(struct ext_zone *z, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sift_down(z, i, n);
    for (uint32_t i = n; i-- > 1;) {
        struct ext_zone t = z[0];
        z[0] = z[i];
        z[i] = t;
        sift_down(z, 0, i);
    }
}

static int zones_merge(struct ext_vol *vol)
{
    struct ext_zone *z = vol->zones;
    uint32_t n = 0;
    vol->overhead = 0;
    for (uint32_t i = 0; i < vol->nzones; i++) {
        vol->overhead += z[i].count;
        if (!n || z[i].start > z[n - 1].start + z[n - 1].count) {
            z[n++] = z[i];
            continue;
        }
        if (z[i].start < z[n - 1].start + z[n - 1].count)
            return ext_unclean(vol, "metadata blocks overlap");
        z[n - 1].count += z[i].count;
    }
    vol->nzones = n;
    return 0;
}

static int zone_add(struct ext_vol *vol, uint32_t start, uint32_t count)
{
    if (start >= vol->nblocks || count > vol->nblocks - start)
        return ext_unclean(vol, "metadata beyond the end of the volume");
    vol->zones[vol->nzones++] = (struct ext_zone){start, count};
    return 0;
}

static int group_add(struct ext_vol *vol, const struct ext_disk_super *sb, uint32_t group)
{
    uint32_t table = (vol->ngroups + EXT_GROUPS_PER_BLOCK - 1) / EXT_GROUPS_PER_BLOCK;
    const struct ext_disk_group *gd;
    int err = ext_group_get(vol, group, &gd);
    if (!err && group_has_super(sb, group))
        err = zone_add(vol, group * vol->blocks_per_group, 1 + table + sb->s_reserved_gdt_blocks);
    if (!err)
        err = zone_add(vol, gd->bg_block_bitmap, 1);
    if (!err)
        err = zone_add(vol, gd->bg_inode_bitmap, 1);
    if (!err)
        err = zone_add(vol, gd->bg_inode_table,
                       vol->inodes_per_group / (EXT_BLOCK_SIZE / vol->inode_size));
    if (!err)
        vol->tables[group] = gd->bg_inode_table;
    return err;
}

// Fills vol->zones from the group descriptors. `room` holds ext_zones_max() entries.
int ext_zones_build(struct ext_vol *vol, const struct ext_disk_super *sb, struct ext_zone *room)
{
    vol->zones = room;
    vol->nzones = 0;
    for (uint32_t g = 0; g < vol->ngroups; g++) {
        int err = group_add(vol, sb, g);
        if (err)
            return err;
    }
    zones_sort(vol->zones, vol->nzones);
    return zones_merge(vol);
}

// Of n blocks from blk on, how many, from the first, may an inode own?
uint32_t ext_data_run(const struct ext_vol *vol, uint32_t blk, uint32_t n)
{
    if (blk >= vol->nblocks)
        return 0;
    uint32_t lo = 0, hi = vol->nzones;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (vol->zones[mid].start <= blk)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo && blk - vol->zones[lo - 1].start < vol->zones[lo - 1].count)
        return 0;
    uint32_t end = lo < vol->nzones ? vol->zones[lo].start : vol->nblocks;
    return (uint32_t)ext_min(n, end - blk);
}

// May an inode own this block?
bool ext_block_is_data(const struct ext_vol *vol, uint32_t blk)
{
    return ext_data_run(vol, blk, 1);
}
