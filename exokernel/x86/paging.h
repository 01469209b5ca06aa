// SPDX-License-Identifier: MIT
// Page-table entries: the processor's bits and the kernel's own (Intel SDM vol. 3, 4.5).
//
// What an entry of the user half maps is told by two of the bits the processor ignores:
//     ANON     an anonymous page: the entry is one of the page's references
//     PAGES    a page of a FRAMES window; SEGPAGE: of a SEGMENT window made page by page
//     BLOCK    a context's block or message page
// An entry also carries the most its rights may become, a window's the low bits of the slot's
// index. In a page directory, PAGES marks an entry that points at a segment's page table instead of
// one of the address space's own; COW one of a table that several address spaces share, each
// read-only, until it writes (x86/paging.c). A page with no rights is present but the kernel's
// (PTE_U clear).
#ifndef KERNEL_PAGING_H
#define KERNEL_PAGING_H

#include <object/mem.h>

#define PTE_P    (1ull << 0)
#define PTE_W    (1ull << 1)
#define PTE_U    (1ull << 2)
#define PTE_PWT  (1ull << 3)
#define PTE_PCD  (1ull << 4)
#define PTE_A    (1ull << 5)
#define PTE_D    (1ull << 6)
#define PTE_PS   (1ull << 7)
#define PTE_G    (1ull << 8)
#define PTE_NX   (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

#define PTE_COW       (1ull << 9)
#define PTE_KIND      (3ull << 10)
#define PTE_ANON      (0ull << 10)
#define PTE_PAGES     (1ull << 10)
#define PTE_BLOCK     (2ull << 10)
#define PTE_SEGPAGE   (3ull << 10)
#define PTE_MAX_W     (1ull << 52)
#define PTE_MAX_X     (1ull << 53)
#define PTE_PRIVATE   (PTE_ANON | PTE_MAX_W | PTE_MAX_X)
#define PTE_TAG_SHIFT 54
#define PTE_TAG       (0xffull << PTE_TAG_SHIFT)

#define PT_SPAN(level) (1ull << (12 + 9 * ((level)-1))) // bytes one entry of this level maps
#define SEG_SPAN       PT_SPAN(2)

static inline unsigned pt_index(uint64_t va, int level)
{
    return (unsigned)(va >> (12 + 9 * (level - 1))) & 511;
}

static inline exo_fn_t pte_frame(uint64_t pte)
{
    return (pte & PTE_ADDR) >> EXO_PAGE_SHIFT;
}

static inline uint64_t *pte_table(uint64_t pte)
{
    return phys_to_virt(pte & PTE_ADDR);
}

static inline uint64_t pte_of_table(const uint64_t *table)
{
    return virt_to_phys(table) | PTE_P | PTE_W | PTE_U;
}

// The most that the rights of an entry may become.
static inline uint64_t pte_most(uint32_t rights)
{
    return (rights & EXO_R_WRITE ? PTE_MAX_W : 0) | (rights & EXO_R_EXEC ? PTE_MAX_X : 0);
}

// The processor's bits for rights; of a page that is copy-on-write, without PTE_W.
static inline uint64_t pte_rights(uint32_t rights)
{
    return PTE_P | (rights ? PTE_U : 0) | (rights & EXO_R_WRITE ? PTE_W : 0) |
           (rights & EXO_R_EXEC ? 0 : PTE_NX);
}

static inline uint32_t pte_rights_of(uint64_t pte)
{
    if (!(pte & PTE_P) || !(pte & PTE_U))
        return 0;
    return EXO_R_READ | (pte & PTE_W ? EXO_R_WRITE : 0) | (pte & PTE_NX ? 0 : EXO_R_EXEC);
}
#endif
