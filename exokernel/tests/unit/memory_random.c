// SPDX-License-Identifier: MIT
//
// Random calls of three environments that share capabilities, with hostile arguments among them.
// After every call the TLB must not remember more than is true; every few calls the kernel's own
// checker must find nothing; when all have died, every frame is free.
//
//     memory_random CALLS SEED

#include "machine.h"

#define FRAMES 6144
#define BASE   0x40000000ull // of the pages played with: four directory entries
#define CURSOR 0x10000000ull

static uint64_t pick(uint64_t n)
{
    return n ? ((uint64_t)rand() << 20 ^ (uint64_t)rand()) % n : 0;
}

static exo_handle_t some_cap(enum exo_cap_type type)
{
    struct cspace *cs = &current->caps;
    uint32_t size = cspace_size(cs), start = (uint32_t)pick(size);

    if (pick(64) == 0)
        return pick(1ull << 40);
    for (uint32_t i = 0; i < size; i++) {
        const struct cap_slot *slot = cspace_slot(cs, 1 + (start + i) % (size - 1));

        if (slot->type && (!type || slot->type == type))
            return cspace_handle(slot);
    }
    return 0;
}

static uint64_t some_va(void)
{
    static const uint64_t odd[] = {0,     1,     EXO_USER_END - 4096, EXO_USER_END,
                                   ~0ull, 0xfff, EXO_LIBOS_BASE};

    if (pick(100) == 0)
        return odd[pick(7)];
    return BASE + (pick(3) ? pick(2048) << 12 : pick(4) << 21);
}

static uint32_t some_count(uint32_t most)
{
    return (uint32_t)(pick(4) ? 1 + pick(8) : pick(2) ? most : pick(most + 2));
}

// A slot of this type that has a window, or any.
static const struct cap_slot *some_window(void)
{
    struct cspace *cs = &current->caps;

    for (uint32_t i = 0; i < 50; i++) {
        const struct cap_slot *slot = cspace_slot(cs, 1 + (uint32_t)pick(cspace_size(cs) - 1));

        if (slot->type && slot->wkind)
            return slot;
    }
    return NULL;
}

// Whole segments, and windows mapped again or made longer.
static struct exo_map_op some_mapping(void)
{
    const struct cap_slot *slot = some_window();
    uint64_t shift = pick(8);
    struct exo_map_op op = {.kind = EXO_OP_MAP, .rights = pick(2) ? 3 : 1};

    if (slot && pick(3)) {
        op.cap = cspace_handle(slot);
        op.va = slot->window.va + (shift << 12);
        op.first = slot->window.first + shift;
        op.count = some_count(slot->type == EXO_CAP_SEGMENT ? 512 : 8);
        op.flags = pick(4) == 0;
        return op;
    }
    op.cap = some_cap(EXO_CAP_SEGMENT);
    op.va = BASE + (pick(4) << 21);
    op.count = 512;
    return op;
}

static int64_t do_batch(void)
{
    struct exo_map_op ops[4];
    uint64_t n = 1 + pick(3);

    for (uint64_t i = 0; i < n; i++) {
        ops[i] = (struct exo_map_op){.kind = (uint32_t)pick(6) + (pick(200) == 0),
                                     .count = some_count(512),
                                     .va = some_va(),
                                     .cap = some_cap(pick(2) ? EXO_CAP_SEGMENT : EXO_CAP_FRAMES),
                                     .first = pick(2) ? 0 : pick(16),
                                     .rights = pick(3) ? 3 : (uint32_t)pick(16),
                                     .flags = pick(2) ? 0 : (uint32_t)pick(4)};
        if (pick(8) == 0)
            ops[i].rights = EXO_R_READ | EXO_R_EXEC;
        if (pick(5) == 0)
            ops[i] = some_mapping();
        if (ops[i].kind == EXO_OP_MOVE)
            ops[i].first = some_va();
    }
    return sys_aspace_batch(pick(4) ? 0 : some_cap(EXO_CAP_ASPACE), some_cap(EXO_CAP_BANK),
                            (uaddr_t)ops, n);
}

