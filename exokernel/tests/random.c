// SPDX-License-Identifier: MIT
// Random preemption (boot option tick=random): registers of every kind, fault handling,
// notifications and clones stay whole however contexts are cut into pieces. Slice-end upcalls are
// on, so every cut is also an upcall.
#include "test.h"

#define REGION 0x10000000ull
#define CLONED 0x18000000ull
#define CHILD  0x610000000000ull
#define PAGES  16
#define CLONES 25

static struct peer peer[3];
static volatile uint64_t rounds[3], broken, upcalls, slices, notified;
static exo_handle_t bank;

// Every register that user code has, set and looked at again after some time. Returns 0, or what
// the sum is off by.
uint64_t registers_check(uint64_t seed);
__asm__(
    "registers_check:\n"
    "    push %rbx\n    push %rbp\n    push %r12\n    push %r13\n    push %r14\n    push %r15\n"
    "    mov %rdi, %rax\n"
    "    lea 1(%rax), %rbx\n    lea 2(%rax), %rcx\n    lea 3(%rax), %rdx\n    lea 4(%rax), %rsi\n"
    "    lea 5(%rax), %rdi\n    lea 6(%rax), %rbp\n    lea 8(%rax), %r8\n    lea 9(%rax), %r9\n"
    "    lea 10(%rax), %r10\n    lea 11(%rax), %r11\n    lea 12(%rax), %r12\n    lea 13(%rax), "
    "%r13\n"
    "    lea 14(%rax), %r14\n"
    "    movq %rbx, %xmm0\n    movq %r14, %xmm15\n    movq %rsi, %mm3\n"
    "    mov $3000, %r15\n"
    "1:  dec %r15\n    jnz 1b\n"
    "    movq %xmm15, %r15\n    cmp %r15, %r14\n    jne 2f\n"
    "    movq %xmm0, %r15\n    cmp %r15, %rbx\n    jne 2f\n"
    "    movq %mm3, %r15\n    cmp %r15, %rsi\n    jne 2f\n"
    "    mov %rax, %r15\n    add %rbx, %r15\n    add %rcx, %r15\n    add %rdx, %r15\n    add %rsi, "
    "%r15\n"
    "    add %rdi, %r15\n    add %rbp, %r15\n    add %r8, %r15\n    add %r9, %r15\n    add %r10, "
    "%r15\n"
    "    add %r11, %r15\n    add %r12, %r15\n    add %r13, %r15\n    add %r14, %r15\n"
    "    sub $98, %r15\n    imul $14, %rax\n    sub %rax, %r15\n    mov %r15, %rax\n    jmp 3f\n"
    "2:  mov $1, %eax\n"
    "3:  emms\n"
    "    pop %r15\n    pop %r14\n    pop %r13\n    pop %r12\n    pop %rbp\n    pop %rbx\n"
    "    ret\n");

static void handler(struct exo_save *save)
{
    volatile struct exo_ctx *me = ctx_self();
    struct exo_map_op op = {
        .kind = EXO_OP_BUY, .count = 1, .va = save->addr & ~4095ull, .rights = RW};

    __atomic_fetch_add(&upcalls, 1, __ATOMIC_RELAXED);
    if (save->cause == EXO_UP_SLICE) {
        slices++;
    } else if (save->cause == EXO_UP_NOTIFY) {
        __atomic_fetch_add(&notified, __atomic_exchange_n(&me->pending, 0, __ATOMIC_SEQ_CST) != 0,
                           __ATOMIC_RELAXED);
    } else if (save->cause == EXO_UP_PAGEFAULT) {
        if (save->error & 1)
            op.kind = EXO_OP_COW_BREAK;
        if (exo_aspace_batch(0, bank, &op, 1) != 1 && !(save->error & 1))
            broken++;
    } else {
        broken++;
    }
}

static void check_registers(void *arg)
{
    ctx_self()->flags = EXO_CTX_SLICE_END;
    for (uint64_t i = 1;; i++) {
        if (registers_check(i * 0x1234567 + (uint64_t)arg))
            broken++;
        rounds[(uint64_t)arg]++;
    }
}

static void check_faults(void *arg)
{
    ctx_self()->flags = EXO_CTX_SLICE_END;
    for (uint32_t i = 0;; i++) {
        volatile uint64_t *p = (volatile uint64_t *)(REGION + i % PAGES * 4096);
        struct exo_map_op op = {.kind = EXO_OP_UNMAP, .count = 1, .va = (uint64_t)p};

        if (*p != 0)
            broken++;
        *p = i + 1;
        if (*p != i + 1)
            broken++;
        exo_env_notify(0, 1);
        if (exo_aspace_batch(0, bank, &op, 1) != 1)
            broken++;
        rounds[(uint64_t)arg]++;
    }
}

// Runs in the cloned address space: sees what the parent wrote, changes it for itself alone, and
// says so by its exit code.
static void child(void *arg)
{
    uint64_t round = (uint64_t)arg, sum = 0;

    ctx_self()->flags = EXO_CTX_SLICE_END;
    for (unsigned i = 0; i < PAGES; i++)
        sum += *(volatile uint64_t *)(CLONED + i * 4096) == round + i;
    for (unsigned i = 0; i < PAGES; i++)
        *(volatile uint64_t *)(CLONED + i * 4096) = ~round;
    for (unsigned i = 0; i < PAGES; i++)
        sum += *(volatile uint64_t *)(CLONED + i * 4096 + 8) == round &&
               *(volatile uint64_t *)(CLONED + i * 4096) == ~round;
    exo_env_exit(sum + registers_check(round) * 1000);
}

