// SPDX-License-Identifier: MIT
// The segments clients map files by: one for each 2 MiB that somebody asked for.
//
// An entry is a frame of the volume. Entries come when a segment is first asked for, when a block
// is allocated, or, for a hole that is read, with a page of zeroes that is replaced at the first
// write. They go before the block is freed, so a frame that gets a new owner is in nobody's address
// space.
#include "fsd.h"
#include <stdlib.h>

#define RWX (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC)

static exo_handle_t zero_page;

static int part_order(const struct part *a, const struct part *b)
{
    return a->index < b->index ? -1 : a->index > b->index;
}

RB_GENERATE_STATIC(parts, part, link, part_order)

static struct part *part_find(struct node *n, uint64_t index)
{
    struct part key = {.index = index};
    return RB_FIND(parts, &n->parts, &key);
}

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

static void bits_clear(uint64_t *bits, uint32_t from, uint32_t end)
{
    while (from < end) {
        uint32_t next = from / 64 * 64 + 64 < end ? from / 64 * 64 + 64 : end;
        uint64_t mask = next - from == 64 ? UINT64_MAX : (1ull << (next - from)) - 1;
        bits[from / 64] &= ~(mask << from % 64);
        from = next;
    }
}

static int enter(struct part *p, uint32_t index, exo_handle_t frames, uint64_t first,
                 uint32_t count, uint32_t rights)
{
    int64_t err = exo_segment_fill(p->seg, index, frames, first, count | (uint64_t)rights << 32);
    if (err < 0)
        return -LX_EIO;
    for (uint32_t i = 0; i < count; i++)
        bit_set(p->present, index + i, true);
    return 0;
}

// The pages of a part that may have entries, a multiple of 64: most files are short.
static uint32_t part_end(const struct part *p)
{
    uint32_t words = PART_PAGES / 64;
    while (words && !p->present[words - 1])
        words--;
    return words * 64;
}

static void leave(struct part *p, uint32_t index, uint32_t count)
{
    uint32_t end = part_end(p);
    if (index >= end)
        return;
    if (count > end - index)
        count = end - index;
    while (exo_segment_clear(p->seg, index, count) == -EXO_EAGAIN)
        ;
    bits_clear(p->present, index, index + count);
    bits_clear(p->zero, index, index + count);
}

// How many of the blocks from blk[0] on can be entered at once, behind each other.
static int run_of(const struct part *p, uint32_t index, const uint32_t *blk, uint32_t count,
                  exo_handle_t *frames, uint64_t *first, uint32_t *run)
{
    exo_handle_t next;
    uint64_t at;
    int err = dev_frame(blk[0], frames, first);
    for (*run = 1; err == 0 && *run < count; ++*run) {
        if (blk[*run] != blk[0] + *run || bit_get(p->present, index + *run) ||
            dev_frame(blk[*run], &next, &at) < 0 || next != *frames || at != *first + *run)
            break;
    }
    return err;
}

// Enters the blocks of pages [index, index + count) of one part that are there and not yet entered.
static int part_refresh(struct node *n, struct part *p, uint32_t index, uint32_t count)
{
    static uint32_t blk[PART_PAGES];
    struct ext_inode inode;
    int err = ext_inode_load(&vol, n->ino, &inode);
    if (err == 0)
        err = ext_map_list(&vol, &inode, p->index * PART_PAGES + index, count, blk);
    for (uint32_t i = 0, run; err >= 0 && i < count; i += run) {
        exo_handle_t frames;
        uint64_t first;
        bool zero = bit_get(p->zero, index + i);
        run = 1;
        if (!blk[i] || (bit_get(p->present, index + i) && !zero))
            continue;
        if (zero)
            leave(p, index + i, 1);
        err = run_of(p, index + i, blk + i, count - i, &frames, &first, &run);
        if (err == 0)
            err = enter(p, index + i, frames, first, run, RWX);
    }
    return err < 0 ? err : 0;
}

static struct part *part_make(struct node *n, uint64_t index, uint32_t uid)
{
    if (quota_take(uid, COST_PART) < 0)
        return NULL;
    struct part *p = calloc(1, sizeof(*p));
    int64_t seg = p ? buy_segment() : -EXO_ENOMEM;
    if (seg < 0) {
        free(p);
        quota_give(uid, COST_PART);
        return NULL;
    }
    p->index = index;
    p->seg = (exo_handle_t)seg;
    p->uid = uid;
    RB_INSERT(parts, &n->parts, p);
    return p;
}

static uint32_t pages_in_file(const struct node *n, uint64_t part)
{
    uint64_t pages = (n->page->size + PAGE - 1) / PAGE, first = part * PART_PAGES;
    if (pages <= first)
        return 0;
    return pages - first < PART_PAGES ? (uint32_t)(pages - first) : PART_PAGES;
}

int seg_get(struct node *n, uint64_t index, uint32_t uid, struct part **part)
{
    if (index > EXT_FILE_MAX / PAGE / PART_PAGES)
        return -LX_EFBIG;
    *part = part_find(n, index);
    if (*part)
        return 0;
    *part = part_make(n, index, uid);
    if (!*part)
        return -LX_ENOMEM;
    uint32_t count = pages_in_file(n, index);
    return count ? part_refresh(n, *part, 0, count) : 0;
}

