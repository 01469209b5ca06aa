// SPDX-License-Identifier: MIT
//
// The ways into and out of the libOS.
//
// Native entry (%gs:0x10): eax = number, arguments in rdi rsi rdx rcx r8 r9, an ordinary function
// call. Cancellation points (%gs:0x18) also bring the bounds of musl's range in r10 and r11. Calls
// that are never begun again may come by the leaf entry (%gs:0x138), which does not keep their
// arguments. Foreign entry: the kernel comes here from a SYSCALL with the registers as they were;
// only rax, rcx and r11 may change. All of them lay out a struct sys_frame at the top of the
// thread's libOS stack (libos.h) and call through `libos_calls`, which is the table of syscalls.def
// or one of its stand-ins (trace, vfork simulation). The libOS is compiled without vector
// instructions, so these registers stay the application's throughout.
//
// The way out looks at ctx->pending and CTX_WORK, then leaves. A notification between look and
// leave would be lost until the next call, so upcall.c sends what it interrupts in one of the
// windows *_check to *_end back to a look. Where that is, exit_check and foreign_check, everything
// comes from memory that nothing overwrites; the shorter ways out before them trust the stack
// pointer. In [resume_window, resume_window_end) all registers have their final values and rsp
// points at a frame for iretq: upcall.c carries the iretq out by itself.

#define CTX_STACK      0x20
#define CTX_THREAD     0x28
#define CTX_PENDING    0x38
#define CTX_FOREIGN_IP 0x60
#define CTX_FOREIGN_FL 0x68
#define CTX_DEPTH      0x78
#define CTX_WORK       0x128
#define CTX_SCRATCH    0x130
#define THREAD_CP_BEGIN 96
#define THREAD_CP_END   104
#include <core/limits.h>
#define SYS_CP_BIT      32
#define SYS_FOREIGN_BIT 33
#define ENOSYS 38

    .text
    .global libos_entry, libos_entry_cp, libos_entry_leaf, libos_foreign, libos_upcall
    .global native_check, native_end, leaf_check, leaf_end, exit_check, exit_end
    .global foreign_check, foreign_end, resume_window, resume_window_end
    .global sys_restart, sys_resume, fork_save, libos_stack_call, px_clone, px_vfork

.macro push_frame from
    push %rax
    push %r9
    push %r8
    push \from
    push %rdx
    push %rsi
    push %rdi
.endm

// The way out of a call whose return address stands `at` bytes above rsp.
.macro leave_native at
    mov %gs:CTX_PENDING, %rdx
    or %gs:CTX_WORK, %rdx
    jnz exit_slow
    mov \at(%rsp), %rsp
    ret
.endm

// --- native ------------------------------------------------------------------------------------
    .balign 16
libos_entry_leaf:
    cmp $LIBOS_NCALLS, %rax
    jae no_call
    mov %rsp, %r10
    mov %gs:CTX_STACK, %rsp
    push %r10
    push %rax
    mov libos_calls(%rip), %r11
    call *(%r11,%rax,8)
leaf_check:
    leave_native 8
leaf_end:

    .balign 16
libos_entry:
    cmp $LIBOS_NCALLS, %rax
    jae no_call
    mov %rsp, %r10
    mov %gs:CTX_STACK, %rsp
    push %r10
    push_frame %rcx
    mov libos_calls(%rip), %r11
    call *(%r11,%rax,8)
native_check:
    leave_native 56
native_end:

no_call:
    mov $-ENOSYS, %rax
    ret

libos_entry_cp:
    mov %rsp, %gs:CTX_SCRATCH
    mov %gs:CTX_STACK, %rsp
    push %gs:CTX_SCRATCH
    mov %eax, %eax
    bts $SYS_CP_BIT, %rax
    push_frame %rcx
    mov %gs:CTX_THREAD, %rdi
    mov %r10, THREAD_CP_BEGIN(%rdi)
    mov %r11, THREAD_CP_END(%rdi)
    mov (%rsp), %rdi
    mov %eax, %eax
    cmp $LIBOS_NCALLS, %rax
    jae 1f
    mov libos_calls(%rip), %r11
    call *(%r11,%rax,8)
    jmp exit_check
1:  mov $-ENOSYS, %rax
    jmp exit_check

.macro push_callee
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
.endm
.macro pop_callee
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
.endm

exit_slow:
    mov %gs:CTX_STACK, %rsp
    sub $80, %rsp
    push_callee
    mov %rax, %rdi
    mov %rsp, %rsi
    call sig_exit_path
    pop_callee
exit_check:
    mov %gs:CTX_STACK, %rsp
    sub $8, %rsp
    leave_native 0
exit_end:

// --- foreign -----------------------------------------------------------------------------------
    .balign 16
libos_foreign:
    mov %rsp, %rcx
    mov %gs:CTX_STACK, %rsp
    push %rcx
    mov %eax, %eax
    bts $SYS_FOREIGN_BIT, %rax
    push_frame %r10
    push %gs:CTX_FOREIGN_FL
    push %gs:CTX_FOREIGN_IP
    mov %eax, %eax
    mov %r10, %rcx
    cmp $LIBOS_NCALLS, %rax
    jae 1f
    mov libos_calls(%rip), %r11
    call *(%r11,%rax,8)
