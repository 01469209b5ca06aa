// SPDX-License-Identifier: MIT
// Memory that is not the caller's: frames of others and page tables, the exposed tables, the
// kernel's addresses, windows beyond what they show, pointers that point half or nowhere, pages
// that a sibling takes away while a call reads them.
#include "attempt.h"

#define SPOT  0x0000200000000000ull // two pages: the second is never mapped
#define OTHER 0x0000200000400000ull

static struct peer peer;
static const struct exo_map_op many[65];
static volatile uint64_t faults, fault_at, fault_error;

// A write or read that must not succeed: the handler steps over the instruction, which is two bytes
// long.
static void on_fault(struct exo_save *save)
{
    faults++;
    fault_at = save->addr;
    fault_error = save->error;
    save->rip += 2;
}

static bool write_faults(uint64_t va)
{
    uint64_t before = faults;

    __asm__ volatile("movb %%al, (%0)" : : "b"(va), "a"(1) : "memory"); // 88 03
    return faults == before + 1 && fault_at == va;
}

static bool read_faults(uint64_t va)
{
    uint64_t before = faults;

    __asm__ volatile("movb (%0), %%al" : : "b"(va) : "rax", "memory"); // 8a 03
    return faults == before + 1 && fault_at == va;
}

// --- frames
// --------------------------------------------------------------------------------------------

static void frames_of_others(void)
{
    uint64_t kinds[8] = {0}, got = 0;

    ATTEMPT("every frame that is not free, bought by its number")
    {
        for (uint64_t fn = 0; fn < EXO_INFO->frames; fn++) {
            if (EXO_FRAMES[fn].kind == EXO_FRAME_FREE)
                continue;
            kinds[EXO_FRAMES[fn].kind & 7]++;
            got += exo_frames_alloc(boot->bank, 1, EXO_FRAMES_AT, fn) != -EXO_EBUSY;
        }
        try(got, 0);
        try_true(kinds[EXO_FRAME_TABLE] > 3 && kinds[EXO_FRAME_KERNEL] && kinds[EXO_FRAME_OBJECT] &&
                 kinds[EXO_FRAME_ANON] && kinds[EXO_FRAME_RUN]);
    }
    ATTEMPT("a run that reaches into a page table")
    {
        uint64_t fn = EXO_INFO->frames - 1;
        while (fn && !(EXO_FRAMES[fn].kind == EXO_FRAME_TABLE &&
                       EXO_FRAMES[fn - 1].kind == EXO_FRAME_FREE))
            fn--;
        if (fn)
            try(exo_frames_alloc(boot->bank, 2, EXO_FRAMES_AT, fn - 1), -EXO_EBUSY);
    }
    ATTEMPT("frames beyond the machine, and numbers that wrap")
    {
        try_fails(exo_frames_alloc(boot->bank, 1, EXO_FRAMES_AT, EXO_INFO->frames));
        try_fails(exo_frames_alloc(boot->bank, 2, EXO_FRAMES_AT, EXO_INFO->frames - 1));
        try_fails(exo_frames_alloc(boot->bank, 1, EXO_FRAMES_AT, UINT64_MAX));
        try_fails(exo_frames_alloc(boot->bank, 2, EXO_FRAMES_AT, UINT64_MAX));
        try_fails(
            exo_frames_alloc(boot->bank, 1, EXO_FRAMES_AT, 0xfee00)); // the interrupt controller
        try_fails(exo_frames_alloc(boot->bank, 1, EXO_FRAMES_AT, 1ull << 52));
    }
    ATTEMPT("runs of no frame, too many, or as many as wrap")
    {
        try_fails(exo_frames_alloc(boot->bank, 0, 0, 0));
        try(exo_frames_alloc(boot->bank, 16385, 0, 0), -EXO_ELIMIT);
        try(exo_frames_alloc(boot->bank, UINT64_MAX, 0, 0), -EXO_ELIMIT);
        try_fails(exo_frames_alloc(boot->bank, 1ull << 32, 0, 0));
        try_fails(exo_frames_alloc(boot->bank, 1, 1u << 31, 0));
    }
}

