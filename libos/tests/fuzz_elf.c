// SPDX-License-Identifier: MIT
//
// The ELF loader's and the script reader's decisions on hostile files: what passes the check can be
// loaded without a further look at its numbers, so that is what is asserted of it here.
#include <proc/exec.h>
#include "host.h"

static void must(bool good)
{
    if (!good)
        __builtin_trap();
}

static uint64_t page_down(uint64_t at)
{
    return at & ~(EXO_PAGE_SIZE - 1);
}

static void loadable(const struct elf *e, uint64_t size)
{
    uint64_t end = 0;
    bool any = false;
    for (unsigned i = 0; i < e->head.e_phnum; i++) {
        const struct lx_elf_phdr *p = &e->ph[i];
        if (p->p_type != LX_PT_LOAD || !p->p_memsz)
            continue;
        must(p->p_filesz <= p->p_memsz && p->p_offset + p->p_filesz >= p->p_offset);
        must(p->p_offset + p->p_filesz <= size);
        must(p->p_vaddr + p->p_memsz > p->p_vaddr && p->p_vaddr + p->p_memsz <= EXO_LIBOS_BASE);
        must(!any || page_down(p->p_vaddr) >= end);
        must(p->p_vaddr >= e->low && p->p_vaddr + p->p_memsz <= e->high);
        end = page_down(p->p_vaddr + p->p_memsz + EXO_PAGE_SIZE - 1);
        any = true;
        elf_wide(e, i, 0);
        elf_wide(e, i, 0x200000);
    }
    must(any && e->high <= EXO_LIBOS_BASE && e->low < e->high);
    must(e->interp_len <= ELF_INTERP && e->interp + e->interp_len <= size);
}

static void as_program(const uint8_t *data, size_t size)
{
    struct elf e = {0};
    if (size < sizeof e.head)
        return;
    memcpy(&e.head, data, sizeof e.head);
    // Mostly right where luck would take too long.
    if (data[0] & 1) {
        static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
        memcpy(e.head.e_ident, ident, sizeof ident);
        e.head.e_machine = LX_EM_X86_64;
        e.head.e_type = data[1] & 1 ? LX_ET_EXEC : LX_ET_DYN;
        e.head.e_phentsize = sizeof(struct lx_elf_phdr);
        e.head.e_phoff = sizeof e.head;
        e.head.e_phnum = (uint16_t)((size - sizeof e.head) / sizeof(struct lx_elf_phdr));
    }
    uint64_t file_size = data[2] & 1 ? size : 1ull << (data[3] & 63);
    if (elf_check_header(&e.head, file_size) || e.head.e_phoff > size ||
        size - e.head.e_phoff < e.head.e_phnum * sizeof(struct lx_elf_phdr))
        return;
    e.ph = malloc(e.head.e_phnum * sizeof(struct lx_elf_phdr));
    memcpy(e.ph, data + e.head.e_phoff, e.head.e_phnum * sizeof(struct lx_elf_phdr));
    for (unsigned i = 0; data[4] & 1 && i < e.head.e_phnum; i++) {
        struct lx_elf_phdr *p = &e.ph[i];
        p->p_type = p->p_type & 1 ? LX_PT_LOAD : p->p_type & 2 ? LX_PT_INTERP : p->p_type;
        p->p_vaddr = (p->p_vaddr & ~0xfffull) | (p->p_offset & 0xfff);
    }
    if (elf_check(&e, file_size) == 0)
        loadable(&e, file_size);
    free(e.ph);
}

static void as_script(const uint8_t *data, size_t size)
{
    size_t n = size < SCRIPT_HEAD ? size : SCRIPT_HEAD;
    char *head = malloc(n + 1), *interp = NULL, *arg = NULL;
    memcpy(head, data, n);
    if (script_parse(head, n, &interp, &arg) == 0) {
        struct strings argv = {0};
        must(interp >= head && interp < head + n && *interp);
        must(!arg || (arg > interp && arg <= head + n));
        strings_add(&argv, "script", 6);
        must(strings_script(&argv, interp, arg, "/path") == 0);
        must(argv.count >= 2 && argv.count <= 3 && argv.used <= argv.room);
        heap_free(argv.text);
    }
    free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 8)
        return 0;
    as_program(data, size);
    as_script(data, size);
    return 0;
}
