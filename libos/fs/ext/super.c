// SPDX-License-Identifier: MIT
//
// The superblock and the group descriptors: mount, unmount, counts.
//
// Mount checks the geometry once and copies it to struct ext_vol; from then on only the copy is
// used, so that a superblock that changes under us harms nothing. The counts of free blocks and
// inodes live on disk only. They are hints to the allocators (the bitmaps decide) and are kept from
// wrapping, so that wrong counts on a damaged volume stay wrong counts.
//
// State on disk: EXT_STATE_VALID is cleared while the volume is in use and restored by unmount if
// it was set at mount, EXT_STATE_ERROR is set when something was found damaged, as e2fsck expects.
#include "internal.h"

int ext_super_get(struct ext_vol *vol, const struct ext_disk_super **out)
{
    const void *base;
    int err = ext_block_get(vol, 0, &base);
    if (!err)
        *out = (const struct ext_disk_super *)((const uint8_t *)base + EXT_SUPER_OFFSET);
    return err;
}

int ext_super_set16(struct ext_vol *vol, uint32_t field, uint16_t value)
{
    void *p;
    int err = ext_block_edit(vol, 0, EXT_SUPER_OFFSET + field, sizeof(value), &p);
    if (!err)
        *(uint16_t *)p = value;
    return err;
}

int ext_super_set32(struct ext_vol *vol, uint32_t field, uint32_t value)
{
    void *p;
    int err = ext_block_edit(vol, 0, EXT_SUPER_OFFSET + field, sizeof(value), &p);
    if (!err)
        *(uint32_t *)p = value;
    return err;
}

// Adds to a count of the superblock, which stops at 0 and at UINT32_MAX.
int ext_super_add(struct ext_vol *vol, uint32_t field, int32_t delta)
{
    void *p;
    int err = ext_block_edit(vol, 0, EXT_SUPER_OFFSET + field, sizeof(uint32_t), &p);
    if (err)
        return err;
    int64_t sum = (int64_t) * (uint32_t *)p + delta;
    if (sum >= 0 && sum <= UINT32_MAX)
        *(uint32_t *)p = (uint32_t)sum;
    return 0;
}

static void group_where(uint32_t group, uint32_t *blk, uint32_t *off)
{
    *blk = 1 + group / EXT_GROUPS_PER_BLOCK;
    *off = group % EXT_GROUPS_PER_BLOCK * sizeof(struct ext_disk_group);
}

int ext_group_get(struct ext_vol *vol, uint32_t group, const struct ext_disk_group **out)
{
    uint32_t blk, off;
    const void *base;
    group_where(group, &blk, &off);
    int err = ext_block_get(vol, blk, &base);
    if (!err)
        *out = (const struct ext_disk_group *)((const uint8_t *)base + off);
    return err;
}

int ext_group_edit(struct ext_vol *vol, uint32_t group, struct ext_disk_group **out)
{
    uint32_t blk, off;
    group_where(group, &blk, &off);
    return ext_block_edit(vol, blk, off, sizeof(**out), (void **)out);
}

int ext_writable(const struct ext_vol *vol)
{
    return vol->read_only ? -LX_EROFS : 0;
}

static int mount_refuse(struct ext_vol *vol, int err, const char *why)
{
    vol->why = why;
    return err;
}

static int features_check(struct ext_vol *vol, const struct ext_disk_super *sb)
{
    if (sb->s_magic != EXT_MAGIC)
        return mount_refuse(vol, -LX_EINVAL, "not an ext2 volume");
    if (sb->s_rev_level > 1)
        return mount_refuse(vol, -LX_EINVAL, "unknown revision of ext2");
    if (sb->s_rev_level == 0)
        return 0;
    if (sb->s_feature_incompat & 0x0004u)
        return mount_refuse(vol, -LX_EINVAL, "the journal needs recovery: run e2fsck first");
    if (sb->s_feature_incompat & ~EXT_INCOMPAT_KNOWN)
        return mount_refuse(vol, -LX_EINVAL,
                            "the volume uses an unknown incompatible feature "
                            "(only filetype and flex_bg are known)");
    if (sb->s_feature_compat & EXT_COMPAT_SPARSE_SUPER2)
        return mount_refuse(vol, -LX_EINVAL, "sparse_super2 places superblock copies elsewhere");
    if (sb->s_feature_ro_compat & ~EXT_RO_KNOWN) {
        vol->why = "read-only: the volume uses an unknown feature";
        vol->read_only = true;
    }
    return 0;
}

