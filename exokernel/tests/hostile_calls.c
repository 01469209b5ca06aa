// SPDX-License-Identifier: MIT
// Callers and servers that do not play along: malformed messages, floods, replies that never come,
// callers that die at every point, calls in a circle, notifications without end, waits on what
// cannot be waited on.
#include "attempt.h"

#define SPOT 0x0000200000000000ull

static struct peer peer, other[6];
static exo_handle_t ep, its_ep[8];
static volatile int64_t result[8];
static volatile uint64_t progress, stop, served_env;

static void end_here(void)
{
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

// --- malformed
// -------------------------------------------------------------------------------------------------

static void ask(exo_handle_t endpoint, uint64_t meta, int64_t want)
{
    struct exo_msg m = {.meta = meta};

    try(exo_call(endpoint, &m), want);
}

static void malformed(void)
{
    exo_handle_t caller = (exo_handle_t)exo_cap_copy(ep, EXO_R_CALL, 0, 0);
    exo_handle_t server = (exo_handle_t)exo_cap_copy(ep, EXO_R_SERVE, 0, 0);
    struct exo_msg m = {0};

    ATTEMPT("a message longer than its page, in a call and in a reply")
    {
        ask(ep, 4097, -EXO_EINVAL);
        ask(ep, 0xffff, -EXO_EINVAL);
        m.meta = 4097;
        try(exo_reply_wait(ep, &m, 0), -EXO_EINVAL);
    }
    ATTEMPT("more capabilities than a message may carry")
    {
        ask(ep, EXO_META(0, 5), -EXO_EINVAL);
        ask(ep, EXO_META(0, 15), -EXO_EINVAL);
        m.meta = EXO_META(0, 5);
        try(exo_reply_wait(ep, &m, 0), -EXO_EINVAL);
    }
    ATTEMPT("a call by a capability that serves, service by one that calls")
    {
        ask(server, 0, -EXO_ERIGHTS);
        m.meta = EXO_REPLY_NONE;
        try(exo_reply_wait(caller, &m, 0), -EXO_ERIGHTS);
    }
    ATTEMPT("a reply to nobody, with words and with capabilities")
    {
        m.meta = 8;
        try(exo_reply_wait(ep, &m, 0), -EXO_ETIMEDOUT);
        CTX->send[0] = (struct exo_send){boot->env, EXO_R_NOTIFY, EXO_SEND_COPY};
        m.meta = EXO_META(0, 1);
        try(exo_reply_wait(ep, &m, 0), -EXO_EDEAD);
    }
    is(exo_cap_delete(server), 0);
    is(exo_cap_delete(caller), 0);
}

// --- a peer that calls
// -----------------------------------------------------------------------------------------

// Sends what `send` in its block says, `arg` capabilities; then stays.
static void caller_caps(void *arg)
{
    struct exo_msg m = {.meta = EXO_META(16, (uint64_t)arg)};

    result[0] = exo_call(its_ep[0], &m);
    progress++;
    end_here();
}

// The peer calls with these capabilities; the server must not see the call, and the peer gets
// `want`.
static void send_refused(const struct exo_send *send, uint64_t count, uint64_t accepts,
                         int64_t want)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};

    quiet = true;
    progress = 0;
    CTX->recv_max = accepts;
    peer_make(&peer, 0, true, 0, 0, caller_caps, (void *)count);
    its_ep[0] = give(&peer, ep, EXO_R_CALL);
    for (unsigned i = 0; i < 4; i++)
        peer.ctx->send[i] = send[i];
    for (unsigned i = 0; i < 4; i++) // 1: a capability of its own, the endpoint's
        if (send[i].handle == 1)
            peer.ctx->send[i].handle = its_ep[0];
    try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
    while (!progress && exo_reply_wait(ep, &m, now() + 2000000) == -EXO_ETIMEDOUT)
        m.meta = EXO_REPLY_NONE;
    try(progress, 1);
    try(result[0], want);
    peer_end(&peer);
    CTX->recv_max = 0;
    quiet = false;
}

static void bad_capabilities(void)
{
    struct exo_send none[4] = {{0}},
                    forged[4] = {{1, EXO_R_CALL, 0}, {0xfffff | 1ull << 20, ~0u, 0}};
    struct exo_send mode[4] = {{1, EXO_R_CALL, 3}},
                    four[4] = {{1, EXO_R_CALL, 0}, {1, EXO_R_CALL, 0}};

    ATTEMPT("handle 0 sent as a capability")
    send_refused(none, 1, 4, -EXO_EBADHANDLE);
    ATTEMPT("a forged handle sent behind a good one: neither arrives")
    send_refused(forged, 2, 4, -EXO_EBADHANDLE);
    ATTEMPT("a way of sending that does not exist")
    send_refused(mode, 1, 4, -EXO_EINVAL);
    ATTEMPT("more capabilities than the server takes")
    send_refused(four, 2, 1, -EXO_ELIMIT);
}

