// SPDX-License-Identifier: MIT
//
// CPU time. Each CPU walks a vector of positions; each position belongs to a slice, which has that
// much of every round (and is skipped when it has nothing to do). Contexts bound to one slice take
// turns, first come first served; so fork only binds the child to the parent's slice, and no number
// of children gets more than the parent had.
//
// The time of a position follows control: a caller's position runs on in the server (schedule_to)
// and in the target of a directed yield. A context whose time is up always goes back to its own
// slice's queue, so that borrowed time only adds.
//
// The teardown of a dead environment takes the time of a slice it was bound to, before the slice's
// contexts: step by step, with interrupts let in between the steps.
//
// Positions are taken from a slice by split and come back to it when the new one goes. Locking:
// klock.

#include <string.h>
#include <core/dispatch.h>
#include <core/log.h>
#include <x86/cpu.h>

#define TICK_NS     10000000ull
#define SWITCH_WORK 64 // deferred memory work at each choice of a context
#define IDLE_WORK   256

struct slice {
    struct kobj obj;
    struct slice *parent; // positions go back there; holds a reference
    struct cpu *cpu;
    volatile struct exo_slice_info *info; // in the exposed table
    struct ctx_list ready, bound;
    struct env_list dying;
};

static uint64_t random_state; // 0: positions have their regular length

void schedule_seed(uint64_t seed)
{
    random_state = seed | 1;
}

static uint64_t position_ns(void)
{
    if (!random_state)
        return TICK_NS;
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return 1000 + random_state % 100000;
}

// --- queues --------------------------------------------------------------------------------------

void slice_enqueue(struct ctx *ctx, bool first)
{
    struct slice *slice = ctx->slice;

    if (!slice || ctx->queued || ctx->running || ctx->state != CTX_READY)
        return;
    if (first)
        TAILQ_INSERT_HEAD(&slice->ready, ctx, queue);
    else
        TAILQ_INSERT_TAIL(&slice->ready, ctx, queue);
    ctx->queued = true;
    slice->info->runnable++;
}

void slice_dequeue(struct ctx *ctx)
{
    if (!ctx->queued)
        return;
    TAILQ_REMOVE(&ctx->slice->ready, ctx, queue);
    ctx->queued = false;
    ctx->slice->info->runnable--;
}

int ctx_bind(struct ctx *ctx, struct slice *slice)
{
    struct slice *old = ctx->slice;

    if (ctx->state == CTX_DEAD)
        return -EXO_EDEAD;
    slice_dequeue(ctx);
    if (old)
        TAILQ_REMOVE(&old->bound, ctx, bound);
    if (slice) {
        kobj_get(&slice->obj);
        TAILQ_INSERT_TAIL(&slice->bound, ctx, bound);
    }
    ctx->slice = slice;
    if (ctx->running)
        this_cpu()->resched = true;
    else
        slice_enqueue(ctx, false);
    if (old)
        kobj_put(&old->obj);
    return 0;
}

void slice_reap(struct slice *slice, struct env *env)
{
    kobj_get(&slice->obj);
    env->reaper = slice;
    TAILQ_INSERT_TAIL(&slice->dying, env, death_link);
}

static void slice_reap_step(struct slice *slice)
{
    struct env *env = TAILQ_FIRST(&slice->dying);

    if (env_teardown(env))
        return;
    TAILQ_REMOVE(&slice->dying, env, death_link);
    TAILQ_INSERT_TAIL(&slice->dying, env, death_link);
}

// The last step of a teardown calls this.
void slice_reaped(struct env *env)
{
    struct slice *slice = env->reaper;

    TAILQ_REMOVE(&slice->dying, env, death_link);
    env->reaper = NULL;
    kobj_put(&slice->obj);
}

// --- choosing ------------------------------------------------------------------------------------

static bool slice_busy(const struct slice *slice)
{
    return slice && (!TAILQ_EMPTY(&slice->ready) || !TAILQ_EMPTY(&slice->dying));
}

static void slice_account(struct cpu *cpu, uint64_t now)
{
    if (cpu->slice)
        cpu->slice->info->used_ns += now - cpu->slice_from;
    cpu->slice_from = now;
}

