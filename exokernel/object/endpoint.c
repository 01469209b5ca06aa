// SPDX-License-Identifier: MIT
//
// Control transfer: protected calls to a server, and the events a server waits for.
//
// A call moves six words, up to a page of message and up to four capabilities from the caller to a
// context of the server that waits in reply_wait, and turns the CPU over to it at once, on the
// caller's time. The reply goes back the same way. When no context of the server waits, the caller
// queues; it can be interrupted there, but not once the server has its call, so a call that reports
// EINTR had no effect. No server holds a caller: one that waits for the next event without having
// answered has dropped the call (-EXO_EDEAD for the caller).
//
// Events in the order a server gets them: notification bits, deaths of environments it supervises,
// watched capabilities that lost their last child, calls. Deaths queue by the environment's own
// link and watched capabilities by their slot's (unused) window, so nothing is allocated and
// nothing is lost.
//
// What is transferred is read from the sender's block and table when the transfer happens, and
// moved between pinned frames, so a transfer either fails as a whole, with an error for the sender,
// or is complete. Locking: klock.

#include <string.h>
#include <core/dispatch.h>
#include <core/log.h>
#include <object/bank.h>
#include <x86/cpu.h>

struct event { // in cap_slot.window
    TAILQ_ENTRY(event) link;
};
_Static_assert(sizeof(struct event) <= sizeof(struct cap_window), "fits the slot's window");

struct endpoint {
    struct kobj obj;
    struct env *server;          // NULL once it died
    LIST_ENTRY(endpoint) served; // of server
    struct ctx_list callers, receivers;
    struct env_list deaths;
    TAILQ_HEAD(, event) events;
};

#define slot_endpoint(slot) ((struct endpoint *)(slot)->obj)

static bool endpoint_dead(const struct endpoint *ep)
{
    return !ep->server || ep->server->state >= EXO_ENV_DYING;
}

// --- sleeping at an endpoint

// The running context goes to sleep; the scheduler is yet to be told.
static void join(struct ctx *ctx, struct endpoint *ep, enum ctx_state state)
{
    ctx->endpoint = ep;
    kobj_get(&ep->obj);
    if (state == CTX_QUEUED)
        TAILQ_INSERT_TAIL(&ep->callers, ctx, queue);
    else if (state == CTX_RECEIVE)
        TAILQ_INSERT_TAIL(&ep->receivers, ctx, queue);
    ctx->state = (uint8_t)state;
}

void endpoint_leave(struct ctx *ctx)
{
    struct endpoint *ep = ctx->endpoint;

    if (ctx->state == CTX_QUEUED)
        TAILQ_REMOVE(&ep->callers, ctx, queue);
    else if (ctx->state == CTX_RECEIVE)
        TAILQ_REMOVE(&ep->receivers, ctx, queue);
    if (ctx->server) {
        ctx->server->serving = NULL;
        ctx->server = NULL;
    }
    ctx->endpoint = NULL;
    kobj_put(&ep->obj);
}

void endpoint_abandon(struct ctx *ctx)
{
    if (ctx->serving)
        ctx_wake(ctx->serving, -EXO_EDEAD);
}

// --- transfer

struct sending {
    struct cap_slot *from, *to;
    uint32_t mode;
};

// Puts one capability into the receiver's table; what a MOVE takes away goes when all are there.
static int send_one(struct ctx *from, struct ctx *to, unsigned i, struct sending *s)
{
    const volatile struct exo_send *what = &from->block->send[i];
    exo_handle_t handle = what->handle;
    uint32_t rights = what->rights;

    s->mode = what->mode;
    if (cspace_lookup(&from->env->caps, handle, 0, 0, &s->from))
        return -EXO_EBADHANDLE;
    if (s->mode > EXO_SEND_MOVE)
        return -EXO_EINVAL;
    TRY(cap_slot_for(to->env, 0, &s->to));
    rights &= s->from->rights;
    if (s->mode == EXO_SEND_DERIVE)
        return cap_derive(s->from, s->to, rights, 0);
    return cap_copy(s->from, s->to, rights);
}