// The same handle moved twice, and moved and derived: the call passes or not, but nothing is there
// twice or lost.
static void moved_twice(void)
{
    static const uint32_t modes[][2] = {{EXO_SEND_MOVE, EXO_SEND_MOVE},
                                        {EXO_SEND_MOVE, EXO_SEND_DERIVE},
                                        {EXO_SEND_DERIVE, EXO_SEND_MOVE},
                                        {EXO_SEND_MOVE, EXO_SEND_COPY}};

    for (unsigned k = 0; k < 4; k++)
        ATTEMPT(k ? "a capability moved and given in one message"
                  : "a capability moved twice in one message")
        {
            struct exo_msg m = {.meta = EXO_REPLY_NONE};
            quiet = true;
            progress = 0;
            CTX->recv_max = 4;
            peer_make(&peer, 0, true, 0, 0, caller_caps, (void *)2);
            its_ep[0] = give(&peer, ep, EXO_R_CALL);
            exo_handle_t thing = give(&peer, boot->env, EXO_R_NOTIFY);
            peer.ctx->send[0] = (struct exo_send){thing, ~0u, modes[k][0]};
            peer.ctx->send[1] = (struct exo_send){thing, ~0u, modes[k][1]};
            try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
            int64_t r = exo_reply_wait(ep, &m, now() + 1000000000);
            try(r, 0);
            if (r == 0 && CTX->in_kind == EXO_EV_CALL)
                for (unsigned i = 0; i < 4; i++)
                    if (CTX->recv[i]) {
                        try(info_of(CTX->recv[i]).rights & ~(uint32_t)EXO_R_NOTIFY, 0);
                        try(exo_cap_delete(CTX->recv[i]), 0);
                    }
            peer_end(&peer);
            CTX->recv_max = 0;
            quiet = false;
        }
}

static void rights_grown(void)
{
    for (uint32_t mode = EXO_SEND_COPY; mode <= EXO_SEND_MOVE; mode++) {
        static const char *const names[] = {"rights grown in a copy by message",
                                            "rights grown in a child by message",
                                            "rights grown in a moved capability"};
        ATTEMPT(names[mode])
        {
            struct exo_msg m = {.meta = EXO_REPLY_NONE};
            quiet = true;
            CTX->recv_max = 4;
            peer_make(&peer, 0, true, 0, 0, caller_caps, (void *)1);
            its_ep[0] = give(&peer, ep, EXO_R_CALL);
            peer.ctx->send[0] = (struct exo_send){give(&peer, boot->bank, EXO_R_READ), ~0u, mode};
            try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
            try(exo_reply_wait(ep, &m, now() + 1000000000), 0);
            try(info_of(CTX->recv[0]).rights, EXO_R_READ);
            try(exo_frames_alloc(CTX->recv[0], 1, 0, 0), -EXO_ERIGHTS);
            try(exo_cap_delete(CTX->recv[0]), 0);
            peer_end(&peer);
            CTX->recv_max = 0;
            quiet = false;
        }
    }
}

// --- floods, and replies that do not come
// -----------------------------------------------------------------------

static void caller_loop(void *arg)
{
    uint64_t i = (uint64_t)arg;

    for (;;) {
        struct exo_msg m = {.meta = 4096, .w = {i}};
        result[i] = exo_call(its_ep[i], &m);
        progress++;
        if (result[i])
            end_here();
    }
}

static void flood_make(unsigned n)
{
    progress = 0;
    for (unsigned i = 0; i < n; i++) {
        result[i] = 1;
        peer_make(&other[i], i + 1, true, 0, 0, caller_loop, (void *)(uint64_t)i);
        its_ep[i] = give(&other[i], ep, EXO_R_CALL);
        try(exo_ctx_bind(other[i].env, 0, boot->slice), 0);
    }
}

static void floods(void)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};
    uint64_t each[6] = {0};

    ATTEMPT("an endpoint flooded by six callers: every one gets its turn")
    {
        unsigned least = 0;
        quiet = true;
        flood_make(6);
        for (unsigned n = 0; n < 1000000 && least < 50; n++) {
            int64_t r = exo_reply_wait(ep, &m, now() + 1000000000);
            try(r, 0);
            if (r || CTX->in_kind != EXO_EV_CALL)
                break;
            each[m.w[0] % 6]++;
            m.meta = 0;
            least = ~0u;
            for (unsigned i = 0; i < 6; i++)
                least = each[i] < least ? (unsigned)each[i] : least;
        }
        try(least, 50);
        for (unsigned i = 0; i < 6; i++)
            peer_end(&other[i]);
        m.meta = EXO_REPLY_NONE;
        try(exo_reply_wait(ep, &m, 0), -EXO_ETIMEDOUT);
        quiet = false;
    }
    ATTEMPT("a flooded endpoint that is never served, and goes: every caller is told")
    {
        exo_handle_t keep = ep;
        quiet = true;
        ep = try_handle(exo_endpoint_create(boot->bank));
        flood_make(6);
        for (unsigned i = 0; i < 50; i++)
            exo_ctx_yield(0, 0, 0);
        try(progress, 0);
        for (unsigned i = 0; i < 6; i++)
            peer_end(&other[i]);
        try(exo_cap_delete(ep), 0);
        ep = keep;
        quiet = false;
    }
}

