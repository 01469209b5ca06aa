// SPDX-License-Identifier: MIT
// The batch call as the processor enforces it: rights, W^X, no execution of data; and hostile
// arguments to every memory and capability call: addresses of the kernel, wrapped ranges, wrong
// types, stale handles, tables at the wrong place.
#include "child.h"

#define DATA   0x300000000ull
#define KERNEL 0xffff800000100000ull

static volatile uint64_t faults, fault_error;

// Returns from the function that was called at the faulting address, or skips by rcx.
static void seen(struct exo_save *save)
{
    if (save->cause != EXO_UP_PAGEFAULT)
        put("# cause %lu vector %lu at rip %lx\n", save->cause, save->vector, save->rip);
    faults++;
    fault_error = save->error;
    save->rip = save->rcx;
}

static uint64_t try_write(uint64_t va)
{
    fault_error = 0;
    __asm__ volatile("lea 1f(%%rip), %%rcx\n\tmovb $1, (%0)\n1:" : : "r"(va) : "rcx", "memory");
    return fault_error;
}

static uint64_t try_read(uint64_t va)
{
    fault_error = 0;
    __asm__ volatile("lea 1f(%%rip), %%rcx\n\tmovb (%0), %%al\n1:"
                     :
                     : "r"(va)
                     : "rax", "rcx", "memory");
    return fault_error;
}

static uint64_t try_run(uint64_t va) // jumps there; what is there jumps back to rcx
{
    fault_error = 0;
    __asm__ volatile("lea 1f(%%rip), %%rcx\n\tjmp *%0\n1:" : : "r"(va) : "rcx", "memory");
    return fault_error;
}

#define P 1
#define W 2
#define U 4
#define X 16

static void rights(void)
{
    is(batch(EXO_OP_BUY, DATA, 2, RW, 0, 0, 0), 1);
    *(volatile uint16_t *)DATA = 0xe1ff; // jmp *%rcx
    is(try_run(DATA), P | U | X);
    is(batch(EXO_OP_PROTECT, DATA, 2, EXO_R_READ | EXO_R_EXEC, 0, 0, 0), 1);
    is(try_run(DATA), 0);
    is(try_write(DATA), P | W | U);
    is(try_read(DATA), 0);
    is(batch(EXO_OP_PROTECT, DATA, 2, RW | EXO_R_EXEC, 0, 0, 0), -EXO_EINVAL);
    is(batch(EXO_OP_PROTECT, DATA, 2, RW | EXO_R_EXEC, 0, 0, EXO_MAP_WX), 1);
    is(try_run(DATA) | try_write(DATA + 8), 0);
    is(batch(EXO_OP_PROTECT, DATA, 2, 0, 0, 0, 0), 1);
    is(try_read(DATA), P | U);
    is(batch(EXO_OP_PROTECT, DATA, 1, EXO_R_READ, 0, 0, 0), 1);
    is(try_read(DATA), 0);
    is(try_read(DATA + 4096), P | U);
    is(unmap(DATA, 2), 1);
    is(try_read(DATA), U);
    is(try_write(EXO_INFO_BASE), P | W | U); // exposed, read-only
    is(try_read(EXO_INFO_FRAMES), 0);
    is(try_read(KERNEL), P | U);
    is(try_read(EXO_KERNEL_BASE + 0x200000) & U, U);
    is(try_run(EXO_INFO_BASE), P | U | X);
    is(unmap(EXO_INFO_BASE, 1), -EXO_EINVAL);
}

static void windows(void)
{
    exo_handle_t f = (exo_handle_t)exo_frames_alloc(boot->bank, 4, 0, 0), ro;

    ro = (exo_handle_t)exo_cap_derive(f, EXO_R_READ, 0, 0, 0);
    is(map(0, f, DATA, 0, 4, RW), 1);
    is(map(0, ro, DATA + PAGES(8), 0, 4, RW), -EXO_ERIGHTS);
    is(map(0, ro, DATA + PAGES(8), 0, 4, EXO_R_READ), 1);
    is(try_write(DATA), 0);
    is(try_write(DATA + PAGES(8)), P | W | U);
    is(batch(EXO_OP_PROTECT, DATA + PAGES(8), 4, RW, 0, 0, 0), -EXO_ERIGHTS);
    is(exo_cap_revoke(f), 0); // the child goes, with its window and the TLB's memory of it
    is(try_read(DATA + PAGES(8)), U);
    is(exo_cap_delete(ro), -EXO_EBADHANDLE);
    is(batch(EXO_OP_MAP, DATA + PAGES(8), 4, RW, f, 0, EXO_MAP_COW), -EXO_EEXISTS);
    is(unmap(DATA, 4), 1);
    is(batch(EXO_OP_MAP, DATA + PAGES(8), 4, RW, f, 0, EXO_MAP_COW), 1);
    is(try_write(DATA + PAGES(8)), P | W | U);
    is(batch(EXO_OP_COW_BREAK, DATA + PAGES(8), 4, 0, 0, 0, 0), 1);
    is(try_write(DATA + PAGES(8)), 0);
    is(exo_cap_delete(f), 0);
    is(try_write(DATA + PAGES(8)), 0); // a copy of our own
    is(unmap(DATA + PAGES(8), 4), 1);
}