foreign_check:
    mov %gs:CTX_PENDING, %rcx
    or %gs:CTX_WORK, %rcx
    jnz foreign_slow
    mov %gs:CTX_STACK, %rsp
    sub $80, %rsp
    pop %rcx
    popfq
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r10
    pop %r8
    pop %r9
    mov 8(%rsp), %rsp
    jmp *%rcx
foreign_end:
1:  mov $-ENOSYS, %rax
    jmp foreign_check

foreign_slow:
    mov %gs:CTX_STACK, %rsp
    sub $80, %rsp
    push_callee
    mov %rax, %rdi
    mov %rsp, %rsi
    call sig_exit_path
    pop_callee
    jmp foreign_check

// sys_restart(rdi = struct sys_exit): as if the call were entered again. The structure may lie on
// this stack, below its place.
sys_restart:
    lea 120(%rdi), %rsi
    mov %gs:CTX_STACK, %rdi
    sub $8, %rdi
    mov $16, %ecx
    std
    rep movsq
    cld
    lea 8(%rdi), %rsp
    pop_callee
    mov 64(%rsp), %eax
    mov 16(%rsp), %rdi
    mov 24(%rsp), %rsi
    mov 32(%rsp), %rdx
    mov 40(%rsp), %rcx
    mov 48(%rsp), %r8
    mov 56(%rsp), %r9
    mov libos_calls(%rip), %r11
    testl $(1 << (SYS_FOREIGN_BIT - 32)), 68(%rsp)
    jnz 2f
    add $16, %rsp
    call *(%r11,%rax,8)
    jmp exit_check
2:  call *(%r11,%rax,8)
    jmp foreign_check

// --- upcalls ------------------------------------------------------------------------------------
// rdi = the save area; rsp as after a call. Returns without the kernel.
    .balign 16
libos_upcall:
    push %rdi
    mov %rdi, %rbx
    call upcall_dispatch
    mov %rbx, %rdi
    mov $1, %ebx
    jmp resume_from

// sys_resume(rdi = struct exo_save)
sys_resume:
    xor %ebx, %ebx
resume_from: // ebx = save areas to give back
    cld
    sub $32, %rsp
    push 152(%rdi)
    push 144(%rdi)
    push 136(%rdi)
    push 128(%rdi)
    push 120(%rdi)
    mov 0(%rdi), %rax
    mov 16(%rdi), %rcx
    mov 24(%rdi), %rdx
    mov 32(%rdi), %rsi
    mov 48(%rdi), %rbp
    mov 56(%rdi), %r8
    mov 64(%rdi), %r9
    mov 72(%rdi), %r10
    mov 80(%rdi), %r11
    mov 88(%rdi), %r12
    mov 96(%rdi), %r13
    mov 104(%rdi), %r14
    mov 112(%rdi), %r15
    test %ebx, %ebx
    mov 8(%rdi), %rbx
    mov 40(%rdi), %rdi
    jz resume_window
    decl %gs:CTX_DEPTH
resume_window:
    cmpq $0, %gs:CTX_PENDING
    jne resume_slow
resume_leave:
    iretq
resume_window_end:

// Notifications came before the save area was free: rebuild one on this stack and look at them now.
resume_slow:
    push %r15
    push %r14
    push %r13
    push %r12
    push %r11
    push %r10
    push %r9
    push %r8
    push %rbp
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rbx
    push %rax
    mov %rsp, %rbx
    mov %rsp, %rdi
    and $-16, %rsp
    call upcall_late
    mov %rbx, %rsp
    test %eax, %eax
    pop %rax
    pop %rbx
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    pop %rbp
    pop %r8
    pop %r9
    pop %r10
    pop %r11
    pop %r12
    pop %r13
    pop %r14
    pop %r15
    jz resume_leave
    jmp resume_window

// --- odds ---------------------------------------------------------------------------------------
// long fork_save(struct exo_regs *): stores what the caller needs to go on; returns 0, and 1 in a
// context started from these registers on a copy of the stack.
#define GPR 8
fork_save:
    mov %rbx, GPR+8(%rdi)
    mov %rbp, GPR+48(%rdi)
    mov %r12, GPR+88(%rdi)
    mov %r13, GPR+96(%rdi)
    mov %r14, GPR+104(%rdi)
    mov %r15, GPR+112(%rdi)
    lea 1f(%rip), %rax
    mov %rax, GPR+120(%rdi)
    mov (%rsp), %rax
    mov %rax, GPR+80(%rdi)          // r11: the return address, whatever happens to the stack word
    lea 8(%rsp), %rax
    mov %rax, GPR+144(%rdi)
    xor %eax, %eax
    ret
1:  mov $1, %eax
    jmp *%r11

// clone and vfork also need the registers that a call preserves: they reach clone_call and
// vfork_call as the seventh argument, a pointer to {r15, r14, r13, r12, rbp, rbx}.
.macro with_callee to
    push_callee
    mov %rsp, %rax
    push %rax
    call \to
    add $56, %rsp
    ret
.endm
px_clone:
    with_callee clone_call
px_vfork:
    with_callee vfork_call

// libos_stack_call(arg, fn, stack_top): run fn(arg), which does not return, on this stack
libos_stack_call:
    mov %rdx, %rsp
    xor %ebp, %ebp
    call *%rsi
    ud2

    .section .note.GNU-stack,"",@progbits