void upcall_stub(void);

static int64_t clone_into(exo_handle_t as)
{
    static const struct exo_region regions[] = {
        {0x400000, 0x500000, EXO_CLONE_COPY, 0}, // what the handler writes must not fault
        {CLONED, CLONED + PAGES * 4096, EXO_CLONE_COW, 0},
        {CHILD + 0x10000, CHILD + 0x18000, EXO_CLONE_COPY, 0},
    };
    uint64_t cursor = 0;
    int64_t err;

    do
        err = exo_aspace_clone(as, boot->bank, regions, 3, &cursor);
    while (err == -EXO_EAGAIN);
    return err;
}

static uint64_t clone_round(uint64_t round)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    exo_handle_t as = (exo_handle_t)exo_aspace_create(boot->bank), env, block;
    struct exo_map_op op;
    volatile struct exo_ctx *view = (volatile struct exo_ctx *)(CHILD + 0x40000);
    uint64_t good = 0;

    for (unsigned i = 0; i < PAGES; i++) {
        *(volatile uint64_t *)(CLONED + i * 4096) = round + i;
        *(volatile uint64_t *)(CLONED + i * 4096 + 8) = round;
    }
    if (clone_into(as))
        return 0;
    env = (exo_handle_t)exo_env_create(boot->bank, as, 0, 0);
    exo_cap_identify(env, &info);
    if (exo_cap_copy(boot->bank, EXO_R_ALL, env, EXO_HANDLE_INDEX(bank)) != (int64_t)bank)
        return 0;
    block = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);
    exo_ctx_create(env, boot->bank, block, CHILD);
    map(0, block, (uint64_t)view, 0, 1, RW);
    view->upcall_entry = (uint64_t)upcall_stub;
    view->upcall_stack_top = CHILD + 0x18000;
    view->upcall_stack_size = 0x4000;
    regs.gpr.rip = (uint64_t)child;
    regs.gpr.rdi = round;
    regs.gpr.rsp = CHILD + 0x14000 - 8;
    exo_ctx_set(env, 0, &regs);
    exo_ctx_bind(env, 0, boot->slice);
    while (EXO_ENVS[EXO_ENV_INDEX(info.env)].state != EXO_ENV_DEAD) {
        for (unsigned i = 0; i < PAGES; i++) // our own copy, at the same time
            *(volatile uint64_t *)(CLONED + i * 4096 + 16) += 1;
        exo_ctx_yield(0, 0, 0);
    }
    for (unsigned i = 0; i < PAGES; i++)
        good += *(volatile uint64_t *)(CLONED + i * 4096) == round + i;
    if (EXO_ENVS[EXO_ENV_INDEX(info.env)].code != 2 * PAGES || good != PAGES) {
        put("# round %lu: child %ld (reason %u), parent %lu\n", round,
            EXO_ENVS[EXO_ENV_INDEX(info.env)].code, EXO_ENVS[EXO_ENV_INDEX(info.env)].reason, good);
        good = 0;
    }
    op = (struct exo_map_op){.kind = EXO_OP_UNMAP, .count = 1, .va = (uint64_t)view};
    exo_aspace_batch(0, boot->bank, &op, 1);
    exo_cap_delete(env);
    exo_cap_delete(as);
    exo_cap_delete(block);
    return good == PAGES;
}

void test_main(void)
{
    uint64_t good = 0;

    bank = boot->bank;
    upcalls_to(handler);
    is(buy(CLONED, PAGES, RW), 1);
    is(buy(CHILD + 0x10000, 8, RW), 1);
    for (uint64_t i = 0; i < 3; i++)
        peer_make(&peer[i], (unsigned)i, true, 0, 0, i == 2 ? check_faults : check_registers,
                  (void *)i);
    for (unsigned i = 0; i < 3; i++) {
        int64_t copy = exo_cap_copy(bank, EXO_R_ALL, peer[i].env, EXO_HANDLE_INDEX(bank));

        is(copy, bank); // the same handle there
        is(exo_ctx_bind(peer[i].env, 0, boot->slice), 0);
    }
    CTX->flags = EXO_CTX_SLICE_END;
    for (uint64_t round = 1; round <= CLONES; round++)
        good += clone_round(round << 32);
    CTX->flags = 0;
    is(good, CLONES);
    for (unsigned i = 0; i < 3; i++) {
        peer_end(&peer[i]);
        ok(rounds[i] > 10);
    }
    put("# %lu upcalls, %lu of them slice ends, %lu notifications, rounds %lu %lu %lu\n", upcalls,
        slices, notified, rounds[0], rounds[1], rounds[2]);
    is(broken, 0);
    ok(slices > 50 && notified > 10);
    exo_aspace_batch(0, bank,
                     &(struct exo_map_op){.kind = EXO_OP_UNMAP, .count = PAGES, .va = REGION}, 1);
    is(unmap(CLONED, PAGES), 1);
    is(unmap(CHILD + 0x10000, 8), 1);
}
