// SPDX-License-Identifier: MIT
// Environments, contexts and CPU time: those of others, registers that only the kernel may choose,
// instructions that only the kernel may execute, time that belongs to somebody else, banks drained
// at every step of every object.
#include "attempt.h"

#define SPOT 0x0000200000000000ull

static struct peer peer, other[8];
static volatile uint64_t faults, last_vector, last_cause;
static volatile uint64_t resume_at;

static void on_fault(struct exo_save *save)
{
    faults++;
    last_vector = save->vector;
    last_cause = save->cause;
    if (!resume_at)
        exo_env_exit(77);
    save->rip = resume_at;
}

// --- instructions
// ------------------------------------------------------------------------------------------

// The instruction must raise an exception of ours; the handler goes on behind it.
#define INSTRUCTION(name, ...)                                                                     \
    ATTEMPT("the instruction " name)                                                               \
    {                                                                                              \
        uint64_t before_ = faults;                                                                 \
        __asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, %0\n\txorl %%eax, %%eax\n\t"        \
                         "xorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\tmovq %%rsp, %%rbx\n\t"         \
                         "subq $256, %%rsp\n\t" __VA_ARGS__ "\n1:\tmovq %%rbx, %%rsp"              \
                         : "=m"(resume_at)                                                         \
                         :                                                                         \
                         : "rax", "rbx", "rcx", "rdx", "rdi", "memory", "cc");                     \
        try(faults, before_ + 1);                                                                  \
        resume_at = 0;                                                                             \
    }

static void instructions(void)
{
    INSTRUCTION("cli", "cli");
    INSTRUCTION("sti", "sti");
    INSTRUCTION("hlt", "hlt");
    INSTRUCTION("in", "inb $0x64, %%al");
    INSTRUCTION("out", "outb %%al, $0x64");
    INSTRUCTION("insb", "leaq -64(%%rsp), %%rdi\n\tmovw $0x60, %%dx\n\tinsb");
    INSTRUCTION("mov to cr0", "movq %%rax, %%cr0");
    INSTRUCTION("mov from cr3", "movq %%cr3, %%rax");
    INSTRUCTION("mov to cr3", "movq %%rax, %%cr3");
    INSTRUCTION("mov to cr4", "movq %%rax, %%cr4");
    INSTRUCTION("mov to a debug register", "movq %%rax, %%dr7");
    INSTRUCTION("rdmsr", "movl $0xc0000080, %%ecx\n\trdmsr");
    INSTRUCTION("wrmsr", "movl $0xc0000082, %%ecx\n\twrmsr");
    INSTRUCTION("lgdt", "lgdt -64(%%rsp)");
    INSTRUCTION("lidt", "lidt -64(%%rsp)");
    INSTRUCTION("ltr", "ltr %%ax");
    INSTRUCTION("lldt", "lldt %%ax");
    INSTRUCTION("lmsw", "lmsw %%ax");
    INSTRUCTION("clts", "clts");
    INSTRUCTION("invlpg", "invlpg (%%rsp)");
    INSTRUCTION("wbinvd", "wbinvd");
    INSTRUCTION("swapgs", "swapgs");
    INSTRUCTION("sysretq", "sysretq");
    INSTRUCTION("int with a vector of the kernel's", "int $0x20");
    INSTRUCTION("int with the fault vector", "int $14");
    INSTRUCTION("iretq to the kernel's code segment",
                "pushq $0\n\tpushq %%rsp\n\tpushq $0x202\n\tpushq $0x8\n\tleaq 1f(%%rip), "
                "%%rax\n\tpushq %%rax\n\tiretq");
    INSTRUCTION("lretq to the kernel's code segment",
                "pushq $0x8\n\tleaq 1f(%%rip), %%rax\n\tpushq %%rax\n\tlretq");
    INSTRUCTION("mov of the kernel's selector to ss", "movl $0x10, %%eax\n\tmovl %%eax, %%ss");
}

// Bits of RFLAGS that would change what the kernel does, set before a call.
static void flags_before_calls(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    static uint64_t rflags;

    ATTEMPT("a call with direction, alignment and nested-task flags set")
    {
        int64_t r;
        __asm__ volatile("pushfq\n\torq $0x44400, (%%rsp)\n\tpopfq\n\tsyscall\n\tpushfq\n\tcld\n\t"
                         "popq %%rdx\n\tpushq $2\n\tpopfq\n\tmovq %%rdx, %1"
                         : "=a"(r), "=m"(rflags)
                         : "a"(EXO_CALL_MARK | EXO_CALL_cap_identify), "D"(boot->env), "S"(&info)
                         : "rcx", "r11", "rdx", "memory", "cc");
        try(r, 0);
        try_true(info.type == EXO_CAP_ENV && info.size == sizeof(info));
        try_true(rflags & 0x400); // the caller's own, given back
    }
    ATTEMPT("the I/O privilege level raised by popf")
    {
        __asm__ volatile("pushfq\n\torq $0x3000, (%%rsp)\n\tpopfq\n\tpushfq\n\tpopq %0"
                         : "=r"(rflags));
        try(rflags & 0x3000, 0);
    }
}

static void bases(void)
{
    ATTEMPT("segment bases in the kernel's half")
    {
        try(exo_ctx_bases(EXO_KERNEL_BASE, EXO_KEEP), -EXO_EINVAL);
        try(exo_ctx_bases(EXO_KEEP, EXO_INFO_BASE), -EXO_EINVAL);
        try(exo_ctx_bases(1ull << 47, EXO_KEEP), -EXO_EINVAL);
        try(exo_ctx_bases(EXO_KEEP, 1ull << 63), -EXO_EINVAL);
    }
    if (EXO_INFO->features & EXO_CPU_FSGSBASE)
        ATTEMPT("calls and faults with a GS base in the kernel's half")
        {
            uint64_t own = (uint64_t)ctx_self(), before = faults;
            struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
            __asm__ volatile("wrgsbase %0" : : "r"(EXO_KERNEL_BASE));
            int64_t r = exo_cap_identify(boot->env, &info);
            exo_ctx_yield(0, 0, 0);
            __asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, %0\n\tud2\n1:"
                             : "=m"(resume_at)
                             :
                             : "rax", "memory");
            __asm__ volatile("wrgsbase %0" : : "r"(own));
            resume_at = 0;
            try(r, 0);
            try(faults, before + 1);
            try_true(info.type == EXO_CAP_ENV);
        }
}

