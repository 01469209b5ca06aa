// SPDX-License-Identifier: MIT
//
// Contexts: registers, the two shared frames, and upcalls into user code (contract: abi/exo/ctx.h).
//
// The block is user-writable: every word is read once and bounded before use, and the kernel
// reaches it by its own mapping of the pinned frames. A context is in exactly one of these places:
// running on a CPU, queued on its slice (ready and bound), asleep in a call (state), or nowhere
// (stopped, or dead). Whoever ends a sleep stores the result in the registers; there is nothing to
// continue in the kernel.
//
// A context never outlives its environment object, nor the environment's record of it: its
// registers can be read after death. Locking: klock.

#include <string.h>
#include <core/dispatch.h>
#include <core/log.h>
#include <object/bank.h>
#include <x86/cpu.h>

#define USER_CANONICAL(x) ((x) >> 47 == 0)

struct ctx *ctx_current(void)
{
    return this_cpu()->ctx;
}

struct ctx *ctx_by_index(struct env *env, uint32_t index)
{
    struct ctx *ctx;

    TAILQ_FOREACH (ctx, &env->contexts, link)
        if (ctx->index == index)
            return ctx;
    return NULL;
}

static uint64_t block_read(const uint64_t *word)
{
    return *(const volatile uint64_t *)word;
}

bool ctx_pending(const struct ctx *ctx)
{
    return block_read(&ctx->block->pending) != 0;
}

static bool upcalls_open(const struct ctx *ctx)
{
    const volatile struct exo_ctx *block = ctx->block;

    return block->mask == 0 && block->depth == 0 && block->upcall_entry != 0;
}

bool ctx_interruptible(const struct ctx *ctx)
{
    return ctx->notify_new && ctx_pending(ctx) && upcalls_open(ctx);
}

// --- making and ending ---------------------------------------------------------------------------

static void block_init(struct ctx *ctx)
{
    struct exo_ctx *block = ctx->block;

    block->size = sizeof(*block);
    block->version = EXO_ABI_VERSION;
    block->self = ctx->block_va;
    block->index = ctx->index;
    block->env = ctx->env->info->id;
}

int ctx_new(struct env *env, struct bank *bank, struct kobj *frames, uint64_t va, struct ctx **out)
{
    struct ctx *ctx;
    int err;

    if (run_of(frames)->count != 2)
        return -EXO_EINVAL;
    if (env->ncontexts >= EXO_CONTEXTS)
        return -EXO_ELIMIT;
    TRY(kobj_alloc(bank, KOBJ_CTX, sizeof(*ctx), &ctx));
    err = aspace_map_block(env->aspace, bank, va, frames);
    if (err) {
        kobj_free(&ctx->obj);
        return err;
    }
    ctx->env = env;
    ctx->frames = frames;
    kobj_get(frames);
    ctx->block = phys_to_virt(run_of(frames)->first << EXO_PAGE_SHIFT);
    ctx->msg = phys_to_virt((run_of(frames)->first + 1) << EXO_PAGE_SHIFT);
    ctx->block_va = va;
    ctx->gs_base = va;
    ctx->index = env->ncontexts++;
    ctx->regs.cs = USER_CS;
    ctx->regs.ss = USER_SS;
    ctx->regs.rflags = RFLAGS_FIXED | RFLAGS_IF;
    cpu_fpu_reset(ctx);
    block_init(ctx);
    TAILQ_INSERT_TAIL(&env->contexts, ctx, link);
    env->info->contexts++;
    kobj_get(&ctx->obj); // the environment's hold
    if (ctx->index == 0) {
        ctx_notify(ctx, env->early_bits);
        env->early_bits = 0;
    }
    *out = ctx;
    return 0;
}

void ctx_cancel(struct ctx *ctx)
{
    if (ctx->state == CTX_WAIT)
        wait_leave(ctx);
    else if (ctx->state != CTX_READY && ctx->state != CTX_DEAD)
        endpoint_leave(ctx);
    deadline_clear(&ctx->timeout);
}

void ctx_rouse(struct ctx *ctx, int64_t result)
{
    if (ctx->state == CTX_READY || ctx->state == CTX_DEAD)
        return;
    ctx_cancel(ctx);
    ctx->state = CTX_READY;
    ctx->regs.rax = (uint64_t)result;
}

void ctx_wake(struct ctx *ctx, int64_t result)
{
    ctx_rouse(ctx, result);
    slice_enqueue(ctx, false);
}

void ctx_retire(struct ctx *ctx)
{
    struct cpu *cpu = this_cpu();

    if (ctx->state == CTX_DEAD)
        return;
    if (ctx->running) {
        kassert(cpu->ctx == ctx); // another CPU would have to be told
        cpu_park();
        cpu->resched = true;
    }
    if (cpu->next == ctx)
        cpu->next = NULL;
    ctx_cancel(ctx);
    deadline_clear(&ctx->alarm);
    endpoint_abandon(ctx);
    ctx_bind(ctx, NULL);
    ctx->state = CTX_DEAD;
}

