// SPDX-License-Identifier: MIT
// The image's first instruction: rdi = start information, rsp = the builder's stack.
    .section .text.start, "ax"
    .global libos_start
libos_start:
    xor %ebp, %ebp
    and $-16, %rsp
    call libos_main
    ud2
    .section .note.GNU-stack,"",@progbits
