// SPDX-License-Identifier: MIT
// Frames are asked back from a bank: what it has left goes at once, its keeper is told by upcall
// and complies, or it loses what it listed for surrender, in order, or dies. Nobody gains by lying,
// repeating, or dying in the middle.
#include "test.h"

#define DATA  0x500000000000ull
#define GRACE EXO_RECLAIM_GRACE
#define ABORT EXO_RECLAIM_ABORT

static struct peer keeper;
static exo_handle_t bank, held[4]; // what the keeper can give back: runs of 20 frames
static volatile uint64_t told, saw[3], at_depth, at_mask, comply, go;

static struct exo_cap_info info_of(exo_handle_t handle)
{
    struct exo_cap_info info = {.size = sizeof(info)};

    if (exo_cap_identify(handle, &info))
        info.object = 0;
    return info;
}

static exo_handle_t split(exo_handle_t from, uint64_t frames)
{
    int64_t handle = exo_bank_split(from, frames);

    ok(handle > 0);
    return (exo_handle_t)handle;
}

static void destroy(exo_handle_t handle)
{
    int64_t err;

    while ((err = exo_bank_destroy(handle)) == -EXO_EAGAIN)
        ;
    is(err, 0);
}

// Lets time go by, and everybody who can run, run.
static void pass(uint64_t ns)
{
    uint64_t end = now() + ns;

    do
        exo_wait(0, 0, now() + 1000000);
    while (now() < end);
    for (int i = 0; i < 10; i++)
        exo_ctx_yield(0, 0, 0);
}

#define until(cond)                                                                                \
    for (int waits = 0; !(cond) && waits < 10000; waits++)                                         \
    exo_wait(0, 0, now() + 1000000)

static int64_t force(exo_handle_t handle, uint64_t limit)
{
    int64_t err;

    while ((err = exo_bank_reclaim(handle, limit, 0, ABORT)) == -EXO_EAGAIN)
        ;
    return err;
}

// --- what may be asked at all
// ----------------------------------------------------------------------

static void arguments(void)
{
    exo_handle_t b = split(boot->bank, 100), c = split(b, 20), frames, weak;

    frames = (exo_handle_t)exo_frames_alloc(b, 10, 0, 0);
    weak = (exo_handle_t)exo_cap_derive(b, EXO_R_BUY | EXO_R_READ | EXO_R_DERIVE, 0, 0, 0);
    is(exo_bank_reclaim(boot->bank, 0, 0, 0), -EXO_EINVAL);
    is(exo_bank_list(boot->bank, 1), -EXO_EINVAL);
    is(exo_bank_grant(boot->bank, boot->bank, 1), -EXO_EINVAL);
    is(exo_bank_reclaim(b + (1ull << EXO_HANDLE_BITS), 0, 0, 0), -EXO_EBADHANDLE);
    is(exo_bank_reclaim(frames, 0, 0, 0), -EXO_ETYPE);
    is(exo_bank_keep(frames, 1), -EXO_ETYPE);
    is(exo_bank_list(frames, 1), -EXO_ETYPE);
    is(exo_bank_grant(b, frames, 1), -EXO_ETYPE);
    is(exo_bank_reclaim(weak, 50, 0, 0), -EXO_ERIGHTS);
    is(exo_bank_keep(weak, 1), -EXO_ERIGHTS);
    is(exo_bank_list(weak, 1), -EXO_ERIGHTS);
    is(exo_bank_reclaim(b, 50, 0, 2), -EXO_EINVAL);
    is(exo_bank_reclaim(b, 50, EXO_NEVER, 0), -EXO_EINVAL);
    is(exo_bank_keep(b, 3), -EXO_EINVAL);
    is(exo_bank_list(c, 2), -EXO_EINVAL);
    is(info_of(b).length, 100);
    is(exo_bank_grant(boot->bank, c, 1), -EXO_EINVAL); // a grandchild
    is(exo_bank_grant(c, b, 1), -EXO_EINVAL);
    is(exo_bank_grant(b, c, 69), -EXO_ENOMEM);
    is(exo_bank_grant(b, c, 68), 0);
    is(info_of(c).length, 88);
    is(exo_frames_alloc(b, 1, 0, 0), -EXO_ENOMEM);
    is(exo_bank_reclaim(c, 20, 0, 0), 0);
    is(exo_cap_delete(weak), 0);
    is(exo_cap_delete(frames), 0);
    is(exo_bank_fold(c), 0);
    is(exo_bank_reclaim(c, 1, 0, 0), -EXO_EBADHANDLE);
    destroy(b);
}