// The environment lets go of a retired context.
void ctx_drop(struct ctx *ctx)
{
    struct env *env = ctx->env;

    ctx_retire(ctx);
    TAILQ_REMOVE(&env->contexts, ctx, link);
    env->info->contexts--;
    kobj_put(&ctx->obj);
}

static void ctx_release(struct kobj *obj)
{
    struct ctx *ctx = (struct ctx *)obj;

    cpu_forget(ctx);
    kobj_put(ctx->frames);
    kobj_free(obj);
}

static int ctx_destroy(struct kobj *obj, unsigned budget)
{
    struct ctx *ctx = (struct ctx *)obj;

    (void)budget;
    if (ctx->env->aspace)
        aspace_unmap_block(ctx->env->aspace, ctx->block_va, ctx->frames);
    ctx_drop(ctx);
    return 0;
}

const struct kobj_ops ctx_ops = {
    .name = "context",
    .release = ctx_release,
    .destroy = ctx_destroy,
};

// --- upcalls -------------------------------------------------------------------------------------

static uint64_t upcall_stack(const volatile struct exo_ctx *block, uint64_t rsp)
{
    uint64_t top = block->upcall_stack_top, size = block->upcall_stack_size;

    if (rsp <= top && top - rsp <= size)
        top = rsp - 128;
    return (top & ~15ull) - 8;
}

static void gs_restore(struct ctx *ctx)
{
    cpu_bases_fetch(ctx);
    if (ctx->gs_base == ctx->block_va)
        return;
    ctx->gs_base = ctx->block_va;
    cpu_bases_apply(ctx);
}

static bool upcall(struct ctx *ctx, uint32_t cause, uint64_t vector, uint64_t error, uint64_t addr)
{
    volatile struct exo_ctx *block = ctx->block;
    uint32_t depth = block->depth;
    uint64_t entry = block->upcall_entry;
    struct exo_save *save;
    struct regs *regs = &ctx->regs;

    if (depth >= EXO_SAVE_DEPTH || entry < EXO_USER_BASE || !USER_CANONICAL(entry))
        return false;
    save = &ctx->block->save[depth];
    memcpy(save, regs, offsetof(struct regs, vector));
    memcpy(&save->rip, &regs->rip, 5 * sizeof(uint64_t));
    save->cause = cause;
    save->vector = vector;
    save->error = error;
    save->addr = addr;
    block->depth = depth + 1;
    regs->rsp = upcall_stack(block, regs->rsp);
    regs->rdi = ctx->block_va + offsetof(struct exo_ctx, save) + depth * sizeof(*save);
    regs->rip = entry;
    regs->rflags = RFLAGS_FIXED | RFLAGS_IF;
    regs->vector = 0; // rcx and r11 count: IRET
    gs_restore(ctx);
    return true;
}

bool ctx_foreign(struct ctx *ctx)
{
    volatile struct exo_ctx *block = ctx->block;
    uint64_t entry = block->foreign_entry;

    if (entry == 0 || !USER_CANONICAL(entry))
        return false;
    block->foreign_rip = ctx->regs.rip;
    block->foreign_rflags = ctx->regs.rflags;
    block->foreign_rsp = ctx->regs.rsp;
    ctx->regs.rip = entry;
    ctx->regs.rflags = RFLAGS_FIXED | RFLAGS_IF;
    ctx->env->info->foreign++;
    gs_restore(ctx);
    return true;
}

void ctx_upcall(struct ctx *ctx, uint32_t cause, uint64_t vector, uint64_t error, uint64_t addr)
{
    if (ctx->state == CTX_DEAD)
        return;
    ctx->env->info->faults++;
    if (upcall(ctx, cause, vector, error, addr))
        return;
    log_printf(
        "env %u ctx %u: exception %lu, error %lx, address %lx, rip %lx, rsp %lx: no upcall\n",
        ctx->env->index, ctx->index, vector, error, addr, ctx->regs.rip, ctx->regs.rsp);
    env_begin_death(ctx->env, EXO_DEATH_UPCALL, vector);
}

void ctx_return_checks(struct ctx *ctx)
{
    if (ctx->slice_end && !(block_read(&ctx->block->flags) & EXO_CTX_SLICE_END))
        ctx->slice_end = false;
    if (!upcalls_open(ctx))
        return;
    if (ctx->notify_new) {
        static uint64_t nothing[3];
        uint64_t *asked = ctx->index ? nothing : ctx->env->asked;
        uint32_t cause = asked[0] ? EXO_UP_REVOKE : EXO_UP_NOTIFY;

        ctx->notify_new = false;
        if (ctx_pending(ctx) && upcall(ctx, cause, asked[2], asked[1], asked[0])) {
            memset(asked, 0, sizeof(nothing));
            return;
        }
    }
    if (ctx->slice_end) {
        ctx->slice_end = false;
        upcall(ctx, EXO_UP_SLICE, 0, 0, 0);
    }
}