static int64_t do_clone(void)
{
    struct exo_region r[3];
    uint64_t n = 1 + pick(3);

    for (uint64_t i = 0; i < n; i++) {
        uint64_t a = some_va(), b = some_va();

        r[i] = (struct exo_region){a < b ? a : b, a < b ? b : a, (uint32_t)pick(4), 0};
    }
    if (pick(2))
        byte_write(CURSOR, 0), byte_write(CURSOR + 4, 0);
    if (user_range(CURSOR, 8) && byte_read(CURSOR) < 0) {
        struct exo_map_op op = {EXO_OP_BUY, 1, CURSOR, 0, 0, 3, 0};

        sys_aspace_batch(0, some_cap(EXO_CAP_BANK), (uaddr_t)&op, 1);
    }
    return sys_aspace_clone(some_cap(EXO_CAP_ASPACE), some_cap(EXO_CAP_BANK), (uaddr_t)r, n,
                            CURSOR);
}

static int64_t do_table(void)
{
    uint64_t skips[4], cursor = pick(3) ? 0 : pick(200);

    for (int i = 0; i < 4; i++)
        skips[i] = some_cap(EXO_CAP_NONE);
    return sys_cap_clone_table(some_cap(EXO_CAP_ENV), (uaddr_t)skips, pick(5), (uaddr_t)&cursor,
                               pick(4) == 0);
}

static int64_t do_segment(void)
{
    uint64_t bits[8], index = pick(2) ? pick(512) : pick(8) * 64, count = some_count(512);
    exo_handle_t seg = some_cap(EXO_CAP_SEGMENT);

    if (index + count > 512 && pick(16))
        count = 512 - index;
    switch (pick(5)) {
    case 0:
        return sys_segment_create(some_cap(EXO_CAP_BANK));
    case 1:
    case 2:
        return sys_segment_fill(seg, pick(2) ? pick(16) : index, some_cap(EXO_CAP_FRAMES), pick(2),
                                count | (pick(4) ? 3 : pick(32)) << 32);
    case 3:
        return pick(2) ? sys_segment_clear(seg, index, count)
                       : sys_segment_clear(seg, 0, 16 + pick(497));
    default:
        return sys_segment_harvest(seg, index, count & ~63ull, (uaddr_t)bits);
    }
}

static int64_t do_cap(void)
{
    struct exo_cap_info info;
    exo_handle_t cap = some_cap(EXO_CAP_NONE);
    uint64_t rights = pick(2) ? EXO_R_READ | EXO_R_WRITE : pick(2) ? EXO_R_READ : pick(2048);

    switch (pick(6)) {
    case 0:
        return sys_cap_derive(cap, rights, 0, 0, 0);
    case 1:
        return sys_cap_copy(cap, rights, some_cap(EXO_CAP_ENV), pick(3) ? 0 : pick(3000));
    case 2:
        return sys_cap_copy(some_cap(EXO_CAP_FRAMES), 3, some_cap(EXO_CAP_ENV), 0);
    case 3:
        return sys_cap_delete(some_cap(pick(4) ? EXO_CAP_FRAMES : EXO_CAP_NONE));
    case 4:
        return sys_cap_revoke(some_cap(pick(2) ? EXO_CAP_FRAMES : EXO_CAP_SEGMENT));
    default:
        return sys_cap_identify(cap, (uaddr_t)&info);
    }
}

static int64_t do_bank(void)
{
    exo_handle_t bank = some_cap(EXO_CAP_BANK);

    switch (pick(8)) {
    case 0:
    case 1:
        return sys_bank_split(bank, pick(200));
    case 2:
        return sys_bank_fold(bank);
    case 3:
        return sys_bank_destroy(bank);
    case 4:
        return sys_aspace_create(bank);
    default:
        return sys_frames_alloc(bank, pick(30) ? 1 + pick(20) : pick(600), pick(8) ? 0 : pick(4),
                                pick(FRAMES + 100));
    }
}

static int64_t do_reclaim(void)
{
    exo_handle_t bank = some_cap(EXO_CAP_BANK);

    switch (pick(6)) {
    case 0:
        return sys_bank_keep(bank, pick(3) ? 1ull << pick(64) : pick(4));
    case 1:
        return sys_bank_list(bank, pick(3));
    case 2:
        return sys_bank_grant(bank, some_cap(EXO_CAP_BANK), pick(100));
    default:
        return sys_bank_reclaim(bank, pick(FRAMES / ENVS), pick(2) ? 0 : pick(1ull << 30), pick(2));
    }
}

