// SPDX-License-Identifier: MIT
// A cloned environment: copy-on-write both ways, copies, shared pages, dropped pages, windows
// mapped again; a grandchild after the child has written; a thousand pages cloned in several calls;
// every frame comes back.
#include "child.h"

#define DATA   0x300000000ull
#define WINDOW 0x310000000ull
#define MANY   1200u

static exo_handle_t frames;
static volatile uint64_t variable = 1;

static void grandchild(void *arg)
{
    (void)arg;
    exo_env_exit(variable == 2 && *(volatile uint64_t *)(DATA + PAGES(7)) == 70 ? 5 : 6);
}

static void first(void *arg)
{
    volatile uint64_t *shared = (uint64_t *)SHARED;
    struct child c;
    unsigned bad = 0;

    for (unsigned i = 0; i < MANY; i++)
        bad += *(volatile uint64_t *)(DATA + PAGES(i)) != i;
    bad += variable != 1 || arg != (void *)42;
    variable = 2; // ours alone
    for (unsigned i = 0; i < 16; i++)
        *(volatile uint64_t *)(DATA + PAGES(i)) = i * 10;
    bad += cow_faults < 16;
    bad += *(volatile uint64_t *)WINDOW != 17; // the window is here too, and writable
    *(volatile uint64_t *)(WINDOW + 8) = 18;
    shared[1] = bad;
    must(buy(CURSOR, 1, RW) == 1); // was dropped
    child_start(&c, grandchild, 0);
    shared[2] = child_end(&c);
    exo_env_exit(bad);
}

void test_main(void)
{
    volatile uint64_t *shared = (uint64_t *)SHARED;
    struct child c;

    upcalls_to(cow_handler);
    is(buy(CURSOR, 1, RW), 1);
    is(buy(SHARED, 1, RW), 1);
    for (unsigned at = 0; at < MANY; at += 400)
        is(buy(DATA + PAGES(at), 400, RW), 1);
    for (unsigned i = 0; i < MANY; i++)
        *(volatile uint64_t *)(DATA + PAGES(i)) = i;
    frames = (exo_handle_t)exo_frames_alloc(boot->bank, 1, 0, 0);
    is(map(0, frames, WINDOW, 0, 1, RW), 1);
    *(volatile uint64_t *)WINDOW = 17;
    child_start(&c, first, (void *)42);
    *(volatile uint64_t *)(DATA + PAGES(1)) = 999; // after the clone: the child must not see it
    is(child_end(&c), 0);
    is(shared[1], 0);
    is(shared[2], 5);
    is(variable, 1);
    is(*(volatile uint64_t *)(WINDOW + 8), 18);
    is(*(volatile uint64_t *)(DATA + PAGES(7)), 7);
    is(*(volatile uint64_t *)(DATA + PAGES(1)), 999);
    for (unsigned i = 0; i < MANY; i++)
        *(volatile uint64_t *)(DATA + PAGES(i)) = 1; // all ours again: nothing is copied
    is(other_faults, 0);
    is(exo_cap_delete(frames), 0);
    for (unsigned at = 0; at < MANY; at += 400)
        is(unmap(DATA + PAGES(at), 400), 1);
    is(unmap(CURSOR, 1), 1);
    is(unmap(SHARED, 1), 1);
}