static int transfer_caps(struct ctx *from, struct ctx *to, unsigned count)
{
    struct sending s[EXO_MSG_CAPS];
    uint64_t accepts = *(volatile uint64_t *)&to->block->recv_max;
    unsigned done = 0;
    int err = count > accepts ? -EXO_ELIMIT : 0;

    for (; !err && done < count; done += !err)
        err = send_one(from, to, done, &s[done]);
    if (err) {
        while (done--)
            cap_delete(s[done].to);
        return err;
    }
    for (unsigned i = 0; i < done; i++) {
        if (s[i].mode == EXO_SEND_MOVE)
            cap_delete(s[i].from);
        to->block->recv[i] = cspace_handle(s[i].to);
    }
    return 0;
}

// Words, message and capabilities; both contexts are off their queues or about to be.
static int transfer(struct ctx *from, struct ctx *to)
{
    uint64_t meta = from->regs.rsi;
    uint32_t bytes = EXO_META_BYTES(meta), caps = EXO_META_CAPS(meta);

    memset(to->block->recv, 0, sizeof(to->block->recv));
    if (caps)
        TRY(transfer_caps(from, to, caps));
    memcpy(to->msg, from->msg, bytes);
    to->regs.rsi = EXO_META(bytes, caps);
    to->regs.rdx = from->regs.rdx;
    to->regs.r10 = from->regs.r10;
    to->regs.r8 = from->regs.r8;
    to->regs.r9 = from->regs.r9;
    to->regs.r12 = from->regs.r12;
    to->regs.r13 = from->regs.r13;
    return 0;
}

static bool meta_bad(uint64_t meta)
{
    return EXO_META_BYTES(meta) > EXO_MSG_SIZE || EXO_META_CAPS(meta) > EXO_MSG_CAPS;
}

// --- events

static void event_fill(struct ctx *ctx, enum exo_event kind, uint64_t badge, uint64_t env,
                       uint64_t handle)
{
    ctx->block->in_kind = kind;
    ctx->block->in_badge = badge;
    ctx->block->in_env = env;
    ctx->block->in_handle = handle;
    ctx->regs.rsi = 0;
    memset(ctx->block->recv, 0, sizeof(ctx->block->recv));
}

// The death has been told, or there is nobody to tell.
static void death_done(struct env *env)
{
    struct endpoint *ep = env->supervisor;

    TAILQ_REMOVE(&ep->deaths, env, death_link);
    env->supervisor = NULL;
    kobj_put(&ep->obj);
    kobj_put(&env->obj);
}

static bool take_death(struct endpoint *ep, struct ctx *ctx)
{
    struct env *env = TAILQ_FIRST(&ep->deaths);

    if (!env)
        return false;
    event_fill(ctx, EXO_EV_DEATH, env->cookie, env->info->id, 0);
    ctx->regs.rdx = env->info->code;
    ctx->regs.r10 = env->info->reason;
    death_done(env);
    return true;
}

static bool take_childless(struct endpoint *ep, struct ctx *ctx)
{
    struct event *event;
    struct cap_slot *slot;

    while ((event = TAILQ_FIRST(&ep->events))) {
        slot = (struct cap_slot *)((char *)event - offsetof(struct cap_slot, window));
        endpoint_event_drop(slot);
        slot->wkind = 0;
        slot->window = (struct cap_window){0};
        if (cap_child_first(slot)) // it has children again
            continue;
        event_fill(ctx, EXO_EV_CHILDLESS, slot->badge, 0, cspace_handle(slot));
        return true;
    }
    return false;
}

// The server context takes this caller's call; on an error of the transfer the caller has failed
// instead. What the transfer changes may notify either of them, so neither may be in a state that a
// notification ends.
static int take_call(struct ctx *server, struct ctx *caller, uint64_t badge)
{
    event_fill(server, EXO_EV_CALL, badge, caller->env->info->id, 0);
    TRY(transfer(caller, server));
    server->serving = caller;
    caller->server = server;
    return 0;
}

static bool take_queued(struct endpoint *ep, struct ctx *ctx)
{
    struct ctx *caller;
    int err;

    while ((caller = TAILQ_FIRST(&ep->callers))) {
        TAILQ_REMOVE(&ep->callers, caller, queue);
        caller->state = CTX_SERVED;
        err = take_call(ctx, caller, caller->badge);
        if (!err)
            return true;
        ctx_wake(caller, err);
    }
    return false;
}

