// SPDX-License-Identifier: MIT
// What a server learns besides calls: deaths it supervises, badges nobody holds any more,
// notifications, deadlines; and that a caller's death, queued or served, harms no one.
#include "test.h"

static exo_handle_t ep, gate;
static struct peer peer[2];
static volatile int64_t outcome[2];

static void exit_7(void *arg)
{
    (void)arg;
    exo_env_exit(7);
}

static void crash(void *arg)
{
    (void)arg;
    ctx_self()->upcall_entry = 0;
    *(volatile char *)0 = 1;
}

static void call_once(void *arg)
{
    struct exo_msg m = {.w = {(uint64_t)arg}};

    outcome[(uint64_t)arg] = exo_call(gate, &m);
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

static int64_t next(struct exo_msg *m, uint64_t ns)
{
    m->meta = EXO_REPLY_NONE;
    return exo_reply_wait(ep, m, now() + ns);
}

static void deaths(void)
{
    struct exo_msg m;

    peer_start(&peer[0], 0, true, ep, 1234, exit_7, 0);
    is(next(&m, 1000000000), 0);
    is(CTX->in_kind, EXO_EV_DEATH);
    is(CTX->in_badge, 1234);
    is(m.w[0], 7);
    is(m.w[1], EXO_DEATH_EXIT);
    peer_end(&peer[0]);
    peer_start(&peer[0], 0, true, ep, 5, crash, 0);
    is(next(&m, 1000000000), 0);
    is(CTX->in_badge, 5);
    is(m.w[1], EXO_DEATH_UPCALL);
    peer_end(&peer[0]);
}

static void childless(void)
{
    int64_t watched =
        exo_cap_derive(ep, EXO_R_CALL | EXO_R_REVOKE, 9, EXO_DERIVE_BADGE | EXO_DERIVE_WATCH, 0);
    int64_t a = exo_cap_derive((exo_handle_t)watched, EXO_R_CALL, 0, 0, 0);
    int64_t b = exo_cap_copy((exo_handle_t)a, EXO_R_CALL, 0, 0);
    struct exo_msg m;

    ok(watched > 0 && a > 0 && b > 0);
    is(exo_cap_delete((exo_handle_t)a), 0);
    is(next(&m, 0), -EXO_ETIMEDOUT);
    is(exo_cap_delete((exo_handle_t)b), 0);
    is(next(&m, 0), 0);
    is(CTX->in_kind, EXO_EV_CHILDLESS);
    is(CTX->in_handle, watched);
    is(CTX->in_badge, 9);
    is(next(&m, 0), -EXO_ETIMEDOUT);
    a = exo_cap_derive((exo_handle_t)watched, EXO_R_CALL, 0, 0, 0);
    is(exo_cap_delete((exo_handle_t)a), 0);
    is(exo_cap_delete((exo_handle_t)watched), 0); // with its event still queued
    is(next(&m, 0), -EXO_ETIMEDOUT);
}

// In the shared address space a caller of another environment needs the handle to have the same
// number there.
static void callers(void)
{
    struct exo_msg m;

    for (uint64_t i = 0; i < 2; i++) {
        peer_make(&peer[i], (unsigned)i, true, 0, 0, call_once, (void *)i);
        gate = give(&peer[i], ep, EXO_R_CALL);
        outcome[i] = 99;
        is(exo_ctx_bind(peer[i].env, 0, boot->slice), 0);
        exo_wait(0, 0, now() + 40000000); // it queues, before the next does
    }
    is(next(&m, 0), 0);
    is(CTX->in_kind, EXO_EV_CALL);
    is(m.w[0], 0);
    peer_end(&peer[0]); // while being served
    m.meta = EXO_REPLY_ONLY;
    is(exo_reply_wait(ep, &m, 0), 0);
    peer_end(&peer[1]); // while queued
    is(next(&m, 0), -EXO_ETIMEDOUT);
    is(outcome[0], 99);
    is(outcome[1], 99);
}

void test_main(void)
{
    struct exo_msg m;
    uint64_t t;

    ep = (exo_handle_t)exo_endpoint_create(boot->bank);
    ok((int64_t)ep > 0);
    t = now();
    is(next(&m, 10000000), -EXO_ETIMEDOUT);
    ok(now() - t >= 10000000);
    is(exo_env_notify(0, 4), 0);
    is(next(&m, 0), 0);
    is(CTX->in_kind, EXO_EV_NOTIFY);
    CTX->pending = 0;
    exo_ctx_alarm(now() + 5000000, 8);
    is(next(&m, 1000000000), 0);
    is(CTX->in_kind, EXO_EV_NOTIFY);
    is(CTX->pending, 8);
    CTX->pending = 0;
    deaths();
    childless();
    callers();
    is(exo_cap_delete(ep), 0);
}
