// SPDX-License-Identifier: MIT
// Handles that name nothing, something else, or less than is wanted: forged, stale, narrowed,
// revoked, of another type; and rights that try to grow on their way from hand to hand.
#include <string.h>
#include "attempt.h"

#define SPOT 0x0000200000000000ull

static struct peer peer;

// --- every call, every place of a handle
// -----------------------------------------------------------

#define CALL1(nr, name, ta, ...)                             {nr, #name, #ta},
#define CALL2(nr, name, ta, a, tb, ...)                      {nr, #name, #ta #tb},
#define CALL3(nr, name, ta, a, tb, b, tc, ...)               {nr, #name, #ta #tb #tc},
#define CALL4(nr, name, ta, a, tb, b, tc, c, td, ...)        {nr, #name, #ta #tb #tc #td},
#define CALL5(nr, name, ta, a, tb, b, tc, c, td, d, te, ...) {nr, #name, #ta #tb #tc #td #te},
#define CALLX(nr, name, ...)                                 {nr, #name, "H"},
static const struct call {
    uint32_t nr;
    const char *name, *kinds; // H handle, U number, P pointer
} calls[] = {
#include <exo/calls.def>
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

// These take whatever handle names something, and need no right.
static bool takes_anything(uint32_t nr)
{
    return nr == EXO_CALL_cap_derive || nr == EXO_CALL_cap_copy || nr == EXO_CALL_cap_delete ||
           nr == EXO_CALL_cap_identify;
}

static char scratch[4096] __attribute__((aligned(4096)));

// The call with `handle` in its n-th place for handles, memory of ours where it takes a pointer,
// and small numbers.
static int64_t call_with(const struct call *c, unsigned n, exo_handle_t handle)
{
    uint64_t args[6] = {0};

    for (unsigned i = 0; c->kinds[i]; i++) {
        if (c->kinds[i] == 'H' && n-- == 0)
            args[i] = handle;
        else if (c->kinds[i] == 'P')
            args[i] = (uint64_t)scratch;
        else if (c->kinds[i] == 'U')
            args[i] = 1;
    }
    return exo_syscall6(c->nr, args[0], args[1], args[2], args[3], args[4], 0);
}

static unsigned places(const struct call *c)
{
    unsigned n = 0;

    for (const char *kind = c->kinds; *kind; kind++)
        n += *kind == 'H';
    return n;
}

// In the first place the answer is `want`; in the others, and for the other capabilities a call
// needs too, any error.
static void every_call(exo_handle_t handle, int64_t want, int64_t or_want, bool weak)
{
    for (unsigned i = 0; i < CALLS; i++) {
        for (unsigned n = 0; n < places(&calls[i]); n++) {
            if (weak && takes_anything(calls[i].nr))
                continue;
            memset(scratch, 0, sizeof(scratch));
            int64_t got = call_with(&calls[i], n, handle);
            if (got >= 0 || (n == 0 && got != want && got != or_want)) {
                put("# %s, place %u: %ld\n", calls[i].name, n, got);
                attempt.wrong++;
            }
        }
    }
}

static void forged(void)
{
    exo_handle_t real = boot->bank;

    ATTEMPT("a handle that names no slot, in every call")
    every_call(0xfffff | 1ull << 20, -EXO_EBADHANDLE, 0, false);
    ATTEMPT("a handle with the next generation, in every call")
    every_call(real + (1ull << 20), -EXO_EBADHANDLE, 0, false);
    ATTEMPT("a handle with generation 0, in every call")
    every_call(EXO_HANDLE_INDEX(real), -EXO_EBADHANDLE, 0, false);
    ATTEMPT("a handle with bits beyond the generation, in every call")
    every_call(real | 1ull << 63, -EXO_EBADHANDLE, 0, false);
    ATTEMPT("a handle of all ones, in every call")
    every_call(UINT64_MAX, -EXO_EBADHANDLE, 0, false);
    ATTEMPT("a handle that is an address of the kernel, in every call")
    every_call(EXO_KERNEL_BASE + 0x108000, -EXO_EBADHANDLE, 0, false);
}

static void stale(void)
{
    exo_handle_t old = (exo_handle_t)exo_cap_copy(boot->bank, EXO_R_BUY, 0, 0), again;

    is(exo_cap_delete(old), 0);
    ATTEMPT("a stale handle, in every call")
    every_call(old, -EXO_EBADHANDLE, 0, false);
    again = (exo_handle_t)exo_cap_copy(boot->env, EXO_R_ALL, 0, EXO_HANDLE_INDEX(old));
    is(EXO_HANDLE_INDEX(again), EXO_HANDLE_INDEX(old));
    ATTEMPT("a stale handle whose slot holds something new, in every call")
    every_call(old, -EXO_EBADHANDLE, 0, false);
    is(exo_cap_delete(again), 0);
}

// Deletes the middle generation of three: the parent's revocation must take the grandchild.
static void revoked(void)
{
    exo_handle_t child =
        (exo_handle_t)exo_cap_derive(boot->bank, EXO_R_ALL & info_of(boot->bank).rights, 0, 0, 0);
    exo_handle_t root = (exo_handle_t)exo_bank_split(child, 32), mine, grand;

    mine = (exo_handle_t)exo_cap_derive(root, EXO_R_BUY | EXO_R_READ, 0, 0, 0);
    grand = (exo_handle_t)exo_cap_derive(mine, EXO_R_BUY, 0, 0, 0);
    is(exo_cap_delete(mine), 0);
    is(exo_cap_revoke(root), 0);
    ATTEMPT("a revoked handle, in every call")
    every_call(grand, -EXO_EBADHANDLE, 0, false);
    is(exo_cap_delete(root), 0);
    is(exo_cap_delete(child), 0);
}

static void narrowed(void)
{
    struct zoo z;

    for (unsigned type = EXO_CAP_BANK; type < EXO_CAP_TYPES; type++) {
        static const char *const names[] = {"",
                                            "a bank without rights, in every call",
                                            "frames without rights, in every call",
                                            "a segment without rights, in every call",
                                            "an address space without rights, in every call",
                                            "an environment without rights, in every call",
                                            "an endpoint without rights, in every call",
                                            "a slice without rights, in every call",
                                            "interrupts without rights, in every call",
                                            "ports without rights, in every call",
                                            "a device without rights, in every call",
                                            "the machine without rights, in every call"};
        ATTEMPT(names[type])
        {
            zoo_make(&z);
            exo_handle_t none = z.cap[type] ? try_handle(exo_cap_copy(z.cap[type], 0, 0, 0)) : 0;
            every_call(none, -EXO_ERIGHTS, none ? -EXO_ETYPE : -EXO_EBADHANDLE, true);
            if (none)
                try(exo_cap_delete(none), 0);
            zoo_drop(&z);
        }
    }
}

// --- rights and badges do not grow
// -----------------------------------------------------------------

static void growth(void)
{
    exo_handle_t frames = (exo_handle_t)exo_frames_alloc(boot->bank, 1, 0, 0);
    exo_handle_t weak = (exo_handle_t)exo_cap_derive(frames, EXO_R_READ, 0, 0, 0);
    struct exo_map_op op = {EXO_OP_MAP, 1, SPOT, weak, 0, RW, 0};

    ATTEMPT("a child with more rights than its parent")
    try(exo_cap_derive(weak, RW, 0, 0, 0), -EXO_ERIGHTS);
    ATTEMPT("a copy with more rights than its source")
    try(exo_cap_copy(weak, RW, 0, 0), -EXO_ERIGHTS);
    ATTEMPT("a right that does not exist")
    {
        try_fails(exo_cap_copy(frames, 1u << 31, 0, 0));
        try_fails(exo_cap_derive(frames, 1ull << 40, 0, 0, 0));
        try_fails(exo_cap_copy(frames, EXO_R_READ | 1ull << 32, 0, 0));
    }
    ATTEMPT("a read-only capability mapped for writing")
    try(exo_aspace_batch(0, boot->bank, &op, 1), -EXO_ERIGHTS);
    ATTEMPT("a read-only window made writable by protect")
    {
        op.rights = EXO_R_READ;
        try(exo_aspace_batch(0, boot->bank, &op, 1), 1);
        try_fails(batch_op(EXO_OP_PROTECT, SPOT, 1, RW, 0, 0, 0));
        try_fails(batch_op(EXO_OP_COW_BREAK, SPOT, 1, 0, 0, 0, 0));
        try(unmap(SPOT, 1), 1);
    }
    ATTEMPT("a segment that gives more than its frames do")
    {
        exo_handle_t seg = try_handle(exo_segment_create(boot->bank));
        try(exo_segment_fill(seg, 0, weak, 0, 1 | (uint64_t)RW << 32), -EXO_ERIGHTS);
        try(exo_segment_fill(seg, 0, weak, 0, 1 | (uint64_t)EXO_R_WRITE << 32), -EXO_ERIGHTS);
        try(exo_cap_delete(seg), 0);
    }
    is(exo_cap_delete(weak), 0);
    is(exo_cap_delete(frames), 0);
}

static void badges(void)
{
    exo_handle_t ep = (exo_handle_t)exo_endpoint_create(boot->bank);
    exo_handle_t seven =
        (exo_handle_t)exo_cap_derive(ep, EXO_R_CALL | EXO_R_DERIVE, 7, EXO_DERIVE_BADGE, 0);
    exo_handle_t plain = (exo_handle_t)exo_cap_derive(ep, EXO_R_CALL, 0, 0, 0);

    ATTEMPT("a badge changed by whoever has one")
    try_fails(exo_cap_derive(seven, EXO_R_CALL, 8, EXO_DERIVE_BADGE, 0));
    ATTEMPT("a badge taken without the right to derive")
    try(exo_cap_derive(plain, EXO_R_CALL, 8, EXO_DERIVE_BADGE, 0), -EXO_ERIGHTS);
    ATTEMPT("a badge on what is no endpoint")
    try_fails(exo_cap_derive(boot->slice, EXO_R_BIND, 8, EXO_DERIVE_BADGE, 0));
    ATTEMPT("a watch on what is no endpoint")
    try_fails(exo_cap_derive(boot->bank, EXO_R_BUY, 0, EXO_DERIVE_WATCH, 0));
    ATTEMPT("flags of derive that do not exist")
    try(exo_cap_derive(ep, EXO_R_CALL, 0, 1u << 20, 0), -EXO_EINVAL);
    is(exo_cap_delete(plain), 0);
    is(exo_cap_delete(seven), 0);
    is(exo_cap_delete(ep), 0);
}

static void ranges(void)
{
    uint64_t at = 0x3f8ull << 32;
    exo_handle_t com =
        (exo_handle_t)exo_cap_derive(boot->ioport, RW | EXO_R_DERIVE, 0, EXO_DERIVE_RANGE, at | 8);
    exo_handle_t fixed = (exo_handle_t)exo_cap_copy(com, RW, 0, 0);

    ATTEMPT("a range of ports that is wider than its source's")
    {
        try(exo_cap_derive(com, RW, 0, EXO_DERIVE_RANGE, at | 9), -EXO_EINVAL);
        try(exo_cap_derive(com, RW, 0, EXO_DERIVE_RANGE, 0x3f7ull << 32 | 8), -EXO_EINVAL);
        try(exo_cap_derive(com, RW, 0, EXO_DERIVE_RANGE, at | UINT32_MAX), -EXO_EINVAL);
        try(exo_cap_derive(com, RW, 0, EXO_DERIVE_RANGE, (0x3f8ull + UINT32_MAX) << 32 | 1),
            -EXO_EINVAL);
        try(exo_cap_derive(com, RW, 0, EXO_DERIVE_RANGE, at), -EXO_EINVAL);
    }
    ATTEMPT("a range narrowed without the right to derive")
    try(exo_cap_derive(fixed, RW, 0, EXO_DERIVE_RANGE, at | 1), -EXO_ERIGHTS);
    ATTEMPT("a port outside the range, by a wide access or by wrapping")
    {
        try(exo_port_io(com, 0x3f7, 1, 0), -EXO_EINVAL);
        try(exo_port_io(com, 0x3ff, 2, 0), -EXO_EINVAL);
        try(exo_port_io(com, 0x400, 1, 0), -EXO_EINVAL);
        try(exo_port_io(com, 0x1000003f8ull, 1, 0), -EXO_EINVAL);
        try(exo_port_io(com, UINT64_MAX, 4, 0), -EXO_EINVAL);
        try(exo_port_string(com, 0x400, scratch, 16, 0), -EXO_EINVAL);
    }
    is(exo_cap_delete(fixed), 0);
    is(exo_cap_delete(com), 0);
}

// --- other tables
// ------------------------------------------------------------------------------------

static void tables(void)
{
    exo_handle_t env = (exo_handle_t)exo_env_create(boot->bank, 0, 0, 0);
    exo_handle_t seen = (exo_handle_t)exo_cap_derive(env, EXO_R_NOTIFY, 0, 0, 0);
    uint64_t cursor = 0, skip[65] = {0};

    ATTEMPT("a capability put into a table without control of it")
    try(exo_cap_copy(boot->bank, EXO_R_BUY, seen, 0), -EXO_ERIGHTS);
    ATTEMPT("a table cloned into an environment without control of it")
    try(exo_cap_clone_table(seen, skip, 0, &cursor, 0), -EXO_ERIGHTS);
    ATTEMPT("a capability put into a slot that is taken, or far out, or that cannot be")
    {
        try(exo_cap_copy(boot->bank, EXO_R_BUY, 0, EXO_HANDLE_INDEX(boot->env)), -EXO_EEXISTS);
        try(exo_cap_copy(boot->bank, EXO_R_BUY, env, 900000), -EXO_ENOSLOT);
        try(exo_cap_copy(boot->bank, EXO_R_BUY, env, 1ull << 20), -EXO_ENOSLOT);
        try_fails(exo_cap_copy(boot->bank, EXO_R_BUY, env, 1ull << 32));
        try_fails(exo_cap_copy(boot->bank, EXO_R_BUY, env, UINT64_MAX));
    }
    ATTEMPT("a table clone with a cursor of nonsense, and too long a list")
    {
        try(exo_cap_clone_table(env, skip, 65, &cursor, 0), -EXO_ELIMIT);
        try_fails(exo_cap_clone_table(env, skip, UINT64_MAX, &cursor, 0));
        try_fails(exo_cap_clone_table(env, skip, 0, &cursor, 1u << 30));
        cursor = UINT64_MAX;
        try_true(exo_cap_clone_table(env, skip, 0, &cursor, 0) <= 0);
        cursor = 1ull << 32;
        try_true(exo_cap_clone_table(env, skip, 0, &cursor, 0) <= 0);
    }
    ATTEMPT("a table cloned into itself")
    {
        cursor = 0;
        try_true(exo_cap_clone_table(0, skip, 0, &cursor, 0) <= 0);
    }
    exo_env_kill(env, 0, 0);
    ATTEMPT("a capability put into the table of the dead")
    {
        while (EXO_ENVS[EXO_ENV_INDEX(info_of(env).env)].state != EXO_ENV_DEAD)
            exo_ctx_yield(0, 0, 0);
        try(exo_cap_copy(boot->bank, EXO_R_BUY, env, 0), -EXO_EDEAD);
        cursor = 0;
        try(exo_cap_clone_table(env, skip, 0, &cursor, 0), -EXO_EDEAD);
    }
    is(exo_cap_delete(seen), 0);
    is(exo_cap_delete(env), 0);
}

static void without_revoke(void)
{
    exo_handle_t frames = (exo_handle_t)exo_frames_alloc(boot->bank, 1, 0, 0);
    exo_handle_t shared = (exo_handle_t)exo_cap_derive(frames, RW, 0, 0, 0);
    exo_handle_t seg = (exo_handle_t)exo_segment_create(boot->bank);
    exo_handle_t lent = (exo_handle_t)exo_cap_derive(seg, EXO_R_READ | EXO_R_WRITE, 0, 0, 0);
    uint64_t bits[8];

    ATTEMPT("a revocation without the right to it")
    try(exo_cap_revoke(shared), -EXO_ERIGHTS);
    ATTEMPT("a segment filled, cleared and harvested by one it was lent to")
    {
        try(exo_segment_fill(lent, 0, frames, 0, 1 | (uint64_t)EXO_R_READ << 32), -EXO_ERIGHTS);
        try(exo_segment_clear(lent, 0, 512), -EXO_ERIGHTS);
        try(exo_segment_harvest(lent, 0, 512, bits), -EXO_ERIGHTS);
    }
    is(exo_cap_delete(lent), 0);
    is(exo_cap_delete(seg), 0);
    is(exo_cap_delete(shared), 0);
    is(exo_cap_delete(frames), 0);
}

// --- revocation while the window is in use, by another environment
// -------------------------------------

static volatile uint32_t reads, faulted;

static void on_fault(struct exo_save *save)
{
    (void)save;
    faulted = 1;
    exo_env_exit(5);
}

static void reader(void *arg)
{
    volatile uint64_t *window = arg;

    for (;;) {
        (void)*window;
        reads++;
    }
}

static void window_revoked(void)
{
    ATTEMPT("a window read after its capability was revoked")
    {
        exo_handle_t frames = try_handle(exo_frames_alloc(boot->bank, 1, 0, 0));
        exo_handle_t lent = try_handle(exo_cap_derive(frames, EXO_R_READ, 0, 0, 0));
        reads = faulted = 0;
        quiet = true;
        peer_make(&peer, 0, true, 0, 0, reader, (void *)SPOT);
        try(map(0, lent, SPOT, 0, 1, EXO_R_READ), 1);
        try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
        while (reads < 1000)
            exo_ctx_yield(0, 0, 0);
        try(exo_cap_revoke(frames), 0);
        while (EXO_ENVS[EXO_ENV_INDEX(peer.id)].state != EXO_ENV_DEAD)
            exo_ctx_yield(0, 0, 0);
        try(EXO_ENVS[EXO_ENV_INDEX(peer.id)].code, 5);
        try(faulted, 1);
        peer_end(&peer);
        quiet = false;
        try(exo_cap_delete(lent), -EXO_EBADHANDLE);
        try(exo_cap_delete(frames), 0);
    }
}

void test_main(void)
{
    upcalls_to(on_fault);
    witness_place();
    forged();
    stale();
    revoked();
    narrowed();
    growth();
    badges();
    ranges();
    tables();
    without_revoke();
    window_revoked();
    is(unmap(WITNESS, 1), 1);
}