static void room_goes_at_once(void)
{
    uint64_t used = info_of(boot->bank).used;
    exo_handle_t b = split(boot->bank, 100);

    is(info_of(boot->bank).used, used + 101);
    is(exo_bank_reclaim(b, 60, 0, 0), 0);
    is(info_of(b).length, 60);
    is(info_of(boot->bank).used, used + 61);
    is(exo_bank_reclaim(b, 100, 0, 0), 0); // it does not grow
    is(info_of(b).length, 60);
    is(exo_bank_grant(boot->bank, b, 10), 0);
    is(info_of(boot->bank).used, used + 71);
    is(exo_bank_reclaim(b, 0, 0, 0), 0);
    is(info_of(b).length, 0);
    is(exo_frames_alloc(b, 1, 0, 0), -EXO_ENOMEM);
    is(exo_bank_reclaim(b, 0, 0, ABORT), 0);
    destroy(b);
    is(info_of(boot->bank).used, used);
}

// --- a keeper that complies
// ------------------------------------------------------------------------

static void handler(struct exo_save *save)
{
    volatile struct exo_ctx *ctx = ctx_self();

    if (save->cause != EXO_UP_REVOKE) {
        if (save->cause != EXO_UP_NOTIFY)
            exo_env_exit(save->vector);
        return;
    }
    at_depth = ctx->depth;
    at_mask = ctx->mask;
    saw[0] = save->addr;
    saw[1] = save->error;
    saw[2] = save->vector;
    __atomic_exchange_n(&ctx->pending, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 4 && comply; i++, comply--) {
        exo_cap_delete(held[i]);
        held[i] = 0;
    }
    told++;
}

static void keep_and_sleep(void *arg)
{
    exo_bank_keep((exo_handle_t)arg, 1ull << 40);
    go = 1;
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

// A bank of 100 frames of which a keeper in another environment has bought 84.
static void keeper_make(exo_handle_t supervisor, uint64_t cookie, void (*fn)(void *))
{
    exo_handle_t in_keeper;

    bank = split(boot->bank, 100);
    told = go = comply = 0;
    peer_make(&keeper, 0, true, supervisor, cookie, fn, 0);
    for (int i = 0; i < 4; i++) {
        int64_t run = exo_frames_alloc(bank, 20, 0, 0);

        held[i] = give(&keeper, (exo_handle_t)run, RW);
        is(exo_cap_delete((exo_handle_t)run), 0);
    }
    in_keeper = give(&keeper, bank, EXO_R_BIND | EXO_R_BUY);
    ((volatile struct exo_ctx *)keeper.ctx)->libos_stack = in_keeper;
}

static void keeper_run(void (*fn)(void *))
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};

    is(exo_ctx_get(keeper.env, 0, &regs), 0);
    regs.gpr.rip = (uint64_t)fn;
    regs.gpr.rdi = keeper.ctx->libos_stack;
    is(exo_ctx_set(keeper.env, 0, &regs), 0);
    is(exo_ctx_bind(keeper.env, 0, boot->slice), 0);
    while (!go)
        exo_ctx_yield(0, 0, 0);
    pass(1000000);
}

static void complies(void)
{
    keeper_make(0, 0, keep_and_sleep);
    keeper_run(keep_and_sleep);
    is(told, 0);
    is(exo_bank_reclaim(bank, 90, 0, 0), 0); // has the room: nobody is told
    is(told, 0);
    comply = 1;
    is(exo_bank_reclaim(bank, 70, 0, 0), -EXO_EBUSY); // 84 are in use: 6 go at once, 14 are owed
    is(info_of(bank).length, 84);
    until(told);
    is(told, 1);
    is(saw[0], info_of(bank).object);
    is(saw[1], 14);
    is(saw[2], 0);
    is(at_depth, 1);
    is(at_mask, 0);
    is(info_of(bank).used, 63); // a run's object frame comes back too
    is(exo_bank_reclaim(bank, 70, 0, 0), 0);
    is(info_of(bank).length, 70);
    is(info_of(bank).debt.frames, 0);
    peer_end(&keeper);
    destroy(bank);
}

