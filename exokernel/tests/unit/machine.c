// SPDX-License-Identifier: MIT
//
// What the kernel's memory objects need of the rest of the kernel, on the host. Addresses below 4
// GiB are the current environment's, others the test's own.

#include <stdarg.h>
#include <core/log.h>
#include "machine.h"

#define TLB 64

unsigned char *arena;
struct exo_info *info_page;
extern struct exo_frame *frames_exposed;
struct env *envs[ENVS], *current;
static struct bank *root;
static struct {
    struct aspace *as;
    uint64_t va;
    paddr_t pa;
    uint32_t rights;
} tlb[TLB];

void log_printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    abort();
}

struct bank *bank_root(void)
{
    return root;
}

void bank_root_grow(uint64_t frames)
{
    root->limit += frames;
}

void page_zero(void *page)
{
    memset(page, 0, EXO_PAGE_SIZE);
}

void page_copy(void *dst, const void *src)
{
    memcpy(dst, src, EXO_PAGE_SIZE);
}

// --- TLB -------------------------------------------------------------------------------------

void tlb_flush(struct aspace *as, uint64_t va, uint64_t pages)
{
    for (int i = 0; i < TLB; i++)
        if (tlb[i].as == as && tlb[i].va >= va && tlb[i].va < va + pages * EXO_PAGE_SIZE)
            tlb[i].as = NULL;
}

void tlb_flush_all(void)
{
    memset(tlb, 0, sizeof(tlb));
}

void cpu_unload_aspace(struct aspace *as)
{
    tlb_flush(as, 0, EXO_USER_END >> EXO_PAGE_SHIFT);
}

void tlb_touch(struct aspace *as, uint64_t va)
{
    int i = rand() % TLB;
    uint32_t rights;
    paddr_t pa = aspace_translate(as, va, &rights);

    if (!pa)
        return;
    tlb[i].as = as;
    tlb[i].va = va;
    tlb[i].pa = pa;
    tlb[i].rights = rights;
}

void tlb_verify(void)
{
    for (int i = 0; i < TLB; i++) {
        uint32_t rights;

        if (!tlb[i].as)
            continue;
        CHECK(aspace_translate(tlb[i].as, tlb[i].va, &rights) == tlb[i].pa);
        CHECK((tlb[i].rights & ~rights) == 0);
    }
}

// --- user memory -----------------------------------------------------------------------------

static void *user_at(uint64_t va, uint32_t right)
{
    uint32_t rights;
    paddr_t pa;

    if (va >> 32)
        return (void *)va;
    pa = aspace_translate(current->aspace, va, &rights);
    return pa && rights & right ? phys_to_virt(pa) : NULL;
}

int user_copy(void *dst, const void *src, size_t bytes)
{
    void *to = user_at((uint64_t)dst, EXO_R_WRITE), *from = user_at((uint64_t)src, EXO_R_READ);

    return !bytes || (to && from && memcpy(to, from, bytes)) ? 0 : -1;
}

int byte_read(uint64_t va)
{
    uint8_t *at = user_at(va, EXO_R_READ);

    return at ? *at : -1;
}

int byte_write(uint64_t va, uint8_t value)
{
    uint8_t *at = user_at(va, EXO_R_WRITE);

    return at ? *at = value : -1;
}

// --- the other objects -----------------------------------------------------------------------

void wait_counted(struct kobj *obj)
{
    (void)obj;
}

void wait_frame_gone(exo_fn_t fn)
{
    (void)fn;
}

void endpoint_event_drop(struct cap_slot *slot)
{
    (void)slot;
}

uint64_t clock_ns(void) // every grace is over, or not yet, by chance
{
    return (uint64_t)rand() % (4 * EXO_RECLAIM_GRACE);
}

void env_notify(struct env *env, uint64_t bits)
{
    CHECK(env->state != EXO_ENV_FREE && bits);
}

void env_begin_death(struct env *env, enum exo_death reason, uint64_t code)
{
    CHECK(env != current && reason == EXO_DEATH_REVOKED && code);
}

struct env *env_current(void)
{
    return current;
}

int env_find(exo_handle_t handle, uint32_t rights, struct env **env)
{
    struct cap_slot *slot;
    int err = handle ? cap_find(handle, EXO_CAP_ENV, rights, &slot) : 0;

    *env = current;
    if (!err && handle)
        *env = (struct env *)slot->obj;
    return err;
}

