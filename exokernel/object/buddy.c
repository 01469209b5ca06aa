// SPDX-License-Identifier: MIT
//
// The buddy allocator over the frame table. A free block of 2^k frames starts at a multiple of 2^k;
// only its first frame carries a rank (k + 1) and a link. Every free frame is in exactly one block,
// and two free buddies are always merged, so allocation and release cost one step per order. Runs
// longer than the largest block are found by looking for adjacent largest blocks: one step for each
// 4 MiB of the machine.
//
// Single frames come and go most, so the latest few to go are kept apart, unmerged, until they are
// asked for again, or a run is wanted that cannot be found without them.
//
// Pure: no machine, no bank. See frame.h.

#include <object/frame.h>

void buddy_init(struct buddy *b, struct frame *table, uint64_t frames)
{
    *b = (struct buddy){.table = table, .frames = frames};
    for (int k = 0; k < BUDDY_ORDERS; k++)
        LIST_INIT(&b->free[k]);
}

static bool is_head(const struct buddy *b, exo_fn_t fn, unsigned order)
{
    return fn < b->frames && b->table[fn].rank == order + 1;
}

static void block_remove(struct buddy *b, exo_fn_t fn)
{
    b->table[fn].rank = 0;
    LIST_REMOVE(&b->table[fn], link);
}

static void block_put(struct buddy *b, exo_fn_t fn, unsigned order)
{
    for (; order < BUDDY_ORDERS - 1 && is_head(b, fn ^ 1ull << order, order); order++) {
        block_remove(b, fn ^ 1ull << order);
        fn &= ~(1ull << order);
    }
    b->table[fn].rank = (order + 1) & 15;
    LIST_INSERT_HEAD(&b->free[order], &b->table[fn], link);
}

// Cuts [fn, fn + count) into the largest aligned blocks and puts them on the lists.
static void range_put(struct buddy *b, exo_fn_t fn, uint64_t count)
{
    while (count) {
        unsigned order = 0;

        while (order < BUDDY_ORDERS - 1 && !(fn & 1ull << order) && count >= 2ull << order)
            order++;
        block_put(b, fn, order);
        fn += 1ull << order;
        count -= 1ull << order;
    }
}

static bool singles_merge(struct buddy *b)
{
    bool any = b->nsingles;

    while (b->nsingles)
        block_put(b, b->single[--b->nsingles], 0);
    return any;
}

void buddy_free(struct buddy *b, exo_fn_t fn, uint64_t count)
{
    b->nfree += count;
    if (count == 1 && b->nsingles < BUDDY_SINGLES)
        b->single[b->nsingles++] = fn;
    else
        range_put(b, fn, count);
}

// The free block that fn lies in, by its first frame and order.
static bool block_of(const struct buddy *b, exo_fn_t fn, exo_fn_t *head, unsigned *order)
{
    for (*order = 0; *order < BUDDY_ORDERS; ++*order) {
        *head = fn & ~((1ull << *order) - 1);
        if (is_head(b, *head, *order))
            return true;
    }
    return false;
}

bool buddy_take(struct buddy *b, exo_fn_t fn, uint64_t count)
{
    exo_fn_t head, end = fn + count;
    unsigned order;

    if (!count || fn >= b->frames || count > b->frames - fn)
        return false;
    singles_merge(b);
    for (exo_fn_t at = fn; at < end; at = head + (1ull << order))
        if (!block_of(b, at, &head, &order))
            return false;
    for (exo_fn_t at = fn, next; at < end; at = next) {
        block_of(b, at, &head, &order);
        next = head + (1ull << order);
        block_remove(b, head);
        range_put(b, head, at - head);
        if (next > end)
            range_put(b, end, next - end);
    }
    b->nfree -= count;
    return true;
}

// The first of as many adjacent largest blocks as `count` needs.
static bool find_long(const struct buddy *b, uint64_t count, exo_fn_t *fn)
{
    const uint64_t top = 1ull << (BUDDY_ORDERS - 1);
    uint64_t found = 0;

    for (exo_fn_t at = 0; at < b->frames; at += top) {
        found = is_head(b, at, BUDDY_ORDERS - 1) ? found + top : 0;
        *fn = at + top - found;
        if (found >= count)
            return true;
    }
    return false;
}

// NOLINTNEXTLINE(misc-no-recursion): the singles are merged once
bool buddy_alloc(struct buddy *b, uint64_t count, uint64_t align, exo_fn_t *fn)
{
    uint64_t want = count > align ? count : align;
    unsigned k = 0;

    if (!count || count > b->nfree)
        return false;
    if (want == 1 && b->nsingles) {
        *fn = b->single[--b->nsingles];
        b->nfree--;
        return true;
    }
    if (want > 1ull << (BUDDY_ORDERS - 1)) {
        singles_merge(b);
        return find_long(b, count, fn) && buddy_take(b, *fn, count);
    }
    while (k < BUDDY_ORDERS && (1ull << k < want || LIST_EMPTY(&b->free[k])))
        k++;
    if (k == BUDDY_ORDERS)
        return singles_merge(b) && buddy_alloc(b, count, align, fn);
    *fn = (exo_fn_t)(LIST_FIRST(&b->free[k]) - b->table);
    block_remove(b, *fn);
    range_put(b, *fn + count, (1ull << k) - count);
    b->nfree -= count;
    return true;
}

const char *buddy_check(const struct buddy *b)
{
    uint64_t sum = b->nsingles;
    const struct frame *f;

    for (unsigned k = 0; k < BUDDY_ORDERS; k++) {

        LIST_FOREACH (f, &b->free[k], link) {
            exo_fn_t fn = (exo_fn_t)(f - b->table);

            if (fn >= b->frames || f->rank != k + 1 || fn & ((1ull << k) - 1))
                return "a block on a free list is not of its order";
            if (k < BUDDY_ORDERS - 1 && is_head(b, fn ^ 1ull << k, k))
                return "two free buddies are not merged";
            sum += 1ull << k;
            if (sum > b->nfree)
                return "more free frames than counted";
        }
    }
    return sum == b->nfree ? NULL : "fewer free frames than counted";
}
