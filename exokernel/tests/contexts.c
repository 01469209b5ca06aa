// SPDX-License-Identifier: MIT
// Several contexts in one environment: made, bound, stopped, read, sharing memory and table; a
// server with two contexts; death of all when one exits; the limit.
#include "test.h"

static struct peer peer, server;
static volatile uint64_t count, answers[2];
static exo_handle_t bank, called, serve, own_env;
static volatile uint64_t ready;

static void spin(void *arg)
{
    (void)arg;
    for (;;)
        count++;
}

static void own_contexts(void)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    uint64_t before;

    peer_start(&peer, 0, false, 0, 0, spin, 0); // a second context of our own
    is(peer.index, 1);
    is(peer.ctx->index, 1);
    is(peer.ctx->env, CTX->env);
    is(EXO_ENVS[EXO_ENV_INDEX(CTX->env)].contexts, 2);
    while (count == 0)
        exo_ctx_yield(0, 0, 0);
    is(exo_ctx_set(0, 0, &regs), -EXO_EBUSY); // that is us
    is(exo_ctx_get(0, 0, &regs), -EXO_EBUSY);
    is(exo_ctx_get(0, 7, &regs), -EXO_ENOENT);
    is(exo_ctx_get(0, 1, &regs), 0);
    ok(regs.gpr.rip >= (uint64_t)spin && regs.gpr.rip < (uint64_t)spin + 64);
    is(exo_ctx_bind(0, 1, 0), 0);
    before = count;
    exo_wait(0, 0, now() + 30000000);
    is(count, before);
    regs.gpr.rip = 1ull << 47;
    is(exo_ctx_set(0, 1, &regs), -EXO_EINVAL);
    regs.gpr.rip = (uint64_t)spin;
    regs.gpr.rflags = 0x3000 | 1 << 17; // IOPL 3, VM: not for user code
    is(exo_ctx_set(0, 1, &regs), 0);
    is(exo_ctx_get(0, 1, &regs), 0);
    is(regs.gpr.rflags, 0x202);
    is(exo_ctx_create(0, boot->bank, peer.block, (uint64_t)peer.ctx), -EXO_EEXISTS);
    is(exo_ctx_create(0, boot->bank, boot->module[0].frames, 0x700000000000), -EXO_EINVAL);
}

// Two contexts of one server answer two callers' calls at the same time: the first keeps its call
// until the second answered.
static void serve_one(void *arg)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};
    uint64_t me = (uint64_t)arg;

    for (;;) {
        if (exo_reply_wait(serve, &m, EXO_NEVER) || ctx_self()->in_kind != EXO_EV_CALL)
            continue;
        answers[me]++;
        if (m.w[0] == 1)
            while (answers[0] + answers[1] < 2)
                exo_ctx_yield(0, 0, 0);
        if (m.w[0] == 99)
            exo_env_exit(0);
        m.w[0] += 10;
        m.meta = 0;
    }
}

static void serve_main(void *arg)
{
    serve = (exo_handle_t)exo_endpoint_create(bank);
    called = (exo_handle_t)exo_cap_copy(serve, EXO_R_CALL, own_env, 0);
    ready = 1;
    serve_one(arg);
}

static volatile uint64_t result;

static void call_one(void *arg)
{
    struct exo_msg m = {.w = {1}};

    (void)arg;
    if (exo_call(called, &m) == 0)
        result = m.w[0];
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

static void two_servers(void)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    struct exo_msg m;
    exo_handle_t block;

    peer_make(&server, 1, true, 0, 0, serve_main, (void *)0);
    bank = give(&server, boot->bank, EXO_R_ALL);
    own_env = give(&server, boot->env, EXO_R_ALL);
    is(exo_ctx_bind(server.env, 0, boot->slice), 0);
    while (!ready)
        exo_ctx_yield(0, 0, 0);
    block = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);
    is(exo_ctx_create(server.env, boot->bank, block, 0x600000800000), 1);
    is(buy(0x600000810000, 2, RW), 1);
    regs.gpr.rip = (uint64_t)serve_one;
    regs.gpr.rdi = 1;
    regs.gpr.rsp = 0x600000812000 - 8;
    is(exo_ctx_set(server.env, 1, &regs), 0);
    is(exo_ctx_bind(server.env, 1, boot->slice), 0);
    regs.gpr.rip = (uint64_t)call_one; // our own second context calls with 1 ...
    regs.gpr.rsp = 0x600000018000 - 8;
    is(exo_ctx_set(0, 1, &regs), 0);
    is(exo_ctx_bind(0, 1, boot->slice), 0);
    while (answers[0] + answers[1] == 0)
        exo_ctx_yield(0, 0, 0);
    m = (struct exo_msg){.w = {2}}; // ... and is answered only after us
    is(exo_call(called, &m), 0);
    is(m.w[0], 12);
    while (!result)
        exo_ctx_yield(0, 0, 0);
    is(result, 11);
    ok(answers[0] && answers[1]);
    m.w[0] = 99; // one context ends both
    is(exo_call(called, &m), -EXO_EDEAD);
    peer_end(&server);
    is(exo_cap_delete(called), 0);
    is(exo_cap_delete(block), 0);
    is(unmap(0x600000810000, 2), 1);
}

// An environment of its own with as many contexts as there may be.
static void limit(void)
{
    int64_t env = exo_env_create(boot->bank, 0, 0, 0), index = 0;
    exo_handle_t blocks[EXO_CONTEXTS + 1];
    unsigned n;

    for (n = 0; n <= EXO_CONTEXTS && index >= 0; n++) {
        blocks[n] = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);
        index =
            exo_ctx_create((exo_handle_t)env, boot->bank, blocks[n], 0x620000000000 + n * 0x2000);
    }
    is(n, EXO_CONTEXTS + 1);
    is(index, -EXO_ELIMIT);
    while (n)
        exo_cap_delete(blocks[--n]);
    is(exo_cap_delete((exo_handle_t)env), 0);
}

void test_main(void)
{
    struct exo_check check = {.size = sizeof(check), .version = EXO_ABI_VERSION};

    own_contexts();
    two_servers();
    limit();
    is(exo_ctx_bind(0, 1, 0), 0);
    exo_wait(0, 0, now() + 20000000);
    is(exo_machine_check(boot->machine, &check, 0), 0);
    is(check.objects[EXO_CAP_NONE],
       2); // our second one stays until we go: so this test ends the machine itself
    is(check.objects[EXO_CAP_ENV], 1);
    is(check.violations, 0);
    test_stop();
}
