// SPDX-License-Identifier: MIT
//
// From the boot loader to kmain. Two protocols, one entry: multiboot 1 (eax = 2badb002, QEMU's -kernel) and
// multiboot 2 (eax = 36d76289, GRUB on BIOS and UEFI); ebx is the physical address of the information. Both
// arrive in 32-bit protected mode, flat, without paging, interrupts off.
//
// The early tables map the first 4 GiB three times: at their own addresses, at EXO_DIRECT_BASE, and the first
// GiB at EXO_KERNEL_BASE, all writable and executable; mem_init replaces them. A CPU without long mode gets
// a message on COM1 and on a screen in text mode, since nothing below could run there.

#define BASE 0xffffffff80000000

    .section .boot.header, "a"
    .align 8
mb1_header:
    .long 0x1badb002
    .long 0x00000003 // modules page-aligned, memory map
    .long -(0x1badb002 + 0x00000003)

    .align 8
mb2_header:
    .long 0xe85250d6, 0, mb2_header_end - mb2_header
    .long -(0xe85250d6 + 0 + (mb2_header_end - mb2_header))
    .align 8
    .short 3, 0 // entry address
    .long 12, boot_entry
    .align 8
    .short 5, 1 // framebuffer, optional: whatever there is, text too
    .long 20, 1024, 768, 32
    .align 8
    .short 6, 0 // modules page-aligned
    .long 8
    .align 8
    .short 0, 0
    .long 8
mb2_header_end:

    .section .boot, "ax"
    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    mov $(boot_stack_end - BASE), %esp
    mov %eax, %esi
    mov %ebx, %ebp
    mov $0x80000000, %eax
    cpuid
    cmp $0x80000001, %eax
    jb no_cpu
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc no_cpu

    // 2048 entries of 2 MiB
    mov $(early_pd - BASE), %edi
    mov $0x83, %eax
    xor %edx, %edx
1:  mov %eax, (%edi)
    mov %edx, 4(%edi)
    add $0x200000, %eax
    add $8, %edi
    cmp $(early_pd - BASE + 0x4000), %edi
    jb 1b
    mov $(early_pd - BASE + 3), %eax
    mov $(early_low - BASE), %edi
    mov %eax, early_high - BASE + 510 * 8
2:  mov %eax, (%edi)
    add $0x1000, %eax
    add $8, %edi
    cmp $(early_low - BASE + 32), %edi
    jb 2b
    movl $(early_low - BASE + 3), early_pml4 - BASE
    movl $(early_low - BASE + 3), early_pml4 - BASE + 256 * 8
    movl $(early_high - BASE + 3), early_pml4 - BASE + 511 * 8

    mov %cr4, %eax
    or $0x620, %eax // PAE, OSFXSR, OSXMMEXCPT
    mov %eax, %cr4
    mov $(early_pml4 - BASE), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x101, %eax // SCE, LME
    wrmsr
    mov $0x80010033, %eax // PG WP NE ET MP PE
    mov %eax, %cr0
    lgdt boot_gdtr
    ljmp $8, $boot_64

no_cpu:
    mov $no_cpu_text, %esi
    mov $0xb8000, %edi
    mov $0x3f8, %edx
    mov $7, %ah
3:  mov $0x10000, %ecx // longer than a letter takes on the line
    loop .
    lodsb
    out %al, (%dx)
    stosw
    test %al, %al
    jnz 3b
4:  hlt
    jmp 4b
no_cpu_text:
    .asciz "exoc: this CPU has no long mode (64 bits), which exoc needs. QEMU: qemu-system-x86_64 -cpu max\r\n"

    .align 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdtr:
    .short 23
    .long boot_gdt

    .code64
boot_64:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov $0x10, %eax
    mov %eax, %ss
    movabs $boot_high, %rax
    jmp *%rax

    .text
boot_high:
    mov $kernel_stacks_end, %rsp
    mov %esi, %edi
    mov %ebp, %esi
    xor %ebp, %ebp
    push $0
    push $0
    call kmain
    ud2

    .section .bss.page, "aw", @nobits
    .align 4096
    .globl early_pml4
early_pml4: .skip 4096
early_low:  .skip 4096
early_high: .skip 4096
early_pd:   .skip 16384
    .skip 256
boot_stack_end:

    .section .stack, "aw", @nobits
    .align 4096
    .globl kernel_stacks, kernel_stacks_end
kernel_stacks:
    .skip 16384 // KERNEL_STACK, one for each CPU
kernel_stacks_end:
    .globl ist_stacks
ist_stacks:
    .skip 4 * 4096 // NMI, double fault, machine check, debug

    .section .note.GNU-stack, "", @progbits
