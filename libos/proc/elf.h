// SPDX-License-Identifier: MIT
// Loading programs: what exec.c, elf.c and start.c share.
#ifndef PROC_ELF_H
#define PROC_ELF_H

#include <core/core.h>
#include <lx/elf.h>

#define ELF_PHDRS  64 // program headers of a file
#define ELF_INTERP 256

// A program file, or the bytes of one in a FRAMES capability (servers).
struct source {
    struct file *file;
    exo_handle_t frames;
    uint64_t size;
};
long source_read(const struct source *s, void *dst, size_t n, uint64_t offset); // bytes read

struct elf {
    struct lx_elf_header head;
    struct lx_elf_phdr *ph; // head.e_phnum of them, in the heap
    uint64_t low, high;     // of the loadable segments, page-aligned
    uint64_t interp, interp_len;
    uint64_t phdr; // address of the program headers once loaded (before the bias), or 0
};
// Checks the headers (pure; also tested on the host): 0, -LX_ENOEXEC, -LX_EINVAL, -LX_ENOMEM when
// it cannot lie where it must. `ph` holds head->e_phnum entries; `size` is the file's.
int elf_check_header(const struct lx_elf_header *head, uint64_t size);
int elf_check(struct elf *elf, uint64_t size);
int elf_read(struct elf *elf,
             const struct source *s); // elf->ph is to be freed, also after an error
// Whether segment i may be mapped as the whole 2 MiB around it: no other segment comes near.
bool elf_wide(const struct elf *elf, unsigned i, uint64_t bias);
int elf_load(const struct elf *elf, const struct source *s, uint64_t bias);

#endif