// What other parts of the kernel do: moved capabilities, context blocks, another bank for the
// tables.
static int64_t do_others(void)
{
    struct cap_slot *slot, *dst;
    struct aspace *as = envs[pick(ENVS)]->aspace;
    uint64_t va = some_va();

    switch (pick(4)) {
    case 0:
        if (cap_find(some_cap(pick(2) ? EXO_CAP_SEGMENT : EXO_CAP_FRAMES), EXO_CAP_NONE, 0,
                     &slot) ||
            cap_slot_for(envs[pick(ENVS)], 0, &dst))
            return -1;
        if (cap_copy(slot, dst, slot->rights))
            return -1;
        cap_delete(slot);
        return 0;
    case 1:
        if (cap_find(some_cap(EXO_CAP_FRAMES), EXO_CAP_FRAMES, 0, &slot))
            return -1;
        return aspace_map_block(as, current->bank, va, (struct kobj *)slot->obj);
    case 2:
        if (cap_find(some_cap(EXO_CAP_FRAMES), EXO_CAP_FRAMES, 0, &slot))
            return -1;
        aspace_unmap_block(as, va, (struct kobj *)slot->obj);
        return 0;
    default:
        if (cap_find(some_cap(EXO_CAP_BANK), EXO_CAP_BANK, 0, &slot))
            return -1;
        kobj_get((struct kobj *)slot->obj);
        kobj_put(&current->bank->obj);
        current->bank = (struct bank *)slot->obj;
        return 0;
    }
}

static int64_t (*const actions[])(void) = {do_batch,   do_batch, do_batch,  do_segment,
                                           do_segment, do_cap,   do_cap,    do_bank,
                                           do_clone,   do_table, do_others, do_reclaim};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

// Each environment gets capabilities to the others.
static void introduce(void)
{
    for (int i = 0; i < ENVS; i++) {
        for (int k = 0; k < ENVS; k++) {
            struct cap_slot *slot;

            if (i == k)
                continue;
            CHECK(cap_slot_for(envs[i], 0, &slot) == 0);
            CHECK(cap_insert_root(slot, EXO_CAP_ENV, &envs[k]->obj.cap, EXO_R_ALL, 0) == CAP_OK);
            CHECK(cap_slot_for(envs[i], 0, &slot) == 0);
            CHECK(cap_insert_root(slot, EXO_CAP_ASPACE, (struct cap_obj *)envs[k]->aspace, 3, 0) ==
                  CAP_OK);
        }
    }
}

static void restart(uint64_t baseline)
{
    struct exo_check out;

    for (int i = 0; i < ENVS; i++)
        if (envs[i])
            env_end(i);
    machine_drain();
    CHECK(check_all(&out) == 0);
    CHECK(out.frames[EXO_FRAME_FREE] == baseline);
    for (int i = 0; i < ENVS; i++)
        env_start(i, FRAMES / ENVS - 64);
    introduce();
}

int main(int argc, char **argv)
{
    unsigned calls = argc > 1 ? (unsigned)atoi(argv[1]) : 20000;
    uint64_t done[ACTIONS] = {0}, baseline;
    struct exo_check out;

    srand(argc > 2 ? (unsigned)atoi(argv[2]) : 1);
    machine_start(FRAMES);
    baseline = frames_buddy.nfree;
    restart(baseline);
    for (unsigned n = 0; n < calls; n++) {
        uint64_t which = pick(ACTIONS);

        current = envs[pick(ENVS)];
        for (int t = 0; t < 4; t++)
            tlb_touch(envs[pick(ENVS)]->aspace, some_va() & ~0xfffull);
        done[which] += actions[which]() >= 0;
        tlb_verify();
        if (n % 7 == 0)
            mem_work((unsigned)pick(40));
        if (n % 16 == 0)
            CHECK(check_all(&out) == 0);
        if (n % 4000 == 3999)
            restart(baseline);
    }
    restart(baseline);
    for (unsigned i = 0; i < ACTIONS; i++)
        printf("action %u: %lu succeeded\n", i, done[i]);
    return 0;
}
