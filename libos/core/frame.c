// SPDX-License-Identifier: MIT
//
// The application's registers, as a system call found them and as it leaves them.
#include <core/core.h>

// Selectors of user code: fixed by the kernel's SYSRET layout; what runs here already has them.
static uint64_t selector_cs(void)
{
    uint64_t v;
    __asm__("mov %%cs, %0" : "=r"(v));
    return v;
}

static uint64_t selector_ss(void)
{
    uint64_t v;
    __asm__("mov %%ss, %0" : "=r"(v));
    return v;
}

#define RFLAGS_START 0x202

void regs_start(struct exo_save *regs, uint64_t rip, uint64_t rsp)
{
    memset(regs, 0, sizeof *regs);
    regs->rip = rip;
    regs->rsp = rsp;
    regs->cs = selector_cs();
    regs->ss = selector_ss();
    regs->rflags = RFLAGS_START;
}

void sys_exit_fill(const struct callee *callee, struct sys_exit *exit)
{
    const struct sys_frame *frame = sys_frame();
    memcpy(exit, callee, sizeof *callee);
    exit->rip = ((const uint64_t *)frame)[-2]; // foreign entries push these two below the frame
    exit->rflags = ((const uint64_t *)frame)[-1];
    exit->frame = *frame;
}

static inline void callee_from(struct exo_save *regs, const struct sys_exit *exit)
{
    regs->rbx = exit->rbx, regs->rbp = exit->rbp;
    regs->r12 = exit->r12, regs->r13 = exit->r13, regs->r14 = exit->r14, regs->r15 = exit->r15;
    regs->cs = EXO_USER_CS;
    regs->ss = EXO_USER_SS;
    regs->error = regs->vector = regs->addr = regs->cause = 0;
}

static void foreign_state(const struct sys_exit *exit, struct exo_save *regs)
{
    const struct sys_frame *f = &exit->frame;
    callee_from(regs, exit);
    regs->rdi = f->arg[0], regs->rsi = f->arg[1], regs->rdx = f->arg[2];
    regs->r10 = f->arg[3], regs->r8 = f->arg[4], regs->r9 = f->arg[5];
    regs->rip = regs->rcx = exit->rip;
    regs->rsp = f->user_sp;
    regs->r11 = regs->rflags = (exit->rflags & 0xcd5) | RFLAGS_START;
}

bool sys_return_state(const struct sys_exit *exit, long result, struct exo_save *regs)
{
    regs->rax = (uint64_t)result;
    if (exit->frame.how & SYS_FOREIGN) {
        foreign_state(exit, regs);
        return true;
    }
    uint64_t rsp = exit->frame.user_sp;
    if (!user_peek64((const void *)rsp, &regs->rip))
        return false;
    callee_from(regs, exit);
    regs->rdi = regs->rsi = regs->rdx = regs->rcx = 0;
    regs->r8 = regs->r9 = regs->r10 = regs->r11 = 0;
    regs->rsp = rsp + sizeof(uint64_t);
    regs->rflags = RFLAGS_START;
    return true;
}
