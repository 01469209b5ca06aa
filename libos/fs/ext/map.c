// SPDX-License-Identifier: MIT
//
// The block map: from a block of a file to a block of the volume.
//
// i_block holds twelve pointers to data blocks and one each to a tree of indirect blocks of depth
// one, two and three; a pointer of 0 is a hole, in whatever level. A path names the position in
// each level: path[0] indexes i_block, the others indirect blocks of 1024 pointers.
//
// Every pointer is checked before it is followed: it must be a block that may belong to an inode
// (ext_block_is_data). Two inodes of a damaged volume may still claim one block; then they spoil
// each other's content and nothing else, since all that is read from it is checked again.
#include "internal.h"

struct ext_path {
    uint32_t depth; // levels, 1 to 4
    uint32_t at[4];
};

static int path_make(uint64_t lblk, struct ext_path *p)
{
    uint32_t mask = EXT_PTRS - 1;
    if (lblk < EXT_NDIRECT) {
        *p = (struct ext_path){1, {(uint32_t)lblk}};
        return 0;
    }
    lblk -= EXT_NDIRECT;
    if (lblk < EXT_PTRS) {
        *p = (struct ext_path){2, {12, (uint32_t)lblk}};
        return 0;
    }
    lblk -= EXT_PTRS;
    uint32_t lo = (uint32_t)lblk & mask, mid = (uint32_t)(lblk >> EXT_PTRS_SHIFT) & mask;
    if (lblk < (uint64_t)EXT_PTRS * EXT_PTRS) {
        *p = (struct ext_path){3, {13, mid, lo}};
        return 0;
    }
    lblk -= (uint64_t)EXT_PTRS * EXT_PTRS;
    lo = (uint32_t)lblk & mask;
    mid = (uint32_t)(lblk >> EXT_PTRS_SHIFT) & mask;
    uint64_t hi = lblk >> 2 * EXT_PTRS_SHIFT;
    if (hi >= EXT_PTRS)
        return -LX_EFBIG;
    *p = (struct ext_path){4, {14, (uint32_t)hi, mid, lo}};
    return 0;
}

static int run_check(struct ext_vol *vol, uint32_t blk, uint32_t n)
{
    if (!blk || ext_data_run(vol, blk, n) == n)
        return 0;
    return ext_unclean(vol, "a block pointer names a block no file can own");
}

static int pointer_check(struct ext_vol *vol, uint32_t blk)
{
    return run_check(vol, blk, 1);
}

int ext_map_get(struct ext_vol *vol, const struct ext_inode *inode, uint64_t lblk, uint32_t *out)
{
    struct ext_path p;
    int err = path_make(lblk, &p);
    if (err)
        return err;
    uint32_t blk = inode->block[p.at[0]];
    for (uint32_t level = 1;; level++) {
        const void *ptrs;
        err = pointer_check(vol, blk);
        if (err || !blk || level == p.depth)
            break;
        err = ext_block_get(vol, blk, &ptrs);
        if (err)
            break;
        blk = ((const uint32_t *)ptrs)[p.at[level]];
    }
    *out = err ? 0 : blk;
    return err;
}

// The part of a list that lies in one indirect block.
static int list_run(struct ext_vol *vol, const struct ext_inode *inode, uint64_t lblk, uint32_t n,
                    uint32_t *out)
{
    struct ext_path p;
    const void *ptrs;
    int err = path_make(lblk, &p);
    if (err)
        return err;
    uint32_t blk = inode->block[p.at[0]], level;
    for (level = 1; level + 1 < p.depth && blk && !err; level++) {
        err = pointer_check(vol, blk);
        if (!err)
            err = ext_block_get(vol, blk, &ptrs);
        if (!err)
            blk = ((const uint32_t *)ptrs)[p.at[level]];
    }
    if (!err)
        err = pointer_check(vol, blk);
    if (!err && blk)
        err = ext_block_get(vol, blk, &ptrs);
    if (err || !blk)
        memset(out, 0, n * sizeof(*out));
    else
        memcpy(out, (const uint32_t *)ptrs + p.at[p.depth - 1], n * sizeof(*out));
    for (uint32_t i = 0, run; i < n && !err; i += run) {
        for (run = 1; i + run < n && out[i] && out[i + run] == out[i] + run;)
            run++;
        err = run_check(vol, out[i], run);
    }
    return err;
}

int ext_map_list(struct ext_vol *vol, const struct ext_inode *inode, uint64_t lblk, uint32_t n,
                 uint32_t *out)
{
    int err = 0;
    for (uint32_t done = 0, run; done < n && !err; done += run) {
        uint64_t at = lblk + done;
        if (at < EXT_NDIRECT) {
            run = 1;
            err = ext_map_get(vol, inode, at, out + done);
            continue;
        }
        uint32_t rest = EXT_PTRS - (uint32_t)(at - EXT_NDIRECT) % EXT_PTRS;
        run = (uint32_t)ext_min(n - done, rest);
        err = list_run(vol, inode, at, run, out + done);
    }
    return err;
}

