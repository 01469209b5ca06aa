// SPDX-License-Identifier: MIT
// The registers of interrupted code, as entry.S stores them. Of user code they are stored straight
// into the running context's struct ctx, of the kernel onto its stack.
#ifndef KERNEL_TRAP_H
#define KERNEL_TRAP_H

#include <stdint.h>

struct regs {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct regs) % 16 == 0, "the CPU aligns the stack before it stores its part");

#endif