static void tables_as_memory(void)
{
    exo_handle_t seg = (exo_handle_t)exo_segment_create(boot->bank);
    exo_handle_t as = (exo_handle_t)exo_aspace_create(boot->bank);
    exo_handle_t four = (exo_handle_t)exo_frames_alloc(boot->bank, 4, 0, 0);

    ATTEMPT("a page table mapped as memory: a segment's or an address space's capability as frames")
    {
        try_fails(map(0, as, SPOT, 0, 1, RW));
        try_fails(map(0, boot->aspace, SPOT, 0, 1, RW));
        try_fails(exo_segment_fill(seg, 0, seg, 0, 1 | (uint64_t)EXO_R_READ << 32));
        try_fails(exo_segment_fill(seg, 0, as, 0, 1 | (uint64_t)EXO_R_READ << 32));
        try_fails(exo_ctx_create(0, boot->bank, seg, OTHER));
    }
    ATTEMPT("frames as an address space")
    {
        try(exo_env_create(boot->bank, four, 0, 0), -EXO_ETYPE);
        try(exo_env_set_aspace(0, four, 0), -EXO_ETYPE);
        try(exo_env_set_aspace(0, seg, 0), -EXO_ETYPE);
        try_fails(exo_aspace_batch(
            four, boot->bank, &(struct exo_map_op){.kind = EXO_OP_UNMAP, .count = 1, .va = SPOT},
            1));
    }
    ATTEMPT("a segment mapped off its boundaries, or in part as a directory entry")
    {
        try_true(map(0, seg, SPOT + 4096, 0, 512, EXO_R_READ) <= 1);
        try(unmap(SPOT + 4096, 512), 1);
        try_fails(map(0, seg, SPOT, 1, 512, EXO_R_READ));
        try_fails(map(0, seg, SPOT, 0, 513, EXO_R_READ));
        try_fails(map(0, seg, SPOT, UINT64_MAX, 1, EXO_R_READ));
    }
    ATTEMPT("a segment filled beyond its entries or with frames beyond the run")
    {
        uint64_t r = (uint64_t)EXO_R_READ << 32;
        try_fails(exo_segment_fill(seg, 512, four, 0, 1 | r));
        try_fails(exo_segment_fill(seg, 511, four, 0, 2 | r));
        try_fails(exo_segment_fill(seg, UINT64_MAX, four, 0, 1 | r));
        try_fails(exo_segment_fill(seg, 0, four, 4, 1 | r));
        try_fails(exo_segment_fill(seg, 0, four, 3, 2 | r));
        try_fails(exo_segment_fill(seg, 0, four, UINT64_MAX, 2 | r));
        try_fails(exo_segment_fill(seg, 0, four, 0, r));
        try_fails(exo_segment_fill(seg, 0, four, 0, 0xffffffff | r));
        try_fails(exo_segment_clear(seg, 1, 512));
        try_fails(exo_segment_clear(seg, UINT64_MAX, 2));
    }
    is(exo_cap_delete(four), 0);
    is(exo_cap_delete(as), 0);
    is(exo_cap_delete(seg), 0);
}

// --- places
// ----------------------------------------------------------------------------------------------

static const uint64_t nowhere[] = {0,
                                   4096,
                                   EXO_USER_BASE - 4096,
                                   EXO_USER_END - 4096,
                                   EXO_USER_END,
                                   1ull << 63,
                                   EXO_DIRECT_BASE,
                                   EXO_DIRECT_BASE + 0x100000,
                                   EXO_INFO_BASE,
                                   EXO_INFO_FRAMES,
                                   EXO_INFO_ENVS,
                                   EXO_INFO_SLICES,
                                   EXO_KERNEL_BASE,
                                   EXO_KERNEL_BASE + 0x108000,
                                   0xfffffffffffff000ull,
                                   0x7ffffffff001ull,
                                   SPOT + 1,
                                   SPOT + 2048};
#define NOWHERES (sizeof(nowhere) / sizeof(nowhere[0]))

