// SPDX-License-Identifier: MIT
//
// What a CPU is told before it runs anything: features, descriptor tables, the system-call
// registers; and what changes when it turns to another context: stack of the entry, address space,
// FS and GS bases, FPU state.
//
// NX and an APIC are required (the features without a bit of ours).
// FSGSBASE lets user code change its bases without us, so they are read back when a context leaves;
// without it they can still change through a selector load, so they are read back too, from the
// registers. SMAP stays off in QEMU's emulator (TCG), which until version 9.1 makes IRETQ in user
// mode fault under it, and upcall handlers leave with IRETQ; the boot option `smap` switches it on
// for tests that have none. XSAVE saves x87, SSE and AVX; larger state is left off in XCR0, so the
// area has a fixed size.
//
// A CPU keeps the FPU state and bases of the last context while it idles (`loaded`); they are saved
// at once when it stops running, so any CPU may take it on.

#include <string.h>
#include <core/boot.h>
#include <core/log.h>
#include <x86/cpu.h>

#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_FMASK          0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define EFER_NXE     (1u << 11)
#define CR4_UMIP     (1u << 11)
#define CR4_FSGSBASE (1u << 16)
#define CR4_OSXSAVE  (1u << 18)
#define CR4_SMEP     (1u << 20)
#define CR4_SMAP     (1u << 21)
#define CR4_PGE      (1u << 7)

#define XCR0_WANTED 7u // x87, SSE, AVX
#define XCR0_AVX    4u

_Static_assert(offsetof(struct cpu, stack) == 0x08 && offsetof(struct cpu, user_rsp) == 0x10 &&
                   offsetof(struct cpu, ctx) == 0x18 && offsetof(struct cpu, regs_top) == 0x20 &&
                   offsetof(struct cpu, block) == 0x28 && offsetof(struct cpu, info) == 0x30 &&
                   offsetof(struct cpu, gs_base) == 0x38 && offsetof(struct cpu, scratch) == 0x40 &&
                   offsetof(struct cpu, gs_moved) == 0x50 && sizeof(struct regs) == 176 &&
                   offsetof(struct regs, vector) == 120 &&
                   offsetof(struct exo_env_info, foreign) == 32 && KERNEL_STACK == 16384,
               "entry.S and boot.S know these");

struct cpu cpus[CPU_MAX];
uint32_t cpu_features;
static uint32_t cr4_bits;
static uint32_t xcr0_bits;
static uint32_t klock_word;

struct alternative {
    uint8_t *at;
    uint64_t kind;
};
extern struct alternative alternative_start[], alternative_end[];
extern char vectors[][16], syscall_entry[], kernel_stacks_end[], ist_stacks[];

struct gate {
    uint16_t low, selector;
    uint8_t ist, type;
    uint16_t middle;
    uint32_t high, zero;
};
static struct gate idt[VECTORS] __attribute__((aligned(16)));

// Where CPUID tells of it, what to set in CR4 to have it.
static const struct {
    uint32_t leaf, reg, bit, feature, cr4;
    const char *name;
} features[] = {
    {7, 1, 0, EXO_CPU_FSGSBASE, CR4_FSGSBASE, "fsgsbase"},
    {1, 2, 30, EXO_CPU_RDRAND, 0, "rdrand"},
    {7, 1, 7, EXO_CPU_SMEP, CR4_SMEP, "smep"},
    {7, 1, 20, EXO_CPU_SMAP, CR4_SMAP, "smap"},
    {7, 2, 2, EXO_CPU_UMIP, CR4_UMIP, "umip"},
    {1, 2, 26, EXO_CPU_XSAVE, CR4_OSXSAVE, "xsave"},
    {0x80000001, 3, 27, EXO_CPU_RDTSCP, 0, "rdtscp"},
    {1, 3, 9, 0, 0, "APIC"},
    {0x80000001, 3, 20, 0, 0, "NX"},
};
#define FEATURES (sizeof(features) / sizeof(features[0]))

static bool smap_works(void)
{
    uint32_t r[4];

    cpuid(1, 0, r);
    if (!(r[2] & 1u << 31)) // no hypervisor
        return true;
    cpuid(0x40000000, 0, r);
    return memcmp(&r[1], "TCGT", 4) != 0 || boot_word(boot_info.cmdline, "smap");
}

static bool feature_there(unsigned i)
{
    uint32_t r[4];

    cpuid(features[i].leaf & 0x80000000, 0, r); // the last leaf of this kind
    if (r[0] < features[i].leaf)
        return false;
    cpuid(features[i].leaf, 0, r);
    return r[features[i].reg] >> features[i].bit & 1;
}

