// SPDX-License-Identifier: MIT
//
// The end: what went wrong, the calls that led there, with names, and the last entries of the trace
// ring. The names are a table that the build makes from the first link and adds in the second
// (tools: symbols.py): 32-bit offsets from EXO_KERNEL_BASE, ascending, each followed by the offset
// of a name.
//
// An emulator with an exit device ends; any other machine halts with the report on its screen.

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

bool panicking;

void log_vprintf(const char *format, va_list *args);

static void print_address(uint64_t address)
{
    uint32_t offset = (uint32_t)(address - EXO_KERNEL_BASE), n = 0;

    while (&symbol_count && n < symbol_count && symbols[n].offset <= offset)
        n++;
    log_printf("  %lx", address);
    if (n)
        log_printf(" %s+%x", symbol_names + symbols[n - 1].name, offset - symbols[n - 1].offset);
    log_printf("\n");
}

_Noreturn static void end(uint64_t rip, const uint64_t *frame)
{
    struct ctx *ctx = cpus[0].self ? this_cpu()->ctx : NULL;
    uint64_t low = image_parts[3].start;

    if (ctx)
        log_printf("cpu %u, env %u ctx %u, user rip %lx\n", this_cpu()->number, ctx->env->index,
                   ctx->index, ctx->regs.rip);
    log_printf("backtrace:\n");
    if (rip)
        print_address(rip);
    for (; (uint64_t)frame >= low && (uint64_t)(frame + 2) <= image_parts[3].end;
         frame = (const uint64_t *)frame[0]) {
        print_address(frame[1]);
        low = (uint64_t)(frame + 1); // frames lead upwards
    }
    log_printf("last calls:\n");
    trace_print(24);
    outl(EXIT_PORT, 0x7f);
    for (;;)
        __asm__ volatile("cli\n\thlt");
}

static void begin(void)
{
    while (panicking) // again, while reporting
        __asm__ volatile("cli\n\thlt");
    panicking = true;
    screen_open();
    log_printf("\nPANIC: ");
}

void panic(const char *format, ...)
{
    va_list args;

    begin();
    va_start(args, format);
    log_vprintf(format, &args);
    log_printf("\n");
    end(0, __builtin_frame_address(0));
}

void panic_regs(const struct regs *regs, uint64_t cr2)
{
    static const char *const names[] = {
        "rax", "rbx", "rcx", "rdx", "rsi",    "rdi", "rbp", "r8", "r9",     "r10", "r11",
        "r12", "r13", "r14", "r15", "vector", "err", "rip", "cs", "rflags", "rsp", "ss"};

    begin();
    log_printf("exception %lu in the kernel, error %lx, address %lx\n", regs->vector, regs->error,
               cr2);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        log_printf("%s %lx%s", names[i], (&regs->rax)[i], i % 6 == 5 ? "\n" : " ");
    log_printf("\n");
    end(regs->rip, (const uint64_t *)regs->rbp);
}
