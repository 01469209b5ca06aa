// SPDX-License-Identifier: MIT
// Inodes that are open: their published page, and the segments clients map.
//
// A segment entry is a frame of the volume. Entries come when a segment is first asked for, when a block is allocated, or,
// for a hole that is read, with a page of zeroes that is replaced at the first write. They go before the block is freed.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

#define HASH       256
#define NODE_PAGES 0x0000610000000000ull // windows of node pages, packed
#define RW         (EXO_R_READ | EXO_R_WRITE)
#define RWX        (RW | EXO_R_EXEC)

static LIST_HEAD(, node) table[HASH];
static uint64_t *free_windows; // page numbers given back
static size_t nfree, free_room;
static uint64_t next_window;
static exo_handle_t zero_page;

struct node *node_find(uint32_t ino)
{
    struct node *n;
    LIST_FOREACH (n, &table[ino % HASH], hash) {
        if (n->ino == ino)
            return n;
    }
    return NULL;
}

static int map_page(struct node *n)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    int64_t frame = exo_frames_alloc(H_BANK, 1, 0, 0);
    if (frame < 0)
        return -LX_ENOMEM;
    uint64_t at = NODE_PAGES + (nfree ? free_windows[--nfree] : next_window++) * PAGE;
    struct exo_map_op op = {EXO_OP_MAP, 1, at, (exo_handle_t)frame, 0, RW, 0};
    if (exo_aspace_batch(0, H_BANK, &op, 1) != 1 || exo_cap_identify((exo_handle_t)frame, &info) < 0) {
        exo_cap_delete((exo_handle_t)frame);
        return -LX_ENOMEM;
    }
    n->page_cap = (exo_handle_t)frame;
    n->frame = info.first_frame;
    n->page = (struct fs_node *)at;
    return 0;
}

static void unmap_page(struct node *n)
{
    if (nfree == free_room) {
        uint64_t *more = realloc(free_windows, (free_room + 64) * sizeof(*more));
        if (more) {
            free_windows = more;
            free_room += 64;
        }
    }
    if (nfree < free_room)
        free_windows[nfree++] = ((uint64_t)n->page - NODE_PAGES) / PAGE;
    exo_cap_delete(n->page_cap);
}