// clac, stac, wrgsbase %rcx
static void alternatives_patch(void)
{
    static const uint8_t code[][5] = {
        {0x0f, 0x01, 0xca}, {0x0f, 0x01, 0xcb}, {0xf3, 0x48, 0x0f, 0xae, 0xd9}};

    for (struct alternative *alt = alternative_start; alt < alternative_end; alt++) {
        if (cpu_features & (alt->kind == 3 ? EXO_CPU_FSGSBASE : EXO_CPU_SMAP))
            memcpy(alt->at, code[alt->kind - 1], alt->kind == 3 ? 5 : 3);
    }
}

void cpu_early(void)
{
    uint32_t r[4];

    log_printf("cpu:");
    for (unsigned i = 0; i < FEATURES; i++) {
        bool have = feature_there(i) && (features[i].feature != EXO_CPU_SMAP || smap_works());

        if (features[i].feature)
            log_printf(" %s%s", have ? "" : "no-", features[i].name);
        else if (!have)
            panic("this CPU has no %s, which exoc needs (QEMU: -cpu max)", features[i].name);
        cpu_features |= have ? features[i].feature : 0;
        cr4_bits |= have ? features[i].cr4 : 0;
    }
    log_printf("\n");
    if (cpu_features & EXO_CPU_XSAVE) {
        cpuid(13, 0, r);
        xcr0_bits = r[0] & XCR0_WANTED;
    }
    alternatives_patch();
}

static void idt_fill(void)
{
    for (unsigned number = 0; number < VECTORS; number++) {
        uint64_t to = (uint64_t)vectors[number];
        struct gate *gate = &idt[number];

        *gate = (struct gate){.low = (uint16_t)to,
                              .selector = KERNEL_CS,
                              .type = 0x8e,
                              .middle = (uint16_t)(to >> 16),
                              .high = (uint32_t)(to >> 32)};
        if (number == 3 || number == 4) // int3, into: user code may
            gate->type = 0xee;
        gate->ist = number == 2 ? 1 : number == 8 ? 2 : number == 18 ? 3 : number == 1 ? 4 : 0;
    }
}

static void tss_fill(struct cpu *cpu)
{
    uint64_t base = (uint64_t)cpu->tss;
    uint16_t no_iomap = sizeof(cpu->tss);

    for (unsigned i = 0; i < 4; i++) {
        uint64_t top = (uint64_t)ist_stacks + (i + 1ul) * 4096 - 16;

        *(struct cpu **)top = cpu; // where entry.S finds it
        memcpy(&cpu->tss[0x24 + i * 8], &top, 8);
    }
    memcpy(&cpu->tss[0x66], &no_iomap, 2);
    cpu->gdt[1] = 0x00af9b000000ffff; // 08 kernel code
    cpu->gdt[2] = 0x00cf93000000ffff; // 10 kernel data
    cpu->gdt[4] = 0x00cff3000000ffff; // 20 user data
    cpu->gdt[5] = 0x00affb000000ffff; // 28 user code
    cpu->gdt[6] = 0x0000890000000000 | (sizeof(cpu->tss) - 1) | (base & 0xffffff) << 16 |
                  (base >> 24 & 0xff) << 56;
    cpu->gdt[7] = base >> 32;
}

static void tables_load(struct cpu *cpu)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } gdtr = {sizeof(cpu->gdt) - 1, (uint64_t)cpu->gdt}, idtr = {sizeof(idt) - 1, (uint64_t)idt};

    __asm__ volatile("lgdt %0\n\t"
                     "lidt %1\n\t"
                     "pushq %2\n\t"
                     "lea 1f(%%rip), %%rax\n\t"
                     "push %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "mov %3, %%ss\n\t"
                     "ltr %w4"
                     :
                     : "m"(gdtr), "m"(idtr), "i"(KERNEL_CS), "r"(KERNEL_SS), "r"(0x30)
                     : "rax", "memory");
}

void cpu_init(unsigned number)
{
    struct cpu *cpu = &cpus[number];
    uint64_t cr4;

    *cpu = (struct cpu){.self = cpu,
                        .number = number,
                        .stack = (uint64_t)kernel_stacks_end,
                        .timer_at = EXO_NEVER,
                        .yield_end = EXO_NEVER};
    idt_fill();
    tss_fill(cpu);
    tables_load(cpu);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 |= cr4_bits | CR4_PGE;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    if (cr4_bits & CR4_OSXSAVE)
        __asm__ volatile("xsetbv" : : "c"(0), "a"(xcr0_bits), "d"(0));
    page_wide = xcr0_bits & XCR0_AVX;
    wrmsr(MSR_STAR, (uint64_t)KERNEL_CS << 32 | (uint64_t)(0x18 | 3) << 48);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
    wrmsr(MSR_FMASK, 0x47700 | 0x10000); // TF IF DF IOPL NT AC, RF
}

