// SPDX-License-Identifier: MIT
//
// Environments: protection domains, from the embryo to the death notice.
//
//     NEW --first context bound--> LIVE --kill, exit, lost upcall--> DYING --teardown--> DEAD
//
// From DYING on no instruction of it runs: its contexts are taken from wherever they are. The rest
// is work in bounded steps on the time of a slice it was bound to (or the killer's): callers of its
// servers get an error, its capabilities are deleted, its address space goes; then its supervisor
// is told. Contexts stay until the object goes, so that their registers can be read; so does an
// address space that someone else holds a capability to.
//
// The object goes when no capability names it and it is DEAD. One that no capability names and that
// cannot run any more (never started, or all contexts stopped) dies, since nobody could end it.
// Locking: klock.

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <x86/cpu.h>

#define TEARDOWN_BUDGET 64

struct env *env_current(void)
{
    return this_cpu()->ctx->env;
}

int env_find(exo_handle_t handle, uint32_t rights, struct env **env)
{
    *env = env_current();
    return handle ? obj_find(handle, EXO_CAP_ENV, rights, env) : 0;
}

// --- making --------------------------------------------------------------------------------------

int env_new(struct bank *bank, struct aspace *as, struct endpoint *supervisor, uint64_t cookie,
            struct env **out)
{
    struct env *env;
    uint32_t index;

    // The lowest that is free, so that tables others keep by index stay dense.
    for (index = 0; index < info_page->envs && info_envs[index].state != EXO_ENV_FREE; index++)
        ;
    if (index == info_page->envs)
        return -EXO_ENOMEM;
    TRY(kobj_alloc(bank, EXO_CAP_ENV, sizeof(*env), &env));
    cspace_init(&env->caps);
    TAILQ_INIT(&env->contexts);
    LIST_INIT(&env->served);
    env->index = index;
    env->info = &info_envs[index];
    env->state = EXO_ENV_NEW;
    env->aspace = as;
    env->bank = bank;
    env->supervisor = supervisor;
    env->cookie = cookie;
    kobj_get((struct kobj *)as);
    kobj_get((struct kobj *)bank);
    if (supervisor)
        kobj_get((struct kobj *)supervisor);
    *env->info = (struct exo_env_info){.id = ((env->info->id >> 32) + 1) << 32 | index,
                                       .state = EXO_ENV_NEW};
    *out = env;
    return 0;
}

void env_started(struct env *env)
{
    if (env->state != EXO_ENV_NEW)
        return;
    env->state = EXO_ENV_LIVE;
    env->info->state = EXO_ENV_LIVE;
}

void env_notify(struct env *env, uint64_t bits)
{
    struct ctx *ctx = ctx_by_index(env, 0);

    if (ctx)
        ctx_notify(ctx, bits);
    else if (env->ncontexts == 0)
        env->early_bits |= bits;
}

// --- ending --------------------------------------------------------------------------------------

// A slice one of its contexts is bound to; NULL: it cannot run.
static struct slice *env_slice(const struct env *env)
{
    struct ctx *ctx;

    TAILQ_FOREACH (ctx, &env->contexts, link)
        if (ctx->slice)
            return ctx->slice;
    return NULL;
}

void env_begin_death(struct env *env, enum exo_death reason, uint64_t code)
{
    struct slice *slice = env_slice(env);
    struct ctx *ctx;

    if (env->state >= EXO_ENV_DYING)
        return;
    if (!slice)
        slice = this_cpu()->slice ? this_cpu()->slice : this_cpu()->vector[0];
    env->info->state = env->state = EXO_ENV_DYING;
    env->info->reason = reason;
    env->info->code = code;
    kobj_get(&env->obj); // until it is DEAD
    slice_reap(slice, env);
    TAILQ_FOREACH (ctx, &env->contexts, link)
        ctx_retire(ctx);
    this_cpu()->resched = true;
}