static int geometry_check(struct ext_vol *vol, const struct ext_disk_super *sb)
{
    bool old = sb->s_rev_level == 0;
    uint32_t isize = old ? EXT_INODE_BASE : sb->s_inode_size;
    if (sb->s_log_block_size != 2 || sb->s_first_data_block != 0)
        return mount_refuse(vol, -LX_EINVAL, "only blocks of 4096 bytes are supported");
    if (isize < EXT_INODE_BASE || isize > EXT_BLOCK_SIZE || (isize & (isize - 1)))
        return mount_refuse(vol, -LX_EUCLEAN, "impossible inode size");
    uint32_t per_block = EXT_BLOCK_SIZE / isize, bits = 8 * EXT_BLOCK_SIZE;
    uint32_t bpg = sb->s_blocks_per_group, ipg = sb->s_inodes_per_group;
    if (bpg < 8 || bpg > bits || bpg % 8 || ipg == 0 || ipg > bits || ipg % per_block)
        return mount_refuse(vol, -LX_EUCLEAN, "impossible group size");
    if (sb->s_blocks_count < 8 || sb->s_blocks_count > vol->dev->nblocks)
        return mount_refuse(vol, -LX_EUCLEAN, "the volume is larger than its device");
    uint64_t ngroups = ((uint64_t)sb->s_blocks_count + bpg - 1) / bpg;
    if (ngroups * ipg != sb->s_inodes_count)
        return mount_refuse(vol, -LX_EUCLEAN, "inode count and groups disagree");
    uint64_t table = (ngroups + EXT_GROUPS_PER_BLOCK - 1) / EXT_GROUPS_PER_BLOCK;
    if (1 + table > ext_min(bpg, sb->s_blocks_count))
        return mount_refuse(vol, -LX_EUCLEAN, "the group descriptors do not fit");
    uint32_t first = old ? 11 : sb->s_first_ino;
    if (first < 11 || first > sb->s_inodes_count)
        return mount_refuse(vol, -LX_EUCLEAN, "impossible first inode");
    return 0;
}

static void geometry_take(struct ext_vol *vol, const struct ext_disk_super *sb)
{
    bool old = sb->s_rev_level == 0;
    vol->nblocks = sb->s_blocks_count;
    vol->ninodes = sb->s_inodes_count;
    vol->blocks_per_group = sb->s_blocks_per_group;
    vol->inodes_per_group = sb->s_inodes_per_group;
    vol->ngroups =
        (uint32_t)(((uint64_t)vol->nblocks + vol->blocks_per_group - 1) / vol->blocks_per_group);
    vol->inode_size = old ? EXT_INODE_BASE : sb->s_inode_size;
    vol->first_ino = old ? 11 : sb->s_first_ino;
    vol->extra_isize = vol->inode_size > EXT_INODE_BASE ? EXT_EXTRA_ISIZE : 0;
    vol->has_filetype = !old && (sb->s_feature_incompat & EXT_INCOMPAT_FILETYPE);
    vol->reserve_uid = sb->s_def_resuid;
    vol->reserve_gid = sb->s_def_resgid;
    vol->was_valid = (sb->s_state & EXT_STATE_VALID) && !(sb->s_state & EXT_STATE_ERROR);
}

static size_t fixed_size(uint32_t ngroups)
{
    return EXT_LOG_SIZE + ext_zones_max(ngroups) * sizeof(struct ext_zone) +
           (2 * (size_t)ngroups * sizeof(uint32_t) + 15) / 16 * 16;
}

// Divides the caller's memory: log, zones, hints, and the rest to the directory index.
static int memory_split(struct ext_vol *vol, const struct ext_mount_args *args)
{
    size_t fixed = fixed_size(vol->ngroups);
    if (args->mem_size < fixed)
        return mount_refuse(vol, -LX_ENOMEM, "too little memory given to mount");
    uint8_t *p = args->mem;
    vol->log = p;
    p += EXT_LOG_SIZE;
    vol->zones = (struct ext_zone *)p;
    p += ext_zones_max(vol->ngroups) * sizeof(struct ext_zone);
    vol->hints = (uint32_t *)p;
    memset(vol->hints, 0, vol->ngroups * sizeof(uint32_t));
    vol->tables = vol->hints + vol->ngroups;
    vol->index = ext_dindex_make((uint8_t *)args->mem + fixed, args->mem_size - fixed);
    return 0;
}

