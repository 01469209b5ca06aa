// SPDX-License-Identifier: MIT
//
// What the memory calls promise, one promise after the other: contents after copy-on-write, rights,
// W^X, windows that other windows replaced, a segment under its readers, banks that fold and end.

#include "machine.h"

#define A  0x40000000ull
#define RO EXO_R_READ
#define RW (EXO_R_READ | EXO_R_WRITE)
#define RX (EXO_R_READ | EXO_R_EXEC)

static exo_handle_t bank[ENVS];

static int64_t op(uint32_t kind, uint64_t va, uint32_t count, uint32_t rights, exo_handle_t cap,
                  uint64_t first, uint32_t flags)
{
    struct exo_map_op o = {kind, count, va, cap, first, rights, flags};
    int64_t r = sys_aspace_batch(0,
                                 bank[current == envs[0]   ? 0
                                      : current == envs[1] ? 1
                                                           : 2],
                                 (uaddr_t)&o, 1);

    tlb_verify();
    return r;
}

static void run_as(int i)
{
    current = envs[i];
}

static void sound(void)
{
    struct exo_check out;

    machine_drain();
    CHECK(check_all(&out) == 0);
}

// A capability of environment `from` in `to`'s table.
static exo_handle_t hand(int from, exo_handle_t cap, uint32_t rights, int to)
{
    struct cap_slot *src, *dst;

    run_as(from);
    CHECK(cap_find(cap, EXO_CAP_NONE, 0, &src) == 0);
    CHECK(cap_slot_for(envs[to], 0, &dst) == 0);
    CHECK(cap_copy(src, dst, rights) == 0);
    run_as(to);
    return cspace_handle(dst);
}

static exo_handle_t aspace_of(int i)
{
    struct cap_slot *slot;

    CHECK(cap_slot_for(current, 0, &slot) == 0);
    CHECK(cap_insert_root(slot, EXO_CAP_ASPACE, (struct cap_obj *)envs[i]->aspace, RW, 0) == 0);
    return cspace_handle(slot);
}

static uint64_t frames_used(int i)
{
    return envs[i]->bank->used;
}

static void test_batch(void)
{
    uint64_t before;

    run_as(0);
    before = frames_used(0);
    CHECK(op(EXO_OP_BUY, A, 4, RW, 0, 0, 0) == 1);
    CHECK(op(EXO_OP_BUY, A + 0x3000, 1, RW, 0, 0, 0) == -EXO_EEXISTS);
    CHECK(byte_read(A) == 0 && byte_write(A, 7) == 7 && byte_read(A) == 7);
    CHECK(op(EXO_OP_PROTECT, A, 4, RO, 0, 0, 0) == 1 && byte_write(A, 8) < 0);
    CHECK(op(EXO_OP_PROTECT, A, 4, 0, 0, 0, 0) == 1 && byte_read(A) < 0);
    CHECK(op(EXO_OP_PROTECT, A, 4, RW | EXO_R_EXEC, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_PROTECT, A, 4, RW | EXO_R_EXEC, 0, 0, EXO_MAP_WX) == 1);
    CHECK(op(EXO_OP_PROTECT, A, 4, RW, 0, 0, 0) == 1 && byte_read(A) == 7);
    CHECK(op(EXO_OP_COW_BREAK, A, 4, 0, 0, 0, 0) == 1);
    CHECK(op(EXO_OP_COW_BREAK, A, 5, 0, 0, 0, 0) == -EXO_ENOENT);
    CHECK(op(EXO_OP_MOVE, A + 0x2000, 4, 0, 0, A, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_MOVE, A + 0x400000, 4, 0, 0, A, 0) == 1);
    CHECK(byte_read(A) < 0 && byte_read(A + 0x400000) == 7);
    CHECK(op(EXO_OP_UNMAP, A + 0x400000, 512, 0, 0, 0, 0) == 1);
    CHECK(frames_used(0) == before);
    // The far corner stays mapped until the end: taking it out must not need more than a call's
    // steps.
    CHECK(op(EXO_OP_BUY, EXO_USER_END - 0x2000, 1, RW, 0, 0, 0) == 1);
    sound();
}

