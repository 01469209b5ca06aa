# SPDX-License-Identifier: MIT
#
# Replaces musl's file: vfork(), which returns twice on one stack. The child's return pops our
# frame and may overwrite it, so the parent's way back cannot lie on the stack. It is handed over:
#
#   eax = 58, rdi = our return address, rsi = the stack pointer after our return,
#   rdx = six words {rbx, rbp, r12, r13, r14, r15}, copied by the library OS during the call.
#
# The entry returns 0 in the child (or an error) as any call does. Once the child has replaced
# itself or exited, the library OS loads the six registers and rsp, sets rax = the child's pid and
# jumps to the return address: the parent never comes back through this code.
.text
.global vfork
.type vfork,@function
vfork:
	mov (%rsp),%rdi
	lea 8(%rsp),%rsi
	push %r15
	push %r14
	push %r13
	push %r12
	push %rbp
	push %rbx
	mov %rsp,%rdx
	mov $58,%eax
	sub $8,%rsp
	call *%gs:0x10
	add $56,%rsp
	mov %rax,%rdi
	.hidden __syscall_ret
	jmp __syscall_ret
.size vfork,.-vfork
