// SPDX-License-Identifier: MIT
//
// The end: what went wrong, the calls that led there, with names, and the last entries of the trace
// ring. The names are a table that the build makes from the first link and adds in the second
// (tools: symbols.py): 32-bit offsets from EXO_KERNEL_BASE, ascending, each followed by the offset
// of a name.
//
// `exit-on-panic` on the command line ends an emulator through its exit device instead of halting.

#include <stdarg.h>
#include <core/boot.h>
#include <core/log.h>
#include <core/trace.h>
#include <x86/cpu.h>
#include <x86/image.h>

struct symbol {
    uint32_t offset, name;
};
extern const struct symbol symbols[] __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));
extern const uint32_t symbol_count __attribute__((weak));

#define PANIC_STATUS 0x7f

void log_vprintf(const char *format, va_list *args);
void machine_exit(uint32_t code);

static void print_address(uint64_t address)
{
    uint32_t offset = (uint32_t)(address - EXO_KERNEL_BASE), lo = 0,
             hi = &symbol_count ? symbol_count : 0;

    while (hi - lo > 1) {
        uint32_t middle = lo + (hi - lo) / 2;

        if (symbols[middle].offset <= offset)
            lo = middle;
        else
            hi = middle;
    }
    if (hi && symbols[lo].offset <= offset)
        log_printf("  %lx %s+%x\n", address, symbol_names + symbols[lo].name,
                   offset - symbols[lo].offset);
    else
        log_printf("  %lx\n", address);
}

static void backtrace(uint64_t rip, const uint64_t *frame)
{
    log_printf("backtrace:\n");
    if (rip)
        print_address(rip);
    for (unsigned i = 0; i < 32 && (uint64_t)frame >= image_parts[3].start &&
                         (uint64_t)(frame + 2) <= image_parts[3].end;
         i++) {
        print_address(frame[1]);
        if ((const uint64_t *)frame[0] <= frame)
            break;
        frame = (const uint64_t *)frame[0];
    }
}

_Noreturn static void end(void)
{
    log_printf("last calls:\n");
    trace_print(24);
    if (boot_word(boot_info.cmdline, "exit-on-panic"))
        machine_exit(PANIC_STATUS);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

static void print_context(void)
{
    struct ctx *ctx = this_cpu()->ctx;

    if (ctx)
        log_printf("cpu %u, env %u ctx %u, user rip %lx\n", this_cpu()->number, ctx->env->index,
                   ctx->index, ctx->regs.rip);
    else
        log_printf("cpu %u, idle\n", this_cpu()->number);
}

static void once(void)
{
    static bool entered;

    if (entered) // again, while reporting
        for (;;)
            __asm__ volatile("cli\n\thlt");
    entered = true;
}

void panic(const char *format, ...)
{
    va_list args;

    once();
    log_printf("\nPANIC: ");
    va_start(args, format);
    log_vprintf(format, &args);
    va_end(args);
    log_printf("\n");
    if (cpus[0].self)
        print_context();
    backtrace(0, __builtin_frame_address(0));
    end();
}

void panic_regs(const struct regs *regs, uint64_t cr2)
{
    once();
    log_printf("\nPANIC: exception %lu in the kernel, error %lx, address %lx\n", regs->vector,
               regs->error, cr2);
    log_printf("rip %lx rsp %lx rflags %lx\n", regs->rip, regs->rsp, regs->rflags);
    log_printf("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx\n", regs->rax, regs->rbx, regs->rcx,
               regs->rdx, regs->rsi, regs->rdi);
    log_printf("rbp %lx r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx\n", regs->rbp,
               regs->r8, regs->r9, regs->r10, regs->r11, regs->r12, regs->r13, regs->r14,
               regs->r15);
    print_context();
    backtrace(regs->rip, (const uint64_t *)regs->rbp);
    end();
}
