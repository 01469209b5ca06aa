# SPDX-License-Identifier: MIT
#
# __exoc_sysN(arguments..., number): the way from musl into the library OS (new file, no counterpart
# in musl; see arch/x86_64/syscall_arch.h).
#
# Contract of the entry at %gs:0x10: eax = Linux x86-64 system-call number; arguments in rdi, rsi,
# rdx, rcx, r8, r9 (rcx, not the r10 of a SYSCALL); an ordinary function call that preserves rbx,
# rbp, r12 to r15 and rsp and nothing else; result in rax, -4095 to -1 being an error. The stubs
# leave by a jump, so the entry returns straight to musl. __exoc_leafN is the same through the entry
# at %gs:0x138, for calls that are never begun again.
.text
.macro stub name, from, entry=0x10
.global \name
.hidden \name
.type \name,@function
\name:
	mov \from,%eax
	jmp *%gs:\entry
.size \name,.-\name
.endm

stub __exoc_sys0, %edi
stub __exoc_sys1, %esi
stub __exoc_sys2, %edx
stub __exoc_sys3, %ecx
stub __exoc_sys4, %r8d
stub __exoc_sys5, %r9d
stub __exoc_sys6, 8(%rsp)

stub __exoc_leaf0, %edi, 0x138
stub __exoc_leaf1, %esi, 0x138
stub __exoc_leaf4, %r8d, 0x138