static bool take_notify(struct ctx *ctx)
{
    if (!ctx_pending(ctx))
        return false;
    event_fill(ctx, EXO_EV_NOTIFY, 0, 0, 0);
    return true;
}

static bool take_event(struct endpoint *ep, struct ctx *ctx)
{
    return take_notify(ctx) || take_death(ep, ctx) || take_childless(ep, ctx) ||
           take_queued(ep, ctx);
}

// Something came: give it to a waiting context, if there is one.
static void endpoint_pump(struct endpoint *ep)
{
    struct ctx *ctx = TAILQ_FIRST(&ep->receivers);

    if (ctx && take_event(ep, ctx))
        ctx_wake(ctx, 0);
}

void endpoint_notified(struct ctx *ctx)
{
    if (take_notify(ctx))
        ctx_wake(ctx, 0);
}

void endpoint_tell_death(struct env *env)
{
    struct endpoint *ep = env->supervisor;

    if (!ep)
        return;
    kobj_get(&env->obj);
    TAILQ_INSERT_TAIL(&ep->deaths, env, death_link);
    if (endpoint_dead(ep))
        death_done(env);
    else
        endpoint_pump(ep);
}

static void endpoint_childless(struct cap_slot *slot)
{
    struct endpoint *ep = slot_endpoint(slot);
    struct event *event = (struct event *)&slot->window;

    if (slot->wkind || endpoint_dead(ep))
        return;
    slot->wkind = CAP_W_EVENT;
    TAILQ_INSERT_TAIL(&ep->events, event, link);
    endpoint_pump(ep);
}

void endpoint_event_drop(struct cap_slot *slot)
{
    if (slot->type == EXO_CAP_IRQ) {
        irq_slot_gone(slot);
        return;
    }
    TAILQ_REMOVE(&slot_endpoint(slot)->events, (struct event *)&slot->window, link);
}

// --- the object

int64_t sys_endpoint_create(exo_handle_t bank)
{
    struct endpoint *ep;
    struct bank *pays;

    TRY(bank_find(bank, EXO_R_BUY, &pays));
    TRY(kobj_alloc(pays, EXO_CAP_ENDPOINT, sizeof(*ep), &ep));
    ep->server = env_current();
    LIST_INSERT_HEAD(&ep->server->served, ep, served);
    TAILQ_INIT(&ep->callers);
    TAILQ_INIT(&ep->receivers);
    TAILQ_INIT(&ep->deaths);
    TAILQ_INIT(&ep->events);
    return cap_name_new(env_current(), &ep->obj, EXO_R_ALL, 0);
}

// Nobody will serve it any more. Ends at most budget waiters and notices; true when none is left.
static bool endpoint_end(struct endpoint *ep, unsigned *budget)
{
    struct ctx *ctx;
    struct env *env;

    kobj_get(&ep->obj);
    for (; (ctx = TAILQ_FIRST(&ep->callers)) && *budget; --*budget)
        ctx_wake(ctx, -EXO_EDEAD);
    for (; (ctx = TAILQ_FIRST(&ep->receivers)) && *budget; --*budget)
        ctx_wake(ctx, -EXO_EDEAD);
    for (; (env = TAILQ_FIRST(&ep->deaths)) && *budget; --*budget)
        death_done(env);
    if (*budget && ep->server) {
        LIST_REMOVE(ep, served);
        ep->server = NULL;
    }
    kobj_put(&ep->obj);
    return *budget != 0;
}

bool endpoint_server_died(struct env *env, unsigned budget)
{
    while (!LIST_EMPTY(&env->served))
        if (!endpoint_end(LIST_FIRST(&env->served), &budget))
            return false;
    return true;
}

static void endpoint_release(struct kobj *obj)
{
    struct endpoint *ep = (struct endpoint *)obj;

    if (ep->server)
        LIST_REMOVE(ep, served);
    kobj_free(obj);
}

static int endpoint_destroy(struct kobj *obj, unsigned budget)
{
    bool done;

    kobj_get(obj);
    done = endpoint_end((struct endpoint *)obj, &budget) &&
           cap_obj_revoke_all(&obj->cap, budget) == CAP_OK;
    kobj_put(obj);
    return done ? 0 : -EXO_EAGAIN;
}

