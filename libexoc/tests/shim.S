// SPDX-License-Identifier: MIT
//
// A stand-in for the library OS on a Linux host: the entry that %gs:0x10, %gs:0x18 and %gs:0x138 lead to makes
// the real Linux system call. With it a program linked against exoc's libc runs on the build
// machine, which proves the overlay's side of the calling convention before, and apart from, the
// system that serves it.
//
// After every call all caller-saved registers are overwritten, as the convention allows: an overlay
// that relies on one of them, as code written for SYSCALL may, fails here.
//
// Cancellation points enter by shim_cp, which leaves the stack pointer alone until it returns; the
// signal wrapper (shim.c) relies on that.

    .text
    .global shim_start
    .global shim_entry
    .global shim_cp
    .global shim_cp_effect
    .global shim_cp_end

// First instruction of the program: point %gs at the context block, then start as usual.
shim_start:
    mov $158, %eax
    mov $0x1001, %edi
    lea shim_block(%rip), %rsi
    syscall
    xor %edi, %edi
    xor %esi, %esi
    xor %eax, %eax
    jmp _start

.macro clobber
    mov $0xdead000000000001, %rdi
    mov %rdi, %rsi
    mov %rdi, %rdx
    mov %rdi, %rcx
    mov %rdi, %r8
    mov %rdi, %r9
    mov %rdi, %r10
    mov %rdi, %r11
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movq %rdi, %xmm\n
    .endr
.endm

shim_entry:
    cmp $56, %eax
    je 2f
    cmp $58, %eax
    je 3f
    cmp $13, %eax               // rt_sigaction: shim.c wraps the handler of the cancel signal
    je shim_sigaction
    cmp $512, %eax              // raise
    je 4f
.global shim_raw
shim_raw:
    mov %rcx, %r10
    syscall
    clobber
    ret

2:  // clone: the child starts at r9 with rsp = rsi
    mov %rcx, %r10
    syscall
    test %rax, %rax
    jz 1f
    clobber
    ret
1:  jmp *%r9

3:  // vfork: the parent's return address may be overwritten by the child, rdi and rsi are not
    cmpq %rbx, 0(%rdx)
    jne 9f
    cmpq %r15, 40(%rdx)
    jne 9f
    syscall
    test %rax, %rax
    jz 1f
    js 1f
    mov %rdi, %r8
    mov %rsi, %rsp
    jmp *%r8
1:  clobber
    ret
9:  hlt                         // the overlay broke the convention

4:  mov %rdi, %rdx              // tgkill(getpid(), gettid(), rdi)
    mov $39, %eax
    syscall
    mov %rax, %rdi
    mov $186, %eax
    syscall
    mov %rax, %rsi
    mov $234, %eax
    jmp shim_raw

// A cancellation point: as shim_entry, with the bounds of musl's range in r10 and r11.
shim_cp:
    cmp $__cp_begin, %r10
    jne 9b
    cmp $__cp_end, %r11
    jne 9b
    mov %rcx, %r10
    syscall
shim_cp_effect:
    clobber
    ret
shim_cp_end:

    .data
    .balign 64
shim_block:
    .quad 0, 0
    .quad shim_entry            // 0x10
    .quad shim_cp               // 0x18
    .zero 0x138 - 0x20
    .quad shim_entry            // 0x138

    .section .note.GNU-stack,"",@progbits