static void test_hostile(void)
{
    exo_handle_t f;

    run_as(0);
    f = (exo_handle_t)sys_frames_alloc(bank[0], 4, 0, 0);
    CHECK(op(EXO_OP_BUY, A + 1, 1, RW, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_BUY, A, 0, RW, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_BUY, A, 513, RW, 0, 0, 0) == -EXO_ELIMIT);
    CHECK(op(EXO_OP_BUY, EXO_USER_END - 4096, 1, RW, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_BUY, EXO_USER_END - 8192, 2, RW, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_BUY, 0xffff800000000000, 1, RW, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_BUY, ~4095ull, 512, RW, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_BUY, 0, 1, RW, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_BUY, A, 1, EXO_R_WRITE, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_BUY, A, 1, EXO_R_ALL, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(6, A, 1, RW, 0, 0, 0) == -EXO_EINVAL && op(~0u, A, 1, RW, 0, 0, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_MAP, A, 4, RW, f, 1, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_MAP, A, 4, RW, f, ~0ull, 0) == -EXO_EINVAL);
    CHECK(op(EXO_OP_MAP, A, 1, RW, f + (1 << 20), 0, 0) == -EXO_EBADHANDLE);
    CHECK(op(EXO_OP_MAP, A, 1, RW, bank[0], 0, 0) == -EXO_ETYPE);
    CHECK(op(EXO_OP_MOVE, A, 1, 0, 0, ~0ull, 0) == -EXO_EINVAL);
    CHECK(sys_frames_alloc(bank[0], 0, 0, 0) == -EXO_EINVAL);
    CHECK(sys_frames_alloc(bank[0], ~0ull, 0, 0) == -EXO_ELIMIT);
    CHECK(sys_frames_alloc(bank[0], 1, EXO_FRAMES_AT, ~0ull) == -EXO_EBUSY);
    CHECK(sys_frames_alloc(bank[0], 1, 8, 0) == -EXO_EINVAL);
    CHECK(sys_frames_alloc(f, 1, 0, 0) == -EXO_ETYPE);
    CHECK(sys_bank_split(bank[0], ~0ull) == -EXO_ENOMEM);
    CHECK(sys_segment_fill(f, 0, f, 0, 1) == -EXO_ETYPE);
    CHECK(sys_aspace_batch(0, bank[0], A, 65) == -EXO_ELIMIT);
    CHECK(sys_aspace_batch(0, bank[0], A, 1) == -EXO_EFAULT);
    CHECK(sys_aspace_clone(f, bank[0], A, 1, A) == -EXO_ETYPE);
    CHECK(sys_cap_copy(f, EXO_R_ALL, 0, 0) == -EXO_ERIGHTS);
    CHECK(sys_cap_copy(f, RO, 0, 1ull << 40) == -EXO_ENOSLOT);
    CHECK(sys_cap_derive(f, RO | 1ull << 32, 0, 0, 0) == -EXO_ERIGHTS);
    CHECK(sys_cap_delete(0) == -EXO_EBADHANDLE && sys_cap_delete(~0ull) == -EXO_EBADHANDLE);
    CHECK(sys_cap_delete(f) == 0 && sys_cap_delete(f) == -EXO_EBADHANDLE);
    sound();
}

static void test_clone(void)
{
    struct exo_region r[] = {{A, A + 0x2000, EXO_CLONE_COW, 0},
                             {A + 0x2000, A + 0x3000, EXO_CLONE_SHARE, 0},
                             {A + 0x3000, A + 0x4000, EXO_CLONE_COPY, 0},
                             {A + 0x4000, A + 0x5000, EXO_CLONE_DROP, 0}};
    uint64_t cursor_at = A + 0x5000;
    exo_handle_t child;

    run_as(0);
    CHECK(op(EXO_OP_BUY, A, 6, RW, 0, 0, 0) == 1);
    for (int i = 0; i < 5; i++)
        byte_write(A + i * 0x1000ull, (uint8_t)(10 + i));
    child = aspace_of(1);
    CHECK(sys_aspace_clone(child, bank[0], (uaddr_t)r, 4, cursor_at) == 0);
    tlb_verify();
    CHECK(byte_write(A, 1) < 0 && byte_read(A) == 10 && byte_write(A + 0x2000, 22) == 22);
    CHECK(op(EXO_OP_COW_BREAK, A, 1, 0, 0, 0, 0) == 1 && byte_write(A, 99) == 99); // copied
    run_as(1);
    CHECK(byte_read(A) == 10 && byte_write(A, 1) < 0 && byte_read(A + 0x2000) == 22);
    CHECK(byte_read(A + 0x3000) == 13 && byte_write(A + 0x3000, 33) == 33);
    CHECK(byte_read(A + 0x4000) < 0);
    CHECK(frame_info(aspace_translate(current->aspace, A, &(uint32_t){0}) >> 12)->refs == 1);
    CHECK(op(EXO_OP_COW_BREAK, A, 1, 0, 0, 0, 0) == 1 && byte_write(A, 5) == 5); // kept
    CHECK(op(EXO_OP_PROTECT, A + 0x1000, 1, RW, 0, 0, 0) == 1 && byte_write(A + 0x1000, 1) < 0);
    run_as(0);
    CHECK(byte_read(A + 0x3000) == 13 && byte_read(A) == 99);
    sound();
    // Pages that the first bought stay for the second when the first goes.
    CHECK(op(EXO_OP_UNMAP, A, 6, 0, 0, 0, 0) == 1 && sys_cap_delete(child) == 0);
    run_as(1);
    CHECK(byte_read(A + 0x1000) == 11 && byte_read(A) == 5);
    CHECK(op(EXO_OP_UNMAP, A, 6, 0, 0, 0, 0) == 1);
    sound();
}

static void test_windows(void)
{
    exo_handle_t f, g, h;

    run_as(0);
    f = (exo_handle_t)sys_frames_alloc(bank[0], 8, 0, 0);
    CHECK(op(EXO_OP_MAP, A, 4, RW, f, 0, 0) == 1 && byte_write(A, 3) == 3);
    CHECK(op(EXO_OP_MAP, A + 0x10000, 4, RW, f, 0, 0) == -EXO_EEXISTS);
    CHECK(op(EXO_OP_MAP, A + 0x4000, 4, RO, f, 4, 0) == 1); // the same window, longer
    g = (exo_handle_t)sys_cap_copy(f, RO, 0, 0);
    CHECK(op(EXO_OP_MAP, A + 0x10000, 4, RW, g, 0, 0) == -EXO_ERIGHTS);
    CHECK(op(EXO_OP_MAP, A + 0x10000, 4, RO, g, 0, 0) == 1 && byte_read(A + 0x10000) == 3);
    CHECK(op(EXO_OP_PROTECT, A + 0x10000, 4, RW, 0, 0, 0) == -EXO_ERIGHTS);
    // What was unmapped from under f and mapped by h at the same place is h's.
    h = (exo_handle_t)sys_cap_copy(f, RW, 0, 0);
    CHECK(op(EXO_OP_UNMAP, A, 2, 0, 0, 0, 0) == 1 && op(EXO_OP_MAP, A, 2, RW, h, 0, 0) == 1);
    CHECK(sys_cap_delete(f) == 0 && byte_read(A) == 3 && byte_read(A + 0x2000) < 0);
    CHECK(sys_cap_delete(h) == 0 && byte_read(A) < 0 && byte_read(A + 0x10000) == 3);
    // Copy-on-write of a file's page.
    CHECK(op(EXO_OP_UNMAP, A + 0x10000, 4, 0, 0, 0, 0) == 1);
    CHECK(op(EXO_OP_MAP, A, 4, RW, g, 0, EXO_MAP_COW) == 1 && byte_write(A, 1) < 0);
    CHECK(op(EXO_OP_COW_BREAK, A, 1, 0, 0, 0, 0) == 1 && byte_read(A) == 3 &&
          byte_write(A, 4) == 4);
    CHECK(op(EXO_OP_MAP, A, 4, RW, g, 0, EXO_MAP_COW) == 1 && byte_read(A) == 4);
    CHECK(sys_cap_delete(g) == 0 && byte_read(A) == 4 && byte_read(A + 0x1000) < 0);
    CHECK(op(EXO_OP_UNMAP, A, 4, 0, 0, 0, 0) == 1);
    sound();
}

static void test_segment(void)
{
    exo_handle_t f, seg, theirs, clone;
    uint64_t bits[8], cursor = 0;
    int64_t r;

    run_as(0);
    f = (exo_handle_t)sys_frames_alloc(bank[0], 8, 0, 0);
    CHECK(op(EXO_OP_MAP, A, 8, RW, f, 0, 0) == 1);
    byte_write(A, 1), byte_write(A + 0x1000, 2);
    seg = (exo_handle_t)sys_segment_create(bank[0]);
    CHECK(sys_segment_fill(seg, 0, f, 0, 8 | (uint64_t)RW << 32) == 0);
    CHECK(sys_segment_fill(seg, 7, f, 0, 1 | (uint64_t)RW << 32) == -EXO_EEXISTS);
    CHECK(op(EXO_OP_UNMAP, A, 8, 0, 0, 0, 0) == 1 && sys_cap_delete(f) == 0);
    theirs = hand(0, seg, RW, 1);
    CHECK(sys_segment_clear(theirs, 0, 1) == -EXO_ERIGHTS);
    CHECK(op(EXO_OP_MAP, A, 512, RW, theirs, 0, 0) == 1); // one directory entry
    CHECK(byte_read(A) == 1 && byte_read(A + 0x1000) == 2 && byte_read(A + 0x8000) < 0);
    run_as(0);
    CHECK(op(EXO_OP_MAP, A + 0x3000, 4, RW, seg, 0, 0) == 1 &&
          byte_write(A + 0x3000, 9) == 9); // by pages
    CHECK(sys_segment_harvest(seg, 0, 64, (uaddr_t)bits) == 0 &&
          bits[0] == 15); // mapped writable singly
    CHECK(op(EXO_OP_UNMAP, A + 0x3000, 4, 0, 0, 0, 0) == 1);
    CHECK(sys_segment_harvest(seg, 0, 64, (uaddr_t)bits) == 0 && bits[0] == 0);
    {
        // What the processor does on a write, then an eviction: the dirty bit is there when the
        // page is again.
        struct cap_slot *slot;

        CHECK(cap_find(seg, EXO_CAP_SEGMENT, 0, &slot) == 0);
        ((struct segment *)slot->obj)->table[1] |= PTE_D;
        f = (exo_handle_t)sys_frames_alloc(bank[0], 1, 0, 0);
        CHECK(sys_segment_fill(seg, 100, f, 0, 1 | (uint64_t)RW << 32) == 0);
        ((struct segment *)slot->obj)->table[100] |= PTE_D;
        CHECK(sys_segment_clear(seg, 100, 1) == 0);
        CHECK(sys_segment_fill(seg, 200, f, 0, 1 | (uint64_t)RW << 32) == 0);
        CHECK(sys_cap_delete(f) == 0);
    }
    CHECK(sys_segment_harvest(seg, 0, 256, (uaddr_t)bits) == 0);
    CHECK(bits[0] == 2 && bits[1] == 0 && bits[3] == 1 << 8);
    CHECK(sys_segment_harvest(seg, 0, 256, (uaddr_t)bits) == 0 && !(bits[0] | bits[3]));
    CHECK(op(EXO_OP_MAP, A + 0x3000, 4, RW, seg, 0, 0) == 1);
    tlb_touch(envs[0]->aspace, A + 0x3000);
    tlb_touch(envs[1]->aspace, A);
    CHECK(sys_segment_clear(seg, 0, 1) == 0);
    tlb_verify();
    CHECK(byte_read(A + 0x3000) < 0 && byte_read(A + 0x4000) == 2);
    run_as(1);
    CHECK(byte_read(A) < 0 && byte_read(A + 0x1000) == 2);
    sound();
    // A part of the directory entry is protected: it becomes single pages.
    CHECK(op(EXO_OP_PROTECT, A + 0x1000, 1, RO, 0, 0, 0) == 1);
    CHECK(byte_write(A + 0x1000, 3) < 0 && byte_write(A + 0x2000, 3) == 3);
    CHECK(op(EXO_OP_UNMAP, A + 0x2000, 1, 0, 0, 0, 0) == 1 && byte_read(A + 0x2000) < 0);
    // Cloning the table maps the window again, holes and all.
    {
        struct cap_slot *slot;

        CHECK(cap_slot_for(current, 0, &slot) == 0);
        CHECK(cap_insert_root(slot, EXO_CAP_ENV, &envs[2]->obj.cap, EXO_R_ALL, 0) == 0);
        clone = cspace_handle(slot);
    }
    while ((r = sys_cap_clone_table(clone, 0, 0, (uaddr_t)&cursor, 0)) == -EXO_EAGAIN)
        ;
    CHECK(r == 0);
    run_as(2);
    CHECK(byte_read(A + 0x1000) == 2 && byte_read(A + 0x2000) < 0 &&
          byte_write(A + 0x3000, 6) == 6);
    sound();
    run_as(0);
    CHECK(sys_cap_delete(seg) == 0);
    run_as(1);
    CHECK(byte_read(A + 0x3000) == 6 && sys_cap_delete(theirs) == 0 && byte_read(A + 0x3000) < 0);
    sound();
}

// More slots than one call visits: others keep using the segment between the calls.
static void test_clear_in_parts(void)
{
    exo_handle_t f, seg, copies[600];
    int64_t r;
    int calls = 1;

    run_as(0);
    f = (exo_handle_t)sys_frames_alloc(bank[0], 1, 0, 0);
    seg = (exo_handle_t)sys_segment_create(bank[0]);
    CHECK(sys_segment_fill(seg, 3, f, 0, 1 | (uint64_t)RW << 32) == 0);
    for (int i = 0; i < 600; i++)
        copies[i] = (exo_handle_t)sys_cap_copy(seg, RW, 0, 0);
    for (int i = 0; i < 600; i += 7)
        CHECK(op(EXO_OP_MAP, A + (uint64_t)i * 0x1000, 1, RW, copies[i], 3, 0) == 1);
    for (; (r = sys_segment_clear(seg, 3, 1)) == -EXO_EAGAIN; calls++) {
        CHECK(op(EXO_OP_MAP, A + 0x800000, 1, RW, copies[7 * calls + 1], 3, 0) == 1 &&
              byte_read(A + 0x800000) < 0);
        CHECK(sys_segment_fill(seg, 3, f, 0, 1 | (uint64_t)RW << 32) == -EXO_EEXISTS);
        CHECK(sys_cap_delete(copies[600 - calls]) == 0 && sys_cap_delete(copies[300 + calls]) == 0);
    }
    CHECK(r == 0 && calls > 5);
    for (int i = 0; i < 600; i++)
        CHECK(byte_read(A + (uint64_t)i * 0x1000) < 0);
    CHECK(sys_segment_fill(seg, 3, f, 0, 1 | (uint64_t)RW << 32) == 0);
    sound();
    for (int i = 0; i < 600; i++)
        sys_cap_delete(copies[i]);
    CHECK(sys_cap_delete(seg) == 0 && sys_cap_delete(f) == 0);
    sound();
}

static void test_banks(void)
{
    uint64_t before, left;
    exo_handle_t child, grand, f, as;
    int64_t r;

    run_as(0);
    sound();
    before = frames_used(0);
    child = (exo_handle_t)sys_bank_split(bank[0], 100);
    grand = (exo_handle_t)sys_bank_split(child, 50);
    CHECK(frames_used(0) == before + 101);
    CHECK(sys_frames_alloc(grand, 50, 0, 0) == -EXO_ENOMEM);
    f = (exo_handle_t)sys_frames_alloc(grand, 49, 0, 0);
    CHECK((int64_t)f > 0 && sys_segment_create(grand) == -EXO_ENOMEM);
    // The child's creator goes: what the grandchild owes stays with the parent, the rest comes
    // back.
    CHECK(sys_cap_delete(child) == 0);
    machine_drain();
    CHECK(frames_used(0) == before + 51);
    while ((r = sys_bank_fold(grand)) == -EXO_EAGAIN)
        ;
    CHECK(r == 0 &&
          sys_cap_identify(grand, (uaddr_t) & (struct exo_cap_info){0}) == -EXO_EBADHANDLE);
    machine_drain();
    CHECK(frames_used(0) == before + 51);
    CHECK(sys_cap_delete(f) == 0);
    sound();
    CHECK(frames_used(0) == before);
    // Destroying takes pages out of address spaces that were bought elsewhere, and page tables too.
    child = (exo_handle_t)sys_bank_split(bank[0], 100);
    left = frames_used(0);
    {
        struct exo_map_op o = {EXO_OP_BUY, 8, A, 0, 0, RW, 0};

        as = (exo_handle_t)sys_aspace_create(child);
        CHECK(sys_aspace_batch(as, child, (uaddr_t)&o, 1) == 1);
        CHECK(sys_aspace_batch(0, child, (uaddr_t)&o, 1) == 1 && byte_write(A, 1) == 1);
        f = (exo_handle_t)sys_frames_alloc(child, 4, 0, 0);
    }
    CHECK(op(EXO_OP_MAP, A + 0x200000, 4, RW, f, 0, 0) == 1 && byte_read(A + 0x200000) == 0);
    CHECK(sys_bank_destroy(bank[0]) == -EXO_EBUSY);
    while ((r = sys_bank_destroy(child)) == -EXO_EAGAIN)
        ;
    CHECK(r == 0 && byte_read(A) < 0 && byte_read(A + 0x200000) < 0);
    CHECK(sys_cap_delete(f) == -EXO_EBADHANDLE && sys_cap_delete(as) == -EXO_EBADHANDLE);
    CHECK(op(EXO_OP_UNMAP, A, 512, 0, 0, 0, 0) == 1 &&
          op(EXO_OP_UNMAP, A + 0x200000, 512, 0, 0, 0, 0) == 1);
    sound();
    CHECK(frames_used(0) <= left &&
          frames_used(0) <= before + 8); // pages it shared with us are ours now
    // A chain of banks deeper than any stack.
    before = frames_used(0);
    for (child = bank[0], left = 1200; left > 800; left--) {
        grand = (exo_handle_t)sys_bank_split(child, left);
        CHECK((int64_t)grand > 0 && (child == bank[0] || sys_cap_delete(child) == 0));
        child = grand;
    }
    while ((r = sys_bank_destroy(child)) == -EXO_EAGAIN)
        ;
    CHECK(r == 0);
    sound();
    CHECK(frames_used(0) <= before + 20); // table pages
}

int main(void)
{
    uint64_t baseline;

    machine_start(8192);
    baseline = frames_buddy.nfree;
    for (int i = 0; i < ENVS; i++)
        bank[i] = env_start(i, 2600);
    test_batch();
    test_hostile();
    test_clone();
    test_windows();
    test_segment();
    test_clear_in_parts();
    test_banks();
    for (int i = 0; i < ENVS; i++)
        env_end(i);
    sound();
    CHECK(frames_buddy.nfree == baseline);
    return 0;
}