// --- registers
// ---------------------------------------------------------------------------------------------

static volatile uint64_t seen_cs, seen_flags;

static void look_at_itself(void *arg)
{
    uint64_t cs, rflags;

    (void)arg;
    __asm__ volatile("movq %%cs, %0\n\tpushfq\n\tpopq %1" : "=r"(cs), "=r"(rflags));
    seen_cs = cs;
    seen_flags = rflags;
    exo_env_exit(0);
}

static void registers(void)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION}, back = regs;

    ATTEMPT("registers set to the kernel's segments and flags")
    {
        quiet = true;
        peer_make(&peer, 0, true, 0, 0, look_at_itself, 0);
        try(exo_ctx_get(peer.env, 0, &regs), 0);
        regs.gpr.cs = 0x8;
        regs.gpr.ss = 0x10;
        regs.gpr.rflags = UINT64_MAX & ~(1ull << 8); // but for single steps
        try(exo_ctx_set(peer.env, 0, &regs), 0);
        try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
        while (EXO_ENVS[EXO_ENV_INDEX(peer.id)].state != EXO_ENV_DEAD)
            exo_ctx_yield(0, 0, 0);
        try(seen_cs & 3, 3);
        try(seen_flags & 0x23000, 0); // I/O privilege and virtual 8086 mode
        try_true(seen_flags & 0x200);
        peer_end(&peer);
        quiet = false;
    }
    ATTEMPT("registers that point out of the user half")
    {
        quiet = true;
        peer_make(&peer, 0, true, 0, 0, look_at_itself, 0);
        try(exo_ctx_get(peer.env, 0, &regs), 0);
        back = regs;
        regs.gpr.rip = EXO_KERNEL_BASE;
        try(exo_ctx_set(peer.env, 0, &regs), -EXO_EINVAL);
        regs.gpr.rip = 1ull << 47;
        try(exo_ctx_set(peer.env, 0, &regs), -EXO_EINVAL);
        regs = back;
        regs.fs_base = EXO_DIRECT_BASE;
        try(exo_ctx_set(peer.env, 0, &regs), -EXO_EINVAL);
        regs = back;
        regs.size = 8;
        try(exo_ctx_set(peer.env, 0, &regs), -EXO_EINVAL);
        try(exo_ctx_set(peer.env, 64, &back), -EXO_ENOENT);
        try(exo_ctx_set(peer.env, UINT64_MAX, &back), -EXO_ENOENT);
        try(exo_ctx_set(peer.env, 1ull << 32, &back), -EXO_ENOENT);
        peer_end(&peer);
        quiet = false;
    }
    ATTEMPT("the registers of the context that is running, which is oneself")
    {
        try(exo_ctx_get(0, 0, &back), -EXO_EBUSY);
        try(exo_ctx_set(0, 0, &back), -EXO_EBUSY);
    }
}