static void owed_is_not_sold(void)
{
    exo_handle_t b = split(boot->bank, 100), mine[2];

    mine[0] = (exo_handle_t)exo_frames_alloc(b, 49, 0, 0);
    mine[1] = (exo_handle_t)exo_frames_alloc(b, 39, 0, 0);
    is(exo_bank_reclaim(b, 60, 0, 0), -EXO_EBUSY);
    is(info_of(b).length, 90);
    is(info_of(b).debt.frames, 30);
    is(exo_cap_delete(mine[1]), 0);
    is(exo_frames_alloc(b, 10, 0, 0), -EXO_ENOMEM); // 40 are free, but 30 of them are owed
    mine[1] = (exo_handle_t)exo_frames_alloc(b, 9, 0, 0);
    ok((int64_t)mine[1] > 0);
    is(exo_bank_split(b, 1), -EXO_ENOMEM);
    is(exo_bank_reclaim(b, 60, 0, 0), 0);
    is(info_of(b).length, 60);
    is(exo_bank_reclaim(b, 20, 0, 0), -EXO_EBUSY);
    is(exo_bank_reclaim(b, 60, 0, 0), 0); // the request is over
    is(info_of(b).debt.frames, 0);
    is(exo_cap_delete(mine[0]), 0);
    mine[0] = (exo_handle_t)exo_frames_alloc(b, 48, 0, 0);
    ok((int64_t)mine[0] > 0);
    destroy(b);
}

static void asked_a_million_times(void)
{
    uint64_t free;

    keeper_make(0, 0, keep_and_sleep);
    keeper_run(keep_and_sleep);
    free = EXO_INFO->frames_free;
    quiet = true;
    for (int i = 0; i < 1000000; i++)
        is(exo_bank_reclaim(bank, 70, 0, 0), -EXO_EBUSY);
    quiet = false;
    until(told);
    pass(1000000);
    is(told, 1);
    is(EXO_INFO->frames_free, free);
    is(exo_bank_reclaim(bank, 69, 0, 0), -EXO_EBUSY); // more is wanted: it is told again
    until(told == 2);
    is(told, 2);
    is(saw[1], 15);
    peer_end(&keeper);
    destroy(bank);
}

static void keep_masked(void *arg)
{
    volatile struct exo_ctx *ctx = ctx_self();

    ctx->mask = 1;
    exo_bank_keep((exo_handle_t)arg, 1ull << 40);
    go = 1;
    go = exo_wait(0, 0, EXO_NEVER) == -EXO_EINTR && !told && ctx->pending == 1ull << 40 ? 2 : 3;
    ctx->mask = 0;
    exo_ctx_yield(0, 0, 0); // the next return from the kernel
    go = told == 1 ? 4 : 5;
    for (;;)
        exo_wait(0, 0, EXO_NEVER);
}

static void masked(void)
{
    keeper_make(0, 0, keep_masked);
    keeper_run(keep_masked);
    is(exo_bank_reclaim(bank, 70, 0, 0), -EXO_EBUSY);
    until(go >= 3);
    until(go >= 4);
    is(go, 4);
    peer_end(&keeper);
    destroy(bank);
}

// --- force
// -----------------------------------------------------------------------------------------

// Three child banks with something in each; the first two are listed, the second before the first.
static void loses_what_it_listed(void)
{
    exo_handle_t child[3], in_child[3];
    uint64_t id[3], from, due;

    keeper_make(0, 0, keep_and_sleep);
    is(exo_bank_grant(boot->bank, bank, 63), 0);
    for (int i = 0; i < 3; i++) {
        child[i] = split(bank, 20);
        id[i] = info_of(child[i]).object;
        in_child[i] = (exo_handle_t)exo_frames_alloc(child[i], 15, 0, 0);
    }
    is(exo_bank_list(child[2], 1), 0);
    is(exo_bank_list(child[0], 1), 0);
    is(exo_bank_list(child[1], 1), 0);
    is(exo_bank_list(child[2], 0), 0);
    keeper_run(keep_and_sleep);
    from = now();
    is(exo_bank_reclaim(bank, 130, 0, ABORT), -EXO_EBUSY); // nobody had time yet
    due = info_of(bank).debt.due;
    ok(due >= from + GRACE && due <= now() + GRACE);
    is(info_of(child[1]).object, id[1]);
    pass(GRACE + 1000000);
    is(exo_bank_reclaim(bank, 130, 0, 0), -EXO_EBUSY); // without the flag nothing is forced
    is(info_of(child[1]).object, id[1]);
    is(force(bank, 130), 0);
    is(info_of(bank).length, 130);
    is(info_of(child[1]).object, 0);
    is(info_of(in_child[1]).object, 0);
    is(info_of(child[0]).object, id[0]);
    is(info_of(bank).debt.lost, id[1]);
    is(info_of(bank).debt.nlost, 1);
    until(told == 2);
    is(told, 2);
    is(saw[2], id[1]);
    from = now();
    is(exo_bank_reclaim(bank, 110, 2 * GRACE, ABORT),
       -EXO_EBUSY); // lower: a new grace, as asked for
    due = info_of(bank).debt.due;
    ok(due >= from + 2 * GRACE);
    is(exo_bank_reclaim(bank, 109, 0, 0), -EXO_EBUSY); // lower still, once more
    ok(info_of(bank).debt.due < due + GRACE);
    is(exo_bank_reclaim(bank, 110, 2 * GRACE, 0), -EXO_EBUSY);
    pass(2 * GRACE + 1000000);
    is(force(bank, 110), 0);
    is(info_of(child[0]).object, 0);
    is(info_of(bank).debt.nlost, 2);
    is(info_of(child[2]).object, id[2]); // it took that off the list
    is(info_of(in_child[2]).length, 15);
    is(EXO_ENVS[EXO_ENV_INDEX(keeper.id)].state, EXO_ENV_LIVE);
    peer_end(&keeper);
    destroy(bank);
}