void klock_acquire(void)
{
    while (__atomic_exchange_n(&klock_word, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&klock_word, __ATOMIC_RELAXED))
            __asm__ volatile("pause");
}

void klock_release(void)
{
    __atomic_store_n(&klock_word, 0, __ATOMIC_RELEASE);
}

// --- what a context leaves in the CPU ------------------------------------------------------------

static void fpu_save(struct ctx *ctx)
{
    if (xcr0_bits)
        __asm__ volatile("xsave64 (%0)" : : "r"(ctx->fpu), "a"(xcr0_bits), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(ctx->fpu) : "memory");
}

static void fpu_load(struct ctx *ctx)
{
    if (xcr0_bits)
        __asm__ volatile("xrstor64 (%0)" : : "r"(ctx->fpu), "a"(xcr0_bits), "d"(0) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(ctx->fpu) : "memory");
}

void cpu_fpu_reset(struct ctx *ctx)
{
    uint16_t control = 0x37f;
    uint32_t mxcsr = 0x1f80;

    memset(ctx->fpu, 0, sizeof(ctx->fpu));
    memcpy(ctx->fpu, &control, sizeof(control));
    memcpy(ctx->fpu + 24, &mxcsr, sizeof(mxcsr));
}

static void bases_save(struct ctx *ctx)
{
    if (cpu_features & EXO_CPU_FSGSBASE)
        __asm__ volatile("rdfsbase %0\n\tswapgs\n\trdgsbase %1\n\tswapgs"
                         : "=r"(ctx->fs_base), "=r"(ctx->gs_base));
    else
        ctx->fs_base = rdmsr(MSR_FS_BASE), ctx->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

static void bases_load(const struct ctx *ctx)
{
    if (cpu_features & EXO_CPU_FSGSBASE)
        __asm__ volatile("wrfsbase %0\n\tswapgs\n\twrgsbase %1\n\tswapgs"
                         :
                         : "r"(ctx->fs_base), "r"(ctx->gs_base));
    else
        wrmsr(MSR_FS_BASE, ctx->fs_base), wrmsr(MSR_KERNEL_GS_BASE, ctx->gs_base);
}

void cpu_forget(struct ctx *ctx)
{
    for (unsigned i = 0; i < CPU_MAX; i++)
        if (cpus[i].loaded == ctx)
            cpus[i].loaded = NULL;
}

static void gs_watch(struct cpu *cpu)
{
    cpu->gs_moved = !(cpu_features & EXO_CPU_FSGSBASE) && cpu->ctx->gs_base != cpu->gs_base;
}

void cpu_bases_fetch(struct ctx *ctx)
{
    if (ctx->running)
        bases_save(ctx);
}

void cpu_bases_apply(struct ctx *ctx)
{
    if (ctx->running) {
        bases_load(ctx);
        gs_watch(this_cpu());
    } else {
        cpu_forget(ctx);
    }
}

void cpu_park(void)
{
    struct cpu *cpu = this_cpu();
    struct ctx *ctx = cpu->ctx;

    if (!ctx)
        return;
    bases_save(ctx);
    fpu_save(ctx);
    ctx->running = false;
    ctx->env->info->running_on = 0;
    ctx->env->info->cpu_ns += clock_ns() - ctx->run_from;
    cpu->ctx = NULL;
}

void cpu_run(struct ctx *ctx)
{
    struct cpu *cpu = this_cpu();

    kassert(!cpu->ctx && !ctx->running);
    cpu->ctx = ctx;
    cpu->regs_top = (uint64_t)(&ctx->regs + 1);
    memcpy(&cpu->tss[4], &cpu->regs_top, 8);
    cpu->block = ctx->block;
    cpu->info = ctx->env->info;
    cpu->gs_base = ctx->block_va;
    gs_watch(cpu);
    ctx->running = true;
    ctx->run_from = clock_ns();
    ctx->env->info->running_on = cpu->number + 1;
    if (cpu->loaded == ctx)
        return;
    cpu_forget(ctx); // another CPU that had it
    fpu_load(ctx);
    bases_load(ctx);
    cpu->loaded = ctx;
}

void cpu_unload_aspace(struct aspace *as)
{
    for (unsigned i = 0; i < CPU_MAX; i++) {
        if (cpus[i].aspace != as)
            continue;
        kassert(&cpus[i] == this_cpu()); // another CPU would have to be told
        cpus[i].aspace = NULL;
        write_cr3(kernel_cr3());
    }
}
