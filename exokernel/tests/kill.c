// SPDX-License-Identifier: MIT
// Killing: running, asleep, stopped, never started, unnamed, holding much; registers and memory of
// the dead.
#include "test.h"

#define BIG 0x30000000ull

static struct peer peer;
static volatile uint64_t count;

static void spin(void *arg)
{
    (void)arg;
    for (;;)
        count++;
}

static void doze(void *arg)
{
    (void)arg;
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

static void kill_one(void (*fn)(void *), bool stop, uint64_t ns)
{
    uint64_t before;

    peer_start(&peer, 0, true, 0, 0, fn, (void *)0x1234);
    exo_wait(0, 0, now() + ns);
    if (stop)
        is(exo_ctx_bind(peer.env, 0, 0), 0);
    is(exo_env_kill(peer.env, 3, 0), 0);
    before = count;
    is(exo_ctx_bind(peer.env, 0, boot->slice), -EXO_EDEAD);
    is(exo_env_notify(peer.env, 1), -EXO_EDEAD);
    exo_wait(0, 0, now() + 20000000);
    is(count, before);
}

static void registers(void)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    uint64_t rip;

    kill_one(spin, false, 20000000);
    is(exo_ctx_get(peer.env, 0, &regs), 0);
    rip = regs.gpr.rip - (uint64_t)spin;
    ok(rip < 0x100);
    is(regs.gpr.cs, 0x2b);
    is(exo_ctx_set(peer.env, 0, &regs), -EXO_EDEAD);
    is(exo_env_memory(peer.env, (uint64_t)&count, &rip, 8, 0),
       -EXO_EFAULT); // the address space was ours
    is(EXO_ENVS[EXO_ENV_INDEX(peer.id)].state, EXO_ENV_DEAD);
    is(EXO_ENVS[EXO_ENV_INDEX(peer.id)].code, 3);
    is(EXO_ENVS[EXO_ENV_INDEX(peer.id)].reason, EXO_DEATH_KILLED);
    peer_end(&peer);
    is(EXO_ENVS[EXO_ENV_INDEX(peer.id)].state, EXO_ENV_FREE);
}

// An environment with an address space and a table of its own.
static void big(void)
{
    struct exo_map_op op = {.kind = EXO_OP_BUY, .count = 512, .rights = RW};
    int64_t as = exo_aspace_create(boot->bank), env, cap;
    uint64_t free;

    ok(as > 0);
    env = exo_env_create(boot->bank, (exo_handle_t)as, 0, 0);
    ok(env > 0);
    for (unsigned i = 0; i < 8; i++) {
        op.va = BIG + i * 0x200000ull;
        is(exo_aspace_batch((exo_handle_t)as, boot->bank, &op, 1), 1);
    }
    for (unsigned i = 0; i < 300; i++) {
        cap = exo_cap_copy(boot->module[0].frames, EXO_R_READ, (exo_handle_t)env, 0);
        if (cap <= 0)
            break;
    }
    ok(cap > 0);
    is(exo_cap_delete((exo_handle_t)as), 0);
    free = EXO_INFO->frames_free;
    is(exo_cap_delete((exo_handle_t)env), 0); // never started, and now unnamed: it dies
    exo_wait(0, 0, now() + 50000000);
    ok(EXO_INFO->frames_free > free + 4096);
}

void test_main(void)
{
    kill_one(doze, false, 5000000);
    peer_end(&peer);
    kill_one(spin, true, 5000000);
    peer_end(&peer);
    kill_one(spin, false, 5000000);
    peer_end(&peer);
    registers();
    big();
}