static void dies_with_the_reason(void)
{
    exo_handle_t supervisor = (exo_handle_t)exo_endpoint_create(boot->bank);
    struct exo_msg m = {.meta = EXO_REPLY_NONE};
    uint64_t id;

    keeper_make(supervisor, 77, keep_and_sleep);
    keeper_run(keep_and_sleep);
    id = info_of(bank).object;
    is(exo_bank_reclaim(bank, 10, 0, ABORT), -EXO_EBUSY);
    pass(GRACE + 1000000);
    is(EXO_ENVS[EXO_ENV_INDEX(keeper.id)].state, EXO_ENV_LIVE);
    while (exo_bank_reclaim(bank, 10, 0, ABORT) == -EXO_EBUSY)
        exo_ctx_yield(0, 0, 0);
    is(info_of(bank).length, 10);
    is(EXO_ENVS[EXO_ENV_INDEX(keeper.id)].reason, EXO_DEATH_REVOKED);
    is(exo_reply_wait(supervisor, &m, now() + 100000000), 0);
    is(CTX->in_kind, EXO_EV_DEATH);
    is(CTX->in_badge, 77);
    is(m.w[0], id);
    is(m.w[1], EXO_DEATH_REVOKED);
    is(exo_bank_reclaim(bank, 0, 0, ABORT), 0);
    peer_end(&keeper);
    is(exo_cap_delete(supervisor), 0);
    destroy(bank);
}

static void nobody_to_ask(void)
{
    exo_handle_t b = split(boot->bank, 100);

    ok(exo_frames_alloc(b, 49, 0, 0) > 0);
    is(exo_bank_reclaim(b, 10, 0, ABORT), -EXO_EBUSY);
    pass(GRACE + 1000000);
    is(exo_bank_reclaim(b, 10, 0, ABORT), -EXO_ENOENT);
    is(info_of(b).debt.frames, 40);
    is(exo_bank_keep(b, 1), 0); // whoever keeps it now is told at once, and cannot kill itself
    is(CTX->pending, 1);
    is(__atomic_exchange_n(&CTX->pending, 0, __ATOMIC_SEQ_CST), 1);
    is(exo_bank_reclaim(b, 10, 0, ABORT), -EXO_EBUSY);
    is(exo_bank_keep(b, 0), 0);
    is(exo_bank_reclaim(b, 10, 0, ABORT), -EXO_ENOENT);
    destroy(b);
}

// --- deaths in the middle
// --------------------------------------------------------------------------

static void keeper_dies_asked(void)
{
    keeper_make(0, 0, keep_and_sleep);
    keeper_run(keep_and_sleep);
    is(exo_bank_reclaim(bank, 70, 0, 0), -EXO_EBUSY);
    peer_end(&keeper); // and gives everything back
    is(exo_bank_reclaim(bank, 70, 0, 0), 0);
    ok(exo_frames_alloc(bank, 60, 0, 0) > 0);
    is(exo_bank_reclaim(bank, 10, 0, 0), -EXO_EBUSY);
    pass(GRACE + 1000000);
    is(exo_bank_reclaim(bank, 10, 0, ABORT), -EXO_ENOENT); // its place is empty
    destroy(bank);
}

static exo_handle_t victim_in_requester;

static void force_and_die(void *arg)
{
    int64_t err;

    while ((err = exo_bank_reclaim(victim_in_requester, 100, 0, ABORT)) == -EXO_EBUSY)
        ;
    go = err == -EXO_EAGAIN ? 1 : 2;
    (void)arg;
    for (;;)
        ; // to be killed here
}

