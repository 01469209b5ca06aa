# SPDX-License-Identifier: MIT
#
# Replaces musl's file: __syscall_cp_asm(cancel, number, a1, ..., a6), a call that is a cancellation
# point.   in: rdi cancel, rsi number, rdx a1, rcx a2, r8 a3, r9 a4, 8(%rsp) a5, 16(%rsp) a6
#
# musl's handler of the cancel signal looks at the interrupted instruction pointer: from __cp_begin
# up to __cp_end the call has had no effect yet and the thread may be sent to __cp_cancel. A signal
# that comes while the library OS is at work finds it there, outside of that range; so this entry,
# at %gs:0x18, is also told the two bounds (r10, r11) and reports to handlers __cp_begin if the call
# had no effect and __cp_end if it had. If a handler moved the reported address, the library OS
# continues at the new one instead of returning, with rsp as it is after the return of the call.
#
# The stack pointer is therefore the same at every instruction of the range and at __cp_cancel: the
# word that aligns the stack for the call is taken before __cp_begin.
.text
.global __cp_begin
.hidden __cp_begin
.global __cp_end
.hidden __cp_end
.global __cp_cancel
.hidden __cp_cancel
.hidden __cancel
.global __syscall_cp_asm
.hidden __syscall_cp_asm
.type __syscall_cp_asm,@function
__syscall_cp_asm:
	sub $8,%rsp
__cp_begin:
	mov (%rdi),%eax
	test %eax,%eax
	jnz __cp_cancel
	mov %esi,%eax
	mov %rdx,%rdi
	mov %rcx,%rsi
	mov %r8,%rdx
	mov %r9,%rcx
	mov 16(%rsp),%r8
	mov 24(%rsp),%r9
	lea __cp_begin(%rip),%r10
	lea __cp_end(%rip),%r11
	call *%gs:0x18
__cp_end:
	add $8,%rsp
	ret
__cp_cancel:
	add $8,%rsp
	jmp __cancel
.size __syscall_cp_asm,.-__syscall_cp_asm