static void seq_begin(struct node *n)
{
    __atomic_store_n(&n->page->seq, n->page->seq + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void seq_end(struct node *n)
{
    __atomic_store_n(&n->page->seq, n->page->seq + 1, __ATOMIC_RELEASE);
}

int node_publish(struct node *n)
{
    struct ext_inode inode;
    int err = ext_inode_load(&vol, n->ino, &inode);
    if (err < 0)
        return err;
    n->mode = inode.mode;
    bool grew = n->page->size != inode.size;
    seq_begin(n);
    n->page->mode = inode.mode;
    n->page->size = inode.size;
    n->page->nlink = inode.nlink;
    n->page->rdev = ext_inode_rdev(&inode);
    seq_end(n);
    if (grew)
        node_event(n, &n->page->change);
    return 0;
}

void node_event(struct node *n, uint32_t *word)
{
    __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
    if (EXO_FRAMES[n->frame].sleepers)
        exo_wake((uint64_t)word, UINT64_MAX);
}

struct node *node_get(uint32_t ino)
{
    struct node *n = node_find(ino);
    if (n) {
        n->opens++;
        return n;
    }
    n = calloc(1, sizeof(*n));
    if (!n || map_page(n) < 0) {
        free(n);
        return NULL;
    }
    n->ino = ino;
    n->opens = 1;
    n->page->size_ = sizeof(*n->page);
    n->page->version = 1;
    n->page->ino = ino;
    LIST_INIT(&n->locks);
    LIST_INSERT_HEAD(&table[ino % HASH], n, hash);
    if (node_publish(n) < 0) {
        node_put(n);
        return NULL;
    }
    return n;
}

void node_put(struct node *n)
{
    if (--n->opens)
        return;
    node_note_writes(n);
    for (uint32_t i = 0; i < n->nparts; i++) {
        if (n->parts[i].seg)
            exo_cap_delete(n->parts[i].seg);
    }
    if (n->fifo)
        fifo_drop(n->fifo);
    LIST_REMOVE(n, hash);
    if (n->orphan)
        ext_inode_drop(&vol, n->ino);
    else if (n->reserved)
        ext_truncate(&vol, NULL, n->ino, n->page->size);
    unmap_page(n);
    free(n->parts);
    free(n);
}

void node_orphaned(uint32_t ino)
{
    struct node *n = node_find(ino);
    if (!n) {
        ext_inode_drop(&vol, ino);
        return;
    }
    n->orphan = true;
    node_publish(n);
}

// --- segments ---------------------------------------------------------------------------------------------

static bool bit_get(const uint64_t *bits, uint32_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

static void bit_set(uint64_t *bits, uint32_t i, bool on)
{
    if (on)
        bits[i / 64] |= 1ull << (i % 64);
    else
        bits[i / 64] &= ~(1ull << (i % 64));
}

static int enter(struct part *p, uint32_t index, exo_handle_t frames, uint64_t first, uint32_t count,
                 uint32_t rights)
{
    int64_t err = exo_segment_fill(p->seg, index, frames, first, count | (uint64_t)rights << 32);
    if (err < 0)
        return err == -EXO_ENOMEM ? -LX_ENOMEM : -LX_EIO;
    for (uint32_t i = 0; i < count; i++)
        bit_set(p->present, index + i, true);
    return 0;
}

static void leave(struct part *p, uint32_t index, uint32_t count)
{
    while (exo_segment_clear(p->seg, index, count) == -EXO_EAGAIN)
        ;
    for (uint32_t i = 0; i < count; i++) {
        bit_set(p->present, index + i, false);
        bit_set(p->zero, index + i, false);
    }
}

// Enters the blocks of pages [index, index + count) of one part that are there and not yet entered, runs at once.
static int part_refresh(struct node *n, struct part *p, uint64_t part, uint32_t index, uint32_t count)
{
    static uint32_t blk[PART_PAGES];
    struct ext_inode inode;
    int err = ext_inode_load(&vol, n->ino, &inode);
    if (err == 0)
        err = ext_map_list(&vol, &inode, part * PART_PAGES + index, count, blk);
    for (uint32_t i = 0; err >= 0 && i < count;) {
        exo_handle_t frames;
        uint64_t first;
        if (!blk[i] || (bit_get(p->present, index + i) && !bit_get(p->zero, index + i))) {
            i++;
            continue;
        }
        if (bit_get(p->zero, index + i))
            leave(p, index + i, 1);
        err = dev_frame(blk[i], &frames, &first);
        uint32_t run = 1;
        exo_handle_t next;
        uint64_t at;
        while (err == 0 && i + run < count && blk[i + run] == blk[i] + run &&
               !bit_get(p->present, index + i + run) && dev_frame(blk[i + run], &next, &at) == 0 &&
               next == frames && at == first + run)
            run++;
        if (err == 0)
            err = enter(p, index + i, frames, first, run, RWX);
        i += run;
    }
    return err < 0 ? err : 0;
}

static uint32_t pages_in_file(const struct node *n, uint64_t part)
{
    uint64_t pages = (n->page->size + PAGE - 1) / PAGE, first = part * PART_PAGES;
    if (pages <= first)
        return 0;
    return pages - first < PART_PAGES ? (uint32_t)(pages - first) : PART_PAGES;
}

int node_segment(struct node *n, uint64_t index, struct part **part)
{
    if (index >= EXT_FILE_MAX / PAGE / PART_PAGES)
        return -LX_EFBIG;
    if (index >= n->nparts) {
        uint32_t room = (uint32_t)index + 1 > 2 * n->nparts ? (uint32_t)index + 1 : 2 * n->nparts;
        struct part *more = realloc(n->parts, room * sizeof(*more));
        if (!more)
            return -LX_ENOMEM;
        memset(more + n->nparts, 0, (room - n->nparts) * sizeof(*more));
        n->parts = more;
        n->nparts = room;
    }
    struct part *p = &n->parts[index];
    *part = p;
    if (p->seg)
        return 0;
    int64_t seg = exo_segment_create(H_BANK);
    if (seg < 0)
        return -LX_ENOMEM;
    p->seg = (exo_handle_t)seg;
    uint32_t count = pages_in_file(n, index);
    return count ? part_refresh(n, p, index, 0, count) : 0;
}

int node_refresh(struct node *n, uint64_t page, uint64_t pages)
{
    int err = 0;
    while (pages && err == 0) {
        uint64_t part = page / PART_PAGES;
        uint32_t index = (uint32_t)(page % PART_PAGES);
        uint32_t count = PART_PAGES - index < pages ? PART_PAGES - index : (uint32_t)pages;
        if (part < n->nparts && n->parts[part].seg)
            err = part_refresh(n, &n->parts[part], part, index, count);
        page += count;
        pages -= count;
    }
    return err;
}

void node_cut(struct node *n, uint64_t page)
{
    for (uint64_t part = page / PART_PAGES; part < n->nparts; part++) {
        uint32_t index = part == page / PART_PAGES ? (uint32_t)(page % PART_PAGES) : 0;
        if (n->parts[part].seg)
            leave(&n->parts[part], index, PART_PAGES - index);
    }
}

static int fill_zero(struct part *p, uint32_t index)
{
    if (!zero_page) {
        int64_t frame = exo_frames_alloc(H_BANK, 1, 0, 0);
        if (frame < 0)
            return -LX_ENOMEM;
        zero_page = (exo_handle_t)frame;
    }
    int err = enter(p, index, zero_page, 0, 1, EXO_R_READ | EXO_R_EXEC);
    if (err == 0)
        bit_set(p->zero, index, true);
    return err;
}

int node_fill(struct node *n, uint64_t page, bool write, const struct ext_cred *cred)
{
    struct part *p;
    struct ext_inode inode;
    uint32_t blk, index = (uint32_t)(page % PART_PAGES);
    if (page >= (n->page->size + PAGE - 1) / PAGE)
        return -LX_ENXIO;
    int err = node_segment(n, page / PART_PAGES, &p);
    if (err < 0)
        return err;
    bool zero = bit_get(p->zero, index);
    if (bit_get(p->present, index) && !(zero && write))
        return 0;
    err = ext_inode_load(&vol, n->ino, &inode);
    if (err == 0)
        err = ext_map_get(&vol, &inode, page, &blk);
    if (err < 0)
        return err;
    if (!blk && !write)
        return fill_zero(p, index);
    if (!blk)
        err = ext_map_alloc(&vol, cred, &inode, page, &blk);
    if (err == 0)
        err = part_refresh(n, p, page / PART_PAGES, index, 1);
    return err;
}

void node_note_writes(struct node *n)
{
    bool dirty = false;
    if (!n->written)
        return;
    for (uint32_t i = 0; i < n->nparts; i++) {
        uint64_t bits[8] = {0};
        if (!n->parts[i].seg || exo_segment_harvest(n->parts[i].seg, 0, PART_PAGES, bits) < 0)
            continue;
        for (int k = 0; k < 8; k++)
            dirty |= bits[k] != 0;
    }
    if (!dirty)
        return;
    struct ext_inode inode;
    if (ext_inode_load(&vol, n->ino, &inode) < 0)
        return;
    inode.mtime = inode.ctime = vol.now;
    ext_inode_store(&vol, &inode);
}

int node_truncate(uint32_t ino, uint64_t size, const struct ext_cred *cred)
{
    struct node *n = node_find(ino);
    if (n && size < n->page->size) {
        node_note_writes(n);
        seq_begin(n);
        n->page->size = size; // readers stop before the pages go
        seq_end(n);
        node_cut(n, (size + PAGE - 1) / PAGE);
    }
    int err = ext_truncate(&vol, cred, ino, size);
    if (n) {
        node_publish(n);
        if (err < 0)
            node_refresh(n, 0, (n->page->size + PAGE - 1) / PAGE);
    }
    return err;
}