// Destroying the listed bank takes more than one call, and the caller dies after the first.
static void requester_dies(void)
{
    exo_handle_t b = split(boot->bank, 4200), child = split(b, 4000), as;
    struct peer requester;
    struct exo_map_op op = {EXO_OP_BUY, 500, DATA, 0, 0, RW, 0};

    as = (exo_handle_t)exo_aspace_create(boot->bank);
    for (int i = 0; i < 7; i++, op.va += 500 * EXO_PAGE_SIZE)
        is(exo_aspace_batch(as, child, &op, 1), 1);
    is(exo_bank_list(child, 1), 0);
    go = 0;
    peer_make(&requester, 1, true, 0, 0, force_and_die, 0);
    victim_in_requester = give(&requester, b, EXO_R_CONTROL);
    is(exo_ctx_bind(requester.env, 0, boot->slice), 0);
    while (!go)
        exo_wait(0, 0, now() + 1000000);
    is(go, 1);
    peer_end(&requester);
    for (int i = 0; i < 1000 && info_of(child).object; i++)
        pass(1000000);
    is(info_of(child).object, 0); // the kernel has carried it on
    is(info_of(b).debt.nlost, 1);
    is(exo_bank_reclaim(b, 100, 0, 0), 0);
    is(exo_cap_delete(as), 0);
    destroy(b);
}

// --- what is standing on what
// ----------------------------------------------------------------------

static void caller_stands_on_it(void)
{
    exo_handle_t b = split(boot->bank, 200), child = split(b, 50);

    // The caller's table pages come from the listed bank.
    is(exo_bank_list(child, 1), 0);
    is(exo_env_set_aspace(boot->env, 0, child), 0);
    ok(exo_frames_alloc(b, 100, 0, 0) > 0);
    is(exo_bank_reclaim(b, 110, 0, ABORT), -EXO_EBUSY);
    pass(GRACE + 1000000);
    is(exo_bank_reclaim(b, 110, 0, ABORT), -EXO_EBUSY);
    is(info_of(child).length, 50);
    is(exo_env_set_aspace(boot->env, 0, boot->bank), 0);
    is(force(b, 110), 0);
    is(info_of(child).object, 0);
    destroy(b);
}

// A list is said to the parent: it is void when another becomes it.
static void list_ends_with_the_parent(void)
{
    exo_handle_t b = split(boot->bank, 200), c = split(b, 100), d = split(c, 50);

    is(exo_bank_list(d, 1), 0);
    ok(exo_frames_alloc(d, 40, 0, 0) > 0);
    is(exo_bank_fold(c), 0);
    is(exo_bank_reclaim(b, 20, 0, ABORT), -EXO_EBUSY);
    pass(GRACE + 1000000);
    is(exo_bank_reclaim(b, 20, 0, ABORT), -EXO_ENOENT);
    is(info_of(d).length, 50);
    destroy(b);
}

static void dying_bank(void)
{
    exo_handle_t b = split(boot->bank, 4200), as = (exo_handle_t)exo_aspace_create(boot->bank);
    struct exo_map_op op = {EXO_OP_BUY, 500, DATA, 0, 0, RW, 0};

    for (int i = 0; i < 7; i++, op.va += 500 * EXO_PAGE_SIZE)
        is(exo_aspace_batch(as, b, &op, 1), 1);
    is(exo_bank_destroy(b), -EXO_EAGAIN);
    is(exo_bank_reclaim(b, 0, 0, 0), -EXO_EDEAD);
    is(exo_bank_reclaim(b, 0, 0, ABORT), -EXO_EDEAD);
    is(exo_bank_list(b, 1), -EXO_EDEAD);
    is(exo_bank_grant(boot->bank, b, 1), -EXO_EDEAD);
    is(exo_bank_keep(b, 1), 0); // keeps what owes nothing
    destroy(b);
    is(exo_cap_delete(as), 0);
}

void test_main(void)
{
    upcalls_to(handler);
    arguments();
    room_goes_at_once();
    complies();
    owed_is_not_sold();
    asked_a_million_times();
    masked();
    loses_what_it_listed();
    dies_with_the_reason();
    CTX->mask = 1;
    nobody_to_ask();
    CTX->mask = 0;
    keeper_dies_asked();
    requester_dies();
    caller_stands_on_it();
    list_ends_with_the_parent();
    dying_bank();
}
