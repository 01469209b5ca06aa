// SPDX-License-Identifier: MIT
//
// Inodes: where their records lie, and the translation between record and struct ext_inode.
//
// The record spreads its numbers over old and new fields: user and group ids have high halves, the
// size has one in regular files only, times have 30 bits of nanoseconds and two bits of epoch in
// records longer than 128 bytes, as far as i_extra_isize says. The copy in memory has each number
// once. Storing rewrites known fields only and leaves what else the record holds (attributes kept
// inside the inode) alone.
//
// A record in use has a type and names. One with a type and no names is an orphan if its i_dtime is
// small (a link of the orphan list), else a deleted inode: -LX_ESTALE.
#include "internal.h"

// May a directory entry or a caller name this inode? Reserved inodes other than the root may not
// be.
bool ext_ino_valid(const struct ext_vol *vol, uint32_t ino)
{
    return ino == EXT_ROOT_INO || (ino >= vol->first_ino && ino <= vol->ninodes);
}

void ext_inode_locate(const struct ext_vol *vol, uint32_t ino, uint32_t *blk, uint32_t *off)
{
    uint64_t at = (uint64_t)((ino - 1) % vol->inodes_per_group) * vol->inode_size;
    *blk = vol->tables[(ino - 1) / vol->inodes_per_group] + (uint32_t)(at >> EXT_BLOCK_SHIFT);
    *off = (uint32_t)at % EXT_BLOCK_SIZE;
}

// Does i_extra_isize reach to the end of the field at `end` (offset from the record's start)?
static bool has_extra(const struct ext_vol *vol, const struct ext_disk_inode *d, uint32_t end)
{
    return vol->inode_size > EXT_INODE_BASE && d->i_extra_isize % 4 == 0 &&
           EXT_INODE_BASE + d->i_extra_isize <= vol->inode_size &&
           EXT_INODE_BASE + d->i_extra_isize >= end;
}
#define HAS_EXTRA(vol, d, f)                                                                       \
    has_extra(vol, d, (uint32_t)offsetof(struct ext_disk_inode, f) + (uint32_t)sizeof((d)->f))

static struct ext_time time_decode(uint32_t sec, uint32_t extra)
{
    uint32_t nsec = extra >> 2;
    return (struct ext_time){(int64_t)(int32_t)sec + ((int64_t)(extra & 3) << 32),
                             nsec < 1000000000u ? nsec : 0};
}

static void time_encode(struct ext_time t, uint32_t *sec, uint32_t *extra)
{
    int64_t max = extra ? ((int64_t)3 << 32) + INT32_MAX : INT32_MAX;
    int64_t s = t.sec < INT32_MIN ? INT32_MIN : t.sec > max ? max : t.sec;
    *sec = (uint32_t)s;
    if (extra)
        *extra = t.nsec << 2 | (uint32_t)((s - (int32_t)s) >> 32 & 3);
}

static void times_decode(const struct ext_vol *vol, const struct ext_disk_inode *d,
                         struct ext_inode *out)
{
    if (HAS_EXTRA(vol, d, i_crtime_extra)) { // the last of all
        out->atime = time_decode(d->i_atime, d->i_atime_extra);
        out->mtime = time_decode(d->i_mtime, d->i_mtime_extra);
        out->ctime = time_decode(d->i_ctime, d->i_ctime_extra);
        out->crtime = time_decode(d->i_crtime, d->i_crtime_extra);
        return;
    }
    out->atime = time_decode(d->i_atime, HAS_EXTRA(vol, d, i_atime_extra) ? d->i_atime_extra : 0);
    out->mtime = time_decode(d->i_mtime, HAS_EXTRA(vol, d, i_mtime_extra) ? d->i_mtime_extra : 0);
    out->ctime = time_decode(d->i_ctime, HAS_EXTRA(vol, d, i_ctime_extra) ? d->i_ctime_extra : 0);
    out->crtime = (struct ext_time){0, 0};
}

static void inode_decode(const struct ext_vol *vol, const struct ext_disk_inode *d,
                         struct ext_inode *out)
{
    out->mode = d->i_mode;
    out->nlink = d->i_links_count;
    out->uid = d->i_uid | (uint32_t)d->i_uid_high << 16;
    out->gid = d->i_gid | (uint32_t)d->i_gid_high << 16;
    out->size = d->i_size;
    if (LX_S_ISREG(d->i_mode))
        out->size |= (uint64_t)d->i_size_high << 32;
    out->blocks = d->i_blocks;
    out->flags = d->i_flags;
    out->generation = d->i_generation;
    out->file_acl = d->i_file_acl;
    out->dtime = d->i_dtime;
    times_decode(vol, d, out);
    memcpy(out->block, d->i_block, sizeof(out->block));
}

static int inode_check(struct ext_vol *vol, const struct ext_inode *in)
{
    uint32_t type = in->mode & LX_S_IFMT;
    static const uint16_t known = 1u << LX_DT_FIFO | 1u << LX_DT_CHR | 1u << LX_DT_DIR |
                                  1u << LX_DT_BLK | 1u << LX_DT_REG | 1u << LX_DT_LNK |
                                  1u << LX_DT_SOCK;
    if (!(known >> (type >> 12) & 1))
        return ext_unclean(vol, "an inode has no known type");
    if (in->flags & EXT_FL_FOREIGN)
        return ext_unclean(vol, "an inode uses a format the volume does not announce");
    if (in->size > EXT_FILE_MAX)
        return ext_unclean(vol, "a file is larger than possible");
    if (type == LX_S_IFDIR && (in->size == 0 || in->size % EXT_BLOCK_SIZE))
        return ext_unclean(vol, "the size of a directory is not a number of blocks");
    if (type == LX_S_IFLNK && (in->size == 0 || in->size >= EXT_BLOCK_SIZE))
        return ext_unclean(vol, "a symbolic link has an impossible length");
    return 0;
}

