// SPDX-License-Identifier: MIT
// Page tables that a clone shares as a whole: what either side writes, unmaps or protects the other
// does not see; a part costs a frame, and without one nothing changes; the last one has the table
// back as it was; the bank that paid for it may be destroyed; nobody else can write through it.
#include "child.h"

#define TABLES 4u
#define AREA   0x400000000ull // whole tables
#define ENTRY  512u
#define LITTLE 0x500000000ull // too few pages to be shared
#define ALL    (TABLES * ENTRY)

static volatile uint64_t *const shared = (uint64_t *)SHARED;

static uint64_t *at(unsigned page)
{
    return (uint64_t *)(AREA + PAGES(page));
}

static unsigned wrong(unsigned from, unsigned to, uint64_t plus)
{
    unsigned bad = 0;

    for (unsigned i = from; i < to; i++)
        bad += *(volatile uint64_t *)at(i) != i + plus;
    return bad;
}

static uint64_t used(exo_handle_t bank)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};

    must(exo_cap_identify(bank, &info) == 0);
    return info.used;
}

static void fill(void)
{
    for (unsigned t = 0; t < TABLES; t++)
        is(buy(AREA + PAGES(t * ENTRY), ENTRY, RW), 1);
    for (unsigned i = 0; i < ALL; i++)
        *(volatile uint64_t *)at(i) = i;
}

static void grandchild(void *arg)
{
    uint64_t bad = wrong(0, ENTRY, 1) + wrong(ENTRY, ALL, 0);

    (void)arg;
    *(volatile uint64_t *)at(ENTRY) = 77;
    exo_env_exit(bad);
}

static void changes(void *arg)
{
    struct child c;
    uint64_t bad = wrong(0, ALL, 0);

    (void)arg;
    for (unsigned i = 0; i < ENTRY; i++) // all of the first table
        *(volatile uint64_t *)at(i) = i + 1;
    must(buy(CURSOR, 1, RW) == 1); // was dropped
    child_start(&c, grandchild, 0);
    bad += child_end(&c);
    bad += wrong(0, ENTRY, 1) + wrong(ENTRY, ALL, 0);
    must(unmap(AREA + PAGES(ENTRY + 7), 3) == 1); // a part
    must(batch(EXO_OP_PROTECT, AREA + PAGES(2 * ENTRY), ENTRY, EXO_R_READ, 0, 0, 0) == 1);
    must(unmap(AREA + PAGES(3 * ENTRY), ENTRY) == 1); // one as a whole
    must(buy(AREA + PAGES(ENTRY + 8), 1, RW) == 1);
    bad += *(volatile uint64_t *)at(ENTRY + 8) != 0;
    bad += wrong(ENTRY, ENTRY + 7, 0) + wrong(ENTRY + 10, 3 * ENTRY, 0);
    must(batch(EXO_OP_MOVE, AREA + PAGES(3 * ENTRY + 5), 2, 0, 0, AREA + PAGES(ENTRY), 0) == 1);
    bad += *(volatile uint64_t *)at(3 * ENTRY + 6) != ENTRY + 1;
    exo_env_exit(bad);
}

static void sides(void)
{
    struct child c;
    uint64_t before, faults;

    child_start(&c, changes, 0);
    *(volatile uint64_t *)at(ENTRY + 1) = 999; // the child must not see it
    is(child_end(&c), 0);
    is(*(volatile uint64_t *)at(ENTRY + 1), 999);
    *(volatile uint64_t *)at(ENTRY + 1) = ENTRY + 1;
    is(wrong(0, ALL, 0), 0);
    is(other_faults, 0);
    exo_wait(0, 0, now() + 20000000); // idle time for work that was put off
    faults = cow_faults;
    before = used(boot->bank);
    for (unsigned i = 0; i < ENTRY; i++) // nobody shares it any more
        *(volatile uint64_t *)at(i + 3 * ENTRY) = i + 3 * ENTRY;
    ok(cow_faults - faults == 1 && used(boot->bank) == before);
}

static void waits(void *arg)
{
    (void)arg;
    while (!shared[0])
        exo_wait(0, 0, now() + 100000);
    exo_env_exit(wrong(0, ALL, 0));
}

