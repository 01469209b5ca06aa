// SPDX-License-Identifier: MIT
// The buddy allocator against a naive model: a byte per frame. Runs of any length, aligned ones,
// wanted places.
#include "machine.h"

#define FRAMES 5000 // not a multiple of the largest block
#define RUNS   200

static struct frame table[FRAMES];
static uint8_t taken[FRAMES];
static struct {
    exo_fn_t at;
    uint64_t count;
} runs[RUNS];
static unsigned nruns;

static uint64_t pick(uint64_t n)
{
    return (uint64_t)rand() % n;
}

static bool model_free(exo_fn_t at, uint64_t count)
{
    for (exo_fn_t i = at; i < at + count; i++)
        if (i >= FRAMES || taken[i])
            return false;
    return true;
}

// Whether some run is free, which the allocator must find when it is a block of its own kind.
static bool model_block(uint64_t count, uint64_t align)
{
    uint64_t size = 1;

    while (size < count || size < align)
        size *= 2;
    for (exo_fn_t at = 0; size <= 1024 && at + size <= FRAMES; at += size)
        if (model_free(at, size))
            return true;
    return false;
}

static void take(struct buddy *b)
{
    uint64_t count = pick(20) ? 1 + pick(40) : 1 + pick(3000), align = 1u << pick(10);
    exo_fn_t at = pick(FRAMES + 50);
    bool found;

    if (pick(3) == 0) {
        found = buddy_take(b, at, count);
        CHECK(found == model_free(at, count));
    } else {
        if (count > 1024)
            align = 1;
        found = buddy_alloc(b, count, align, &at);
        CHECK(found || !model_block(count, align));
        CHECK(!found || (model_free(at, count) && at % align == 0));
    }
    if (!found)
        return;
    memset(taken + at, 1, count);
    runs[nruns].at = at;
    runs[nruns++].count = count;
}

// Gives a part of a run back.
static void give(struct buddy *b)
{
    unsigned i = (unsigned)pick(nruns);
    uint64_t part = 1 + pick(runs[i].count);

    buddy_free(b, runs[i].at, part);
    memset(taken + runs[i].at, 0, part);
    runs[i].at += part;
    runs[i].count -= part;
    if (!runs[i].count)
        runs[i] = runs[--nruns];
}

int main(int argc, char **argv)
{
    struct buddy b;
    uint64_t free = FRAMES;
    int steps = argc > 1 ? atoi(argv[1]) : 100000;

    srand(argc > 2 ? (unsigned)atoi(argv[2]) : 1);
    buddy_init(&b, table, FRAMES);
    buddy_free(&b, 0, FRAMES);
    for (int n = 0; n < steps; n++) {
        if (nruns < RUNS && (nruns == 0 || pick(2)))
            take(&b);
        else
            give(&b);
        if (n % 16)
            continue;
        CHECK(buddy_check(&b) == NULL);
        free = FRAMES;
        for (int i = 0; i < FRAMES; i++)
            free -= taken[i];
        CHECK(free == b.nfree);
    }
    return 0;
}