static int super_open(struct ext_vol *vol, struct ext_dev *dev, const struct ext_disk_super **sb)
{
    memset(vol, 0, sizeof(*vol));
    vol->merges = EXT_ANY_COOKIE + 1;
    vol->dev = dev;
    vol->nblocks = dev->nblocks;
    if (dev->block_size != EXT_BLOCK_SIZE || dev->nblocks == 0)
        return mount_refuse(vol, -LX_EINVAL, "the device does not have blocks of 4096 bytes");
    vol->read_only = true; // until the mount is through, nothing is written, not even an error mark
    int err = ext_super_get(vol, sb);
    if (err)
        return mount_refuse(vol, err, "the superblock cannot be read");
    vol->read_only = false;
    err = features_check(vol, *sb);
    if (!err)
        err = geometry_check(vol, *sb);
    return err;
}

int64_t ext_mount_size(struct ext_dev *dev)
{
    struct ext_vol vol;
    const struct ext_disk_super *sb;
    int err = super_open(&vol, dev, &sb);
    if (err)
        return err;
    geometry_take(&vol, sb);
    return (int64_t)fixed_size(vol.ngroups);
}

static int mount_begin_use(struct ext_vol *vol, const struct ext_disk_super *sb)
{
    uint16_t count = (uint16_t)(sb->s_mnt_count + 1);
    int err = ext_super_set16(vol, EXT_SUPER_FIELD(s_mnt_count), count);
    if (!err)
        err = ext_super_set32(vol, EXT_SUPER_FIELD(s_mtime), (uint32_t)vol->now.sec);
    if (!err)
        err = ext_sync(vol, false);
    return err;
}

int ext_mount(struct ext_vol *vol, struct ext_dev *dev, const struct ext_mount_args *args)
{
    const struct ext_disk_super *sb;
    int err = super_open(vol, dev, &sb);
    if (err)
        return err;
    bool read_only = vol->read_only || args->read_only;
    vol->read_only = true;
    vol->now = args->now;
    geometry_take(vol, sb);
    err = memory_split(vol, args);
    if (!err)
        err = ext_zones_build(vol, sb, vol->zones);
    if (err)
        return err;
    struct ext_inode root;
    err = ext_inode_load_dir(vol, EXT_ROOT_INO, &root);
    if (err == -LX_ENOTDIR || err == -LX_ESTALE)
        err = ext_unclean(vol, "the root inode is not a directory");
    if (err || read_only)
        return err;
    vol->read_only = false;
    err = mount_begin_use(vol, sb);
    return err ? err : ext_orphan_replay(vol);
}

int ext_sync(struct ext_vol *vol, bool clean)
{
    const struct ext_disk_super *sb;
    int err = ext_writable(vol);
    if (!err)
        err = ext_super_get(vol, &sb);
    if (err)
        return err;
    uint16_t state = sb->s_state & (uint16_t)~EXT_STATE_VALID;
    if (clean && vol->was_valid && !(state & EXT_STATE_ERROR))
        state |= EXT_STATE_VALID;
    err = ext_super_set16(vol, EXT_SUPER_FIELD(s_state), state);
    if (!err)
        err = ext_super_set32(vol, EXT_SUPER_FIELD(s_wtime), (uint32_t)vol->now.sec);
    return err;
}

int ext_unmount(struct ext_vol *vol)
{
    int err = vol->read_only ? 0 : ext_sync(vol, true);
    if (!err)
        vol->read_only = true;
    return err;
}

int ext_statfs(struct ext_vol *vol, struct lx_statfs *out)
{
    const struct ext_disk_super *sb;
    int err = ext_super_get(vol, &sb);
    if (err)
        return err;
    memset(out, 0, sizeof(*out));
    out->f_type = LX_MAGIC_EXT2;
    out->f_bsize = out->f_frsize = EXT_BLOCK_SIZE;
    out->f_blocks = vol->nblocks - vol->overhead;
    out->f_bfree = ext_min(sb->s_free_blocks_count, out->f_blocks);
    uint64_t held = ext_min(sb->s_r_blocks_count, out->f_bfree);
    out->f_bavail = out->f_bfree - held;
    out->f_files = vol->ninodes;
    out->f_ffree = ext_min(sb->s_free_inodes_count, vol->ninodes);
    memcpy(out->f_fsid, sb->s_uuid, sizeof(out->f_fsid));
    out->f_namelen = LX_NAME_MAX;
    out->f_flags = LX_ST_VALID | (vol->read_only ? LX_ST_RDONLY : 0);
    return 0;
}
