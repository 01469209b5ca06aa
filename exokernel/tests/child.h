// SPDX-License-Identifier: MIT
// An environment with a cloned address space and a cloned capability table: fork in its barest
// form.
//
// Stacks are copied, the pages between SHARED and SHARED + 16 pages are shared, the call's cursor
// is dropped, all else is copy-on-write; an upcall handler breaks it (cow_handler). The child has
// its block where the parent's is.
#ifndef TEST_CHILD_H
#define TEST_CHILD_H
#include "test.h"

#define CURSOR   0x200000000ull // a page that is never copy-on-write
#define SHARED   0x210000000ull
#define PAGES(n) ((n)*EXO_PAGE_SIZE)

struct child {
    exo_handle_t env, aspace, block;
    exo_env_id_t id;
};

static inline int64_t batch(uint32_t kind, uint64_t va, uint32_t pages, uint32_t rights,
                            exo_handle_t cap, uint64_t first, uint32_t flags)
{
    struct exo_map_op op = {kind, pages, va, cap, first, rights, flags};

    return exo_aspace_batch(0, boot->bank, &op, 1);
}

// For code that may run in a child, whose TAP numbers nobody would follow.
#define must(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            put("# line %d: %s\n", __LINE__, #cond);                                               \
            exo_env_exit(98);                                                                      \
        }                                                                                          \
    } while (0)

static volatile uint64_t cow_faults, other_faults, last_fault, last_error;

static inline void cow_handler(struct exo_save *save)
{
    uint64_t page = save->addr & ~4095ull;

    if (save->cause == EXO_UP_PAGEFAULT && batch(EXO_OP_COW_BREAK, page, 1, 0, 0, 0, 0) == 1) {
        cow_faults++;
        return;
    }
    other_faults++;
    last_fault = save->addr;
    last_error = save->error;
    if (save->cause != EXO_UP_PAGEFAULT || batch(EXO_OP_BUY, page, 1, RW, 0, 0, 0) != 1) {
        put("# cause %lu at %lx, rip %lx, error %lx\n", save->cause, save->addr, save->rip,
            save->error);
        exo_env_exit(99);
    }
}

static inline void child_pages(struct child *c)
{
    const struct exo_region regions[] = {
        {EXO_USER_BASE, CURSOR, EXO_CLONE_COW, 0},
        {SHARED, SHARED + PAGES(16), EXO_CLONE_SHARE, 0},
        {SHARED + PAGES(16), EXO_BOOT_STACK - 0x10000, EXO_CLONE_COW, 0},
        {EXO_BOOT_STACK - 0x10000, EXO_BOOT_STACK, EXO_CLONE_COPY, 0},
        {EXO_BOOT_UPCALL_STACK - 0x4000, EXO_BOOT_UPCALL_STACK, EXO_CLONE_COPY, 0},
    };
    volatile uint64_t *cursor = (uint64_t *)CURSOR;
    int64_t r;

    *cursor = 0;
    while ((r = exo_aspace_clone(c->aspace, boot->bank, regions, 5, cursor)) == -EXO_EAGAIN)
        ;
    must(r == 0);
    *cursor = 0;
    while ((r = exo_cap_clone_table(c->env, 0, 0, cursor, 0)) == -EXO_EAGAIN)
        ;
    must(r == 0);
}

// Starts fn(arg) in a copy of this environment. CURSOR must be mapped, and cow_handler the handler.
static inline void child_start(struct child *c, void (*fn)(void *arg), void *arg)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    uint64_t scratch = CURSOR + PAGES(4);
    volatile struct exo_ctx *block = (struct exo_ctx *)scratch;

    c->aspace = (exo_handle_t)exo_aspace_create(boot->bank);
    c->env = (exo_handle_t)exo_env_create(boot->bank, c->aspace, 0, 0);
    c->block = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);
    must((int64_t)c->aspace > 0 && (int64_t)c->env > 0 && (int64_t)c->block > 0);
    child_pages(c);
    must(exo_ctx_create(c->env, boot->bank, c->block, EXO_BOOT_CTX_VA) == 0);
    must(map(0, c->block, scratch, 0, 1, RW) == 1);
    c->id = block->env;
    block->upcall_entry = CTX->upcall_entry;
    block->upcall_stack_top = CTX->upcall_stack_top;
    block->upcall_stack_size = CTX->upcall_stack_size;
    must(unmap(scratch, 1) == 1);
    regs.gpr.rip = (uint64_t)fn;
    regs.gpr.rdi = (uint64_t)arg;
    regs.gpr.rsp = EXO_BOOT_STACK - 8;
    must(exo_ctx_set(c->env, 0, &regs) == 0);
    must(exo_ctx_bind(c->env, 0, boot->slice) == 0);
}

// Waits for its end and gives everything back; returns its exit code.
static inline uint64_t child_end(struct child *c)
{
    uint64_t code;

    while (EXO_ENVS[EXO_ENV_INDEX(c->id)].state != EXO_ENV_DEAD)
        exo_wait(0, 0, now() + 1000000);
    code = EXO_ENVS[EXO_ENV_INDEX(c->id)].code;
    must(exo_cap_delete(c->env) == 0);
    must(exo_cap_delete(c->block) == 0);
    must(exo_cap_delete(c->aspace) == 0);
    return code;
}
#endif
