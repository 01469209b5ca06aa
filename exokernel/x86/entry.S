// SPDX-License-Identifier: MIT
//
// Every way into the kernel, and the one way out.
//
// Registers of interrupted user code are stored straight into the running context (TSS.rsp0 and cpu.regs_top point
// behind its struct regs); then the CPU's kernel stack is taken and C runs. C never returns to a place inside the
// kernel for a context: leaving means restoring whatever context is the CPU's by then. Registers of interrupted kernel code
// (a fault in a user copy, an interrupt of an idle CPU) go onto its own stack.
//
// SYSCALL without the marker is foreign and bounces from here without C: three words into the context block and on
// at its foreign_entry, GS restored (without WRGSBASE that takes the slow way if the context has moved it). The block is user-writable: the entry must be a canonical user address, anything else takes the slow
// way and ends as an exception.
//
// NMI, double fault, machine check and debug exceptions have stacks of their own (IST), because they can strike where rsp is
// a user value; GS is told apart by its base there.
//
// ALT marks three- or five-byte holes that cpu_early fills where the CPU has the instruction.

#define USER_SS 0x23
#define USER_CS 0x2b
#define VECTOR_SYSCALL 0x100
#define MSR_GS_BASE 0xc0000101

#define CPU_STACK     0x08
#define CPU_USER_RSP  0x10
#define CPU_CTX       0x18
#define CPU_REGS_TOP  0x20
#define CPU_BLOCK     0x28
#define CPU_INFO      0x30
#define CPU_GS_BASE   0x38
#define CPU_SCRATCH   0x40
#define CPU_GS_MOVED  0x50

#define REGS_SIZE     176
#define REGS_VECTOR   120

#define BLOCK_FOREIGN_ENTRY  0x48
#define BLOCK_FOREIGN_RIP    0x60
#define BLOCK_FOREIGN_RFLAGS 0x68
#define BLOCK_FOREIGN_RSP    0x70
#define INFO_FOREIGN         32

#define ALT_CLAC     1
#define ALT_STAC     2
#define ALT_WRGSBASE 3

    .macro ALT kind, bytes
    .pushsection .alternative, "a"
    .quad 9f
    .quad \kind
    .popsection
9:
    .if \bytes == 3
    .byte 0x0f, 0x1f, 0x00
    .else
    .byte 0x0f, 0x1f, 0x44, 0x00, 0x00
    .endif
    .endm

    .macro PUSH_REGS
    .irp r, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
    push %\r
    .endr
    .endm

    .macro POP_REGS
    .irp r, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    pop %\r
    .endr
    .endm

    .section .text.entry, "ax"

    .globl syscall_entry
    .align 64
syscall_entry:
    swapgs
    mov %rsp, %gs:CPU_USER_RSP
    mov %rax, %rsp
    shr $32, %rsp
    cmp $0x45584f43, %rsp
    jne foreign
syscall_slow:
    mov %gs:CPU_REGS_TOP, %rsp
    pushq $USER_SS
    pushq %gs:CPU_USER_RSP
    push %r11
    pushq $USER_CS
    push %rcx
    pushq $0
    pushq $VECTOR_SYSCALL
    PUSH_REGS
    mov %gs:CPU_STACK, %rsp
    xor %ebp, %ebp
    call trap_syscall

    .globl cpu_enter_user
cpu_enter_user:
    mov %gs:CPU_REGS_TOP, %rsp
    sub $REGS_SIZE, %rsp
    cmpq $VECTOR_SYSCALL, REGS_VECTOR(%rsp)
    jne 1f
    POP_REGS
    mov 16(%rsp), %rcx
    mov 32(%rsp), %r11
    mov 40(%rsp), %rsp
    swapgs
    sysretq
1:  POP_REGS
    add $16, %rsp
    swapgs
    iretq

    .align 32
foreign:
    cmpb $0, %gs:CPU_GS_MOVED
    jne syscall_slow
    mov %gs:CPU_BLOCK, %rsp
    mov %rcx, BLOCK_FOREIGN_RIP(%rsp)
    mov %r11, BLOCK_FOREIGN_RFLAGS(%rsp)
    mov %gs:CPU_USER_RSP, %r11
    mov %r11, BLOCK_FOREIGN_RSP(%rsp)
    mov BLOCK_FOREIGN_ENTRY(%rsp), %r11
    mov %r11, %rsp
    shr $47, %rsp
    jnz 1f
    test %r11, %r11
    jz 1f
    mov %gs:CPU_INFO, %rsp
    incq INFO_FOREIGN(%rsp)
    mov %gs:CPU_GS_BASE, %rcx
    mov %gs:CPU_USER_RSP, %rsp
    swapgs
    ALT ALT_WRGSBASE, 5 // wrgsbase %rcx
    mov %r11, %rcx
    mov $0x202, %r11d
    sysretq
