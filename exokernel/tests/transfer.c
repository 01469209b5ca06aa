// SPDX-License-Identifier: MIT
// Capabilities through call and reply: copy, derive, move; rights only shrink; bad ones fail the
// call and change nothing.
#include "test.h"

static struct peer peer;
static exo_handle_t ep;
static volatile uint64_t step;
static struct exo_cap_info seen;
static exo_handle_t bank, frames[3];

// The client: sends three capabilities in three ways, then bad ones, then receives one with the
// reply.
static volatile int64_t outcome[8];

static void send_as(unsigned i, exo_handle_t handle, uint32_t rights, uint32_t mode)
{
    ctx_self()->send[i].handle = handle;
    ctx_self()->send[i].rights = rights;
    ctx_self()->send[i].mode = mode;
}

static int64_t call_with(unsigned caps)
{
    struct exo_msg m = {.meta = EXO_META(0, caps)};

    return exo_call(ep, &m);
}

static void client(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++)
        frames[i] = (exo_handle_t)exo_frames_alloc(bank, 1, 0, 0);
    send_as(0, frames[0], EXO_R_READ, EXO_SEND_COPY);
    send_as(1, frames[1], EXO_R_ALL, EXO_SEND_DERIVE);
    send_as(2, frames[2], EXO_R_ALL, EXO_SEND_MOVE);
    outcome[0] = call_with(3);
    seen.size = sizeof(seen);
    outcome[1] = exo_cap_identify(frames[2], &seen); // gone
    send_as(1, frames[1] + (1ull << 20), EXO_R_ALL, EXO_SEND_COPY);
    outcome[2] = call_with(2);
    send_as(1, frames[1], EXO_R_ALL, 9);
    outcome[3] = call_with(2);
    send_as(1, frames[1], EXO_R_ALL, EXO_SEND_COPY);
    send_as(2, frames[1], EXO_R_ALL, EXO_SEND_COPY);
    send_as(3, frames[1], EXO_R_ALL, EXO_SEND_COPY);
    outcome[4] = call_with(4); // the server accepts three
    ctx_self()->recv_max = 1;
    outcome[5] = call_with(0);
    outcome[6] = exo_cap_identify(ctx_self()->recv[0], &seen);
    step = 1;
    call_with(0); // answered after our death
}

static void check_received(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    exo_handle_t got[3];

    for (unsigned i = 0; i < 3; i++) {
        got[i] = CTX->recv[i];
        is(exo_cap_identify(got[i], &info), 0);
        is(info.type, EXO_CAP_FRAMES);
        if (i == 0)
            is(info.rights, EXO_R_READ);
        else
            ok(info.rights & EXO_R_WRITE);
        is(info.caps, i == 2 ? 1 : 2);
    }
    is(CTX->recv[3], 0);
    for (unsigned i = 0; i < 3; i++)
        is(exo_cap_delete(got[i]), 0);
}

void test_main(void)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};
    uint64_t free;

    ep = (exo_handle_t)exo_endpoint_create(boot->bank);
    peer_make(&peer, 0, true, 0, 0, client, 0);
    bank = give(&peer, boot->bank, EXO_R_ALL);
    ep = give(&peer, ep, EXO_R_CALL) ? ep : 0;
    {
        exo_handle_t serve = ep;

        ep = (exo_handle_t)exo_cap_copy(serve, EXO_R_CALL, peer.env, 0);
        is(exo_ctx_bind(peer.env, 0, boot->slice), 0);
        CTX->recv_max = 3;
        is(exo_reply_wait(serve, &m, now() + 1000000000), 0);
        is(CTX->in_kind, EXO_EV_CALL);
        is(EXO_META_CAPS(m.meta), 3);
        check_received();
        free = EXO_INFO->frames_free;
        m.meta = 0; // the bad ones do not reach us; next is the one without capabilities
        is(exo_reply_wait(serve, &m, now() + 1000000000), 0);
        is(CTX->in_kind, EXO_EV_CALL);
        is(EXO_META_CAPS(m.meta), 0);
        is(EXO_INFO->frames_free, free);
        send_as(0, boot->slice, EXO_R_BIND, EXO_SEND_DERIVE);
        m.meta = EXO_META(0, 1) | EXO_REPLY_ONLY;
        is(exo_reply_wait(serve, &m, 0), 0);
        while (!step)
            exo_ctx_yield(0, 0, 0);
        is(outcome[0], 0);
        is(outcome[1], -EXO_EBADHANDLE);
        is(outcome[2], -EXO_EBADHANDLE);
        is(outcome[3], -EXO_EINVAL);
        is(outcome[4], -EXO_ELIMIT);
        is(outcome[5], 0);
        is(outcome[6], 0);
        is(seen.type, EXO_CAP_SLICE);
        is(seen.rights, EXO_R_BIND);
        m.meta = EXO_REPLY_NONE;
        is(exo_reply_wait(serve, &m, now() + 1000000000), 0);
        is(CTX->in_kind, EXO_EV_CALL);
        is(exo_env_kill(peer.env, 0, 0), 0);
        m.meta = EXO_META(0, 1) | EXO_REPLY_ONLY;
        is(exo_reply_wait(serve, &m, 0), -EXO_EDEAD);
        peer_end(&peer);
        is(exo_cap_delete(serve), 0);
    }
}
