// SPDX-License-Identifier: MIT
//
// The regions of the application's address space: what is mapped where, as a tree ordered by
// address.
//
// Regions never overlap. Equal anonymous neighbours are joined, so that a growing heap or a row of
// mappings stays one node. `low` and `high` bound the pages that can be present, so that unmapping
// a huge untouched reservation costs nothing. Placement is top-down. `hint` remembers that no hole
// lies above it: a search starts there, and freeing above it raises it again. Nothing here calls
// the kernel: fault.c and mmap.c do.
#include <mem/mem.h>

static struct region_tree regions = RB_INITIALIZER(&regions);
static uint64_t hint; // no hole in [hint, hint_top)
static uint64_t hint_top;
static uint64_t total;

static int compare(const struct region *a, const struct region *b)
{
    return a->start < b->start ? -1 : a->start > b->start;
}
RB_GENERATE_STATIC(region_tree, region, node, compare)

struct region *region_at_or_after(uint64_t addr)
{
    struct region *r = RB_ROOT(&regions);
    struct region *best = NULL;
    while (r) {
        if (addr < r->end) {
            best = r;
            if (addr >= r->start)
                return r;
            r = RB_LEFT(r, node);
        } else {
            r = RB_RIGHT(r, node);
        }
    }
    return best;
}

struct region *region_find(uint64_t addr)
{
    struct region *r = region_at_or_after(addr);
    return r && addr >= r->start ? r : NULL;
}

struct region *region_first(void)
{
    return RB_MIN(region_tree, &regions);
}

struct region *region_next(struct region *r)
{
    return RB_NEXT(region_tree, &regions, r);
}

struct region *region_prev(struct region *r)
{
    return RB_PREV(region_tree, &regions, r);
}

bool region_free_range(uint64_t start, uint64_t end)
{
    struct region *r = region_at_or_after(start);
    return !r || r->start >= end;
}

uint64_t region_total(void)
{
    return total;
}

unsigned region_parts(const struct region *r)
{
    uint64_t first = r->offset / PART_SIZE;
    uint64_t last = (r->offset + (r->end - r->start) - 1) / PART_SIZE;
    return (unsigned)(last - first + 1);
}

int region_insert(const struct region *like, struct region **out)
{
    struct region *r = heap_alloc(sizeof *r);
    if (!r)
        return -LX_ENOMEM;
    *r = *like;
    if (r->low == r->high)
        r->low = r->high = r->start;
    r->parts = NULL;
    r->one_part = 0;
    r->repeats = 0;
    RB_INSERT(region_tree, &regions, r);
    total += r->end - r->start;
    if (out)
        *out = r;
    return 0;
}

void region_remove(struct region *r)
{
    region_windows_drop(r);
    RB_REMOVE(region_tree, &regions, r);
    total -= r->end - r->start;
    region_freed(r->end);
    backing_put(r->backing);
    heap_free(r);
}

void region_touch(struct region *r, uint64_t start, uint64_t end)
{
    if (r->low >= r->high) {
        r->low = start;
        r->high = end;
        return;
    }
    if (start < r->low)
        r->low = start;
    if (end > r->high)
        r->high = end;
}

static void clip_touched(struct region *r)
{
    if (r->low < r->start)
        r->low = r->start;
    if (r->high > r->end)
        r->high = r->end;
    if (r->low >= r->high)
        r->low = r->high = r->start;
}

// Windows go first: each belongs to a whole part. Faults bring them back.
struct region *region_split(struct region *r, uint64_t at)
{
    region_windows_drop(r);
    struct region upper = *r;
    upper.start = at;
    upper.offset = r->offset + (at - r->start);
    clip_touched(&upper);
    if (upper.low >= upper.high)
        upper.low = upper.high = at;
    struct region *new;
    uint64_t end = r->end;
    r->end = at;
    if (region_insert(&upper, &new)) {
        r->end = end;
        return NULL;
    }
    if (new->backing)
        backing_get(new->backing);
    total -= end - at;
    clip_touched(r);
    return new;
}

static bool joinable(const struct region *a, const struct region *b)
{
    return a && b && a->end == b->start && !a->backing && !b->backing && a->prot == b->prot &&
           (a->flags & RF_MERGE) == (b->flags & RF_MERGE) && !(a->flags & RF_STACK);
}

// b, directly above a, becomes part of a.
static struct region *join(struct region *a, struct region *b)
{
    uint64_t end = b->end;
    if (b->low < b->high)
        region_touch(a, b->low, b->high);
    a->expected = b->expected;
    a->batch = b->batch;
    RB_REMOVE(region_tree, &regions, b);
    heap_free(b);
    a->end = end;
    return a;
}

struct region *region_merge(struct region *r)
{
    struct region *next = region_next(r);
    if (joinable(r, next))
        r = join(r, next);
    struct region *prev = region_prev(r);
    if (joinable(prev, r))
        r = join(prev, r);
    return r;
}

void region_freed(uint64_t end)
{
    if (end > hint)
        hint = end < hint_top ? end : hint_top;
}

// Highest start such that [start, start + len) is free, below `top`, with start = residue modulo
// align.
uint64_t region_place(uint64_t len, uint64_t align, uint64_t residue, uint64_t top)
{
    if (hint_top != top) {
        hint_top = top;
        hint = top;
    }
    uint64_t end = hint;
    bool first_hole = true;
    struct region *r = region_at_or_after(end - 1);
    if (r && r->start >= end)
        r = region_prev(r);
    else if (!r)
        r = RB_MAX(region_tree, &regions);
    for (;;) {
        while (r && r->end >= end && r->start < end) { // no hole right below `end`
            end = r->start;
            r = region_prev(r);
        }
        if (first_hole)
            hint = end;
        uint64_t bottom = r && r->end > EXO_USER_BASE ? r->end : EXO_USER_BASE;
        if (end < bottom + len || end < len)
            goto next;
        uint64_t start = end - len;
        start -= (start - residue) & (align - 1);
        if (start >= bottom && start < end)
            return start;
    next:
        if (!r)
            return 0;
        end = r->end;
        first_hole = false;
    }
}
