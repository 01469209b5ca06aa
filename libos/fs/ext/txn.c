// SPDX-License-Identifier: MIT
//
// Doors to blocks, and the undo log.
//
// A transaction is the time between ext_txn_begin and the matching ext_txn_end. Every change of
// metadata goes through ext_block_edit, which first copies the bytes about to change to the log; a
// failed transaction puts them back, newest first. A record is the old bytes followed by its
// header, so that the log is walked from its end. It names blocks and offsets, not addresses: on a
// damaged volume a block in use may be marked free, be allocated, and have got new memory
// meanwhile. Blocks allocated in a failed transaction are also given back to the device; their
// content needs no undo because nothing refers to them any more.
//
// The log holds one name operation with room to spare (the largest, a rename, records about 3 KiB).
// Outside a transaction nothing is logged: freeing the blocks of a large file is unbounded, and
// needs no undo because it is retried from the orphan list.
//
// Lock: the volume's, held by the caller.
#include "internal.h"

struct ext_undo {
    uint32_t blk;
    uint16_t off, len; // the bytes; len 0: the block was allocated
    uint64_t pad;
};

void ext_unclean_note(struct ext_vol *vol, const char *why)
{
    vol->why = why;
    if (vol->read_only)
        return;
    uint8_t *base = vol->dev->block(vol->dev, 0, true);
    if (base) {
        struct ext_disk_super *sb = (struct ext_disk_super *)(base + EXT_SUPER_OFFSET);
        sb->s_state |= EXT_STATE_ERROR;
    }
}

static int dev_error(struct ext_vol *vol, int otherwise)
{
    int err = vol->dev->error;
    vol->dev->error = 0;
    return err < 0 ? err : otherwise;
}

static int block_any(struct ext_vol *vol, uint32_t blk, bool will_write, void **out)
{
    *out = NULL;
    if (blk >= vol->nblocks)
        return ext_unclean(vol, "block number beyond the end of the volume");
    *out = vol->dev->at ? vol->dev->at[blk] : NULL;
    if (!*out)
        *out = vol->dev->block(vol->dev, blk, will_write);
    if (*out)
        return 0;
    return dev_error(vol, will_write ? -LX_ENOSPC : -LX_EIO);
}

int ext_block_get(struct ext_vol *vol, uint32_t blk, const void **out)
{
    void *base;
    int err = block_any(vol, blk, false, &base);
    if (!err)
        *out = base;
    return err;
}

int ext_block_data(struct ext_vol *vol, uint32_t blk, void **out)
{
    return block_any(vol, blk, true, out);
}

static int log_put(struct ext_vol *vol, struct ext_undo u, const void *bytes)
{
    if (!vol->txn_depth)
        return 0;
    uint32_t room = (u.len + 15u) & ~15u;
    if (room + sizeof(u) > EXT_LOG_SIZE - vol->log_len)
        return -LX_ENOMEM;
    uint8_t *end = vol->log + vol->log_len;
    if (u.len)
        memcpy(end, bytes, u.len);
    memcpy(end + room, &u, sizeof(u));
    vol->log_len += room + (uint32_t)sizeof(u);
    return 0;
}

// Address of `len` bytes at `off` in a metadata block, which the caller is going to change.
int ext_block_edit(struct ext_vol *vol, uint32_t blk, uint32_t off, uint32_t len, void **out)
{
    void *base;
    int err = block_any(vol, blk, true, &base);
    if (err)
        return err;
    *out = (uint8_t *)base + off;
    return log_put(vol, (struct ext_undo){blk, (uint16_t)off, (uint16_t)len, 0}, *out);
}

// The zeroed content of a block that was just marked as allocated.
int ext_block_fresh(struct ext_vol *vol, uint32_t blk, void **out)
{
    int err = log_put(vol, (struct ext_undo){blk, 0, 0, 0}, NULL);
    if (err)
        return err;
    if (vol->dev->fresh) {
        *out = vol->dev->fresh(vol->dev, blk);
        return *out ? 0 : dev_error(vol, -LX_ENOSPC);
    }
    err = block_any(vol, blk, true, out);
    if (!err)
        memset(*out, 0, EXT_BLOCK_SIZE);
    return err;
}

uint32_t ext_txn_begin(struct ext_vol *vol)
{
    if (vol->txn_depth++ == 0 && vol->index)
        ext_dindex_mark(vol->index);
    return vol->log_len;
}

static void undo_one(struct ext_vol *vol, const struct ext_undo *u, const uint8_t *bytes)
{
    if (u->len) {
        uint8_t *base = vol->dev->block(vol->dev, u->blk, true);
        if (base)
            memcpy(base + u->off, bytes, u->len);
    } else if (vol->dev->discard) {
        vol->dev->discard(vol->dev, u->blk);
    }
}

static void log_undo(struct ext_vol *vol, uint32_t mark)
{
    bool changed = vol->log_len > mark;
    while (vol->log_len > mark) {
        struct ext_undo u;
        vol->log_len -= (uint32_t)sizeof(u);
        memcpy(&u, vol->log + vol->log_len, sizeof(u));
        vol->log_len -= (u.len + 15u) & ~15u;
        undo_one(vol, &u, vol->log + vol->log_len);
    }
    ext_dir_merged(vol);
    if (vol->index)
        ext_dindex_undo(vol->index);
    if (vol->watch && changed)
        vol->watch->undone();
}

// Ends the transaction begun at `mark`: keeps its changes if err is 0 or more, else takes them
// back. Returns err.
int ext_txn_end(struct ext_vol *vol, uint32_t mark, int err)
{
    if (err < 0)
        log_undo(vol, mark);
    if (--vol->txn_depth == 0)
        vol->log_len = 0;
    return err;
}