static void places(void)
{
    static const char *const names[] = {"pages bought where none may be",
                                        "a window mapped where none may be",
                                        "unmapping where nothing may be",
                                        "rights changed where nothing may be",
                                        "a copy-on-write break where nothing may be",
                                        "pages moved to and from where none may be"};
    exo_handle_t frame = (exo_handle_t)exo_frames_alloc(boot->bank, 1, 0, 0);

    is(buy(OTHER, 1, RW), 1);
    for (uint32_t kind = EXO_OP_BUY; kind <= EXO_OP_MOVE; kind++)
        ATTEMPT(names[kind])
    for (unsigned i = 0; i < NOWHERES; i++) {
        try_fails(batch_op(kind, nowhere[i], 1, kind == EXO_OP_PROTECT ? EXO_R_READ : RW, frame,
                           kind == EXO_OP_MOVE ? OTHER : 0, 0));
        if (kind == EXO_OP_MOVE)
            try_fails(batch_op(kind, SPOT, 1, 0, 0, nowhere[i], 0));
    }
    ATTEMPT("lengths that reach out of the user half, wrap, or are none")
    for (uint32_t kind = EXO_OP_BUY; kind <= EXO_OP_MOVE; kind++) {
        try_fails(batch_op(kind, EXO_USER_END - 8 * 4096, 8, RW, frame, OTHER, 0));
        try_fails(batch_op(kind, SPOT, 0, RW, frame, OTHER, 0));
        try_fails(batch_op(kind, SPOT, 513, RW, frame, OTHER, 0));
        try_fails(batch_op(kind, SPOT, UINT32_MAX, RW, frame, OTHER, 0));
    }
    ATTEMPT("operations, rights and flags that do not exist")
    {
        try_fails(batch_op(EXO_OP_MOVE + 1, SPOT, 1, RW, frame, 0, 0));
        try_fails(batch_op(UINT32_MAX, SPOT, 1, RW, frame, 0, 0));
        try_fails(batch_op(EXO_OP_BUY, SPOT, 1, EXO_R_CONTROL | RW, 0, 0, 0));
        try_fails(batch_op(EXO_OP_BUY, SPOT, 1, 1u << 31, 0, 0, 0));
        try_fails(batch_op(EXO_OP_MAP, SPOT, 1, RW, frame, 0, 1u << 31));
        try_fails(exo_aspace_batch(0, boot->bank, many, 65));
        try_fails(exo_aspace_batch(0, boot->bank, many, UINT64_MAX));
    }
    ATTEMPT("memory that is writable and executable at once")
    {
        try_fails(batch_op(EXO_OP_BUY, SPOT, 1, RW | EXO_R_EXEC, 0, 0, 0));
        try_fails(batch_op(EXO_OP_MAP, SPOT, 1, RW | EXO_R_EXEC, frame, 0, 0));
        try_fails(batch_op(EXO_OP_PROTECT, OTHER, 1, RW | EXO_R_EXEC, 0, 0, 0));
    }
    ATTEMPT("a window beyond the run it shows")
    {
        try_fails(map(0, frame, SPOT, 1, 1, RW));
        try_fails(map(0, frame, SPOT, 0, 2, RW));
        try_fails(map(0, frame, SPOT, UINT64_MAX, 1, RW));
        try_fails(map(0, frame, SPOT, UINT64_MAX, 2, RW));
    }
    ATTEMPT("a page over one that is there")
    {
        try(buy(OTHER, 1, RW), -EXO_EEXISTS);
        try_fails(map(0, frame, OTHER, 0, 1, RW));
        try_fails(batch_op(EXO_OP_MOVE, OTHER, 1, 0, 0, WITNESS, 0));
    }
    is(unmap(OTHER, 1), 1);
    is(exo_cap_delete(frame), 0);
}

// --- what is shown, and may not be touched
// -------------------------------------------------------------

