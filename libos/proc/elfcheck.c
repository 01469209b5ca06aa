// SPDX-License-Identifier: MIT
//
// Whether a file is a program this system can load. Pure: everything here is decided from the
// headers, which are hostile, and nothing is mapped. What passes can be loaded without further
// checks of its numbers.
#include <proc/elf.h>

#define PAGE      EXO_PAGE_SIZE
#define DIRECTORY (512 * PAGE)

int elf_check_header(const struct lx_elf_header *h, uint64_t size)
{
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F',
                                     2,    1,   1}; // 64 bit, little-endian, version 1
    if (size < sizeof *h || memcmp(h->e_ident, ident, sizeof ident) != 0)
        return -LX_ENOEXEC;
    if (h->e_machine != LX_EM_X86_64 || (h->e_type != LX_ET_EXEC && h->e_type != LX_ET_DYN))
        return -LX_ENOEXEC;
    if (h->e_phentsize != sizeof(struct lx_elf_phdr) || !h->e_phnum || h->e_phnum > ELF_PHDRS)
        return -LX_ENOEXEC;
    if (h->e_phoff > size || size - h->e_phoff < h->e_phnum * sizeof(struct lx_elf_phdr))
        return -LX_ENOEXEC;
    return 0;
}

static bool load_sound(const struct lx_elf_phdr *p, uint64_t size)
{
    if (p->p_filesz > p->p_memsz || p->p_filesz > size || p->p_offset > size - p->p_filesz)
        return false;
    if ((p->p_vaddr ^ p->p_offset) & (PAGE - 1))
        return false;
    return p->p_memsz <= EXO_LIBOS_BASE - PAGE && p->p_vaddr <= EXO_LIBOS_BASE - PAGE - p->p_memsz;
}

static uint64_t down(uint64_t a, uint64_t unit)
{
    return a & ~(unit - 1);
}

static uint64_t up(uint64_t a, uint64_t unit)
{
    return down(a + unit - 1, unit);
}

// Segments ascend and share no page, so that each page has one source.
int elf_check(struct elf *elf, uint64_t size)
{
    const struct lx_elf_header *h = &elf->head;
    uint64_t end = 0;
    bool any = false;
    elf->phdr = elf->interp = elf->interp_len = elf->low = 0;
    for (unsigned i = 0; i < h->e_phnum; i++) {
        const struct lx_elf_phdr *p = &elf->ph[i];
        if (p->p_type == LX_PT_INTERP) {
            if (p->p_filesz < 2 || p->p_filesz > ELF_INTERP || p->p_offset > size ||
                p->p_filesz > size - p->p_offset)
                return -LX_ENOEXEC;
            elf->interp = p->p_offset;
            elf->interp_len = p->p_filesz;
        }
        if (p->p_type != LX_PT_LOAD || !p->p_memsz)
            continue;
        if (!load_sound(p, size))
            return -LX_ENOEXEC;
        if (any && down(p->p_vaddr, PAGE) < end)
            return -LX_ENOEXEC;
        if (!any)
            elf->low = down(p->p_vaddr, PAGE);
        any = true;
        end = up(p->p_vaddr + p->p_memsz, PAGE);
        if (h->e_phoff >= p->p_offset && h->e_phoff - p->p_offset < p->p_filesz)
            elf->phdr = p->p_vaddr + (h->e_phoff - p->p_offset);
    }
    if (!any)
        return -LX_ENOEXEC;
    elf->high = end;
    if (h->e_type == LX_ET_EXEC && elf->low < EXO_USER_BASE)
        return -LX_ENOMEM;
    return 0;
}

bool elf_wide(const struct elf *elf, unsigned i, uint64_t bias)
{
    const struct lx_elf_phdr *p = &elf->ph[i];
    if (p->p_flags & LX_PF_W || ((p->p_vaddr + bias) ^ p->p_offset) & (DIRECTORY - 1) ||
        p->p_memsz != p->p_filesz)
        return false;
    uint64_t from = down(p->p_vaddr + bias, DIRECTORY);
    uint64_t to = up(p->p_vaddr + bias + p->p_memsz, DIRECTORY);
    for (unsigned k = 0; k < elf->head.e_phnum; k++) {
        const struct lx_elf_phdr *o = &elf->ph[k];
        if (k == i || o->p_type != LX_PT_LOAD || !o->p_memsz)
            continue;
        if (o->p_vaddr + bias < to && o->p_vaddr + bias + o->p_memsz > from)
            return false;
    }
    return true;
}
