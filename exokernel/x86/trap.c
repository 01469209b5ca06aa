// SPDX-License-Identifier: MIT
//
// What entry.S calls. From user code: a system call, an exception, an interrupt; the kernel lock is
// taken, the work done, and trap_leave decides which context goes on. From the kernel only three
// things may come: a fault in a user copy (continued at its fixup), an interrupt while the CPU
// idles or a long work offers to be interrupted, and an NMI. Anything else is a bug of ours and
// ends in panic.

#include <core/dispatch.h>
#include <core/log.h>
#include <x86/cpu.h>

#define VECTOR_DB  1
#define VECTOR_NMI 2
#define VECTOR_UD  6
#define VECTOR_GP  13
#define VECTOR_PF  14
#define VECTOR_MC  18

extern const uint64_t fixup_start[][2], fixup_end[][2];

int64_t dispatch(struct ctx *ctx); // core/dispatch.c
void apic_eoi(void);               // apic.c
bool pic_accept(uint32_t line);    // apic.c

static void interrupt(uint32_t vector)
{
    if (vector == VECTOR_TIMER) {
        this_cpu()->timer_at = EXO_NEVER;
        apic_eoi();
        deadlines_run(clock_ns());
    } else if (vector >= VECTOR_IRQ && vector < VECTOR_IRQ + 16) {
        if (pic_accept(vector - VECTOR_IRQ))
            irq_raised(vector - VECTOR_IRQ);
    }
}

void trap_leave(void)
{
    struct cpu *cpu = this_cpu();
    struct ctx *ctx;

    do {
        if (!cpu->ctx || cpu->resched)
            schedule();
        ctx = cpu->ctx;
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): schedule() comes back with one
        if (cpu->aspace != ctx->env->aspace) {
            cpu->aspace = ctx->env->aspace;
            write_cr3(aspace_cr3(cpu->aspace));
        }
        if (!ctx->notify_new && !ctx->slice_end)
            return;
        ctx_return_checks(ctx);
    } while (!cpu->ctx || cpu->resched);
}

// SYSRET and IRET to an address outside the user half would fault in the kernel: a SYSCALL in the
// last bytes of it has such a return address.
static void rip_check(struct ctx *ctx)
{
    if (__builtin_expect(ctx->regs.rip >> 47 != 0, 0))
        ctx_upcall(ctx, EXO_UP_EXCEPTION, VECTOR_GP, 0, 0);
}

void trap_syscall(void)
{
    struct ctx *ctx = this_cpu()->ctx;
    struct regs *regs = &ctx->regs;
    int64_t result;

    klock_acquire();
    regs->rflags = (regs->rflags & RFLAGS_USER) | RFLAGS_IF | RFLAGS_FIXED;
    if (__builtin_expect(regs->rax >> 32 != EXO_CALL_MARK >> 32, 0)) {
        if (!ctx_foreign(ctx)) {
            regs->rip -= 2; // the SYSCALL instruction itself
            ctx_upcall(ctx, EXO_UP_EXCEPTION, VECTOR_UD, 0, 0);
        }
    } else {
        result = dispatch(ctx);
        if (result != CALL_NO_RESULT)
            regs->rax = (uint64_t)result;
        rip_check(ctx);
    }
    trap_leave();
    klock_release();
}

void trap_user(void)
{
    struct ctx *ctx = this_cpu()->ctx;
    struct regs *regs = &ctx->regs;
    uint64_t vector = regs->vector;

    klock_acquire();
    if (vector == VECTOR_PF)
        ctx_upcall(ctx, EXO_UP_PAGEFAULT, VECTOR_PF, regs->error, read_cr2());
    else if (vector == VECTOR_NMI)
        log_printf("NMI in user code\n");
    else if (vector == VECTOR_MC)
        panic("machine check");
    else if (vector < 32)
        ctx_upcall(ctx, EXO_UP_EXCEPTION, vector, regs->error, 0);
    else
        interrupt((uint32_t)vector);
    trap_leave();
    klock_release();
}

static bool fixup(struct regs *regs)
{
    for (const uint64_t(*entry)[2] = fixup_start; entry < fixup_end; entry++) {
        if ((*entry)[0] == regs->rip) {
            regs->rip = (*entry)[1];
            return true;
        }
    }
    return false;
}

void trap_kernel(struct regs *regs)
{
    if (regs->vector >= 32) { // the lock is free: see cpu_idle
        klock_acquire();
        interrupt((uint32_t)regs->vector);
        klock_release();
        return;
    }
    if ((regs->vector == VECTOR_PF || regs->vector == VECTOR_GP) && fixup(regs))
        return;
    if (regs->vector == VECTOR_DB || regs->vector == VECTOR_NMI)
        return;
    panic_regs(regs, regs->vector == VECTOR_PF ? read_cr2() : 0);
}