// Moves on to the next position with work; false when no slice of this CPU has any.
static bool position_next(struct cpu *cpu, uint64_t now)
{
    uint32_t at = cpu->position;

    for (unsigned i = 0; i < SLICE_POSITIONS; i++) {
        at = (at + 1) % SLICE_POSITIONS;
        if (!slice_busy(cpu->vector[at]))
            continue;
        slice_account(cpu, now);
        cpu->position = at;
        cpu->slice = cpu->vector[at];
        cpu->slice_end = now + position_ns();
        return true;
    }
    return false;
}

static void timer_arm(struct cpu *cpu, uint64_t ns)
{
    uint64_t deadline = deadline_next();

    if (deadline < ns)
        ns = deadline;
    if (ns < cpu->timer_at)
        timer_set(ns);
}

// Nothing holds the CPU: interrupts may come, here only. With `wait`, until one does.
static void cpu_breathe(struct cpu *cpu, bool wait)
{
    uint64_t from = clock_ns();

    klock_release();
    if (wait)
        __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
    else
        __asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
    klock_acquire();
    if (wait) {
        slice_account(cpu, from);
        cpu->slice = NULL;
        info_page->idle_ns += clock_ns() - from;
    }
}

static struct ctx *pick(struct cpu *cpu)
{
    uint64_t now;

    for (;;) {
        now = clock_ns();
        if (!(now < cpu->slice_end && slice_busy(cpu->slice)) && !position_next(cpu, now)) {
            timer_arm(cpu, EXO_NEVER);
            cpu_breathe(cpu, !mem_work(IDLE_WORK));
            continue;
        }
        if (TAILQ_EMPTY(&cpu->slice->dying))
            return TAILQ_FIRST(&cpu->slice->ready);
        timer_arm(cpu, cpu->slice_end);
        slice_reap_step(cpu->slice);
        cpu_breathe(cpu, false);
    }
}

// The running context cannot go on, or its time is over.
static void put_back(struct cpu *cpu)
{
    struct ctx *ctx = cpu->ctx;
    uint64_t now;

    if (ctx->state != CTX_READY || !ctx->slice) {
        cpu_park();
        return;
    }
    now = clock_ns();
    if (now < cpu->slice_end && now < cpu->yield_end)
        return;
    cpu_park();
    ctx->slice_end |= now >= cpu->slice_end;
    slice_enqueue(ctx, false);
}

void schedule(void)
{
    struct cpu *cpu = this_cpu();
    struct ctx *next;

    cpu->resched = false;
    if (cpu->ctx)
        put_back(cpu);
    if (!cpu->ctx) {
        mem_work(SWITCH_WORK);
        next = cpu->next;
        if (!next)
            cpu->yield_end = EXO_NEVER;
        if (!next || next->state != CTX_READY || !next->slice || next->running)
            next = pick(cpu);
        slice_dequeue(next);
        cpu_run(next);
    }
    cpu->next = NULL;
    timer_arm(cpu, cpu->slice_end < cpu->yield_end ? cpu->slice_end : cpu->yield_end);
}

void schedule_to(struct ctx *ctx)
{
    struct cpu *cpu = this_cpu();

    if (ctx->state != CTX_READY || !ctx->slice || ctx->running)
        return;
    slice_enqueue(ctx, false);
    cpu->next = ctx;
    cpu->resched = true;
}

void schedule_handoff(struct ctx *ctx)
{
    struct cpu *cpu = this_cpu();

    if (ctx && ctx->slice && !cpu->resched) {
        cpu_park();
        cpu_run(ctx);
        timer_arm(cpu, cpu->slice_end < cpu->yield_end ? cpu->slice_end : cpu->yield_end);
        return;
    }
    cpu->resched = true;
    if (ctx)
        schedule_to(ctx);
}

// --- the object ----------------------------------------------------------------------------------

static int slice_new(struct bank *bank, struct cpu *cpu, struct slice **out)
{
    struct slice *slice;
    uint32_t index;

    for (index = 0; index < info_page->slices && info_slices[index].positions; index++)
        ;
    if (index == info_page->slices)
        return -EXO_ENOMEM;
    TRY(kobj_alloc(bank, EXO_CAP_SLICE, sizeof(*slice), &slice));
    slice->cpu = cpu;
    slice->info = &info_slices[index];
    TAILQ_INIT(&slice->ready);
    TAILQ_INIT(&slice->bound);
    TAILQ_INIT(&slice->dying);
    *slice->info = (struct exo_slice_info){.cpu = cpu->number};
    *out = slice;
    return 0;
}