// Where to look for a block whose pointer is ptrs[at]: behind its nearest elder in the same table,
// else behind the table, else in the inode's group.
static uint32_t goal_for(const struct ext_vol *vol, uint32_t ino, const uint32_t *ptrs, uint32_t at,
                         uint32_t table)
{
    for (uint32_t i = at; i-- > 0;)
        if (ptrs[i])
            return ptrs[i] + (at - i);
    return table ? table + 1 : ext_group_goal(vol, ino);
}

// Allocates the blocks for ptrs[at..at + *n) (table 0 is i_block itself), as many as lie one behind
// the other, and stores the pointers.
static int pointers_fill(struct ext_vol *vol, struct ext_inode *inode, const uint32_t *ptrs,
                         uint32_t at, uint32_t table, uint32_t *blk, uint32_t *n)
{
    uint32_t goal = goal_for(vol, inode->ino, ptrs, at, table);
    uint32_t *p = table ? NULL : inode->block + at;
    int err = ext_blocks_alloc(vol, goal, *n, blk, n);
    if (!err && table)
        err = ext_block_edit(vol, table, at * (uint32_t)sizeof(*p), *n * (uint32_t)sizeof(*p),
                             (void **)&p);
    if (err)
        return err;
    inode->blocks += (uint64_t)*n * (EXT_BLOCK_SIZE / 512);
    for (uint32_t i = 0; i < *n; i++)
        p[i] = *blk + i;
    return 0;
}

// How many of at most n pointers from the first on are holes.
static uint32_t holes(const uint32_t *ptrs, uint32_t n)
{
    uint32_t i = 0;
    while (i < n && !ptrs[i])
        i++;
    return i;
}

// The tables on the way are allocated as well.
static int path_fill(struct ext_vol *vol, struct ext_inode *inode, const struct ext_path *p,
                     uint32_t *out, uint32_t *n)
{
    const uint32_t *ptrs = inode->block;
    uint32_t table = 0, want = *n, at;
    for (uint32_t level = 0;; level++) {
        at = p->at[level];
        uint32_t blk = ptrs[at];
        const void *next;
        int err = pointer_check(vol, blk);
        *n = 1;
        if (!err && !blk) {
            if (level + 1 == p->depth)
                *n = holes(ptrs + at,
                           (uint32_t)ext_min(want, (table ? EXT_PTRS : EXT_NDIRECT) - at));
            err = pointers_fill(vol, inode, ptrs, at, table, &blk, n);
        }
        if (err)
            return err;
        *out = blk;
        if (level + 1 == p->depth)
            return 0;
        err = ext_block_get(vol, blk, &next);
        if (err)
            return err;
        ptrs = next;
        table = blk;
    }
}

// The block is there or, when it is a hole, made, and with it what follows, *n at most; how many
// there are is told in *n.
static int run_fill(struct ext_vol *vol, struct ext_inode *inode, uint64_t lblk, uint32_t *out,
                    uint32_t *n)
{
    struct ext_path p;
    int err = ext_map_get(vol, inode, lblk, out);
    if (!err && *out)
        *n = 1;
    if (err || *out)
        return err;
    err = ext_writable(vol);
    if (!err)
        err = path_make(lblk, &p);
    if (err)
        return err;
    struct ext_inode before = *inode;
    uint32_t mark = ext_txn_begin(vol);
    err = path_fill(vol, inode, &p, out, n);
    if (!err)
        err = ext_inode_store(vol, inode);
    if (err)
        *inode = before;
    return ext_txn_end(vol, mark, err);
}

// As ext_map_alloc, for the credentials already noted.
int ext_map_fill(struct ext_vol *vol, struct ext_inode *inode, uint64_t lblk, uint32_t *out)
{
    uint32_t n = 1;
    return run_fill(vol, inode, lblk, out, &n);
}

int ext_map_alloc(struct ext_vol *vol, const struct ext_cred *cred, struct ext_inode *inode,
                  uint64_t lblk, uint32_t *out)
{
    ext_cred_note(vol, cred);
    return ext_map_fill(vol, inode, lblk, out);
}

int ext_map_alloc_run(struct ext_vol *vol, const struct ext_cred *cred, struct ext_inode *inode,
                      uint64_t lblk, uint32_t n, uint32_t *got)
{
    uint32_t blk;
    *got = n;
    ext_cred_note(vol, cred);
    return run_fill(vol, inode, lblk, &blk, got);
}
