# SPDX-License-Identifier: MIT
#
# Replaces musl's file: __clone(func, stack, flags, arg, ptid, tls, ctid).
#   in: rdi func, rsi stack, edx flags, rcx arg, r8 ptid, r9 tls, 8(%rsp) ctid
#
# The library OS cannot "return twice" out of a function call, so it is told where the child begins:
# eax = 56, rdi = flags, rsi = the child's stack pointer, rdx = ptid, rcx = ctid, r8 = tls, r9 = the
# child's first instruction. The child starts there with rsp = rsi, %fs = tls if CLONE_SETTLS is
# among the flags, and all other registers undefined; the parent returns to our caller as from any
# other call. What the child needs, func and arg, waits on its own stack.
.text
.global __clone
.hidden __clone
.type __clone,@function
__clone:
	and $-16,%rsi
	sub $16,%rsi
	mov %rcx,(%rsi)
	mov %rdi,8(%rsi)
	mov %edx,%edi
	mov %r8,%rdx
	mov 8(%rsp),%rcx
	mov %r9,%r8
	lea child(%rip),%r9
	mov $56,%eax
	jmp *%gs:0x10
child:
	xor %ebp,%ebp
	pop %rdi
	pop %rax
	call *%rax
	mov %eax,%edi
	mov $60,%eax
	call *%gs:0x10
	hlt
.size __clone,.-__clone