static const uint64_t bad_pointers[] = {0,
                                        8,
                                        KERNEL,
                                        EXO_KERNEL_BASE,
                                        EXO_USER_END,
                                        EXO_USER_END - 8,
                                        ~0ull,
                                        ~7ull,
                                        0x8000000000000000ull,
                                        EXO_INFO_BASE,
                                        DATA + 0x10000000};

static void pointers(void)
{
    exo_handle_t seg = (exo_handle_t)exo_segment_create(boot->bank),
                 as = (exo_handle_t)exo_aspace_create(boot->bank);
    struct exo_region r = {DATA, DATA + 4096, EXO_CLONE_COPY, 0};
    volatile uint64_t cursor;
    unsigned bad = 0;

    for (unsigned i = 0; i < sizeof(bad_pointers) / 8; i++) {
        void *p = (void *)bad_pointers[i];

        bad += exo_cap_identify(boot->bank, p) != -EXO_EFAULT;
        bad += exo_segment_harvest(seg, 0, 512, p) != -EXO_EFAULT;
        bad += exo_machine_check(boot->machine, p, 0) != -EXO_EFAULT;
        cursor = 0;
        bad += exo_aspace_clone(as, boot->bank, &r, 1, p) != -EXO_EFAULT;
        bad += exo_cap_clone_table(boot->env, 0, 0, p, 0) != -EXO_EFAULT;
        bad += exo_aspace_batch(0, boot->bank, p, 1) != -EXO_EFAULT;
        bad += exo_aspace_clone(as, boot->bank, p, 1, &cursor) != -EXO_EFAULT;
        bad += exo_cap_clone_table(boot->env, p, 4, &cursor, 0) != -EXO_EFAULT;
    }
    is(bad, 0);
    is(exo_aspace_clone(boot->aspace, boot->bank, &r, 1, &cursor), -EXO_EINVAL);
    r = (struct exo_region){DATA, EXO_USER_END + 4096, EXO_CLONE_COW, 0};
    cursor = 0;
    is(exo_aspace_clone(as, boot->bank, &r, 1, &cursor), -EXO_EINVAL);
    r = (struct exo_region){DATA + 1, DATA + 4096, 9, 0};
    is(exo_aspace_clone(as, boot->bank, &r, 1, &cursor), -EXO_EINVAL);
    cursor = ~0ull; // beyond all regions: nothing to do
    is(exo_aspace_clone(as, boot->bank, &r, 1, &cursor), 0);
    is(exo_cap_clone_table(boot->env, 0, 0, &cursor, 0), -EXO_EINVAL);
    is(exo_aspace_clone(as, boot->bank, &r, 65, &cursor), -EXO_ELIMIT);
    is(exo_aspace_batch(0, boot->bank, &r, 65), -EXO_ELIMIT);
    is(exo_cap_delete(seg), 0);
    is(exo_cap_delete(as), 0);
}