static void info_pages(void)
{
    static const uint64_t at[] = {EXO_INFO_BASE, EXO_INFO_FRAMES, EXO_INFO_ENVS, EXO_INFO_SLICES};

    ATTEMPT("a store into each of the exposed tables")
    for (unsigned i = 0; i < 4; i++)
        try_true(write_faults(at[i] + 16));
    ATTEMPT("the exposed tables as the place for a call's answer")
    for (unsigned i = 0; i < 4; i++) {
        void *to = (void *)at[i];
        uint64_t size = EXO_INFO->size;
        try(exo_cap_identify(boot->env, to), -EXO_EFAULT);
        try(exo_machine_check(boot->machine, to, 0), -EXO_EFAULT);
        try(exo_env_memory(0, WITNESS, to, 64, 0), -EXO_EFAULT);
        try(exo_machine_trace(boot->machine, to, 640, to), -EXO_EFAULT);
        try_fails(exo_env_memory(0, at[i], (void *)WITNESS, 64, 1));
        try_true(EXO_INFO->size == size);
    }
    ATTEMPT("the kernel's memory read and written by load and store")
    {
        try_true(read_faults(EXO_KERNEL_BASE + 0x108000) &&
                 write_faults(EXO_KERNEL_BASE + 0x108000));
        try_true(read_faults(EXO_DIRECT_BASE) && write_faults(EXO_DIRECT_BASE + 0x100000));
        try_true(read_faults(EXO_DIRECT_BASE + EXO_INFO->frames * 4096 - 1));
        try_true(read_faults(EXO_INFO_BASE - 4096) && read_faults(EXO_INFO_BASE + (4ull << 30)));
    }
    ATTEMPT("a page that shows only its size of the exposed tables")
    try_true(read_faults(EXO_INFO_BASE + 0x100000));
}

// --- pointers
// --------------------------------------------------------------------------------------------

// Every call that takes a pointer, with this one. All must answer FAULT.
static void pointer_calls(uint64_t va)
{
    volatile void *p = (volatile void *)va;
    exo_handle_t env = try_handle(exo_env_create(boot->bank, 0, 0, 0));
    exo_handle_t as = try_handle(exo_aspace_create(boot->bank));
    exo_handle_t seg = try_handle(exo_segment_create(boot->bank));
    uint64_t cursor = 0;

    try(exo_cap_identify(boot->env, p), -EXO_EFAULT);
    try(exo_cap_clone_table(env, p, 4, &cursor, 0), -EXO_EFAULT);
    try(exo_cap_clone_table(env, 0, 0, p, 0), -EXO_EFAULT);
    try(exo_segment_harvest(seg, 0, 512, p), -EXO_EFAULT);
    try(exo_aspace_batch(0, boot->bank, p, 2), -EXO_EFAULT);
    try(exo_aspace_clone(as, boot->bank, p, 2, &cursor), -EXO_EFAULT);
    try(exo_aspace_clone(as, boot->bank, (void *)WITNESS, 0, p), -EXO_EFAULT);
    try(exo_env_memory(0, WITNESS, p, 64, 0), -EXO_EFAULT);
    try(exo_env_memory(0, OTHER, p, 64, 1), -EXO_EFAULT);
    try(exo_wait(p, 3, 0), -EXO_EFAULT);
    try(exo_wake(va & ~3ull, 1), (va & 4095) ? 0 : -EXO_EFAULT);
    try(exo_port_string(boot->ioport, 0x80, p, 64, 1), -EXO_EFAULT);
    try(exo_port_string(boot->ioport, 0x80, p, 64, 0), -EXO_EFAULT);
    try(exo_machine_log(boot->machine, p, 64), -EXO_EFAULT);
    try(exo_machine_check(boot->machine, p, 0), -EXO_EFAULT);
    try(exo_machine_trace(boot->machine, (void *)OTHER, 64, p), -EXO_EFAULT);
    env_end(env);
    try(exo_cap_delete(env), 0);
    try(exo_cap_delete(as), 0);
    try(exo_cap_delete(seg), 0);
}

