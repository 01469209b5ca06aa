// SPDX-License-Identifier: MIT
// Call and reply between two environments: words, message, badge, identity; errors; the death of
// either side.
#include "test.h"

static struct peer server;
static exo_handle_t serve; // in the server's table
static volatile uint64_t served, seen_badge, seen_env;

static void serve_loop(void *arg)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};

    (void)arg;
    for (;;) {
        if (exo_reply_wait(serve, &m, EXO_NEVER) || ctx_self()->in_kind != EXO_EV_CALL)
            continue;
        served++;
        seen_badge = ctx_self()->in_badge;
        seen_env = ctx_self()->in_env;
        if (m.w[0] == 6660000)
            exo_env_exit(6);
        for (unsigned i = 0; i < 6; i++)
            m.w[i] += 100 + i;
        for (unsigned i = 0; i < EXO_META_BYTES(m.meta); i++)
            server.msg[i]++;
    }
}

// The server makes the endpoint itself, since its maker serves it, and hands a capability to call
// it to us.
static exo_handle_t own_env, called;

static void server_main(void *arg)
{
    exo_handle_t ep = (exo_handle_t)exo_endpoint_create(*(exo_handle_t *)arg);

    serve = ep;
    called = (exo_handle_t)exo_cap_copy(ep, EXO_R_CALL | EXO_R_DERIVE, own_env, 0);
    serve_loop(0);
}

void test_main(void)
{
    static exo_handle_t bank;
    struct exo_msg m;
    int64_t badged;

    peer_make(&server, 0, true, 0, 0, server_main, &bank);
    bank = give(&server, boot->bank, EXO_R_ALL);
    own_env = give(&server, boot->env, EXO_R_ALL);
    is(exo_ctx_bind(server.env, 0, boot->slice), 0);
    spin_until(called);
    badged = exo_cap_derive(called, EXO_R_CALL, 77, EXO_DERIVE_BADGE, 0);
    ok(badged > 0);
    for (unsigned i = 0; i < 4096; i++)
        ((volatile char *)EXO_BOOT_CTX_VA)[4096 + i] = (char)i;
    m = (struct exo_msg){.meta = EXO_META(4096, 0), .w = {1, 2, 3, 4, 5, 6}};
    is(exo_call((exo_handle_t)badged, &m), 0);
    is(m.meta, EXO_META(4096, 0));
    ok(m.w[0] == 101 && m.w[1] == 103 && m.w[2] == 105 && m.w[3] == 107 && m.w[4] == 109 &&
       m.w[5] == 111);
    ok(((volatile char *)EXO_BOOT_CTX_VA)[4096 + 7] == 8 &&
       ((volatile char *)EXO_BOOT_CTX_VA)[8191] == 0);
    is(seen_badge, 77);
    is(seen_env, CTX->env);
    for (unsigned i = 0; i < 1000; i++) {
        m = (struct exo_msg){.w = {i}};
        if (exo_call(called, &m) || m.w[0] != i + 100)
            break;
    }
    is(served, 1001);
    m.meta = EXO_META(4097, 0);
    is(exo_call(called, &m), -EXO_EINVAL);
    m.meta = EXO_META(0, 5);
    is(exo_call(called, &m), -EXO_EINVAL);
    is(exo_call(boot->env, &m), -EXO_ETYPE);
    is(exo_call(called + (1ull << 20), &m), -EXO_EBADHANDLE);
    is(exo_reply_wait((exo_handle_t)badged, &m, 0), -EXO_ERIGHTS);
    m = (struct exo_msg){.w = {6660000}}; // the server dies with our call
    is(exo_call(called, &m), -EXO_EDEAD);
    is(exo_call(called, &m), -EXO_EDEAD);
    is(exo_cap_delete((exo_handle_t)badged), 0);
    is(exo_cap_delete(called), 0);
    peer_end(&server);
}
