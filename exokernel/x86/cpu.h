// SPDX-License-Identifier: MIT
// Per-CPU state, reached through GS while the kernel runs, and the instructions C has no words for.
//
// struct cpu is the only place where "current" exists. entry.S knows the offsets of the first
// fields.
#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include <object/env.h>

#define CPU_MAX         1 // CPUs this kernel starts
#define SLICE_POSITIONS 64
#define KERNEL_STACK    16384

#define KERNEL_CS 0x08
#define KERNEL_SS 0x10
#define USER_SS   0x23
#define USER_CS   0x2b

#define VECTOR_IRQ      0x20 // 16 lines of the 8259s
#define VECTOR_TIMER    0x30
#define VECTOR_SPURIOUS 0x3f
#define VECTORS         0x40
#define VECTOR_SYSCALL  0x100 // in regs.vector: entered by SYSCALL, so SYSRET may return

#define RFLAGS_FIXED 0x2ull
#define RFLAGS_IF    0x200ull
// What ctx_set may choose: CF PF AF ZF SF TF DF OF RF AC ID.
#define RFLAGS_USER 0x250dd5ull

struct cpu {
    struct cpu *self;                   // 0x00
    uint64_t stack;                     // 0x08 top of this CPU's kernel stack
    uint64_t user_rsp;                  // 0x10 scratch of the SYSCALL entry
    struct ctx *ctx;                    // 0x18 running, NULL while none does
    uint64_t regs_top;                  // 0x20 end of ctx->regs
    struct exo_ctx *block;              // 0x28 ctx->block
    volatile struct exo_env_info *info; // 0x30 of ctx->env
    uint64_t gs_base;                   // 0x38 what GS is in upcalls: ctx->block_va
    uint64_t scratch[2];                // 0x40 of the IST entries
    bool gs_moved; // 0x50 no FSGSBASE, and ctx has another GS base than gs_base
    // from here on C only
    uint32_t number;
    struct aspace *aspace; // loaded in CR3; NULL: the kernel's own
    struct ctx *loaded;    // whose FPU state and bases the CPU holds
    // Scheduling (object/slice.c).
    struct slice *vector[SLICE_POSITIONS];
    uint32_t position;
    struct slice *slice; // whose time is running
    uint64_t slice_from; // ns: since when
    uint64_t slice_end;  // ns: when the position's time is over
    uint64_t yield_end;  // ns: when a directed yield is over, or EXO_NEVER
    uint64_t timer_at;   // ns: when the timer is set to fire, or EXO_NEVER
    struct ctx *next;    // chosen by schedule_to
    bool resched;
    uint8_t tss[104] __attribute__((aligned(16)));
    uint64_t gdt[8];
};

extern struct cpu cpus[CPU_MAX];
extern uint32_t cpu_features; // enum exo_cpu_feature
extern bool page_wide;        // entry.S: pages are zeroed and copied by AVX

static inline struct cpu *this_cpu(void)
{
    struct cpu *cpu;

    __asm__ volatile("mov %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

void cpu_early(void);           // features; patches the alternatives into the image
void cpu_init(unsigned number); // descriptor tables, system-call registers
void cpu_run(struct ctx *ctx);  // makes it this CPU's context: address space, bases, FPU state
void cpu_park(void);            // saves what the CPU holds of the last context; none runs
void cpu_fpu_reset(struct ctx *ctx);
void cpu_forget(struct ctx *ctx);      // it goes: no CPU keeps anything of it
void cpu_bases_fetch(struct ctx *ctx); // brings ctx->fs_base and gs_base up to date
void cpu_bases_apply(struct ctx *ctx); // after they were changed
_Noreturn void cpu_enter_user(void);   // entry.S: continue cpu->ctx
void trap_leave(void); // before that, with the lock held: schedule, upcalls, address space

// One lock over everything the kernel keeps; taken at every entry, free while user code or an idle
// CPU runs.
void klock_acquire(void);
void klock_release(void);

// Clock and timer (x86/apic.c).
void clock_init(void);
uint64_t clock_ns(void);
void timer_set(uint64_t ns); // of this CPU, one shot, at this time or soon after
void irq_mask(uint32_t line, bool masked);

static inline uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return lo | (uint64_t)hi << 32;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return lo | (uint64_t)hi << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

static inline uint64_t read_cr2(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline void write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

#define PORT(letter, type)                                                                         \
    static inline type in##letter(uint16_t port)                                                   \
    {                                                                                              \
        type value;                                                                                \
                                                                                                   \
        __asm__ volatile("in" #letter " %1, %0" : "=a"(value) : "Nd"(port) : "memory");            \
        return value;                                                                              \
    }                                                                                              \
    static inline void out##letter(uint16_t port, type value)                                      \
    {                                                                                              \
        __asm__ volatile("out" #letter " %0, %1" : : "a"(value), "Nd"(port) : "memory");           \
    }
PORT(b, uint8_t)
PORT(w, uint16_t)
PORT(l, uint32_t)
#undef PORT

#endif