// --- other people's environments
// ---------------------------------------------------------------------------

static void others(void)
{
    struct exo_regs regs = {.size = sizeof(regs), .version = EXO_ABI_VERSION};
    exo_handle_t env = (exo_handle_t)exo_env_create(boot->bank, 0, 0, 0);
    exo_handle_t seen =
        (exo_handle_t)exo_cap_derive(env, EXO_R_NOTIFY | EXO_R_READ | EXO_R_WRITE, 0, 0, 0);
    exo_handle_t deaf = (exo_handle_t)exo_cap_derive(env, EXO_R_READ, 0, 0, 0);
    exo_handle_t block = (exo_handle_t)exo_frames_alloc(boot->bank, 2, 0, 0);
    uint64_t word = 0;

    ATTEMPT("another's registers, memory, contexts, address space and life, without control of it")
    {
        try(exo_ctx_get(seen, 0, &regs), -EXO_ERIGHTS);
        try(exo_ctx_set(seen, 0, &regs), -EXO_ERIGHTS);
        try(exo_ctx_bind(seen, 0, boot->slice), -EXO_ERIGHTS);
        try(exo_ctx_create(seen, boot->bank, block, SPOT), -EXO_ERIGHTS);
        try(exo_env_memory(seen, WITNESS, &word, 8, 0), -EXO_ERIGHTS);
        try(exo_env_memory(seen, WITNESS, &word, 8, 1), -EXO_ERIGHTS);
        try(exo_env_set_aspace(seen, boot->aspace, 0), -EXO_ERIGHTS);
        try(exo_env_kill(seen, 0, 0), -EXO_ERIGHTS);
    }
    ATTEMPT("a notification without the right to notify")
    try(exo_env_notify(deaf, 1), -EXO_ERIGHTS);
    ATTEMPT("a directed yield without any right to the target")
    try(exo_ctx_yield(deaf, 0, 1000), -EXO_ERIGHTS);
    ATTEMPT("a block of one frame, of three, or one that may only be read")
    {
        exo_handle_t one = try_handle(exo_frames_alloc(boot->bank, 1, 0, 0));
        exo_handle_t three = try_handle(exo_frames_alloc(boot->bank, 3, 0, 0));
        exo_handle_t weak = try_handle(exo_cap_copy(block, EXO_R_READ, 0, 0));
        try(exo_ctx_create(env, boot->bank, one, SPOT), -EXO_EINVAL);
        try(exo_ctx_create(env, boot->bank, three, SPOT), -EXO_EINVAL);
        try(exo_ctx_create(env, boot->bank, weak, SPOT), -EXO_ERIGHTS);
        try_fails(exo_ctx_create(env, boot->bank, block, SPOT + 8));
        try_fails(exo_ctx_create(env, boot->bank, block, EXO_KERNEL_BASE));
        try_fails(exo_ctx_create(env, boot->bank, block, WITNESS - 4096));
        try_fails(exo_ctx_create(env, boot->bank, block, 0));
        try(exo_cap_delete(one), 0);
        try(exo_cap_delete(three), 0);
        try(exo_cap_delete(weak), 0);
    }
    ATTEMPT("a flag of kill that does not exist")
    try(exo_env_kill(env, 0, 1), -EXO_EINVAL);
    env_end(env);
    ATTEMPT("the dead given an address space, a context, time, or a notification")
    {
        try(exo_env_set_aspace(env, boot->aspace, 0), -EXO_EDEAD);
        try(exo_ctx_create(env, boot->bank, block, SPOT), -EXO_EDEAD);
        try_fails(exo_ctx_bind(env, 0, boot->slice));
        try(exo_env_notify(env, 1), -EXO_EDEAD);
        try(exo_ctx_yield(env, 0, 1000), -EXO_EDEAD);
    }
    is(exo_cap_delete(block), 0);
    is(exo_cap_delete(deaf), 0);
    is(exo_cap_delete(seen), 0);
    is(exo_cap_delete(env), 0);
}