static void numbers(void)
{
    static const uint64_t vas[] = {0,
                                   0x1000,
                                   DATA + 1,
                                   EXO_USER_END - 4096,
                                   EXO_USER_END,
                                   KERNEL,
                                   ~0xfffull,
                                   0x0000800000000000ull - 512 * 4096,
                                   EXO_INFO_BASE};
    exo_handle_t f = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);
    exo_handle_t seg = (exo_handle_t)exo_segment_create(boot->bank);
    unsigned bad = 0;

    for (unsigned i = 0; i < sizeof(vas) / 8; i++)
        for (uint32_t kind = 0; kind < 7; kind++)
            bad +=
                batch(kind, vas[i], 512, RW, f, kind == EXO_OP_MOVE ? DATA : 0, 0) != -EXO_EINVAL;
    is(bad, 0);
    is(batch(EXO_OP_BUY, DATA, 0, RW, 0, 0, 0), -EXO_EINVAL);
    is(batch(EXO_OP_BUY, DATA, ~0u, RW, 0, 0, 0), -EXO_ELIMIT);
    is(batch(EXO_OP_BUY, DATA, 1, ~0u, 0, 0, 0), -EXO_EINVAL);
    is(batch(EXO_OP_BUY, DATA, 1, RW, 0, 0, ~0u), -EXO_EINVAL);
    is(batch(EXO_OP_MAP, DATA, 2, RW, f, 1, 0), -EXO_EINVAL);
    is(batch(EXO_OP_MAP, DATA, 2, RW, f, ~0ull, 0), -EXO_EINVAL);
    is(batch(EXO_OP_MAP, DATA, 2, RW, f ^ 1ull << 20, 0, 0), -EXO_EBADHANDLE);
    is(batch(EXO_OP_MAP, DATA, 2, RW, f | 1ull << 60, 0, 0), -EXO_EBADHANDLE);
    is(batch(EXO_OP_MAP, DATA, 2, RW, boot->env, 0, 0), -EXO_ETYPE);
    is(batch(EXO_OP_MOVE, DATA, 2, 0, 0, EXO_BOOT_CTX_VA, 0), -EXO_EINVAL); // not anonymous
    is(exo_segment_fill(seg, 512, f, 0, 1 | 3ull << 32), -EXO_EINVAL);
    is(exo_segment_fill(seg, 0, f, 0, 513 | 3ull << 32), -EXO_ELIMIT);
    is(exo_segment_fill(seg, 0, f, 1, 2 | 3ull << 32), -EXO_EINVAL);
    is(exo_segment_fill(seg, 0, f, ~0ull, 1 | 3ull << 32), -EXO_EINVAL);
    is(exo_segment_fill(seg, 0, f, 0, 1 | 0xffffffffull << 32), -EXO_ERIGHTS);
    is(exo_segment_fill(seg, 0, f, 0, 1), -EXO_EINVAL);
    is(exo_segment_clear(seg, ~0ull, 2), -EXO_EINVAL);
    is(exo_segment_clear(seg, 1, ~0ull), -EXO_EINVAL);
    is(exo_segment_harvest(seg, 0, 65, 0), -EXO_EINVAL);
    is(exo_frames_alloc(boot->bank, ~0ull, 0, 0), -EXO_ELIMIT);
    is(exo_frames_alloc(boot->bank, 1, EXO_FRAMES_AT, boot->module[0].first_frame), -EXO_EBUSY);
    is(exo_frames_alloc(boot->bank, 1, EXO_FRAMES_AT, 0), -EXO_EBUSY);
    is(exo_frames_alloc(boot->bank, 2, EXO_FRAMES_AT, EXO_INFO->frames - 1), -EXO_EBUSY);
    is(exo_frames_alloc(boot->env, 1, 0, 0), -EXO_ETYPE);
    is(exo_frames_alloc(0, 1, 0, 0), -EXO_EBADHANDLE);
    is(exo_bank_split(boot->bank, ~0ull), -EXO_ENOMEM);
    is(exo_bank_fold(boot->bank), -EXO_EINVAL);
    is(exo_cap_copy(f, ~0ull, 0, 0), -EXO_ERIGHTS);
    is(exo_cap_copy(f, EXO_R_READ, 0, 1u << 20), -EXO_ENOSLOT);
    is(exo_cap_copy(f, EXO_R_READ, 0, (1u << 20) - 1), -EXO_ENOSLOT);
    is(exo_cap_copy(f, EXO_R_READ, 0, EXO_HANDLE_INDEX(f)), -EXO_EEXISTS);
    is(exo_cap_derive(f, EXO_R_READ, 5, EXO_DERIVE_BADGE, 0), -EXO_ETYPE);
    is(exo_cap_derive(f, EXO_R_READ, 0, EXO_DERIVE_RANGE, 1), -EXO_ETYPE);
    is(exo_cap_derive(boot->ioport, EXO_R_READ, 0, EXO_DERIVE_RANGE, 0xffffull << 32 | 2),
       -EXO_EINVAL);
    is(exo_cap_derive(f, EXO_R_READ, 0, ~0ull, 0), -EXO_EINVAL);
    is(exo_cap_delete(seg), 0);
    is(exo_cap_delete(f), 0);
    is(exo_cap_delete(f), -EXO_EBADHANDLE);
}

// A frame by its number, and its exposed entry.
static void physical(void)
{
    exo_fn_t fn = EXO_INFO->frames / 2;
    int64_t f;

    while (EXO_FRAMES[fn].kind != EXO_FRAME_FREE)
        fn++;
    f = exo_frames_alloc(boot->bank, 1, EXO_FRAMES_AT, fn);
    ok(f > 0);
    is(EXO_FRAMES[fn].kind, EXO_FRAME_RUN);
    is(EXO_FRAMES[fn].caps, 1);
    is(map(0, (exo_handle_t)f, DATA, 0, 1, RW), 1);
    is(EXO_FRAMES[fn].refs, 1);
    is(*(volatile uint64_t *)DATA, 0);
    is(exo_cap_delete((exo_handle_t)f), 0);
    is(EXO_FRAMES[fn].kind, EXO_FRAME_FREE);
    f = exo_frames_alloc(boot->bank, 600, EXO_FRAMES_2M, 0);
    ok(f > 0);
    is(map(0, (exo_handle_t)f, DATA, 512, 88, RW), 1); // long runs are zeroed when mapped
    is(*(volatile uint64_t *)DATA, 0);
    is(exo_cap_delete((exo_handle_t)f), 0);
}

void test_main(void)
{
    upcalls_to(seen);
    rights();
    windows();
    pointers();
    numbers();
    physical();
}
