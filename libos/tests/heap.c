// SPDX-License-Identifier: MIT
//
// The heap under random use: blocks are zeroed, aligned, never overlap (each keeps a pattern),
// survive resizing, and freed pages are found again: the heap stops growing when what lives does.
#include <core/heap.h>
#include "check.h"

#define ARENA_PAGES 4096u
#define BLOCKS      300u

static uint8_t arena[ARENA_PAGES * EXO_PAGE_SIZE] __attribute__((aligned(4096)));
static uint64_t used, limit = ARENA_PAGES;

void *heap_more(uint64_t pages)
{
    if (used + pages > limit)
        return NULL;
    void *p = arena + used * EXO_PAGE_SIZE;
    used += pages;
    return p;
}

void heap_broken(const void *p)
{
    printf("not ok - broken block %p\n", p);
    exit(1);
}

static struct {
    uint8_t *p;
    size_t n;
    uint8_t pattern;
} block[BLOCKS];

static void fill(unsigned i)
{
    for (size_t k = 0; k < block[i].n; k++)
        block[i].p[k] = block[i].pattern;
}

static void verify(unsigned i, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (block[i].p[k] != block[i].pattern)
            CHECK(!"the pattern stays");
}

static void step(uint64_t x)
{
    unsigned i = (unsigned)(x >> 8) % BLOCKS;
    size_t n = x % 16 ? (size_t)(x >> 20) % 3000 : (size_t)(x >> 20) % 40000;
    if (!block[i].p) {
        block[i].p = heap_alloc(n);
        CHECK(block[i].p != NULL && (uintptr_t)block[i].p % 16 == 0);
        block[i].n = n;
        for (size_t k = 0; k < n; k++)
            if (block[i].p[k])
                CHECK(!"zeroed");
        block[i].pattern = (uint8_t)(x >> 56) | 1;
    } else if (x % 3 == 0) {
        size_t old = block[i].n;
        verify(i, old);
        block[i].p = heap_resize(block[i].p, old, n);
        CHECK(block[i].p != NULL);
        verify(i, old < n ? old : n);
        for (size_t k = old; k < n; k++)
            if (block[i].p[k])
                CHECK(!"the new part is zeroed");
        block[i].n = n;
    } else {
        verify(i, block[i].n);
        heap_free(block[i].p);
        block[i].p = NULL;
        return;
    }
    fill(i);
}

int main(void)
{
    uint64_t seed = 88172645463325252ull, after_warm_up = 0;
    for (unsigned s = 0; s < 200000; s++) {
        step(random_next(&seed));
        if (s == 50000)
            after_warm_up = used;
    }
    CHECK(used < after_warm_up * 3 / 2); // no leak of pages
    for (unsigned i = 0; i < BLOCKS; i++)
        heap_free(block[i].p);
    uint64_t before = used;
    void *big = heap_alloc(used * EXO_PAGE_SIZE / 3);
    CHECK(big != NULL && used == before); // runs were joined
    limit = used;
    CHECK(heap_alloc(limit * EXO_PAGE_SIZE) == NULL);
    CHECK(heap_alloc(UINT64_MAX - 4) == NULL);
    heap_free(NULL);
    return passed();
}
