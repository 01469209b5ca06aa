// SPDX-License-Identifier: MIT
// Death at every instruction: a client runs a script of calls with the trap flag on, so that each
// of its instructions ends in an upcall; after the Nth it dies, by itself or by our hand. For every
// N all its memory, capabilities, sleeps and calls come back, and the server it talked to goes on.
#include "test.h"

#define PLACE 0x40000000ull
#define TRAP  0x100ull

static struct peer peer;
static exo_handle_t ep, serve, bank, slice;
static volatile uint64_t steps, die_at, finished, frozen;
static volatile uint32_t word;

// Plain inline calls: what the compiler makes of them is the script.
static void script(void *arg)
{
    struct exo_msg m = {.meta = EXO_META(16, 1), .w = {1, 2, 3, 4, 5, 6}};
    struct exo_cond cond = {.kind = EXO_COND_WORD, .value = 0, .va = (uint64_t)&word};
    struct exo_map_op ops[2] = {{.kind = EXO_OP_BUY, .count = 2, .va = PLACE, .rights = RW},
                                {.kind = EXO_OP_UNMAP, .count = 2, .va = PLACE}};
    int64_t run, copy;

    (void)arg;
    run = exo_frames_alloc(bank, 1, 0, 0);
    copy = exo_cap_derive((exo_handle_t)run, EXO_R_READ, 0, 0, 0);
    exo_aspace_batch(0, bank, ops, 1);
    *(volatile uint64_t *)PLACE = 1;
    ctx_self()->send[0].handle = (uint64_t)copy;
    ctx_self()->send[0].rights = EXO_R_READ;
    ctx_self()->send[0].mode = EXO_SEND_MOVE;
    exo_call(ep, &m);
    exo_wait(&cond, 1, 0);
    exo_wait(&cond, 1, 1000);
    exo_endpoint_create(bank);
    exo_ctx_alarm(1ull << 60, 1);
    exo_slice_split(slice, 1);
    exo_aspace_batch(0, bank, ops + 1, 1);
    finished = 1;
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

static void step(struct exo_save *save)
{
    if (save->cause != EXO_UP_EXCEPTION || save->vector != 1)
        return;
    if (++steps != die_at)
        return;
    if (die_at & 1)
        exo_env_exit(1);
    frozen = 1;
    for (;;)
        exo_ctx_yield(0, 0, 0);
}

static exo_handle_t hand(exo_handle_t cap, uint32_t rights)
{
    return (exo_handle_t)exo_cap_copy(cap, rights, peer.env, 0);
}

static bool state_is(uint32_t state)
{
    return EXO_ENVS[EXO_ENV_INDEX(peer.id)].state == state;
}

// Serves until the client is dead, finished or frozen; a received capability is thrown away.
static void serve_it(void)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};

    while (!frozen && !finished && !state_is(EXO_ENV_DEAD)) {
        if (exo_reply_wait(serve, &m, now() + 100000) || CTX->in_kind != EXO_EV_CALL) {
            m.meta = EXO_REPLY_NONE;
            continue;
        }
        if (CTX->recv[0])
            exo_cap_delete(CTX->recv[0]);
        m.meta = 0;
    }
    m.meta = EXO_REPLY_ONLY;
    exo_reply_wait(serve, &m, 0);
}

static bool one_death(uint64_t at)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};

    steps = frozen = finished = 0;
    die_at = at;
    quiet = true;
    peer_make(&peer, 0, true, 0, 0, script, 0);
    bank = hand(boot->bank, EXO_R_ALL & ~EXO_R_CONTROL);
    slice = hand(boot->slice, EXO_R_ALL);
    ep = hand(serve, EXO_R_CALL);
    exo_ctx_get(peer.env, 0, &regs);
    regs.gpr.rflags |= TRAP;
    exo_ctx_set(peer.env, 0, &regs);
    exo_ctx_bind(peer.env, 0, boot->slice);
    serve_it();
    peer_end(&peer);
    unmap(PLACE, 2); // bought into the address space we share
    quiet = false;
    return finished;
}

static uint64_t settled(void)
{
    exo_wait(0, 0, now() + 1000000);
    return EXO_INFO->frames_free;
}

void test_main(void)
{
    uint64_t at, free, lost = 0;
    bool done = false;

    upcalls_to(step);
    serve = (exo_handle_t)exo_endpoint_create(boot->bank);
    CTX->recv_max = 1;
    one_death(1); // tables that stay
    free = settled();
    for (at = 1; !done && at < 3000; at++) {
        done = one_death(at);
        if (settled() == free)
            continue;
        put("# death after instruction %lu: %ld frames lost\n", at,
            (int64_t)(free - EXO_INFO->frames_free));
        free = EXO_INFO->frames_free;
        lost++;
    }
    put("# died at each of %lu instructions\n", at - 2);
    is(lost, 0);
    ok(done && at > 60);
    is(exo_cap_delete(serve), 0);
}