// --- upcall stacks
// ---------------------------------------------------------------------------------------------

static void fall(void *arg)
{
    if (arg)
        unmap((uint64_t)arg, 2);
    *(volatile char *)8 = 1;
    for (;;)
        ;
}

static void upcall_stack_gone(void)
{
    ATTEMPT("an upcall stack that is unmapped when the fault comes")
    {
        quiet = true;
        peer_make(&peer, 0, true, 0, 0, fall, 0);
        try(unmap(peer.ctx->upcall_stack_top - 2 * EXO_PAGE_SIZE, 2), 1);
        try(exo_ctx_bind(peer.env, 0, boot->slice), 0);
        while (EXO_ENVS[EXO_ENV_INDEX(peer.id)].state != EXO_ENV_DEAD)
            exo_ctx_yield(0, 0, 0);
        try(EXO_ENVS[EXO_ENV_INDEX(peer.id)].reason, EXO_DEATH_UPCALL);
        peer_end(&peer);
        quiet = false;
    }
}

// All of it but where upcalls go: with no entry a fault is its death, and nothing else runs.
static void scribble(void *arg)
{
    volatile uint8_t *block = (volatile uint8_t *)ctx_self();

    (void)arg;
    ctx_self()->upcall_entry = 0;
    for (uint64_t i = 0, x = 88172645463325252ull;; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        if (x % EXO_PAGE_SIZE < 0x40 || x % EXO_PAGE_SIZE >= 0x60)
            block[x % EXO_PAGE_SIZE] = (uint8_t)(x >> 32);
        if (i % 64 == 0)
            exo_ctx_yield(0, 0, 0);
    }
}

static void block_scribbled(void)
{
    ATTEMPT("a context block overwritten with noise by its owner")
    {
        quiet = true;
        peer_start(&peer, 0, true, 0, 0, scribble, 0);
        for (unsigned i = 0; i < 2000; i++) {
            exo_env_notify(peer.env, 1ull << i % 64);
            exo_ctx_yield(0, 0, 0);
        }
        peer_end(&peer);
        quiet = false;
    }
}

// --- time
// ------------------------------------------------------------------------------------------------------

static void spin(void *arg)
{
    (void)arg;
    for (;;)
        exo_ctx_yield(0, 0, 0);
}

