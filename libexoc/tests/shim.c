// SPDX-License-Identifier: MIT
/*
 * The signal side of the Linux stand-in (shim.S): what a library OS must do so that musl's
 * pthread_cancel works unchanged.
 *
 * musl's handler of the cancel signal judges by the interrupted instruction pointer, and a thread
 * inside the stand-in is not where musl expects it. So the stand-in sets a handler of its own,
 * shows musl's the address it would see at a SYSCALL of its own (the begin of the range when the
 * call had no effect, its end when it had), and, if musl's moved the address, makes the thread
 * continue there with the stack as after the return of the call.
 *
 * This file runs below musl: it makes its calls by shim_raw and touches no libc state.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#define SIGCANCEL 33

struct kernel_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};

extern const char shim_cp[], shim_cp_effect[], shim_cp_end[], __cp_begin[], __cp_end[];
long shim_raw_sigaction(long sig, const void *act, void *old, long size);
long shim_sigaction(long sig, const struct kernel_sigaction *act, void *old, long size);

// shim_raw takes its number in eax: this names the one call that is needed here.
__asm__(".text\nshim_raw_sigaction: mov $13,%eax\n jmp shim_raw");

static void (*musl_handler)(int, siginfo_t *, void *);

static void cancel_seen(int sig, siginfo_t *info, void *arg)
{
    ucontext_t *uc = arg;
    greg_t *regs = uc->uc_mcontext.gregs;
    uintptr_t pc = (uintptr_t)regs[REG_RIP];
    if (pc < (uintptr_t)shim_cp || pc >= (uintptr_t)shim_cp_end) {
        musl_handler(sig, info, arg);
        return;
    }
    uintptr_t shown = (uintptr_t)__cp_begin;
    if (pc > (uintptr_t)shim_cp_effect || (pc == (uintptr_t)shim_cp_effect && regs[REG_RAX] != -4))
        shown = (uintptr_t)__cp_end;
    regs[REG_RIP] = (greg_t)shown;
    musl_handler(sig, info, arg);
    if ((uintptr_t)regs[REG_RIP] == shown)
        regs[REG_RIP] = (greg_t)pc;
    else
        regs[REG_RSP] += sizeof(uintptr_t);
}

long shim_sigaction(long sig, const struct kernel_sigaction *act, void *old, long size)
{
    struct kernel_sigaction wrapped;
    if (sig == SIGCANCEL && act && (uintptr_t)act->handler > 1) {
        wrapped = *act;
        musl_handler = act->handler;
        wrapped.handler = cancel_seen;
        act = &wrapped;
    }
    return shim_raw_sigaction(sig, act, old, size);
}
