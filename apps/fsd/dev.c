// SPDX-License-Identifier: MIT
// The volume's blocks: each block in use has a frame, of the boot module or bought sixteen at a
// time.
//
//     slot     a frame we have: 0..module_blocks-1 the module's, then those of the chunks, in the
//              order they were bought
//     slot_of  block -> slot + 1; 0: no frame, reads as zero
//     spare    slots without a block, a queue: what is freed in order is used again in order, so
//              that blocks in a row tend to have frames in a row
//
// A block that is freed gives its frame back, whatever its number, so space is there as long as
// there are frames. A frame gets its next block only zeroed, and all mappings had gone when it was
// freed (seg_cut).
//
// A chunk that no block uses can be given back (giveback.c). If that is not enough, chunks are made
// so: their blocks move to spare frames elsewhere, the fullest chunks stay. Only between two calls,
// when nobody has a block's address, and only when no client can see the block (seg_leave).
//
// A part of the bank is not for blocks: a volume that is full must not keep the server from opening
// files.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

#define CHUNK         16u
#define BLOCK_WINDOWS (SERVER_WINDOWS + (2ull << 40)) // the chunks, one beside the other

static exo_handle_t module;
static char *module_at;
static uint32_t module_blocks;
static exo_handle_t *chunks; // 0: given back
static uint8_t *chunk_spare; // how many slots of each are spare
static bool *chunk_leaves;   // it is being emptied
static uint32_t nchunks, nchunks_bought, chunks_room;
static void **at_of; // block -> its address; NULL: no frame
static uint32_t *slot_of, *spare, nspare, spare_head, nblocks;
static uint64_t not_for_blocks; // frames

// Frames that may still be bought for blocks.
static uint64_t room(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(H_BANK, &info) < 0 || info.used + not_for_blocks >= info.length)
        return 0;
    return info.length - info.used - not_for_blocks;
}

static uint32_t chunk_of(uint32_t slot)
{
    return (slot - module_blocks) / CHUNK;
}

// There are at most as many slots as blocks and a chunk.
static void spare_put(uint32_t slot)
{
    if (slot >= module_blocks)
        chunk_spare[chunk_of(slot)]++;
    spare[(spare_head + nspare++) % (nblocks + CHUNK)] = slot;
}

static uint32_t spare_take(void)
{
    uint32_t slot = spare[spare_head];
    spare_head = (spare_head + 1) % (nblocks + CHUNK);
    nspare--;
    if (slot >= module_blocks)
        chunk_spare[chunk_of(slot)]--;
    return slot;
}

// Where the next chunk goes: where one was given back, or behind the last. False: no memory.
static bool chunk_place(uint32_t *at)
{
    for (*at = 0; *at < nchunks && nchunks != nchunks_bought; ++*at)
        if (!chunks[*at])
            return true;
    *at = nchunks;
    if (nchunks < chunks_room)
        return true;
    exo_handle_t *more = realloc(chunks, (chunks_room + 256) * sizeof(*more));
    if (more)
        chunks = more;
    uint8_t *counts = realloc(chunk_spare, chunks_room + 256);
    if (counts)
        chunk_spare = counts;
    bool *leaves = realloc(chunk_leaves, (chunks_room + 256) * sizeof(*leaves));
    if (leaves)
        chunk_leaves = leaves;
    if (!more || !counts || !leaves)
        return false;
    chunks_room += 256;
    return true;
}

static bool chunk_buy(void)
{
    uint32_t n;
    if (!chunk_place(&n))
        return false;
    int64_t h = room() < CHUNK && !memory_more() ? -EXO_ENOMEM : buy_frames(CHUNK);
    if (h < 0)
        return false;
    uint64_t at = BLOCK_WINDOWS + (uint64_t)n * CHUNK * PAGE;
    struct exo_map_op op = {EXO_OP_MAP, CHUNK, at, (exo_handle_t)h, 0, EXO_R_READ | EXO_R_WRITE, 0};
    if (exo_aspace_batch(0, H_BANK, &op, 1) != 1) {
        exo_cap_delete((exo_handle_t)h);
        return false;
    }
    chunk_spare[n] = 0;
    chunk_leaves[n] = false;
    for (uint32_t i = 0; i < CHUNK; i++)
        spare_put(module_blocks + n * CHUNK + i);
    chunks[n] = (exo_handle_t)h;
    nchunks_bought++;
    nchunks += n == nchunks;
    return true;
}

static char *memory_of(uint32_t slot)
{
    if (slot < module_blocks)
        return module_at + (uint64_t)slot * PAGE;
    return (char *)BLOCK_WINDOWS + (uint64_t)(slot - module_blocks) * PAGE;
}

static void chunk_drop(uint32_t n)
{
    exo_cap_delete(chunks[n]); // and its window
    chunks[n] = 0;
    nchunks_bought--;
}

// Takes the slots of chunks that are gone or leave out of the queue, which keeps its order.
static void spare_sift(void)
{
    for (uint32_t count = nspare; count; count--) {
        uint32_t slot = spare_take(), n = slot < module_blocks ? 0 : chunk_of(slot);
        if (slot < module_blocks || (chunks[n] && !chunk_leaves[n]))
            spare_put(slot);
    }
}

bool dev_give_back(uint64_t frames)
{
    uint32_t given = 0;
    for (uint32_t n = 0; n < nchunks && (uint64_t)given * CHUNK < frames; n++) {
        if (!chunks[n] || chunk_spare[n] != CHUNK)
            continue;
        chunk_drop(n);
        given++;
    }
    if (given)
        spare_sift();
    return given;
}