// Takes the blocks of all contexts before `end` (NULL: of all) out of an address space.
static void blocks_unmap(struct env *env, struct aspace *as, const struct ctx *end)
{
    for (struct ctx *ctx = TAILQ_FIRST(&env->contexts); ctx != end; ctx = TAILQ_NEXT(ctx, link))
        aspace_unmap_block(as, ctx->block_va, ctx->frames);
}

// True when the environment is done with its address space.
static bool aspace_leave(struct env *env)
{
    struct kobj *as = (struct kobj *)env->aspace;
    unsigned budget = TEARDOWN_BUDGET;

    if (!as)
        return true;
    blocks_unmap(env, env->aspace, NULL);
    cpu_unload_aspace(env->aspace);
    if (as->refs == 1 && as->cap.caps)
        return true; // readable by whoever holds it
    if (as->refs == 1 && !aspace_clear_range(env->aspace, 0, EXO_USER_END, &budget))
        return false;
    env->aspace = NULL;
    kobj_put(as);
    return true;
}

// Each part finds for itself what is left of it. An address space that nobody can look at any more
// goes first: all of it at once is less work than window by window.
bool env_teardown(struct env *env)
{
    bool sole = env->aspace && ((struct kobj *)env->aspace)->cap.caps == 0;

    if (!endpoint_server_died(env, TEARDOWN_BUDGET) || (sole && !aspace_leave(env)) ||
        cspace_clear(&env->caps, TEARDOWN_BUDGET) != CAP_OK || env_clear_table_page_return(env) ||
        !aspace_leave(env))
        return false;
    kobj_put((struct kobj *)env->bank);
    env->bank = NULL;
    env->info->state = env->state = EXO_ENV_DEAD;
    if (env->first)
        panic("the first environment is dead: reason %u, code %lu; if it has just started, make "
              "the image again",
              env->info->reason, env->info->code);
    slice_reaped(env);
    endpoint_tell_death(env);
    kobj_put(&env->obj);
    return true;
}

static void env_release(struct kobj *obj)
{
    struct env *env = (struct env *)obj;
    struct ctx *ctx;

    if (env->state != EXO_ENV_DEAD) {
        if (!env_slice(env))
            env_begin_death(env, EXO_DEATH_KILLED, 0);
        return;
    }
    while ((ctx = TAILQ_FIRST(&env->contexts)))
        ctx_drop(ctx);
    if (env->aspace)
        kobj_put((struct kobj *)env->aspace);
    env->info->state = EXO_ENV_FREE;
    kobj_free(obj);
}

static int env_destroy(struct kobj *obj, unsigned budget)
{
    struct env *env = (struct env *)obj;
    bool done;

    kobj_get(obj);
    env_begin_death(env, EXO_DEATH_KILLED, 0);
    if (env->state != EXO_ENV_DEAD)
        env_teardown(env);
    done = env->state == EXO_ENV_DEAD && cap_obj_revoke_all(&obj->cap, budget) == CAP_OK;
    kobj_put(obj);
    return done ? 0 : -EXO_EAGAIN;
}

static void env_identify(struct kobj *obj, struct exo_cap_info *info)
{
    info->env = ((struct env *)obj)->info->id;
}

const struct kobj_ops env_ops = {
    .name = "environment",
    .release = env_release,
    .destroy = env_destroy,
    .identify = env_identify,
};

// --- the calls -----------------------------------------------------------------------------------

int64_t sys_env_create(exo_handle_t bank, exo_handle_t aspace, exo_handle_t supervisor,
                       uint64_t cookie)
{
    struct endpoint *told = NULL;
    struct bank *pays;
    struct aspace *as;
    struct env *env;

    TRY(bank_find(bank, EXO_R_BUY | EXO_R_CONTROL, &pays));
    TRY(aspace_find(aspace, &as));
    if (supervisor)
        TRY(obj_find(supervisor, EXO_CAP_ENDPOINT, EXO_R_SERVE, &told));
    TRY(env_new(pays, as, told, cookie, &env));
    return cap_name_new(env_current(), &env->obj, EXO_R_ALL, 0);
}