int seg_refresh(struct node *n, uint64_t page, uint64_t pages)
{
    struct part key = {.index = page / PART_PAGES};
    uint64_t end = page + pages;
    int err = 0;
    for (struct part *p = RB_NFIND(parts, &n->parts, &key);
         p && p->index * PART_PAGES < end && err == 0; p = RB_NEXT(parts, &n->parts, p)) {
        uint64_t low = p->index * PART_PAGES, high = low + PART_PAGES;
        uint64_t from = page > low ? page : low, to = end < high ? end : high;
        err = part_refresh(n, p, (uint32_t)(from - low), (uint32_t)(to - from));
    }
    return err;
}

void seg_cut(struct node *n, uint64_t page)
{
    struct part key = {.index = page / PART_PAGES};
    for (struct part *p = RB_NFIND(parts, &n->parts, &key); p; p = RB_NEXT(parts, &n->parts, p)) {
        uint32_t index = p->index == page / PART_PAGES ? (uint32_t)(page % PART_PAGES) : 0;
        leave(p, index, PART_PAGES - index);
    }
}

// Entries whose blocks are about to move; what was written through them is noted before.
void seg_leave(struct node *n)
{
    static uint32_t blk[PART_PAGES];
    struct ext_inode inode;
    struct part *p;
    if (RB_EMPTY(&n->parts))
        return;
    node_note_writes(n);
    bool known = ext_inode_load(&vol, n->ino, &inode) == 0;
    RB_FOREACH (p, parts, &n->parts) {
        uint32_t end = part_end(p);
        bool listed = known && ext_map_list(&vol, &inode, p->index * PART_PAGES, end, blk) >= 0;
        for (uint32_t i = 0; i < end; i++)
            if (bit_get(p->present, i) && (!listed || dev_leaves(blk[i])))
                leave(p, i, 1);
    }
}

static int fill_zero(struct part *p, uint32_t index)
{
    if (!zero_page) {
        int64_t frame = buy_frames(1);
        if (frame < 0)
            return -LX_ENOMEM;
        zero_page = (exo_handle_t)frame;
    }
    int err = enter(p, index, zero_page, 0, 1, EXO_R_READ | EXO_R_EXEC);
    if (err == 0)
        bit_set(p->zero, index, true);
    return err;
}

int seg_fill(struct node *n, uint64_t page, bool write, uint64_t limit, const struct request *r)
{
    struct part *p;
    struct ext_inode inode;
    uint32_t blk, index = (uint32_t)(page % PART_PAGES);
    if (page >= (limit + PAGE - 1) / PAGE)
        return -LX_ENXIO;
    int err = seg_get(n, page / PART_PAGES, r->payer, &p);
    if (err < 0)
        return err;
    if (bit_get(p->present, index) && !(bit_get(p->zero, index) && write))
        return 0;
    err = ext_inode_load(&vol, n->ino, &inode);
    if (err == 0)
        err = ext_map_get(&vol, &inode, page, &blk);
    if (err)
        return err;
    if (!blk && !write)
        return bit_get(p->present, index) ? 0 : fill_zero(p, index);
    if (!blk)
        err = ext_map_alloc(&vol, &r->cred, &inode, page, &blk);
    return err < 0 ? err : part_refresh(n, p, index, 1);
}

bool seg_harvest(struct node *n)
{
    struct part *p;
    bool dirty = false;
    RB_FOREACH (p, parts, &n->parts) {
        uint64_t bits[8] = {0};
        uint32_t end = p->written ? part_end(p) : 0;
        if (!end || exo_segment_harvest(p->seg, 0, end, bits) < 0)
            continue;
        for (int k = 0; k < 8; k++)
            dirty |= bits[k] != 0;
    }
    return dirty;
}

static void part_drop(struct node *n, struct part *p)
{
    RB_REMOVE(parts, &n->parts, p);
    leave(p, 0, PART_PAGES);
    quota_give(p->uid, COST_PART);
    reap(p->seg, NULL);
    free(p);
}

// The last open is gone: nobody pays for the parts from now on. A part that somebody may still be
// able to write through, copied too often for one step to find, is given up.
void seg_take_back(struct node *n)
{
    struct part *p, *next;
    for (p = RB_MIN(parts, &n->parts); p; p = next) {
        next = RB_NEXT(parts, &n->parts, p);
        if (p->written && !reap_now(p->seg)) {
            node_note_writes(n);
            part_drop(n, p);
            continue;
        }
        quota_give(p->uid, COST_PART);
        p->uid = 0;
    }
}

// An idle node is opened again: somebody pays for its parts, or they go.
void seg_charge(struct node *n, uint32_t uid)
{
    struct part *p, *next;
    for (p = RB_MIN(parts, &n->parts); p; p = next) {
        next = RB_NEXT(parts, &n->parts, p);
        if (quota_take(uid, COST_PART) < 0)
            part_drop(n, p);
        else
            p->uid = uid;
    }
}

void seg_free(struct node *n)
{
    struct part *p;
    while ((p = RB_MIN(parts, &n->parts)))
        part_drop(n, p);
}