// An environment is dead after one call: its table is small.
static int env_destroy(struct kobj *obj, unsigned budget)
{
    struct env *env = (struct env *)obj;

    (void)budget;
    kobj_get(obj);
    if (env->state != EXO_ENV_DEAD) {
        env->state = EXO_ENV_DEAD;
        while (cspace_clear(&env->caps, 64) == CAP_AGAIN)
            ;
        while (env_clear_table_page_return(env))
            ;
        kobj_put((struct kobj *)env->aspace);
        kobj_put((struct kobj *)env->bank);
    }
    kobj_put(obj);
    return 0;
}

static void env_release(struct kobj *obj)
{
    struct env *env = (struct env *)obj;

    for (int i = 0; i < ENVS; i++)
        if (envs[i] == env)
            return; // the test's own hold on it
    if (env->state != EXO_ENV_DEAD)
        env_destroy(obj, 0);
    else
        kobj_free(obj);
}

static void plain_release(struct kobj *obj)
{
    kobj_free(obj);
}

static int plain_destroy(struct kobj *obj, unsigned budget)
{
    return cap_obj_revoke_all(&obj->cap, budget) ? -EXO_EAGAIN : 0;
}

const struct kobj_ops env_ops = {.name = "env", .release = env_release, .destroy = env_destroy};
#define PLAIN                                                                                      \
    {                                                                                              \
        .name = "plain", .release = plain_release, .destroy = plain_destroy                        \
    }
const struct kobj_ops ctx_ops = PLAIN, endpoint_ops = PLAIN, slice_ops = PLAIN;

// --- start and end ---------------------------------------------------------------------------

void machine_start(uint64_t frames)
{
    uint64_t exposed = frames * sizeof(struct exo_frame);

    arena = aligned_alloc(EXO_PAGE_SIZE, frames * EXO_PAGE_SIZE);
    memset(arena, 0xdb, frames * EXO_PAGE_SIZE);
    info_page = calloc(1, sizeof(*info_page));
    frames_exposed = calloc(1, exposed);
    root = calloc(1, sizeof(*root));
    kernel_pml4 = calloc(512, 8);
    buddy_init(&frames_buddy, calloc(frames, sizeof(struct frame)), frames);
    for (exo_fn_t fn = 0; fn < frames; fn++)
        frame_kind_set(fn, fn ? EXO_FRAME_FREE : EXO_FRAME_KERNEL);
    buddy_free(&frames_buddy, 1, frames - 1);
    cap_obj_init(&root->obj.cap);
    root->obj.type = EXO_CAP_BANK;
    bank_init(root, frames - 1);
}

static struct bank *split(struct bank *bank, uint64_t frames)
{
    struct kobj *obj;
    struct bank *child;

    CHECK(kobj_alloc(bank, EXO_CAP_BANK, sizeof(struct bank), &obj) == 0);
    child = (struct bank *)obj;
    bank_init(child, frames);
    bank_charge(bank, frames);
    TAILQ_INSERT_TAIL(&bank->children, child, sibling);
    return child;
}

exo_handle_t env_start(int i, uint64_t frames)
{
    struct bank *bank = split(root, frames);
    struct kobj *obj;
    struct env *env;

    CHECK(kobj_alloc(root, EXO_CAP_ENV, sizeof(struct env), &obj) == 0);
    env = envs[i] = (struct env *)obj;
    cspace_init(&env->caps);
    env->state = EXO_ENV_LIVE;
    env->bank = bank;
    CHECK(aspace_new(root, &env->aspace) == 0);
    kobj_get((struct kobj *)env->aspace);
    kobj_get(&bank->obj);
    CHECK(cap_name_new(env, (struct kobj *)env->aspace, EXO_R_READ | EXO_R_WRITE, 0) > 0);
    return (exo_handle_t)cap_name_new(env, &bank->obj, EXO_R_ALL, 0);
}

void env_end(int i)
{
    struct env *env = envs[i];

    envs[i] = NULL;
    env_destroy(&env->obj, 0);
}

void machine_drain(void)
{
    struct env *was = current;

    current = NULL; // between contexts
    while (mem_work(64))
        ;
    current = was;
}
