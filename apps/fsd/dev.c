// SPDX-License-Identifier: MIT
// The volume's blocks: frames of the boot module, and beyond its end frames bought sixteen at a time when a block is first
// touched. A block keeps its frame for good; a block that is allocated anew is zeroed before anyone can map it, and
// when it was freed all mappings had gone (node_cut).
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

#define CHUNK 16u

struct chunk {
    exo_handle_t frames;
    char *at;
};

static exo_handle_t module;
static char *module_at;
static uint32_t module_blocks;
static struct chunk *chunks; // of the blocks behind the module
static uint32_t nchunks;

static struct chunk *chunk_of(uint32_t blk)
{
    struct chunk *c = &chunks[(blk - module_blocks) / CHUNK];
    if (c->at)
        return c;
    int64_t h = exo_frames_alloc(H_BANK, CHUNK, 0, 0);
    if (h < 0)
        return NULL;
    char *at = exo_map((exo_handle_t)h, 0, CHUNK, EXO_R_READ | EXO_R_WRITE);
    if (!at) {
        exo_cap_delete((exo_handle_t)h);
        return NULL;
    }
    *c = (struct chunk){(exo_handle_t)h, at};
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

uint64_t dev_room(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(H_BANK, &info) < 0)
        return 0;
    return info.length - info.used;
}

// The size of the volume stands in its superblock (ext2: s_blocks_count at byte 4 of block 0's second KiB); mount checks it
// against what is told here.
int dev_init(exo_handle_t frames, uint64_t bytes, struct ext_dev **out)
{
    static struct ext_dev dev = {.block = block, .fresh = fresh, .block_size = PAGE};
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(frames, &info) < 0 || bytes < PAGE || bytes > info.length * PAGE)
        return -LX_EINVAL;
    module = frames;
    module_blocks = (uint32_t)(bytes / PAGE);
    module_at = exo_map(frames, 0, module_blocks, EXO_R_READ | EXO_R_WRITE);
    if (!module_at)
        return -LX_ENOMEM;
    uint32_t blocks;
    memcpy(&blocks, module_at + 1024 + 4, 4);
    dev.nblocks = blocks > module_blocks ? blocks : module_blocks;
    nchunks = (dev.nblocks - module_blocks + CHUNK - 1) / CHUNK;
    chunks = calloc(nchunks ? nchunks : 1, sizeof(*chunks));
    if (!chunks)
        return -LX_ENOMEM;
    *out = &dev;
    return 0;
}