static void slices(void)
{
    exo_handle_t half = (exo_handle_t)exo_slice_split(boot->slice, EXO_SLICES[0].positions / 2);
    exo_handle_t weak = (exo_handle_t)exo_cap_copy(half, EXO_R_BIND, 0, 0);
    exo_handle_t none = (exo_handle_t)exo_cap_copy(half, EXO_R_READ, 0, 0);

    ATTEMPT("a slice split without the right, into nothing, into all, or into more than there is")
    {
        try(exo_slice_split(weak, 1), -EXO_ERIGHTS);
        try(exo_slice_split(half, 0), -EXO_EINVAL);
        try(exo_slice_split(half, info_of(half).length), -EXO_EINVAL);
        try(exo_slice_split(half, UINT64_MAX), -EXO_EINVAL);
    }
    ATTEMPT("a context bound to a slice without the right")
    {
        quiet = true;
        peer_make(&peer, 0, true, 0, 0, spin, 0);
        try(exo_ctx_bind(peer.env, 0, none), -EXO_ERIGHTS);
        peer_end(&peer);
        quiet = false;
    }
    ATTEMPT("a context bound to the slice it has, to another, and back, many times over")
    {
        quiet = true;
        for (unsigned i = 0; i < 3; i++) {
            peer_make(&other[i], i + 1, true, 0, 0, spin, 0);
            try(exo_ctx_bind(other[i].env, 0, half), 0);
        }
        for (unsigned i = 0; i < 30; i++) {
            try(exo_ctx_bind(other[i % 3].env, 0, i & 4 ? half : boot->slice), 0);
            try(exo_ctx_bind(other[i % 3].env, 0, i & 4 ? half : boot->slice), 0);
            exo_ctx_yield(0, 0, 0);
        }
        for (unsigned i = 0; i < 3; i++)
            peer_end(&other[i]);
        // What is left behind would be written to by the next that is bound, wherever it lies now.
        try(buy(SPOT, 512, RW), 1);
        peer_make(&other[0], 1, true, 0, 0, spin, 0);
        try(exo_ctx_bind(other[0].env, 0, half), 0);
        for (uint64_t at = SPOT; at < SPOT + 512 * 4096; at += 8)
            if (*(volatile uint64_t *)at)
                attempt.wrong++;
        peer_end(&other[0]);
        try(unmap(SPOT, 512), 1);
        quiet = false;
    }
    ATTEMPT("time hoarded: seven spinners on one slice take nothing from another")
    {
        uint64_t theirs, ours;
        quiet = true;
        for (unsigned i = 0; i < 7; i++) {
            peer_make(&other[i], i + 1, true, 0, 0, spin, 0);
            try(exo_ctx_bind(other[i].env, 0, half), 0);
        }
        theirs = EXO_SLICES[1].used_ns;
        ours = EXO_SLICES[0].used_ns;
        while (EXO_SLICES[1].used_ns - theirs < 1000000000)
            __asm__ volatile("pause");
        ours = EXO_SLICES[0].used_ns - ours;
        theirs = EXO_SLICES[1].used_ns - theirs;
        if (ours < theirs / 4)
            put("# ours %lu, theirs %lu\n", ours, theirs);
        try_true(ours > theirs / 4);
        for (unsigned i = 0; i < 7; i++)
            peer_end(&other[i]);
        quiet = false;
    }
    ATTEMPT("all that a slice has, split away piece by piece: the last piece stays")
    {
        exo_handle_t few = try_handle(exo_slice_split(half, 6)), piece[8];
        unsigned n = 0;
        int64_t r;
        while (n < 8 && (r = exo_slice_split(few, 1)) > 0)
            piece[n++] = (exo_handle_t)r;
        try(r, -EXO_EINVAL);
        try(info_of(few).length, 1);
        while (n--)
            try(exo_cap_delete(piece[n]), 0);
        try(exo_cap_delete(few), 0);
    }
    is(exo_cap_delete(none), 0);
    is(exo_cap_delete(weak), 0);
    is(exo_cap_delete(half), 0);
}

// One block serves them all, each at a place of its own: what its owner does to itself.
static void too_many_contexts(void)
{
    ATTEMPT("more contexts than an environment may have, all on one block")
    {
        exo_handle_t env = try_handle(exo_env_create(boot->bank, 0, 0, 0));
        exo_handle_t block = try_handle(exo_frames_alloc(boot->bank, 2, 0, 0));
        for (unsigned i = 0; i <= EXO_CONTEXTS; i++)
            try(exo_ctx_create(env, boot->bank, block, SPOT + i * 8192),
                i < EXO_CONTEXTS ? (int64_t)i : -EXO_ELIMIT);
        env_end(env);
        try(exo_cap_delete(env), 0);
        try(exo_cap_delete(block), 0);
    }
}

void test_main(void)
{
    upcalls_to(on_fault);
    witness_place();
    instructions();
    flags_before_calls();
    bases();
    registers();
    others();
    upcall_stack_gone();
    block_scribbled();
    slices();
    too_many_contexts();
    is(unmap(WITNESS, 1), 1);
}
