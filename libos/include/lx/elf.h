// SPDX-License-Identifier: MIT
// ELF64, as far as loading a program needs it (System V gABI, chapters 4 and 5), and the auxiliary
// vector.
#ifndef LX_ELF_H
#define LX_ELF_H

#include <stdint.h>

struct lx_elf_header {
    uint8_t e_ident[16];
    uint16_t e_type, e_machine;
    uint32_t e_version;
    uint64_t e_entry, e_phoff, e_shoff;
    uint32_t e_flags;
    uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
};
struct lx_elf_phdr {
    uint32_t p_type, p_flags;
    uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
};
_Static_assert(sizeof(struct lx_elf_header) == 64 && sizeof(struct lx_elf_phdr) == 56, "ELF64");

#define LX_ET_EXEC   2
#define LX_ET_DYN    3
#define LX_EM_X86_64 62
#define LX_PT_LOAD   1
#define LX_PT_INTERP 3
#define LX_PT_PHDR   6
#define LX_PF_X      1u
#define LX_PF_W      2u
#define LX_PF_R      4u

#define LX_AT_NULL         0
#define LX_AT_PHDR         3
#define LX_AT_PHENT        4
#define LX_AT_PHNUM        5
#define LX_AT_PAGESZ       6
#define LX_AT_BASE         7
#define LX_AT_FLAGS        8
#define LX_AT_ENTRY        9
#define LX_AT_UID          11
#define LX_AT_EUID         12
#define LX_AT_GID          13
#define LX_AT_EGID         14
#define LX_AT_PLATFORM     15
#define LX_AT_HWCAP        16
#define LX_AT_CLKTCK       17
#define LX_AT_SECURE       23
#define LX_AT_RANDOM       25
#define LX_AT_HWCAP2       26
#define LX_AT_EXECFN       31
#define LX_AT_SYSINFO_EHDR 33
#define LX_AT_MINSIGSTKSZ  51

#endif