void ctx_notify(struct ctx *ctx, uint64_t bits)
{
    if (!bits || ctx->state == CTX_DEAD)
        return;
    __atomic_fetch_or(&ctx->block->pending, bits, __ATOMIC_SEQ_CST);
    ctx->notify_new = true;
    if (ctx->state == CTX_WAIT || (ctx->state == CTX_QUEUED && upcalls_open(ctx)))
        ctx_wake(ctx, -EXO_EINTR);
    else if (ctx->state == CTX_RECEIVE)
        endpoint_notified(ctx);
}

// --- the calls -----------------------------------------------------------------------------------

int64_t sys_ctx_create(exo_handle_t env_handle, exo_handle_t bank, exo_handle_t block, uint64_t va)
{
    struct kobj *frames;
    struct bank *pays;
    struct env *env;
    struct ctx *ctx;

    TRY(env_find(env_handle, EXO_R_CONTROL, &env));
    TRY(bank_find(bank, EXO_R_BUY, &pays));
    TRY(obj_find(block, EXO_CAP_FRAMES, EXO_R_WRITE, &frames));
    if (env->state >= EXO_ENV_DYING)
        return -EXO_EDEAD;
    TRY(ctx_new(env, pays, frames, va, &ctx));
    return ctx->index;
}

static int ctx_find(exo_handle_t env_handle, uint64_t index, struct ctx **ctx)
{
    struct env *env;

    TRY(env_find(env_handle, EXO_R_CONTROL, &env));
    *ctx = index <= UINT32_MAX ? ctx_by_index(env, (uint32_t)index) : NULL;
    return *ctx ? 0 : -EXO_ENOENT;
}

int64_t sys_ctx_set(exo_handle_t env, uint64_t index, uaddr_t from)
{
    struct exo_regs in;
    struct ctx *ctx;

    TRY(ctx_find(env, index, &ctx));
    if (ctx->state == CTX_DEAD)
        return -EXO_EDEAD;
    if (ctx->running)
        return -EXO_EBUSY;
    TRY(copy_from_user(&in, from, sizeof(in)));
    if (in.size < sizeof(in) || !USER_CANONICAL(in.gpr.rip) || !USER_CANONICAL(in.fs_base))
        return -EXO_EINVAL;
    ctx_wake(ctx, 0);
    memcpy(&ctx->regs, &in.gpr, offsetof(struct regs, vector));
    ctx->regs.vector = 0;
    ctx->regs.rip = in.gpr.rip;
    ctx->regs.rsp = in.gpr.rsp;
    ctx->regs.rflags = (in.gpr.rflags & RFLAGS_USER) | RFLAGS_FIXED | RFLAGS_IF;
    ctx->fs_base = in.fs_base;
    ctx->gs_base = ctx->block_va;
    cpu_bases_apply(ctx);
    return 0;
}

int64_t sys_ctx_get(exo_handle_t env, uint64_t index, uaddr_t to)
{
    struct exo_regs out = {.size = sizeof(out), .version = EXO_ABI_VERSION};
    struct ctx *ctx;

    TRY(ctx_find(env, index, &ctx));
    if (ctx->running)
        return -EXO_EBUSY;
    memcpy(&out.gpr, &ctx->regs, offsetof(struct regs, vector));
    memcpy(&out.gpr.rip, &ctx->regs.rip, 5 * sizeof(uint64_t));
    out.fs_base = ctx->fs_base;
    return copy_to_user(to, &out, sizeof(out));
}

int64_t sys_ctx_bind(exo_handle_t env, uint64_t index, exo_handle_t slice)
{
    struct slice *to = NULL;
    struct ctx *ctx;

    TRY(ctx_find(env, index, &ctx));
    if (slice)
        TRY(obj_find(slice, EXO_CAP_SLICE, EXO_R_BIND, &to));
    if (ctx->env->state >= EXO_ENV_DYING)
        return -EXO_EDEAD;
    if (to && !USER_CANONICAL(ctx->regs.rip))
        return -EXO_EINVAL;
    TRY(ctx_bind(ctx, to));
    if (to)
        env_started(ctx->env);
    return 0;
}

int64_t sys_ctx_bases(uint64_t fs, uint64_t gs)
{
    struct ctx *ctx = ctx_current();

    if ((fs != EXO_KEEP && !USER_CANONICAL(fs)) || (gs != EXO_KEEP && !USER_CANONICAL(gs)))
        return -EXO_EINVAL;
    cpu_bases_fetch(ctx);
    if (fs != EXO_KEEP)
        ctx->fs_base = fs;
    if (gs != EXO_KEEP)
        ctx->gs_base = gs;
    cpu_bases_apply(ctx);
    return 0;
}