static void pointers(void)
{
    is(buy(OTHER, 1, RW), 1);
    ATTEMPT("a pointer to nowhere, in every call")
    pointer_calls(SPOT);
    is(buy(SPOT, 1, RW), 1);
    ATTEMPT("a pointer to memory of which only the first bytes are there, in every call")
    pointer_calls(SPOT + 4096 - 4);
    ATTEMPT("a pointer whose structure ends exactly where memory does, and one byte later")
    {
        try(exo_cap_identify(boot->env, (void *)(SPOT + 4096 - sizeof(struct exo_cap_info))), 0);
        try(exo_cap_identify(boot->env, (void *)(SPOT + 4097 - sizeof(struct exo_cap_info))),
            -EXO_EFAULT);
    }
    ATTEMPT("a misaligned pointer, in the calls that fill structures")
    for (unsigned i = 1; i < 8; i++) {
        try(exo_cap_identify(boot->env, (void *)(SPOT + i)), 0);
        try_true(exo_wake(SPOT + i, 1) <= 0);
    }
    ATTEMPT("an answer into a page that may only be read")
    {
        try(batch_op(EXO_OP_PROTECT, SPOT, 1, EXO_R_READ, 0, 0, 0), 1);
        try(exo_cap_identify(boot->env, (void *)SPOT), -EXO_EFAULT);
        try(exo_env_memory(0, OTHER, (void *)SPOT, 64, 0), -EXO_EFAULT);
        try(exo_env_memory(0, SPOT, (void *)OTHER, 64, 1), -EXO_EFAULT);
        try(batch_op(EXO_OP_PROTECT, SPOT, 1, 0, 0, 0, 0), 1);
        try(exo_cap_identify(boot->env, (void *)SPOT), -EXO_EFAULT);
    }
    is(unmap(SPOT, 1), 1);
    is(unmap(OTHER, 1), 1);
}

// --- a sibling takes pages away while calls read and write them
// -------------------------------------------

static volatile uint64_t turns;
static exo_handle_t its_bank;

static void sibling(void *arg)
{
    struct exo_map_op op = {EXO_OP_UNMAP, 1, SPOT, 0, 0, RW, 0};

    (void)arg;
    for (;; turns++) {
        op.kind = EXO_OP_UNMAP;
        exo_aspace_batch(0, its_bank, &op, 1);
        exo_ctx_yield(0, 0, 0);
        op.kind = EXO_OP_BUY;
        exo_aspace_batch(0, its_bank, &op, 1);
        exo_ctx_yield(0, 0, 0);
    }
}

// What each call may answer while its pages come and go: done, or FAULT, and nothing between.
static unsigned calls_on_it(uint64_t *done)
{
    int64_t r = exo_cap_identify(boot->env, (void *)(SPOT + 8));
    int64_t s = exo_env_memory(0, SPOT + 4096 - 64, (void *)OTHER, 64, 0);
    int64_t t = exo_machine_trace(boot->machine, (void *)SPOT, 640, (void *)(SPOT + 1024));
    int64_t u = exo_aspace_batch(0, boot->bank, (void *)(SPOT + 2048), 1);

    *done += r == 0;
    return (r != 0 && r != -EXO_EFAULT) + (s != 64 && s != -EXO_EFAULT) +
           (t < 0 && t != -EXO_EFAULT) + (u >= 0);
}

static void pages_taken(void)
{
    uint64_t done = 0, rounds = 0, odd = 0;

    is(buy(OTHER, 1, RW), 1);
    ATTEMPT("pages unmapped by a sibling while calls read and write them")
    {
        quiet = true;
        turns = 0;
        peer_make(&peer, 0, true, 0, 0, sibling, 0);
        its_bank = give(&peer, boot->bank, EXO_R_BUY);
        try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
        for (; turns < 500 || !done || done == rounds; rounds++) {
            odd += calls_on_it(&done);
            if (rounds % 3 == 0)
                exo_ctx_yield(0, 0, 0);
        }
        peer_end(&peer);
        batch_op(EXO_OP_UNMAP, SPOT, 1, 0, 0, 0, 0);
        quiet = false;
        try(odd, 0);
    }
    put("# %lu of %lu answered\n", done, rounds);
    is(unmap(OTHER, 1), 1);
}

void test_main(void)
{
    upcalls_to(on_fault);
    witness_place();
    frames_of_others();
    tables_as_memory();
    places();
    info_pages();
    pointers();
    pages_taken();
    is(unmap(WITNESS, 1), 1);
}