int slice_root(struct bank *bank, struct slice **slice)
{
    struct cpu *cpu = this_cpu();

    TRY(slice_new(bank, cpu, slice));
    for (unsigned i = 0; i < SLICE_POSITIONS; i++)
        cpu->vector[i] = *slice;
    (*slice)->info->positions = SLICE_POSITIONS;
    info_page->tick_ns = TICK_NS;
    return 0;
}

int64_t sys_slice_split(exo_handle_t handle, uint64_t positions)
{
    struct slice *parent, *slice;
    uint64_t nth = 0, given = 0, all;

    TRY(obj_find(handle, EXO_CAP_SLICE, EXO_R_DERIVE, &parent));
    all = parent->info->positions;
    if (positions == 0 || positions >= all)
        return -EXO_EINVAL;
    TRY(slice_new(parent->obj.bank, parent->cpu, &slice));
    slice->parent = parent;
    kobj_get(&parent->obj);
    for (unsigned i = 0; i < SLICE_POSITIONS; i++) { // evenly from all over the vector
        if (parent->cpu->vector[i] != parent)
            continue;
        if (++nth * positions / all == given)
            continue;
        given++;
        parent->cpu->vector[i] = slice;
    }
    slice->info->positions = given;
    parent->info->positions -= given;
    return cap_name_new(env_current(), &slice->obj, EXO_R_ALL, 0);
}

static void slice_release(struct kobj *obj)
{
    struct slice *slice = (struct slice *)obj;
    struct slice *parent = slice->parent;
    struct cpu *cpu = slice->cpu;

    if (!parent) // the root slice of a CPU stays
        return;
    for (unsigned i = 0; i < SLICE_POSITIONS; i++)
        if (cpu->vector[i] == slice)
            cpu->vector[i] = parent;
    parent->info->positions += slice->info->positions;
    slice->info->positions = 0;
    if (cpu->slice == slice) {
        slice_account(cpu, clock_ns());
        cpu->slice = parent;
    }
    kobj_free(obj);
    kobj_put(&parent->obj);
}

// Its bank goes: contexts bound to it stop, teardowns go on in the parent's time.
static int slice_destroy(struct kobj *obj, unsigned budget)
{
    struct slice *slice = (struct slice *)obj;
    struct ctx *ctx;
    struct env *env;
    bool done;

    kobj_get(obj);
    for (; (ctx = TAILQ_FIRST(&slice->bound)) && budget; budget--)
        ctx_bind(ctx, NULL);
    for (; slice->parent && (env = TAILQ_FIRST(&slice->dying)) && budget; budget--) {
        slice_reaped(env);
        slice_reap(slice->parent, env);
    }
    done = budget && cap_obj_revoke_all(&obj->cap, budget) == CAP_OK;
    kobj_put(obj);
    return done ? 0 : -EXO_EAGAIN;
}

static void slice_identify(struct kobj *obj, struct exo_cap_info *info)
{
    info->length = ((struct slice *)obj)->info->positions;
}

const struct kobj_ops slice_ops = {
    .name = "slice",
    .release = slice_release,
    .destroy = slice_destroy,
    .identify = slice_identify,
};

// --- yield ---------------------------------------------------------------------------------------

int64_t sys_ctx_yield(exo_handle_t handle, uint64_t index, uint64_t ns)
{
    struct cpu *cpu = this_cpu();
    struct ctx *self = cpu->ctx, *to = NULL;
    struct cap_slot *slot;

    if (handle) {
        TRY(cap_find(handle, EXO_CAP_ENV, 0, &slot));
        if (!(slot->rights & (EXO_R_NOTIFY | EXO_R_CONTROL)))
            return -EXO_ERIGHTS;
        if (((struct env *)slot->obj)->state >= EXO_ENV_DYING)
            return -EXO_EDEAD;
        to = ctx_by_index((struct env *)slot->obj, (uint32_t)index);
        if (!to)
            return -EXO_EINVAL;
        if (to->state != CTX_READY || !to->slice || to->running)
            return 0;
    }
    self->regs.rax = to != NULL;
    cpu_park();
    slice_enqueue(self, to != NULL);
    if (to) {
        schedule_to(to);
        cpu->yield_end = clock_ns() + (ns > TICK_NS ? TICK_NS : ns);
    }
    cpu->resched = true;
    return CALL_NO_RESULT;
}
