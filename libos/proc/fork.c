// SPDX-License-Identifier: MIT
//
// fork: a child that goes on from here on a copy of this address space.
//
// init makes the embryo first: record, environment, address space, pid; so signals sent meanwhile
// wait for it and an accident of either side leaves something init knows of. Then, from here: the
// pages (application copy-on-write, what the libOS is standing on copied at once), the capability
// table with the same handles and windows, a context that continues in fork_save below, and life.
// Until the context is bound nothing of the child has run, so every failure is undone by giving the
// embryo back.
//
// The child finds its context block empty but for what the kernel writes, and fills it before
// anything can fault.
#include <core/core.h>

#define CLONE_REGIONS 64
#define CLONE_SKIP    64

static long init_call(enum proc_op op, uint64_t arg, struct exo_msg *m)
{
    *m = (struct exo_msg){.w = {op, arg}};
    return server_call(H_INIT, m);
}

static void drop(exo_handle_t *cap)
{
    if (*cap)
        while (exo_cap_delete(*cap) == -EXO_EAGAIN)
            ;
    *cap = 0;
}

static void embryo_release(struct embryo *e)
{
    drop(&e->env);
    drop(&e->aspace);
    drop(&e->bank);
    drop(&e->slice);
}

static exo_handle_t payer(const struct embryo *e)
{
    return e->bank ? e->bank : libos_bank;
}

// Room for a process of usual size: enough for init to make one, too.
#define PROCESS_PAGES 64
#define MORE_MAX      256 // times PROCESS_PAGES

// Whether a step that found no memory is worth repeating. A job has what it has.
static bool more_for(const struct embryo *e, int64_t error, unsigned *asked)
{
    return error == -EXO_ENOMEM && !e->bank && ++*asked < MORE_MAX && memory_more(PROCESS_PAGES);
}

int embryo_make(struct embryo *e)
{
    struct exo_msg m;
    long pid = init_call(PROC_OP_FORK, 0, &m);
    if (pid == -LX_ENOMEM && memory_more(PROCESS_PAGES))
        pid = init_call(PROC_OP_FORK, 0, &m);
    if (pid < 0)
        return pid == -LX_ENOMEM ? -LX_EAGAIN : (int)pid;
    struct exo_ctx *ctx = ctx_self();
    *e = (struct embryo){pid, ctx->recv[0], ctx->recv[1], 0, 0};
    if (EXO_META_CAPS(m.meta) == 4) {
        e->bank = ctx->recv[2];
        e->slice = ctx->recv[3];
    }
    if (EXO_META_CAPS(m.meta) >= 2 && e->env && e->aspace)
        return 0;
    embryo_abort(e);
    return -LX_EAGAIN;
}

void embryo_abort(struct embryo *e)
{
    struct exo_msg m;
    embryo_release(e);
    init_call(PROC_OP_ABORT, (uint64_t)e->pid, &m);
}

void embryo_stillborn(struct embryo *e, int code)
{
    uint64_t status = PROC_KILL_EXITED | (code & 0xff) << 8;
    struct exo_msg m;
    init_call(PROC_OP_START, (uint64_t)e->pid, &m);
    exo_env_kill(e->env, status, 0);
    embryo_release(e);
}

static int64_t clone_pages(const struct embryo *e, bool application)
{
    struct exo_region regions[CLONE_REGIONS];
    uint64_t position = 0;
    unsigned n;
    while ((n = mem_clone_regions(regions, CLONE_REGIONS, application, &position))) {
        uint64_t cursor = 0;
        unsigned asked = 0;
        int64_t r;
        do
            r = exo_aspace_clone(e->aspace, payer(e), regions, n, &cursor);
        while (r == -EXO_EAGAIN || more_for(e, r, &asked));
        if (r < 0)
            return r;
    }
    return 0;
}

// Without the application its file windows stay behind, as many as can be named; the child drops
// the others itself.
static int64_t clone_caps(const struct embryo *e, bool application)
{
    exo_handle_t skip[CLONE_SKIP] = {e->env, e->aspace, e->bank, e->slice};
    unsigned n = e->bank ? 4 : 2, asked = 0;
    if (!application)
        n += mem_part_handles(skip + n, CLONE_SKIP - n);
    uint64_t cursor = 0;
    int64_t r;
    do
        r = exo_cap_clone_table(e->env, skip, n, &cursor, 0);
    while (r == -EXO_EAGAIN || more_for(e, r, &asked));
    return r;
}

static int64_t make_context(const struct embryo *e, const struct exo_regs *regs)
{
    int64_t block = e->bank ? exo_frames_alloc(e->bank, 2, 0, 0) : frames_buy(2);
    if (block < 0)
        return block;
    int64_t index = exo_ctx_create(e->env, payer(e), (exo_handle_t)block, ctx_self()->self);
    unsigned asked = 0;
    while (more_for(e, index, &asked))
        index = exo_ctx_create(e->env, payer(e), (exo_handle_t)block, ctx_self()->self);
    exo_cap_delete((exo_handle_t)block);
    if (index < 0)
        return index;
    int64_t r = exo_ctx_set(e->env, (uint64_t)index, regs);
    return r < 0 ? r : index;
}

static long bring_to_life(struct embryo *e, const struct exo_regs *regs, bool application)
{
    int64_t r = clone_pages(e, application);
    if (r >= 0)
        r = clone_caps(e, application);
    if (r >= 0)
        r = make_context(e, regs);
    if (r < 0)
        return -LX_EAGAIN; // POSIX: what another process takes is not there, memory included
    struct exo_msg m;
    long error = init_call(PROC_OP_START, (uint64_t)e->pid, &m);
    if (!error && exo_ctx_bind(e->env, (uint64_t)r, e->slice ? e->slice : H_SLICE))
        error = -LX_EAGAIN;
    return error;
}

// SSE and x87 state of the caller: a new context starts with the reset values.
struct fpu {
    uint8_t image[512];
} __attribute__((aligned(16)));

static void child_begin(const struct fpu *fpu)
{
    thread_after_fork();
    __asm__ volatile("fxrstor64 %0" : : "m"(*fpu));
    mem_after_fork_child();
    sig_after_fork_child();
    timer_after_fork_child();
    fd_after_fork_child();
}

long embryo_fork(struct embryo *e, bool application)
{
    struct fpu fpu;
    struct exo_regs regs = {.size = sizeof regs, .version = EXO_ABI_VERSION};
    long error = fd_before_fork();
    if (!error) {
        __asm__ volatile("fxsave64 %0" : "=m"(fpu));
        regs_start(&regs.gpr, 0, 0);
        regs.fs_base = thread_get_fs();
        if (fork_save(&regs)) {
            child_begin(&fpu);
            return 0;
        }
        error = bring_to_life(e, &regs, application);
    }
    if (error) {
        embryo_abort(e);
        return error;
    }
    embryo_release(e);
    return e->pid;
}

long px_fork(void)
{
    struct embryo e;
    int error = embryo_make(&e);
    return error ? error : embryo_fork(&e, true);
}
