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

bool sys_return_state(const struct sys_exit *exit, long result, struct exo_save *regs)
{
    const struct sys_frame *f = &exit->frame;
    uint64_t rip = exit->rip, rsp = f->user_sp;
    bool foreign = f->how & SYS_FOREIGN;
    if (!foreign) {
        if (user_read(&rip, rsp, sizeof rip))
            return false;
        rsp += sizeof rip;
    }
    regs_start(regs, rip, rsp);
    regs->rax = (uint64_t)result;
    regs->rbx = exit->rbx, regs->rbp = exit->rbp;
    regs->r12 = exit->r12, regs->r13 = exit->r13, regs->r14 = exit->r14, regs->r15 = exit->r15;
    if (!foreign)
        return true;
    regs->rdi = f->arg[0], regs->rsi = f->arg[1], regs->rdx = f->arg[2];
    regs->r10 = f->arg[3], regs->r8 = f->arg[4], regs->r9 = f->arg[5];
    regs->rcx = rip;
    regs->r11 = regs->rflags = (exit->rflags & 0xcd5) | RFLAGS_START;
    return true;
}
