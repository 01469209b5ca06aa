// SPDX-License-Identifier: MIT
// A bank is destroyed with everything that lives on it: environments, running or dead, contexts,
// endpoints with callers, slices with contexts bound to them. Nothing is left but what others hold,
// and everything comes back.
#include "test.h"

static struct peer peer;
static exo_handle_t ep, bank, own_env, ep_in_peer;
static volatile uint64_t count, ready;

static void serve_badly(void *arg)
{
    (void)arg;
    ep = (exo_handle_t)exo_endpoint_create(bank);
    ep_in_peer = (exo_handle_t)exo_cap_copy(ep, EXO_R_CALL, own_env, 0);
    ready = 1;
    for (;;)
        count++;
}

static void destroy(exo_handle_t handle)
{
    int64_t err;

    do
        err = exo_bank_destroy(handle);
    while (err == -EXO_EAGAIN);
    is(err, 0);
}

static uint64_t free_frames(void)
{
    exo_wait(0, 0, now() + 5000000);
    return EXO_INFO->frames_free;
}

// An environment whose object, context, block and slice are bought from a child bank, and which
// spins.
static void all_on_it(void)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    exo_handle_t child = (exo_handle_t)exo_bank_split(boot->bank, 200), env, block, slice;
    uint64_t before = free_frames(), seen;

    env = (exo_handle_t)exo_env_create(child, 0, 0, 0);
    block = (exo_handle_t)exo_frames_alloc(child, 2, 0, 0);
    is(exo_ctx_create(env, child, block, 0x630000000000), 0);
    bank = (exo_handle_t)exo_cap_copy(child, EXO_R_ALL & ~EXO_R_CONTROL, env, 0);
    own_env = (exo_handle_t)exo_cap_copy(boot->env, EXO_R_ALL, env, 0);
    slice = (exo_handle_t)exo_slice_split(boot->slice, 8);
    regs.gpr.rip = (uint64_t)serve_badly;
    regs.gpr.rsp = 0x630000010000 + 4096 - 8;
    is(buy(0x630000010000, 1, RW), 1);
    is(exo_ctx_set(env, 0, &regs), 0);
    is(exo_ctx_bind(env, 0, slice), 0);
    ready = 0;
    while (!ready)
        exo_ctx_yield(0, 0, 0);
    destroy(child);
    seen = count;
    exo_wait(0, 0, now() + 30000000);
    is(count, seen);
    is(exo_cap_delete(env), -EXO_EBADHANDLE);
    is(exo_cap_delete(block), -EXO_EBADHANDLE);
    is(exo_cap_delete(ep_in_peer), -EXO_EBADHANDLE);
    is(exo_cap_delete(slice), 0);
    is(unmap(0x630000010000, 1), 1);
    is(free_frames(), before + 1); // and the child bank's own frame
}

static void caller(void *arg)
{
    struct exo_msg m = {.w = {1}};

    (void)arg;
    count = (uint64_t)exo_call(ep, &m);
    ready = 2;
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

// An endpoint goes under a queued caller, and a slice under a bound context.
static void parts(void)
{
    exo_handle_t child = (exo_handle_t)exo_bank_split(boot->bank, 50), serve;

    serve = (exo_handle_t)exo_endpoint_create(child);
    peer_make(&peer, 0, true, 0, 0, caller, 0);
    ep = (exo_handle_t)exo_cap_copy(serve, EXO_R_CALL, peer.env, 0);
    is(exo_ctx_bind(peer.env, 0, boot->slice), 0);
    exo_wait(0, 0, now() + 10000000);
    is(ready, 1);
    destroy(child);
    exo_wait(0, 0, now() + 10000000);
    is(ready, 2);
    is((int64_t)count, -EXO_EDEAD);
    is(exo_cap_delete(serve), -EXO_EBADHANDLE);
    peer_end(&peer);
}

void test_main(void)
{
    is(exo_bank_destroy(boot->bank), -EXO_EINVAL);
    all_on_it();
    parts();
}