// The blocks of all contexts must be where they were: maps them into the new address space, or
// undoes all.
static int blocks_move(struct env *env, struct aspace *to, struct bank *bank)
{
    struct ctx *ctx;
    int err;

    TAILQ_FOREACH (ctx, &env->contexts, link) {
        err = aspace_map_block(to, bank, ctx->block_va, ctx->frames);
        if (err) {
            blocks_unmap(env, to, ctx);
            return err;
        }
    }
    return 0;
}

int64_t sys_env_set_aspace(exo_handle_t handle, exo_handle_t aspace, exo_handle_t bank)
{
    struct aspace *as, *old;
    struct bank *pays;
    struct env *env;

    TRY(env_find(handle, EXO_R_CONTROL, &env));
    as = old = env->aspace;
    pays = env->bank;
    if (aspace)
        TRY(aspace_find(aspace, &as));
    if (bank)
        TRY(bank_find(bank, EXO_R_BUY, &pays));
    if (env->state >= EXO_ENV_DYING)
        return -EXO_EDEAD;
    if (as != old) {
        TRY(blocks_move(env, as, pays));
        blocks_unmap(env, old, NULL);
    }
    kobj_get((struct kobj *)as);
    env->aspace = as;
    kobj_put((struct kobj *)old);
    kobj_get((struct kobj *)pays);
    kobj_put((struct kobj *)env->bank);
    env->bank = pays;
    return 0;
}

int64_t sys_env_kill(exo_handle_t handle, uint64_t code, uint64_t flags)
{
    struct env *env;

    TRY(env_find(handle, EXO_R_CONTROL, &env));
    if (flags)
        return -EXO_EINVAL;
    env_begin_death(env, EXO_DEATH_KILLED, code);
    return 0;
}

int64_t sys_env_exit(uint64_t code)
{
    env_begin_death(env_current(), EXO_DEATH_EXIT, code);
    return CALL_NO_RESULT;
}

// One page's part of env_memory, through the kernel's mapping.
static int memory_part(struct env *env, uint64_t va, uaddr_t buffer, size_t bytes, bool write)
{
    uint32_t rights;
    paddr_t pa = env->aspace ? aspace_translate(env->aspace, va, &rights) : 0;

    if (!pa || !(rights & (write ? EXO_R_WRITE : EXO_R_READ)) || !frame_info(pa >> EXO_PAGE_SHIFT))
        return -EXO_EFAULT;
    return write ? copy_from_user(phys_to_virt(pa), buffer, bytes)
                 : copy_to_user(buffer, phys_to_virt(pa), bytes);
}

int64_t sys_env_memory(exo_handle_t handle, uint64_t va, uaddr_t buffer, uint64_t length,
                       uint64_t write)
{
    struct env *env;
    uint64_t done = 0, part;
    int err;

    TRY(env_find(handle, EXO_R_CONTROL, &env));
    if (length > EXO_PAGE_SIZE)
        return -EXO_ELIMIT;
    if (!user_range(va, length))
        return -EXO_EFAULT;
    for (; done < length; done += part) {
        part = EXO_PAGE_SIZE - (va + done) % EXO_PAGE_SIZE;
        if (part > length - done)
            part = length - done;
        err = memory_part(env, va + done, buffer + done, part, write != 0);
        if (err)
            return done ? (int64_t)done : err;
    }
    return (int64_t)done;
}

int64_t sys_env_notify(exo_handle_t handle, uint64_t bits)
{
    struct env *env;
    struct ctx *ctx;

    TRY(env_find(handle, EXO_R_NOTIFY, &env));
    if (env->state >= EXO_ENV_DYING)
        return -EXO_EDEAD;
    ctx = ctx_by_index(env, 0);
    for (uint64_t rest = ctx ? bits : 0; rest; rest &= rest - 1)
        ctx->block->notified_by[__builtin_ctzll(rest)] = env_current()->info->id;
    env_notify(env, bits);
    return 0;
}