static void server_never(void *arg)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};

    exo_reply_wait(its_ep[7], &m, EXO_NEVER);
    progress += 100;
    if (arg)
        exo_env_exit(0);
    end_here();
}

// The server is a peer; the caller another: the endpoint must be made by its server.
static void server_makes(void *arg)
{
    its_ep[7] = (exo_handle_t)exo_endpoint_create(its_ep[6]);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    server_never(arg);
}

static void pair_start(void *server_dies)
{
    progress = stop = 0;
    result[0] = 1;
    peer_make(&peer, 0, true, 0, 0, server_makes, server_dies);
    its_ep[6] = give(&peer, boot->bank, EXO_R_BUY);
    try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
    while (!stop)
        exo_ctx_yield(0, 0, 0);
    peer_make(&other[0], 1, true, 0, 0, caller_loop, 0);
}

// There is no way to take a capability out of another's table but by its own act: the peer hands it
// over.
static void silent_servers(void)
{
    struct exo_msg m;

    ATTEMPT("a call that is served and never answered, until the caller dies")
    {
        quiet = true;
        flood_make(1);
        m = (struct exo_msg){.meta = EXO_REPLY_NONE};
        try(exo_reply_wait(ep, &m, now() + 1000000000), 0);
        served_env = CTX->in_env;
        try(served_env, other[0].id);
        try(progress, 0);
        peer_end(&other[0]);
        m.meta = 0;
        try(exo_reply_wait(ep, &m, 0), -EXO_ETIMEDOUT); // the answer goes nowhere
        quiet = false;
    }
    ATTEMPT("capabilities in the answer to a caller that died")
    {
        quiet = true;
        flood_make(1);
        m = (struct exo_msg){.meta = EXO_REPLY_NONE};
        try(exo_reply_wait(ep, &m, now() + 1000000000), 0);
        peer_end(&other[0]);
        CTX->send[0] = (struct exo_send){boot->env, EXO_R_NOTIFY, EXO_SEND_COPY};
        m.meta = EXO_META(0, 1);
        try(exo_reply_wait(ep, &m, 0), -EXO_EDEAD);
        quiet = false;
    }
    ATTEMPT("a call dropped by a server that goes on to the next")
    {
        quiet = true;
        flood_make(1);
        m = (struct exo_msg){.meta = EXO_REPLY_NONE};
        try(exo_reply_wait(ep, &m, now() + 1000000000), 0);
        m.meta = EXO_REPLY_NONE;
        try(exo_reply_wait(ep, &m, 0), -EXO_ETIMEDOUT);
        while (!progress)
            exo_ctx_yield(0, 0, 0);
        try(result[0], -EXO_EDEAD);
        peer_end(&other[0]);
        quiet = false;
    }
    ATTEMPT("one call answered twice")
    {
        quiet = true;
        flood_make(1);
        m = (struct exo_msg){.meta = EXO_REPLY_NONE};
        try(exo_reply_wait(ep, &m, now() + 1000000000), 0);
        m.meta = EXO_REPLY_ONLY;
        try(exo_reply_wait(ep, &m, 0), 0);
        try(exo_ctx_bind(other[0].env, 0, 0), 0);
        uint64_t before = progress;
        m.meta = EXO_REPLY_ONLY;
        try(exo_reply_wait(ep, &m, 0), 0);
        try(progress, before);
        peer_end(&other[0]);
        quiet = false;
    }
}

static void server_dies(void)
{
    ATTEMPT("a server that makes its endpoint and dies with nobody told of it")
    {
        quiet = true;
        pair_start((void *)1);
        peer_end(&peer);
        try(exo_ctx_bind(other[0].env, 0, boot->slice), 0);
        its_ep[0] = its_ep[7]; // a handle of another's table means nothing in its own
        while (!progress)
            exo_ctx_yield(0, 0, 0);
        try(result[0], -EXO_EBADHANDLE);
        peer_end(&other[0]);
        quiet = false;
    }
}

// --- circles
// --------------------------------------------------------------------------------------------------------

static volatile bool alarms;

// An alarm that comes before the sleep it is meant for is set again.
static void on_upcall(struct exo_save *save)
{
    if (save->cause != EXO_UP_NOTIFY)
        exo_env_exit(77);
    __atomic_exchange_n(&ctx_self()->pending, 0, __ATOMIC_SEQ_CST);
    if (alarms)
        exo_ctx_alarm(now() + 3000000, 2);
}

