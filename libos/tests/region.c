// SPDX-License-Identifier: MIT
//
// The region tree against a naive model: an array with one tag per page. After every random
// operation both must agree on every page, on the total, and on what is free; placement must find
// room whenever the model has any.
#include <mem/mem.h>
#include "check.h"

#define PAGES 96u
#define BASE  (APP_MAP_TOP - PAGES * PAGE)

static uint8_t model[PAGES]; // 0: free, else prot + 1
static unsigned live_nodes;

void *heap_alloc(size_t size)
{
    live_nodes++;
    return calloc(1, size);
}

void heap_free(void *p)
{
    live_nodes -= p != NULL;
    free(p);
}

void region_windows_drop(struct region *r)
{
    CHECK(!r->parts);
}

static uint64_t va(unsigned page)
{
    return BASE + page * PAGE;
}

static void compare(void)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        const struct region *r = region_find(va(i));
        CHECK((r != NULL) == (model[i] != 0));
        if (r)
            CHECK(r->prot + 1 == model[i]);
        if (r)
            CHECK(r->low >= r->start && r->high <= r->end && r->low <= r->high);
        total += model[i] ? PAGE : 0;
    }
    CHECK(total == region_total());
    for (struct region *r = region_first(); r && region_next(r); r = region_next(r)) {
        const struct region *n = region_next(r);
        CHECK(r->end <= n->start);
        CHECK(r->end < n->start || r->prot != n->prot); // equal neighbours are one
    }
}

static unsigned model_free(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        if (model[i])
            return 0;
    return 1;
}

static void insert(unsigned first, unsigned n, uint32_t prot)
{
    struct region *r, like = {.start = va(first), .end = va(first + n), .prot = prot};
    CHECK(region_insert(&like, &r) == 0);
    region_touch(r, r->start, r->end);
    region_merge(r);
    for (unsigned i = first; i < first + n; i++)
        model[i] = (uint8_t)(prot + 1);
}

// As mem_unmap does it.
static void remove_range(uint64_t start, uint64_t end)
{
    struct region *r = region_at_or_after(start);
    while (r && r->start < end) {
        if (r->start < start)
            r = region_split(r, start);
        if (r->end > end)
            CHECK(region_split(r, end) != NULL);
        struct region *next = region_next(r);
        region_remove(r);
        r = next;
    }
}

static void place(unsigned n, uint64_t align)
{
    uint64_t at = region_place(n * PAGE, align, 0, APP_MAP_TOP);
    unsigned best = PAGES;
    for (unsigned i = 0; i + n <= PAGES; i++)
        if (model_free(i, n) && va(i) % align == 0)
            best = i; // the highest
    CHECK(at != 0);
    if (best == PAGES)
        CHECK(at < BASE); // not within what the model knows
    else
        CHECK(at == va(best));
}

static void random_steps(uint64_t seed, unsigned steps)
{
    for (unsigned s = 0; s < steps; s++) {
        uint64_t x = random_next(&seed);
        unsigned first = (unsigned)(x >> 8) % PAGES, n = 1 + (unsigned)(x >> 24) % 12;
        if (first + n > PAGES)
            n = PAGES - first;
        if (x % 4 == 0 && model_free(first, n)) {
            insert(first, n, (uint32_t)(x >> 40) % 3);
        } else if (x % 4 == 1) {
            remove_range(va(first), va(first + n));
            for (unsigned i = first; i < first + n; i++)
                model[i] = 0;
        } else if (x % 4 == 2) {
            place(n, PAGE);
        } else {
            place(n, 4 * PAGE);
        }
        compare();
    }
}

static void mapping_where_placed(void)
{
    for (unsigned i = 0; i < 32; i++) {
        uint64_t at = region_place(3 * PAGE, PAGE, 0, APP_MAP_TOP);
        CHECK(at && region_free_range(at, at + 3 * PAGE));
        struct region like = {.start = at, .end = at + 3 * PAGE, .prot = i & 1};
        CHECK(region_insert(&like, NULL) == 0);
    }
    CHECK(region_place(1ull << 48, PAGE, 0, APP_MAP_TOP) == 0);
    uint64_t at = region_place(PART_SIZE, PART_SIZE, 5 * PAGE, APP_MAP_TOP);
    CHECK(at % PART_SIZE == 5 * PAGE);
}

int main(void)
{
    random_steps(0x9e3779b97f4a7c15ull, 20000);
    remove_range(BASE, APP_MAP_TOP);
    CHECK(region_total() == 0 && !region_first() && live_nodes == 0);
    mapping_where_placed();
    remove_range(0, APP_MAP_TOP);
    CHECK(live_nodes == 0);
    return passed();
}
