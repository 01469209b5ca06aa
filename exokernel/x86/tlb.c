// SPDX-License-Identifier: MIT
//
// TLBs. Address spaces have no tags: loading CR3 forgets all but the kernel's global entries, so
// only a CPU that has the address space loaded can hold its translations. invlpg also forgets what
// the CPU caches of the tables above an entry (Intel SDM vol. 3, 4.10.4.1), so freeing a table
// needs one address of it flushed.

#include <object/aspace.h>

#define FLUSH_ONE_BY_ONE 32u // pages; beyond this, loading CR3 costs less

static paddr_t cr3_read(void)
{
    paddr_t cr3;

    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    return cr3 & PTE_ADDR;
}

void tlb_flush_all(void)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(cr3_read()) : "memory");
}

void tlb_flush(struct aspace *as, uint64_t va, uint64_t pages)
{
    if (!as->pml4 || cr3_read() != aspace_cr3(as))
        return;
    if (pages > FLUSH_ONE_BY_ONE) {
        tlb_flush_all();
        return;
    }
    for (; pages; pages--, va += EXO_PAGE_SIZE)
        __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}
