// SPDX-License-Identifier: MIT
//
// The thread and what its context needs to find it: stacks, entries, FS base, process record.
//
// There is one thread and one context for now, but nothing here is found by a global except through
// %gs: the context block names the running thread and its stack, and both entries use only that.
#include <core/core.h>

_Static_assert(offsetof(struct thread, cp_begin) == 96, "entry.S");
_Static_assert(offsetof(struct thread, cp_end) == 104, "entry.S");
_Static_assert(offsetof(struct exo_ctx, libos_words) == 0x128, "entry.S");
_Static_assert(sizeof(struct sys_frame) == 64 && sizeof(struct sys_exit) == 128, "entry.S");

struct thread main_thread;
const volatile struct proc_rec *proc_self_rec;
static const struct proc_rec proc_nobody = {.size = sizeof(struct proc_rec)};

// Pages of the table come into being with the first record in them: no environment, no look.
const volatile struct proc_rec *proc_at(uint32_t index)
{
    uint64_t at = LIBOS_PROCTAB + (uint64_t)index * PROC_REC_SIZE;
    uint32_t there;
    if (proc_self_rec == &proc_nobody || index >= PROC_PER_SEGMENT || index >= EXO_INFO->envs)
        return NULL;
    if (EXO_ENVS[index].state == EXO_ENV_FREE || user_load32(at, &there))
        return NULL;
    return (const volatile struct proc_rec *)at;
}

// The first environment has no record before init has made the table.
static void find_record(const struct exo_ctx *ctx)
{
    struct exo_cap_info info = {.size = sizeof info, .version = EXO_ABI_VERSION};
    proc_self_rec = &proc_nobody;
    if (libos_boot || exo_cap_identify(H_PROCTAB, &info) || info.type != EXO_CAP_SEGMENT)
        return;
    proc_self_rec = (const volatile struct proc_rec *)LIBOS_PROCTAB;
    const volatile struct proc_rec *rec = proc_at(EXO_ENV_INDEX(ctx->env));
    proc_self_rec = rec ? rec : &proc_nobody;
}

// What the kernel left to us of the context block.
static void ctx_setup(struct exo_ctx *ctx, struct thread *t)
{
    t->ctx = ctx;
    ctx->libos_stack = t->stack_top;
    ctx->libos_thread = (uint64_t)t;
    ctx->libos_entry = (uint64_t)libos_entry;
    ctx->libos_entry_cp = (uint64_t)libos_entry_cp;
    ctx->foreign_entry = (uint64_t)libos_foreign;
    ctx->recv_max = EXO_MSG_CAPS;
    ctx->libos_words[CTX_WORK] = 0;
    ctx->libos_words[CTX_LEAF] = (uint64_t)libos_entry_leaf;
    ctx->upcall_stack_top = UPCALL_TOP;
    ctx->upcall_stack_size = UPCALL_PAGES * EXO_PAGE_SIZE;
    ctx->upcall_entry = (uint64_t)libos_upcall; // last: from here on upcalls come
    find_record(ctx);
    t->tid = proc_self_rec->pid;
}

void thread_init(void)
{
    main_thread.stack_top = CALL_TOP;
    ctx_setup(ctx_self(), &main_thread);
}

// In the child, whose context block is new: the thread that forked is its only one.
void thread_after_fork(void)
{
    ctx_setup(ctx_self(), &main_thread);
    main_thread.clear_child_tid = 0;
    main_thread.cp_begin = main_thread.cp_end = 0;
}

// The application may have changed the base itself where the CPU lets it.
uint64_t thread_get_fs(void)
{
    uint64_t base = thread_self()->fs_base;
    if (EXO_INFO->features & EXO_CPU_FSGSBASE)
        __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

void thread_set_fs(uint64_t base)
{
    thread_self()->fs_base = base;
    if (EXO_INFO->features & EXO_CPU_FSGSBASE)
        __asm__ volatile("wrfsbase %0" : : "r"(base));
    else
        exo_ctx_bases(base, EXO_KEEP);
}

int stacks_buy(void)
{
    struct exo_map_op ops[2] = {
        {.kind = EXO_OP_BUY, .count = UPCALL_PAGES, .va = UPCALL_STACK},
        {.kind = EXO_OP_BUY, .count = 2, .va = CALL_TOP - 2 * EXO_PAGE_SIZE},
    };
    ops[0].rights = ops[1].rights = EXO_R_READ | EXO_R_WRITE;
    int64_t done = exo_aspace_batch(0, libos_bank, ops, 2);
    return done == 2 ? 0 : -LX_ENOMEM;
}

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

// %gs belongs to the libOS: programs that want it for themselves are told so.
long px_arch_prctl(int code, uint64_t addr)
{
    uint64_t base;
    switch (code) {
    case ARCH_SET_FS:
        if (addr >= EXO_USER_END)
            return -LX_EPERM;
        thread_set_fs(addr);
        return 0;
    case ARCH_GET_FS:
        base = thread_get_fs();
        return user_write(addr, &base, sizeof base);
    default:
        return -LX_EINVAL;
    }
}

long px_set_tid_address(uint64_t addr)
{
    thread_self()->clear_child_tid = addr;
    return thread_self()->tid;
}