int ext_inode_load_any(struct ext_vol *vol, uint32_t ino, struct ext_inode *out)
{
    uint32_t blk, off;
    const void *base;
    if (!ext_ino_valid(vol, ino))
        return -LX_ESTALE;
    ext_inode_locate(vol, ino, &blk, &off);
    int err = ext_block_get(vol, blk, &base);
    if (err)
        return err;
    out->ino = ino;
    inode_decode(vol, (const struct ext_disk_inode *)((const uint8_t *)base + off), out);
    return 0;
}

int ext_inode_load(struct ext_vol *vol, uint32_t ino, struct ext_inode *out)
{
    int err = ext_inode_load_any(vol, ino, out);
    if (err)
        return err;
    if (out->mode == 0 || (out->nlink == 0 && out->dtime > vol->ninodes))
        return -LX_ESTALE;
    return inode_check(vol, out);
}

int ext_inode_load_dir(struct ext_vol *vol, uint32_t ino, struct ext_inode *out)
{
    int err = ext_inode_load(vol, ino, out);
    return err ? err : LX_S_ISDIR(out->mode) ? 0 : -LX_ENOTDIR;
}

static void times_encode(const struct ext_vol *vol, struct ext_disk_inode *d,
                         const struct ext_inode *in)
{
    if (HAS_EXTRA(vol, d, i_crtime_extra)) {
        time_encode(in->atime, &d->i_atime, &d->i_atime_extra);
        time_encode(in->mtime, &d->i_mtime, &d->i_mtime_extra);
        time_encode(in->ctime, &d->i_ctime, &d->i_ctime_extra);
        time_encode(in->crtime, &d->i_crtime, &d->i_crtime_extra);
        return;
    }
    time_encode(in->atime, &d->i_atime, HAS_EXTRA(vol, d, i_atime_extra) ? &d->i_atime_extra : 0);
    time_encode(in->mtime, &d->i_mtime, HAS_EXTRA(vol, d, i_mtime_extra) ? &d->i_mtime_extra : 0);
    time_encode(in->ctime, &d->i_ctime, HAS_EXTRA(vol, d, i_ctime_extra) ? &d->i_ctime_extra : 0);
}

static void inode_encode(const struct ext_vol *vol, const struct ext_inode *in,
                         struct ext_disk_inode *d)
{
    d->i_mode = in->mode;
    d->i_links_count = in->nlink;
    d->i_uid = (uint16_t)in->uid;
    d->i_uid_high = (uint16_t)(in->uid >> 16);
    d->i_gid = (uint16_t)in->gid;
    d->i_gid_high = (uint16_t)(in->gid >> 16);
    d->i_size = (uint32_t)in->size;
    if (LX_S_ISREG(in->mode))
        d->i_size_high = (uint32_t)(in->size >> 32);
    d->i_blocks = (uint32_t)in->blocks;
    d->i_flags = in->flags;
    d->i_generation = in->generation;
    d->i_file_acl = in->file_acl;
    d->i_dtime = in->dtime;
    times_encode(vol, d, in);
    memcpy(d->i_block, in->block, sizeof(d->i_block));
}

static int inode_edit(struct ext_vol *vol, uint32_t ino, struct ext_disk_inode **out)
{
    uint32_t blk, off;
    uint32_t len = (uint32_t)ext_min(vol->inode_size, sizeof(struct ext_disk_inode));
    ext_inode_locate(vol, ino, &blk, &off);
    return ext_block_edit(vol, blk, off, len, (void **)out);
}

// The caller vouches for the content, which came from ext_inode_load.
int ext_inode_store(struct ext_vol *vol, const struct ext_inode *inode)
{
    struct ext_disk_inode *d;
    if (!ext_ino_valid(vol, inode->ino))
        return -LX_ESTALE;
    int err = ext_writable(vol);
    if (!err)
        err = inode_edit(vol, inode->ino, &d);
    if (err)
        return err;
    inode_encode(vol, inode, d);
    if (vol->watch)
        vol->watch->inode(inode);
    return 0;
}

// Prepares the record of a new inode: all zero. Returns its last generation.
int ext_inode_clear(struct ext_vol *vol, uint32_t ino, uint32_t *generation)
{
    uint32_t blk, off;
    struct ext_disk_inode *d;
    ext_inode_locate(vol, ino, &blk, &off);
    int err = ext_block_edit(vol, blk, off, vol->inode_size, (void **)&d);
    if (err)
        return err;
    if (d->i_links_count)
        return ext_unclean(vol, "an inode in use is marked free");
    *generation = d->i_generation;
    memset(d, 0, vol->inode_size);
    if (vol->extra_isize)
        d->i_extra_isize = (uint16_t)vol->extra_isize;
    return 0;
}

// Notes a change now: of the inode only, or of its content as well.
void ext_inode_touch(struct ext_vol *vol, struct ext_inode *inode, bool content)
{
    inode->ctime = vol->now;
    if (content)
        inode->mtime = vol->now;
}

uint32_t ext_inode_rdev(const struct ext_inode *inode)
{
    if (!LX_S_ISCHR(inode->mode) && !LX_S_ISBLK(inode->mode))
        return 0;
    return inode->block[0] ? inode->block[0] & 0xffff : inode->block[1];
}

bool ext_inode_is_fast_symlink(const struct ext_inode *inode)
{
    uint64_t outside = inode->file_acl ? EXT_BLOCK_SIZE / 512 : 0;
    return LX_S_ISLNK(inode->mode) && inode->blocks == outside;
}
