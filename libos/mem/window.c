// SPDX-License-Identifier: MIT
//
// Address ranges of the libOS for windows: pages of pipes, open-file state, segments of files.
//
// Two arenas, so that single pages lie densely (few page tables) and whole segments lie on 2 MiB
// boundaries (one directory entry each). Free ranges are kept by address and joined; the lowest
// that fits is taken.
#include <mem/mem.h>

#define WINDOW_TABLES 4u // page tables that a window may cost

struct extent {
    RB_ENTRY(extent) node;
    uint64_t start, end;
};
RB_HEAD(extent_tree, extent);

struct arena {
    struct extent_tree free;
    uint64_t next, end; // never used yet
    uint64_t align;
};

static struct arena small_arena = {.next = LIBOS_PAGES, .end = LIBOS_PAGES_END, .align = PAGE};
static struct arena big_arena = {
    .next = LIBOS_WINDOWS, .end = LIBOS_WINDOWS_END, .align = PART_SIZE};

static int extent_compare(const struct extent *a, const struct extent *b)
{
    return a->start < b->start ? -1 : a->start > b->start;
}
RB_GENERATE_STATIC(extent_tree, extent, node, extent_compare)

static uint64_t range_take(struct arena *a, uint64_t size)
{
    struct extent *e;
    RB_FOREACH (e, extent_tree, &a->free) {
        if (e->end - e->start < size)
            continue;
        uint64_t va = e->start;
        e->start += size;
        if (e->start == e->end) {
            RB_REMOVE(extent_tree, &a->free, e);
            heap_free(e);
        }
        return va;
    }
    if (a->end - a->next < size)
        return 0;
    uint64_t va = a->next;
    a->next += size;
    return va;
}

// Without memory for a node the addresses are lost; there are plenty.
static void range_give(struct arena *a, uint64_t start, uint64_t size)
{
    struct extent key = {.start = start};
    struct extent *next = RB_NFIND(extent_tree, &a->free, &key);
    struct extent *prev =
        next ? RB_PREV(extent_tree, &a->free, next) : RB_MAX(extent_tree, &a->free);
    uint64_t end = start + size;
    bool with_prev = prev && prev->end == start, with_next = next && next->start == end;
    if (with_prev && with_next) {
        prev->end = next->end;
        RB_REMOVE(extent_tree, &a->free, next);
        heap_free(next);
    } else if (with_prev) {
        prev->end = end;
    } else if (with_next) {
        next->start = start;
    } else {
        struct extent *e = heap_alloc(sizeof *e);
        if (!e)
            return;
        e->start = start;
        e->end = end;
        RB_INSERT(extent_tree, &a->free, e);
    }
}

static struct arena *arena_for(uint64_t pages)
{
    return pages >= PART_PAGES ? &big_arena : &small_arena;
}

static uint64_t rounded(const struct arena *a, uint64_t pages)
{
    return (pages * PAGE + a->align - 1) & ~(a->align - 1);
}

static int64_t window_show(exo_handle_t cap, uint64_t at, uint64_t first, uint64_t pages,
                           uint32_t rights)
{
    struct exo_map_op op = {.kind = EXO_OP_MAP,
                            .va = at,
                            .cap = cap,
                            .first = first,
                            .rights = rights,
                            .count = (uint32_t)pages};
    if (pages > BATCH_PAGES)
        return -EXO_ELIMIT;
    int64_t done = exo_aspace_batch(0, libos_bank, &op, 1);
    if (done == -EXO_ENOMEM && memory_more(WINDOW_TABLES))
        done = exo_aspace_batch(0, libos_bank, &op, 1);
    return done;
}

int window_map_part(exo_handle_t cap, uint64_t first, uint64_t pages, uint64_t room,
                    uint32_t rights, void **va)
{
    struct arena *a = arena_for(room);
    uint64_t size = rounded(a, room);
    uint64_t at = range_take(a, size);
    if (!at)
        return -LX_ENOMEM;
    int64_t done = window_show(cap, at, first, pages, rights);
    if (done != 1) {
        range_give(a, at, size);
        return lx_error(done);
    }
    *va = (void *)at;
    return 0;
}

int window_map(exo_handle_t cap, uint64_t first, uint64_t pages, uint32_t rights, void **va)
{
    return window_map_part(cap, first, pages, pages, rights, va);
}

int window_extend(exo_handle_t cap, void *va, uint64_t first, uint64_t pages, uint32_t rights)
{
    int64_t done = window_show(cap, (uint64_t)va + first * PAGE, first, pages, rights);
    return done == 1 ? 0 : lx_error(done);
}

void window_close(void *va, uint64_t pages, exo_handle_t cap)
{
    struct arena *a = arena_for(pages);
    while (exo_cap_delete(cap) == -EXO_EAGAIN)
        ;
    if (va)
        range_give(a, (uint64_t)va, rounded(a, pages));
}

void window_unmap(void *va, uint64_t pages)
{
    struct arena *a = arena_for(pages);
    batch_range(EXO_OP_UNMAP, (uint64_t)va, pages, 0, 0, 0);
    range_give(a, (uint64_t)va, rounded(a, pages));
}
