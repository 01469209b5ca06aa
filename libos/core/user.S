// SPDX-License-Identifier: MIT
//
// Recoverable access to memory that may not be there: what the application points to, and what
// other domains may take away. Each instruction that may fault has an entry in a table (from, to,
// go on at); the upcall handler consults it when memory management cannot resolve the fault.
// What is short is in line in libos.h.

    .text
    .global user_string_raw, user_load32, user_store32, user_cas32, user_cas64
    .global user_fxsave, user_fxrstor, user_xsave, user_xrstor

.macro fixup from, to, at
    .pushsection .rodata.fixup, "a"
    .balign 8
    .quad \from, \to, \at
    .popsection
.endm

// long user_string_raw(dst, src, max): length without the NUL; -1 fault, -2 no NUL within max
// bytes. Eight bytes at a time while neither the page nor max ends; what lies behind the NUL may be
// overwritten as far as max reaches.
user_string_raw:
    mov %rdi, %r8
    mov $0x0101010101010101, %r9
    mov %r9, %r10
    shl $7, %r10
0:  cmp $8, %rdx
    jb 3f
    mov %esi, %eax
    and $0xfff, %eax
    cmp $0xff8, %eax
    ja 3f
1:  mov (%rsi), %rax
2:  mov %rax, %rcx
    mov %rax, %r11
    sub %r9, %rcx
    not %r11
    and %r11, %rcx
    and %r10, %rcx
    mov %rax, (%rdi)
    jnz 9f
    add $8, %rdi
    add $8, %rsi
    sub $8, %rdx
    jmp 0b
9:  bsf %rcx, %rax
    shr $3, %eax
    add %rdi, %rax
    sub %r8, %rax
    ret
3:  test %rdx, %rdx
    jz 6f
4:  movzbl (%rsi), %eax
5:  mov %al, (%rdi)
    test %al, %al
    jz 7f
    inc %rdi
    inc %rsi
    dec %rdx
    test $7, %esi
    jnz 3b
    jmp 0b
6:  mov $-2, %rax
    ret
7:  mov %rdi, %rax
    sub %r8, %rax
    ret
8:  mov $-1, %rax
    ret
    fixup 1b, 2b, 8b
    fixup 4b, 5b, 8b

// int user_load32(addr, uint32_t *value)
user_load32:
1:  mov (%rdi), %ecx
2:  mov %ecx, (%rsi)
    xor %eax, %eax
    ret
    fixup 1b, 2b, bad_address

// int user_store32(addr, value)
user_store32:
1:  mov %esi, (%rdi)
2:  xor %eax, %eax
    ret
    fixup 1b, 2b, bad_address

// int user_cas32(addr, uint32_t *expected, desired)
user_cas32:
    mov (%rsi), %eax
1:  lock cmpxchg %edx, (%rdi)
2:  jne 3f
    xor %eax, %eax
    ret
3:  mov %eax, (%rsi)
    mov $-11, %eax
    ret
    fixup 1b, 2b, bad_address

// int user_cas64(addr, uint64_t *expected, desired)
user_cas64:
    mov (%rsi), %rax
1:  lock cmpxchg %rdx, (%rdi)
2:  jne 3f
    xor %eax, %eax
    ret
3:  mov %rax, (%rsi)
    mov $-11, %eax
    ret
    fixup 1b, 2b, bad_address

// int user_fxsave(addr) and so on: the FPU's state, all of it (xsave) or its old part
.macro fpu name, op
\name:
    mov $-1, %eax
    mov %eax, %edx
1:  \op (%rdi)
2:  xor %eax, %eax
    ret
    fixup 1b, 2b, bad_address
.endm
    fpu user_fxsave, fxsave64
    fpu user_fxrstor, fxrstor64
    fpu user_xsave, xsave64
    fpu user_xrstor, xrstor64

// What proc/sigframe.c reads and writes of the application's stack, all of it: there is nothing to
// go on with.
    fixup frame_text, frame_text_end, frame_lost
frame_lost:
    and $-16, %rsp
    mov $11, %edi
    call proc_exit
    ud2

bad_address:
    mov $-14, %eax
    ret

    .section .note.GNU-stack,"",@progbits
