// SPDX-License-Identifier: MIT
// Attempts: misuse with the proof that it was refused and that nothing else changed.
//
//     ATTEMPT("a stale handle") {
//         try(exo_cap_delete(stale), -EXO_EBADHANDLE);
//     }
//
// is one test named for the misuse. Before and after it the kernel's invariant checker counts all
// there is (it finishes what was put off first), and the witness page, which nobody has a reason to
// write, is looked at. Whatever the block makes it must give back.
#ifndef TEST_ATTEMPT_H
#define TEST_ATTEMPT_H
#include "test.h"

#define WITNESS 0x0000123456000000ull

static struct {
    struct exo_check before;
    unsigned wrong;
    bool open;
} attempt;

static inline void attempt_look(struct exo_check *check)
{
    *check = (struct exo_check){.size = sizeof(*check), .version = EXO_ABI_VERSION};
    attempt.wrong += exo_machine_check(boot->machine, check, 0) != 0;
}

static inline void witness_place(void)
{
    is(buy(WITNESS, 1, RW), 1);
    for (unsigned i = 0; i < 512; i++)
        ((volatile uint64_t *)WITNESS)[i] = i * 0x9e3779b97f4a7c15ull;
}

static inline bool witness_whole(void)
{
    for (unsigned i = 0; i < 512; i++)
        if (((volatile uint64_t *)WITNESS)[i] != i * 0x9e3779b97f4a7c15ull)
            return false;
    return true;
}

static inline void attempt_begin(void)
{
    attempt.wrong = 0;
    attempt.open = true;
    attempt_look(&attempt.before);
}

static inline void attempt_same(uint64_t then, uint64_t now_is, const char *what)
{
    if (then == now_is)
        return;
    put("# %s: %lu before, %lu after\n", what, then, now_is);
    attempt.wrong++;
}

static inline void attempt_end(const char *name, int line)
{
    struct exo_check after, *before = &attempt.before;

    attempt_look(&after);
    attempt_same(0, after.violations, "invariants broken");
    for (unsigned i = 0; i <= EXO_FRAME_RUN; i++)
        attempt_same(before->frames[i], after.frames[i], frame_kinds[i]);
    for (unsigned i = 0; i < EXO_CAP_TYPES; i++)
        attempt_same(before->objects[i], after.objects[i], object_types[i]);
    attempt_same(before->caps, after.caps, "capabilities");
    attempt_same(true, witness_whole(), "the witness page");
    attempt.open = false;
    ok_at(attempt.wrong == 0, name, line);
}

// One test; the block is run once.
#define ATTEMPT(name) for (attempt_begin(); attempt.open; attempt_end(name, __LINE__))

static inline void attempt_is(int64_t got, int64_t want, const char *what, int line)
{
    if (got == want)
        return;
    put("# line %d: %s: got %ld (%lx), expected %ld\n", line, what, got, got, want);
    attempt.wrong++;
}

// Inside an attempt: what the call must answer; any error will do; a condition that must hold.
#define try(call, want)  attempt_is((int64_t)(call), (int64_t)(want), #call, __LINE__)
#define try_fails(call)  attempt_is((int64_t)(call) < 0, 1, #call, __LINE__)
#define try_true(cond)   attempt_is((cond) ? 1 : 0, 1, #cond, __LINE__)
#define try_handle(call) attempt_handle((int64_t)(call), #call, __LINE__)

static inline exo_handle_t attempt_handle(int64_t got, const char *what, int line)
{
    attempt_is(got > 0 ? 1 : got, 1, what, line);
    return (exo_handle_t)got;
}

static inline int64_t batch_op(uint32_t kind, uint64_t va, uint32_t pages, uint32_t rights,
                               exo_handle_t cap, uint64_t first, uint32_t flags)
{
    struct exo_map_op op = {kind, pages, va, cap, first, rights, flags};

    return exo_aspace_batch(0, boot->bank, &op, 1);
}

static inline struct exo_cap_info info_of(exo_handle_t cap)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};

    if (exo_cap_identify(cap, &info))
        info = (struct exo_cap_info){0};
    return info;
}

// Kills an environment and waits until nothing of it is left but the object.
static inline void env_end(exo_handle_t env)
{
    uint32_t index = EXO_ENV_INDEX(info_of(env).env);

    exo_env_kill(env, 0, 0);
    while (EXO_ENVS[index].state != EXO_ENV_DEAD)
        exo_ctx_yield(0, 0, 0);
}

// A capability of every type, with all rights it can have; zoo_drop gives them back.
struct zoo {
    exo_handle_t cap[EXO_CAP_TYPES];
};

static inline void zoo_make(struct zoo *z)
{
    *z = (struct zoo){0};
    z->cap[EXO_CAP_BANK] = try_handle(exo_bank_split(boot->bank, 64));
    z->cap[EXO_CAP_FRAMES] = try_handle(exo_frames_alloc(boot->bank, 4, 0, 0));
    z->cap[EXO_CAP_SEGMENT] = try_handle(exo_segment_create(boot->bank));
    z->cap[EXO_CAP_ASPACE] = try_handle(exo_aspace_create(boot->bank));
    z->cap[EXO_CAP_ENV] = try_handle(exo_env_create(boot->bank, z->cap[EXO_CAP_ASPACE], 0, 0));
    z->cap[EXO_CAP_ENDPOINT] = try_handle(exo_endpoint_create(boot->bank));
    z->cap[EXO_CAP_SLICE] = try_handle(exo_slice_split(boot->slice, 1));
    z->cap[EXO_CAP_IRQ] =
        try_handle(exo_cap_copy(boot->irq, EXO_R_ALL & info_of(boot->irq).rights, 0, 0));
    z->cap[EXO_CAP_IOPORT] =
        try_handle(exo_cap_copy(boot->ioport, EXO_R_ALL & info_of(boot->ioport).rights, 0, 0));
    z->cap[EXO_CAP_MACHINE] =
        try_handle(exo_cap_copy(boot->machine, EXO_R_ALL & info_of(boot->machine).rights, 0, 0));
    if (boot->ndevices)
        z->cap[EXO_CAP_DEVICE] =
            try_handle(exo_cap_copy(boot->device[0], info_of(boot->device[0]).rights, 0, 0));
}

static inline void zoo_drop(struct zoo *z)
{
    int64_t r;

    for (unsigned type = EXO_CAP_TYPES; type-- > 1;) {
        if (!z->cap[type])
            continue;
        if (type == EXO_CAP_ENV)
            env_end(z->cap[type]);
        do
            r = exo_cap_delete(z->cap[type]);
        while (r == -EXO_EAGAIN);
        try(r, 0);
    }
}

#endif
