// SPDX-License-Identifier: MIT
// Spinning contexts of one environment and of others share the CPU by the timer; slice ends are
// told to those who ask; a slice split from ours has its share; yield goes where it is told.
#include "test.h"

static struct peer peer[3];
static volatile uint64_t count[3];
static volatile unsigned slice_ends;

static void spin(void *arg)
{
    for (;;)
        count[(uint64_t)arg]++;
}

static void handler(struct exo_save *save)
{
    slice_ends += save->cause == EXO_UP_SLICE;
}

static void spin_for(uint64_t ns)
{
    uint64_t until = now() + ns;

    spin_until(now() >= until);
}

static void yields(void)
{
    uint64_t before = count[0], t;
    unsigned quick = 0;

    for (unsigned i = 0; i < 30; i++) { // a position is 10 ms, of which anything may be left
        t = now();
        if (exo_ctx_yield(peer[0].env, 0, 200000) != 1)
            break;
        quick += now() - t < 2000000;
    }
    ok(quick > 3); // the machine's time is the host's, who may be busy
    ok(count[0] > before);
    is(exo_ctx_yield(peer[0].env, 9, 1000), -EXO_EINVAL);
    is(exo_ctx_yield(boot->bank, 0, 1000), -EXO_ETYPE);
    is(exo_ctx_bind(peer[0].env, 0, 0), 0); // stopped
    is(exo_ctx_yield(peer[0].env, 0, 1000), 0);
    before = count[0];
    spin_for(40000000);
    is(count[0], before);
    is(exo_ctx_bind(peer[0].env, 0, boot->slice), 0);
    spin_for(80000000);
    ok(count[0] > before);
}

void test_main(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    uint64_t last[3], used;
    int64_t slice;

    upcalls_to(handler);
    peer_start(&peer[0], 0, true, 0, 0, spin, (void *)0);
    peer_start(&peer[1], 1, true, 0, 0, spin, (void *)1);
    spin_for(200000000);
    ok(count[0] > 0 && count[1] > 0);
    is(slice_ends, 0);
    CTX->flags = EXO_CTX_SLICE_END;
    spin_for(100000000);
    ok(slice_ends >= 1);
    CTX->flags = 0;
    yields();
    slice = exo_slice_split(boot->slice, 16);
    ok(slice > 0);
    is(exo_cap_identify((exo_handle_t)slice, &info), 0);
    is(info.length, 16);
    is(exo_ctx_bind(peer[1].env, 0, (exo_handle_t)slice), 0);
    used = EXO_ENVS[EXO_ENV_INDEX(peer[1].ctx->env)].cpu_ns;
    last[1] = count[1];
    spin_for(400000000);
    used = EXO_ENVS[EXO_ENV_INDEX(peer[1].ctx->env)].cpu_ns - used;
    ok(count[1] > last[1]);
    ok(used > 50000000 && used < 170000000); // a quarter of the positions
    is(exo_slice_split(boot->slice, 48), -EXO_EINVAL);
    peer_end(&peer[0]);
    peer_end(&peer[1]);
    is(exo_cap_delete((exo_handle_t)slice), 0);
    is(exo_cap_identify(boot->slice, &info), 0);
    is(info.length, 64);
}
