// SPDX-License-Identifier: MIT
// Banks: one whose creator exits first, one destroyed with live environments in it, one emptied by
// a hog that harms no one else; sharing across a destroyed bank.
#include "child.h"

#define DATA 0x300000000ull

static exo_handle_t bank;

static uint64_t bank_used(exo_handle_t handle)
{
    struct exo_cap_info info = {.size = sizeof(info)};

    return exo_cap_identify(handle, &info) ? ~0ull : info.used;
}

// Splits a bank, buys from it, hands the bank to nobody, and exits: what it bought for others
// stays.
static void creator(void *arg)
{
    volatile uint64_t *shared = (uint64_t *)SHARED;
    exo_handle_t mine = (exo_handle_t)exo_bank_split(boot->bank, 200);
    struct exo_map_op op = {EXO_OP_BUY, 4, SHARED + PAGES(4), 0, 0, RW, 0};
    exo_handle_t env = (exo_handle_t)(uint64_t)arg;
    int64_t frames;

    must(exo_aspace_batch(shared[0], mine, &op, 1) == 1); // into the parent's address space
    frames = exo_frames_alloc(mine, 8, 0, 0);
    shared[1] = (uint64_t)exo_cap_copy((exo_handle_t)frames, RW, env, 0);
    shared[2] = (int64_t)mine > 0 && frames > 0;
    exo_env_exit(0);
}

static void creator_first(void)
{
    volatile uint64_t *shared = (uint64_t *)SHARED;
    struct child c;

    shared[0] = boot->aspace;
    child_start(&c, creator, (void *)boot->env);
    is(child_end(&c), 0);
    is(shared[2], 1);
    *(volatile uint64_t *)(SHARED + PAGES(4)) = 7; // bought by the dead
    is(map(0, shared[1], DATA, 0, 8, RW), 1);
    *(volatile uint64_t *)DATA = 8;
    is(exo_cap_delete(shared[1]), 0);
    is(unmap(SHARED + PAGES(4), 4), 1);
}

static void hog(void *arg)
{
    uint64_t va = 0x700000000ull;
    struct exo_map_op op = {EXO_OP_BUY, 16, va, 0, 0, RW, 0};

    (void)arg;
    for (; op.count; op.count /= 2)
        while (exo_aspace_batch(0, bank, &op, 1) == 1)
            op.va += PAGES(16);
    ((volatile uint64_t *)SHARED)[3] = 1;
    for (;;)
        ((volatile uint64_t *)SHARED)[4]++;
}

// An environment wholly of a bank of its own, killed by destroying the bank while it runs.
static void destroyed_alive(void)
{
    volatile uint64_t *shared = (uint64_t *)SHARED;
    uint64_t count, used;
    struct child c;
    int64_t r;

    exo_wait(0, 0, now() + 20000000); // idle time: what the dead left comes back
    used = bank_used(boot->bank);
    bank = (exo_handle_t)exo_bank_split(boot->bank, 600);
    is(exo_bank_destroy(boot->bank), -EXO_EINVAL);
    child_start(&c, hog, 0);
    while (!shared[3])
        exo_wait(0, 0, now() + 1000000);
    is(exo_frames_alloc(bank, 1, 0, 0), -EXO_ENOMEM); // it took all of its bank, and nothing else
    ok(exo_frames_alloc(bank, 600, 0, 0) == -EXO_ENOMEM && EXO_INFO->frames_free > 1000);
    while ((r = exo_bank_destroy(bank)) == -EXO_EAGAIN)
        ;
    is(r, 0);
    is(exo_bank_destroy(bank), -EXO_EBADHANDLE);
    // The environment itself was not of that bank: it lost its pages, and goes on with what it has.
    count = shared[4];
    exo_wait(0, 0, now() + 20000000);
    ok(shared[4] != count);
    exo_env_kill(c.env, 0, 0);
    child_end(&c);
    exo_wait(0, 0, now() + 20000000);
    is(bank_used(boot->bank), used);
}

static void spin(void *arg)
{
    for (;;)
        ++*(volatile uint64_t *)arg;
}

static void environment_of_the_bank(void)
{
    volatile uint64_t *shared = (uint64_t *)SHARED;
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    struct exo_region all = {EXO_USER_BASE, CURSOR, EXO_CLONE_COPY, 0};
    struct exo_region share = {SHARED, SHARED + PAGES(1), EXO_CLONE_SHARE, 0};
    struct exo_map_op stack = {EXO_OP_BUY, 1, DATA, 0, 0, RW, 0};
    exo_handle_t own = (exo_handle_t)exo_bank_split(boot->bank, 2000), as, env, block;
    volatile uint64_t *cursor = (uint64_t *)CURSOR;
    uint64_t count;
    int64_t r;

    as = (exo_handle_t)exo_aspace_create(own);
    env = (exo_handle_t)exo_env_create(own, as, 0, 0);
    block = (exo_handle_t)exo_frames_alloc(own, 2, 0, 0);
    *cursor = 0;
    is(exo_aspace_clone(as, own, &all, 1, cursor), 0);
    *cursor = 0;
    is(exo_aspace_clone(as, own, &share, 1, cursor), 0);
    is(exo_aspace_batch(as, own, &stack, 1), 1);
    is(exo_cap_copy(boot->bank, EXO_R_READ, env, 0) > 0, 1);
    is(exo_ctx_create(env, own, block, EXO_BOOT_CTX_VA), 0);
    // Its text is the boot module's, a window of the kernel's making: map the same frames.
    regs.gpr.rip = (uint64_t)spin;
    regs.gpr.rdi = SHARED + 40;
    regs.gpr.rsp = DATA + 4088;
    is(exo_ctx_set(env, 0, &regs), 0);
    is(exo_ctx_bind(env, 0, boot->slice), 0);
    exo_wait(0, 0, now() + 30000000);
    ok(shared[5] != 0);
    while ((r = exo_bank_destroy(own)) == -EXO_EAGAIN)
        ;
    is(r, 0);
    count = shared[5];
    exo_wait(0, 0, now() + 30000000);
    is(shared[5], count);
    is(exo_cap_delete(env), -EXO_EBADHANDLE);
    is(exo_cap_delete(as), -EXO_EBADHANDLE);
    is(exo_cap_delete(block), -EXO_EBADHANDLE);
}

void test_main(void)
{
    upcalls_to(cow_handler);
    is(buy(CURSOR, 1, RW), 1);
    is(buy(SHARED, 1, RW), 1);
    creator_first();
    destroyed_alive();
    environment_of_the_bank();
    is(unmap(CURSOR, 1), 1);
    is(unmap(SHARED, 1), 1);
}