bool dev_leaves(uint32_t blk)
{
    uint32_t slot = blk < nblocks ? slot_of[blk] : 0;
    return slot > module_blocks && chunk_leaves[chunk_of(slot - 1)];
}

// The emptiest first, as long as what stays has room for their blocks.
bool dev_leave_begin(uint64_t frames)
{
    uint32_t room_left = nspare, moved = 0, left = 0;
    for (uint32_t spares = CHUNK - 1; spares; spares--) {
        for (uint32_t n = 0; n < nchunks && (uint64_t)left * CHUNK < frames; n++) {
            if (!chunks[n] || chunk_spare[n] != spares ||
                room_left - spares < moved + CHUNK - spares)
                continue;
            chunk_leaves[n] = true;
            room_left -= spares;
            moved += CHUNK - spares;
            left++;
        }
    }
    return left;
}

void dev_leave_end(void)
{
    spare_sift();
    for (uint32_t blk = 0; blk < nblocks; blk++) {
        if (!dev_leaves(blk))
            continue;
        uint32_t slot = spare_take();
        memcpy(memory_of(slot), at_of[blk], PAGE);
        slot_of[blk] = slot + 1;
        at_of[blk] = memory_of(slot);
    }
    for (uint32_t n = 0; n < nchunks; n++) {
        if (chunk_leaves[n])
            chunk_drop(n);
        chunk_leaves[n] = false;
    }
}

// In half the steps memset takes, each of which costs on an emulated machine.
static void *page_zero(void *at)
{
    typedef uint64_t pair __attribute__((vector_size(16), may_alias));
    for (pair *p = at, *end = p + PAGE / sizeof(pair); p < end; p += 16) {
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            p[i] = (pair){0};
        __asm__ volatile("" ::: "memory"); // or the compiler calls memset after all
    }
    return at;
}

static void *block(struct ext_dev *dev, uint32_t blk, bool will_write)
{
    static char zero[PAGE] __attribute__((aligned(PAGE)));
    if (blk >= nblocks)
        return NULL;
    if (at_of[blk])
        return at_of[blk];
    if (!will_write)
        return zero;
    if (!nspare && !chunk_buy()) {
        dev->error = -LX_ENOSPC;
        return NULL;
    }
    slot_of[blk] = spare_take() + 1;
    at_of[blk] = memory_of(slot_of[blk] - 1);
    return page_zero(at_of[blk]);
}

static void *fresh(struct ext_dev *dev, uint32_t blk)
{
    bool had = blk < nblocks && slot_of[blk];
    void *at = block(dev, blk, true);
    return at && had ? page_zero(at) : at;
}

static void discard(struct ext_dev *dev, uint32_t blk)
{
    (void)dev;
    if (blk >= nblocks || !slot_of[blk])
        return;
    spare_put(slot_of[blk] - 1);
    slot_of[blk] = 0;
    at_of[blk] = NULL;
}

int dev_frame(uint32_t blk, exo_handle_t *frames, uint64_t *first)
{
    if (!block(vol.dev, blk, true))
        return -LX_ENOSPC;
    uint32_t slot = slot_of[blk] - 1;
    *frames = slot < module_blocks ? module : chunks[(slot - module_blocks) / CHUNK];
    *first = slot < module_blocks ? slot : (slot - module_blocks) % CHUNK;
    return 0;
}

void *dev_memory(uint32_t blk)
{
    return block(vol.dev, blk, true);
}

// Free blocks that no frame can be had for are not free.
uint64_t dev_free(uint64_t free_blocks)
{
    uint64_t can = nspare + room();
    return free_blocks < can ? free_blocks : can;
}

static int tables_make(struct ext_dev *dev)
{
    nblocks = dev->nblocks;
    slot_of = calloc(nblocks, sizeof(*slot_of));
    spare = calloc(nblocks + CHUNK, sizeof(*spare));
    at_of = calloc(nblocks, sizeof(*at_of));
    if (!slot_of || !spare || !at_of)
        return -LX_ENOMEM;
    dev->at = at_of;
    for (uint32_t blk = 0; blk < module_blocks; blk++) {
        slot_of[blk] = blk + 1;
        at_of[blk] = memory_of(blk);
    }
    return 0;
}

// The size of the volume stands in its superblock (ext2: s_blocks_count at byte 4 of block 0's
// second KiB); mount checks it against what is told here. The tail of the module's last page is not
// the image's.
int dev_init(exo_handle_t frames, uint64_t bytes, struct ext_dev **out)
{
    static struct ext_dev dev = {
        .block = block, .fresh = fresh, .discard = discard, .block_size = PAGE};
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(frames, &info) < 0 || bytes < PAGE || bytes > info.length * PAGE ||
        info.length > UINT32_MAX)
        return -LX_EINVAL;
    module = frames;
    module_blocks = (uint32_t)((bytes + PAGE - 1) / PAGE);
    module_at = exo_map(frames, 0, module_blocks, EXO_R_READ | EXO_R_WRITE);
    if (!module_at)
        return -LX_ENOMEM;
    memset(module_at + bytes, 0, module_blocks * PAGE - bytes);
    uint32_t blocks;
    memcpy(&blocks, module_at + 1024 + 4, 4);
    dev.nblocks = blocks > module_blocks ? blocks : module_blocks;
    if (exo_cap_identify(H_BANK, &info) < 0)
        return -LX_EIO;
    not_for_blocks = (info.length - info.used) / 16;
    *out = &dev;
    return tables_make(&dev);
}