// The parent drops, changes and buys while the child holds.
static void parent_changes(void)
{
    struct child c;
    uint64_t word = 1, before = used(boot->bank);

    shared[0] = 0;
    child_start(&c, waits, 0);
    ok(used(boot->bank) - before < 60); // two stacks and the like: none for the area
    is(exo_env_memory(c.env, (uint64_t)at(3), &word, 8, 1), -EXO_EFAULT);
    is(exo_env_memory(0, (uint64_t)at(3), &word, 8, 1), -EXO_EFAULT);
    is(unmap(AREA, ENTRY), 1);
    is(buy(AREA, ENTRY, RW), 1);
    is(wrong(0, 1, 0), 0);
    for (unsigned i = ENTRY; i < ALL; i += 3)
        *(volatile uint64_t *)at(i) = 5;
    shared[0] = 1;
    is(child_end(&c), 0);
    is(unmap(AREA, ENTRY), 1);
    for (unsigned t = 1; t < TABLES; t++)
        is(unmap(AREA + PAGES(t * ENTRY), ENTRY), 1);
    fill();
}

// Operations on a clone's address space with a bank that has nothing to sell.
static void no_frames(void)
{
    struct child c;
    exo_handle_t empty = (exo_handle_t)exo_bank_split(boot->bank, 0);
    struct exo_map_op part = {.kind = EXO_OP_UNMAP, .count = 3, .va = AREA + PAGES(5)};
    struct exo_map_op rights = {.kind = EXO_OP_PROTECT, .count = ENTRY, .va = AREA, .rights = 1};
    struct exo_map_op breaks = {.kind = EXO_OP_COW_BREAK, .count = 1, .va = AREA};
    struct exo_map_op moves = {
        .kind = EXO_OP_MOVE, .count = 1, .va = LITTLE + PAGES(100), .first = AREA};
    struct exo_map_op whole = {.kind = EXO_OP_UNMAP, .count = ENTRY, .va = AREA + PAGES(ENTRY)};

    shared[0] = 0;
    child_start(&c, waits, 0);
    is(exo_aspace_batch(c.aspace, empty, &part, 1), -EXO_ENOMEM);
    is(exo_aspace_batch(c.aspace, 0, &part, 1), -EXO_ENOMEM);
    is(exo_aspace_batch(c.aspace, empty, &rights, 1), -EXO_ENOMEM);
    is(exo_aspace_batch(c.aspace, empty, &breaks, 1), -EXO_ENOMEM);
    is(exo_aspace_batch(c.aspace, empty, &moves, 1), -EXO_ENOMEM);
    is(exo_aspace_batch(0, empty, &part, 1), -EXO_ENOMEM);
    is(wrong(0, ALL, 0), 0);
    is(exo_aspace_batch(0, 0, &whole, 1), 1); // the whole needs none
    shared[0] = 1;
    is(child_end(&c), 0);
    is(buy(AREA + PAGES(ENTRY), ENTRY, RW), 1);
    for (unsigned i = ENTRY; i < 2 * ENTRY; i++)
        *(volatile uint64_t *)at(i) = i;
    is(exo_cap_delete(empty), 0);
}

// A table and its pages of a bank that ends while a clone shares them.
static void bank_ends(void)
{
    struct child c;
    exo_handle_t bank = (exo_handle_t)exo_bank_split(boot->bank, 600);
    struct exo_map_op op = {.kind = EXO_OP_BUY, .count = ENTRY, .va = AREA, .rights = RW};
    int64_t r;

    is(unmap(AREA, ENTRY), 1);
    is(exo_aspace_batch(0, bank, &op, 1), 1);
    for (unsigned i = 0; i < ENTRY; i++)
        *(volatile uint64_t *)at(i) = i;
    shared[0] = 0;
    child_start(&c, waits, 0);
    while ((r = exo_bank_destroy(bank)) == -EXO_EAGAIN)
        ;
    is(r, 0);
    is(wrong(0, ALL, 0), 0);
    *(volatile uint64_t *)at(9) = 10;
    shared[0] = 1;
    is(child_end(&c), 0);
    *(volatile uint64_t *)at(9) = 9;
    is(wrong(0, ALL, 0), 0);
}

void test_main(void)
{
    upcalls_to(cow_handler);
    is(buy(CURSOR, 1, RW), 1);
    is(buy(SHARED, 1, RW), 1);
    is(buy(LITTLE, 8, RW), 1);
    fill();
    sides();
    parent_changes();
    no_frames();
    bank_ends();
    for (unsigned t = 0; t < TABLES; t++)
        is(unmap(AREA + PAGES(t * ENTRY), ENTRY), 1);
    is(unmap(LITTLE, 8), 1);
    is(unmap(CURSOR, 1), 1);
    is(unmap(SHARED, 1), 1);
}