static void endpoint_identify(struct kobj *obj, struct exo_cap_info *info)
{
    struct endpoint *ep = (struct endpoint *)obj;

    info->env = ep->server ? ep->server->info->id : 0;
}

const struct kobj_ops endpoint_ops = {
    .name = "endpoint",
    .release = endpoint_release,
    .destroy = endpoint_destroy,
    .childless = endpoint_childless,
    .identify = endpoint_identify,
};

// --- call

// Lends the caller's time to a context of a busy server, so that it gets done sooner.
static void server_push(struct env *server)
{
    struct ctx *ctx;

    TAILQ_FOREACH (ctx, &server->contexts, link) {
        if (ctx->state == CTX_READY && ctx->serving) {
            schedule_to(ctx);
            return;
        }
    }
}

int64_t sys_call(struct ctx *ctx)
{
    struct cap_slot *slot;
    struct endpoint *ep;
    struct ctx *server;
    int err;

    TRY(cap_find(ctx->regs.rdi, EXO_CAP_ENDPOINT, EXO_R_CALL, &slot));
    if (meta_bad(ctx->regs.rsi))
        return -EXO_EINVAL;
    ep = slot_endpoint(slot);
    if (endpoint_dead(ep))
        return -EXO_EDEAD;
    ctx->badge = slot->badge;
    server = TAILQ_FIRST(&ep->receivers);
    if (!server && ctx_interruptible(ctx))
        return -EXO_EINTR;
    if (server) {
        server->state = CTX_READY;
        err = take_call(server, ctx, ctx->badge);
        server->state = CTX_RECEIVE;
        if (err) {
            endpoint_notified(server);
            return err;
        }
        join(ctx, ep, CTX_SERVED);
        ctx_rouse(server, 0);
        schedule_handoff(server);
    } else {
        join(ctx, ep, CTX_QUEUED);
        schedule_handoff(NULL);
        server_push(ep->server);
    }
    return CALL_NO_RESULT;
}

// --- reply_wait

// Answers the call being served. The caller that is ready to go on is queued by ours. An error of
// the transfer is the caller's result, and ours. A caller that died meanwhile is nobody to tell,
// except that capabilities meant for it went nowhere: its server would wait for their end in vain.
static int reply(struct ctx *ctx, struct ctx **ready)
{
    struct ctx *caller = ctx->serving;
    int err;

    *ready = NULL;
    if (!caller)
        return EXO_META_CAPS(ctx->regs.rsi) && !(ctx->regs.rsi & EXO_REPLY_NONE) ? -EXO_EDEAD : 0;
    if (ctx->regs.rsi & EXO_REPLY_NONE) {
        ctx_wake(caller, -EXO_EDEAD);
        return 0;
    }
    err = transfer(ctx, caller);
    ctx_rouse(caller, err);
    *ready = caller;
    return err;
}

static int64_t await(struct ctx *ctx, struct endpoint *ep, uint64_t deadline)
{
    if (take_event(ep, ctx))
        return 0;
    event_fill(ctx, EXO_EV_NONE, 0, 0, 0);
    if (deadline <= clock_ns())
        return -EXO_ETIMEDOUT;
    join(ctx, ep, CTX_RECEIVE);
    deadline_set(ctx, &ctx->timeout, deadline);
    return CALL_NO_RESULT;
}

int64_t sys_reply_wait(struct ctx *ctx)
{
    uint64_t meta = ctx->regs.rsi, deadline = ctx->regs.r14;
    struct endpoint *ep;
    struct ctx *caller;
    int64_t err;

    TRY(obj_find(ctx->regs.rdi, EXO_CAP_ENDPOINT, EXO_R_SERVE, &ep));
    if (ep->server != ctx->env)
        return ep->server ? -EXO_ERIGHTS : -EXO_EDEAD;
    if (meta_bad(meta))
        return -EXO_EINVAL;
    err = reply(ctx, &caller);
    if (err || meta & EXO_REPLY_ONLY)
        event_fill(ctx, EXO_EV_NONE, 0, 0, 0);
    else
        err = await(ctx, ep, deadline);
    if (err == CALL_NO_RESULT)
        schedule_handoff(caller);
    else if (caller)
        slice_enqueue(caller, false);
    return err;
}