1:  mov %gs:CPU_BLOCK, %rsp
    mov BLOCK_FOREIGN_RFLAGS(%rsp), %r11 // user code may have changed it: masked in C
    jmp syscall_slow

// One entry of 16 bytes for each vector up to 63. Those the CPU stores no error code for store 0.
#define WITH_ERROR 0x60227d00 // 8 10-14 17 21 29 30
#define WITH_IST   0x00040106 // 1 2 8 18
    .globl vectors
    .align 16
vectors:
    .set number, 0
    .rept 64
    .align 16
    .if number > 31 || !(WITH_ERROR >> number & 1)
    pushq $0
    .endif
    pushq $number
    .if number < 32 && WITH_IST >> number & 1
    jmp ist_entry
    .else
    jmp trap_entry
    .endif
    .set number, number + 1
    .endr

    .align 32
trap_entry:
    testb $3, 24(%rsp)
    jz trap_kernel_entry
    swapgs
trap_user_entry:
    PUSH_REGS
    mov %gs:CPU_STACK, %rsp
    ALT ALT_CLAC, 3
    cld
    xor %ebp, %ebp
    call trap_user
    jmp cpu_enter_user

trap_kernel_entry:
    PUSH_REGS
    ALT ALT_CLAC, 3
    cld
    mov %rsp, %rdi
    call trap_kernel
    POP_REGS
    add $16, %rsp
    iretq

// From user code: move what the CPU stored into the context and go the usual way.
ist_entry:
    testb $3, 24(%rsp)
    jz ist_kernel
    swapgs
    mov %rax, %gs:CPU_SCRATCH
    mov %rdi, %gs:CPU_SCRATCH + 8
    mov %gs:CPU_REGS_TOP, %rdi
    .irp i, 0, 8, 16, 24, 32, 40, 48
    mov \i(%rsp), %rax
    mov %rax, \i - 56(%rdi)
    .endr
    lea -56(%rdi), %rsp
    mov %gs:CPU_SCRATCH, %rax
    mov %gs:CPU_SCRATCH + 8, %rdi
    jmp trap_user_entry

// In the kernel GS may still, or again, be the user's, and that can be any number. The CPU's own is stored on
// top of each of these stacks. rbx keeps what GS was.
ist_kernel:
    PUSH_REGS
    ALT ALT_CLAC, 3
    cld
    mov $MSR_GS_BASE, %ecx
    rdmsr
    mov %rdx, %rbx
    shl $32, %rbx
    or %rax, %rbx
    mov %rsp, %rdi
    or $0xfff, %rdi
    mov -15(%rdi), %rax
    mov %rax, %rdx
    shr $32, %rdx
    wrmsr
    mov %rsp, %rdi
    call trap_kernel
    mov $MSR_GS_BASE, %ecx
    mov %rbx, %rax
    mov %rbx, %rdx
    shr $32, %rdx
    wrmsr
    POP_REGS
    add $16, %rsp
    iretq

// int user_copy(void *dst, const void *src, size_t bytes): 0, or -1 if a page was not there.
    .globl user_copy
user_copy:
    ALT ALT_STAC, 3
    mov %rdx, %rcx
    shr $3, %rcx
4:  rep movsq
    mov %edx, %ecx
    and $7, %ecx
5:  rep movsb
    ALT ALT_CLAC, 3
    xor %eax, %eax
    ret
6:  ALT ALT_CLAC, 3
    mov $-1, %eax
    ret

    .pushsection .fixup, "a"
    .quad 4b, 6b, 5b, 6b
    .popsection

// void page_zero(void *page), void page_copy(void *dst, const void *src): 32 bytes at a time where
// AVX is switched on. The register is the running context's, and put back; nothing faults here.
    .macro PAGE name, slow, load
    .globl \name
\name:
    cmpb $0, page_wide
    jne 1f
    mov $512, %ecx
    xor %eax, %eax
    rep \slow
    ret
1:  sub $32, %rsp
    vmovdqu %ymm0, (%rsp)
    vpxor %xmm0, %xmm0, %xmm0
    lea 4096(%rdi), %rax
2:  .irp at, 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 480
    .if \load
    vmovdqa \at(%rsi), %ymm0
    .endif
    vmovdqa %ymm0, \at(%rdi)
    .endr
    add $512, %rsi
    add $512, %rdi
    cmp %rax, %rdi
    jne 2b
    vmovdqu (%rsp), %ymm0
    add $32, %rsp
    ret
    .endm
    PAGE page_zero, stosq, 0
    PAGE page_copy, movsq, 1

    .comm page_wide, 1

    .section .note.GNU-stack, "", @progbits
