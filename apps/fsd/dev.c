// SPDX-License-Identifier: MIT
// The volume's blocks: frames of the boot module, and beyond its end frames bought sixteen at a time when a block is first
// touched. A block keeps its frame for good; a block that is allocated anew is zeroed before anyone can map it, and
// when it was freed all mappings had gone (seg_cut).
//
// A part of the bank is not for blocks: a volume that is full must not keep the server from opening files.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

#define CHUNK         16u
#define BLOCK_WINDOWS (SERVER_WINDOWS + (2ull << 40)) // blocks behind the module, one beside the other

struct chunk {
    exo_handle_t frames;
    char *at; // NULL: not bought yet
};

static exo_handle_t module;
static char *module_at;
static uint32_t module_blocks;
static struct chunk *chunks; // of the blocks behind the module
static uint32_t nchunks, bought;
static uint64_t not_for_blocks; // frames

// Frames that may still be bought for blocks.
static uint64_t room(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(H_BANK, &info) < 0 || info.used + not_for_blocks >= info.length)
        return 0;
    return info.length - info.used - not_for_blocks;
}

static struct chunk *chunk_of(uint32_t blk)
{
    struct chunk *c = &chunks[(blk - module_blocks) / CHUNK];
    if (c->at)
        return c;
    if (room() < CHUNK)
        return NULL;
    int64_t h = buy_frames(CHUNK);
    if (h < 0)
        return NULL;
    uint64_t at = BLOCK_WINDOWS + (uint64_t)(c - chunks) * CHUNK * PAGE;
    struct exo_map_op op = {EXO_OP_MAP, CHUNK, at, (exo_handle_t)h, 0, EXO_R_READ | EXO_R_WRITE, 0};
    if (exo_aspace_batch(0, H_BANK, &op, 1) != 1) {
        exo_cap_delete((exo_handle_t)h);
        return NULL;
    }
    *c = (struct chunk){(exo_handle_t)h, (char *)at};
    bought += CHUNK;
    return c;
}

static void *block(struct ext_dev *dev, uint32_t blk, bool will_write)
{
    static char zero[PAGE] __attribute__((aligned(PAGE)));
    if (blk >= dev->nblocks)
        return NULL;
    if (blk < module_blocks)
        return module_at + (uint64_t)blk * PAGE;
    struct chunk *c = &chunks[(blk - module_blocks) / CHUNK];
    if (!c->at && !will_write)
        return zero;
    c = chunk_of(blk);
    if (!c) {
        dev->error = -LX_ENOSPC;
        return NULL;
    }
    return c->at + (uint64_t)((blk - module_blocks) % CHUNK) * PAGE;
}

static void *fresh(struct ext_dev *dev, uint32_t blk)
{
    void *at = block(dev, blk, true);
    if (at)
        memset(at, 0, PAGE);
    return at;
}

int dev_frame(uint32_t blk, exo_handle_t *frames, uint64_t *first)
{
    if (blk < module_blocks) {
        *frames = module;
        *first = blk;
        return 0;
    }
    struct chunk *c = chunk_of(blk);
    if (!c)
        return -LX_ENOSPC;
    *frames = c->frames;
    *first = (blk - module_blocks) % CHUNK;
    return 0;
}

void *dev_memory(uint32_t blk)
{
    return block(vol.dev, blk, true);
}

// Free blocks that memory cannot back are not free.
uint64_t dev_free(uint64_t free_blocks)
{
    uint64_t used = vol.nblocks - free_blocks, backed = (uint64_t)module_blocks + bought;
    uint64_t can = (backed > used ? backed - used : 0) + room();
    return free_blocks < can ? free_blocks : can;
}

// The size of the volume stands in its superblock (ext2: s_blocks_count at byte 4 of block 0's second KiB); mount checks it
// against what is told here. The tail of the module's last page is not the image's.
int dev_init(exo_handle_t frames, uint64_t bytes, struct ext_dev **out)
{
    static struct ext_dev dev = {.block = block, .fresh = fresh, .block_size = PAGE};
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
    nchunks = (dev.nblocks - module_blocks + CHUNK - 1) / CHUNK;
    chunks = calloc(nchunks ? nchunks : 1, sizeof(*chunks));
    if (!chunks)
        return -LX_ENOMEM;
    if (exo_cap_identify(H_BANK, &info) < 0)
        return -LX_EIO;
    not_for_blocks = (info.length - info.used) / 16;
    *out = &dev;
    return 0;
}