static void circles(void)
{
    struct exo_msg m = {0};

    ATTEMPT("a call to oneself: an alarm ends it")
    {
        alarms = true;
        exo_ctx_alarm(now() + 3000000, 2);
        try(exo_call(ep, &m), -EXO_EINTR);
        alarms = false;
        exo_ctx_alarm(EXO_NEVER, 2);
    }
    ATTEMPT("a wait for nothing, for ever: an alarm ends it")
    {
        alarms = true;
        exo_ctx_alarm(now() + 3000000, 2);
        try(exo_wait(0, 0, EXO_NEVER), -EXO_EINTR);
        alarms = false;
        exo_ctx_alarm(EXO_NEVER, 2);
    }
}

// --- notifications and waits
// -------------------------------------------------------------------------------------

static exo_handle_t my_env_there;

static void notifier(void *arg)
{
    (void)arg;
    for (;;)
        exo_env_notify(my_env_there, 0xff);
}

static void notify_flood(void)
{
    ATTEMPT("a flood of notifications: who is flooded goes on")
    {
        uint64_t steps = 0, from;
        quiet = true;
        peer_make(&peer, 0, true, 0, 0, notifier, 0);
        my_env_there = give(&peer, boot->env, EXO_R_NOTIFY);
        try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
        from = now();
        while (now() - from < 100000000)
            steps++;
        try_true(steps > 100);
        peer_end(&peer);
        CTX->pending = 0;
        quiet = false;
    }
}

static void waits(void)
{
    struct exo_cond conds[65], *c = conds;
    exo_handle_t frames = (exo_handle_t)exo_frames_alloc(boot->bank, 513, 0, 0);
    exo_handle_t one = (exo_handle_t)exo_frames_alloc(boot->bank, 1, 0, 0);

    for (unsigned i = 0; i < 65; i++)
        conds[i] =
            (struct exo_cond){EXO_COND_WORD, (uint32_t) * (volatile uint32_t *)WITNESS, WITNESS};
    ATTEMPT("more conditions than a wait takes")
    {
        try(exo_wait(conds, 65, 0), -EXO_ELIMIT);
        try(exo_wait(conds, UINT64_MAX, 0), -EXO_ELIMIT);
    }
    ATTEMPT("one word waited on 64 times over")
    {
        try(exo_wait(conds, 64, now() + 1000000), -EXO_ETIMEDOUT);
        try(EXO_FRAMES[info_of(one).first_frame].sleepers, 0);
    }
    ATTEMPT("waits on words that are not there, not aligned, or the kernel's")
    {
        static const uint64_t at[] = {0,
                                      SPOT,
                                      WITNESS + 1,
                                      WITNESS + 2,
                                      EXO_KERNEL_BASE,
                                      EXO_DIRECT_BASE,
                                      EXO_INFO_BASE,
                                      EXO_USER_END,
                                      1ull << 63,
                                      UINT64_MAX - 3};
        for (unsigned i = 0; i < 10; i++) {
            *c = (struct exo_cond){EXO_COND_WORD, 0, at[i]};
            int64_t r = exo_wait(c, 1, 0);
            try_true(r == -EXO_EFAULT || r == -EXO_EINVAL);
        }
    }
    ATTEMPT("waits on counts of what is not there or has none, and conditions that do not exist")
    {
        *c = (struct exo_cond){EXO_COND_CAPS, 1, 0xfffff | 1ull << 20};
        try_fails(exo_wait(c, 1, 0));
        *c = (struct exo_cond){EXO_COND_WCAPS + 1, 1, one};
        try_fails(exo_wait(c, 1, 0));
        *c = (struct exo_cond){UINT32_MAX, 1, one};
        try_fails(exo_wait(c, 1, 0));
    }
    ATTEMPT("a wake of what nobody may read")
    {
        try_fails(exo_wake(EXO_KERNEL_BASE, UINT64_MAX));
        try_fails(exo_wake(SPOT, UINT64_MAX));
        try_fails(exo_wake(UINT64_MAX - 3, UINT64_MAX));
        try(exo_wake(WITNESS, UINT64_MAX), 0);
    }
    is(exo_cap_delete(one), 0);
    is(exo_cap_delete(frames), 0);
}

void test_main(void)
{
    upcalls_to(on_upcall);
    witness_place();
    ep = (exo_handle_t)exo_endpoint_create(boot->bank);
    malformed();
    bad_capabilities();
    moved_twice();
    rights_grown();
    floods();
    silent_servers();
    server_dies();
    circles();
    notify_flood();
    waits();
    is(exo_cap_delete(ep), 0);
    is(unmap(WITNESS, 1), 1);
}
