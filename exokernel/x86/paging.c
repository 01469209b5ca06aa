// SPDX-License-Identifier: MIT
//
// Page tables of address spaces: finding, buying and giving back tables. What the entries mean is
// aspace.c's.
//
// Every table of the user half is a frame of kind TABLE: its owner is the address space, its refs
// the number of entries in use, so that it goes the moment it is empty (pt_unuse), and its rank and
// place tell where it hangs, so that a bank that paid for it can take it out. The kernel half is
// the same in all address spaces: mem_init makes its second-level tables once and they never
// change.
//
// Nothing is freed before the TLBs have forgotten it: what goes is collected in a struct gather.

#include <core/log.h>
#include <object/aspace.h>

uint64_t *kernel_pml4;

void gather_note(struct gather *g, uint64_t va, uint64_t bytes)
{
    if (va < g->lo)
        g->lo = va;
    if (va + bytes > g->hi)
        g->hi = va + bytes;
}

void gather_finish(struct gather *g)
{
    struct frame *f;

    if (g->hi > g->lo)
        tlb_flush(g->as, g->lo, (g->hi - g->lo) >> EXO_PAGE_SHIFT);
    while ((f = LIST_FIRST(&g->dead)))
        frame_free(f);
    *g = GATHER(g->as);
}

uint64_t *pt_entry(const struct aspace *as, uint64_t va, int level)
{
    uint64_t *entry;

    if (!as->pml4)
        return NULL;
    entry = &as->pml4[pt_index(va, 4)];
    for (int l = 4; l > level; l--) {
        if (!(*entry & PTE_P) || (l == 2 && pte_is_segment(*entry)))
            return NULL;
        entry = &pte_table(*entry)[pt_index(va, l - 1)];
    }
    return entry;
}

uint64_t pt_missing(const struct aspace *as, uint64_t va, uint64_t pages, int level)
{
    uint64_t first = va & ~(PT_SPAN(2) - 1), end = va + (pages << EXO_PAGE_SHIFT), missing = 0;

    for (uint64_t at = first; at < end; at += PT_SPAN(2)) {
        for (int l = 4; l > level && !pt_entry(as, at, level); l--) {
            const uint64_t *entry = pt_entry(as, at, l);

            if (!(entry && *entry & PTE_P) && (at == first || at % PT_SPAN(l) == 0))
                missing++;
        }
    }
    return missing;
}

uint64_t *table_buy(struct bank *bank, struct kobj *owner, uint64_t va, int level)
{
    struct frame *f = frame_buy(bank, EXO_FRAME_TABLE, true);

    f->owner = owner;
    f->where = (uint32_t)((va & ~(PT_SPAN(level + 1) - 1)) >> 21) & 0x3ffffff;
    f->rank = (TABLE_RANK + (unsigned)level) & 15;
    return frame_memory(f);
}

uint64_t *pt_make(struct aspace *as, struct bank *bank, uint64_t va, int level)
{
    uint64_t *entry = &as->pml4[pt_index(va, 4)];

    for (int l = 4; l > level; l--) {
        if (!(*entry & PTE_P))
            pt_set(entry, pte_of_table(table_buy(bank, &as->obj, va, l - 1)));
        entry = &pte_table(*entry)[pt_index(va, l - 1)];
    }
    return entry;
}

void pt_set(uint64_t *entry, uint64_t value)
{
    kassert(*entry == 0);
    __atomic_store_n(entry, value, __ATOMIC_RELAXED);
    frame_at(entry)->refs++;
}

void pt_unuse(struct gather *g, const uint64_t *entry, uint64_t va)
{
    struct frame *table = frame_at(entry);
    int level = (int)(table->rank - TABLE_RANK);
    uint64_t *above;

    if (--table->refs || level == 4)
        return;
    above = pt_entry(g->as, va, level + 1);
    __atomic_store_n(above, 0, __ATOMIC_RELAXED);
    gather_note(g, va & ~(EXO_PAGE_SIZE - 1), EXO_PAGE_SIZE);
    frame_move(table, &g->dead);
    pt_unuse(g, above, va);
}

// Most entries of a table are vacant: passes over them, and stops at one that is not, or the last
// to look at.
static void skip_vacant(struct spot *s, uint64_t end)
{
    unsigned shift = EXO_PAGE_SHIFT + 9 * ((unsigned)s->level - 1);
    uint64_t most = 511 - pt_index(s->va, s->level), in_range = (end - 1 - s->va) >> shift, n = 0;

    if (most > in_range)
        most = in_range;
    if (most > s->steps)
        most = s->steps;
    for (const uint64_t *e = s->entry; n + 8 <= most; n += 8, e += 8)
        if (e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7])
            break;
    while (n < most && s->entry[n] == 0)
        n++;
    s->entry += n;
    s->va += n << shift;
    s->steps -= (unsigned)n;
}

// Goes on in the table it is in as long as that has entries, and from the root otherwise. A table
// that was given back since is empty and stays readable until the gather that holds it is finished.
bool spot_next(const struct aspace *as, struct spot *s, uint64_t end)
{
    while (as->pml4 && s->next < end && s->steps) {
        s->steps--;
        s->va = s->next;
        s->table = false;
        if (s->level && pt_index(s->va, s->level)) {
            s->entry++;
            skip_vacant(s, end);
        } else {
            s->level = 4;
            s->entry = &as->pml4[pt_index(s->va, 4)];
        }
        while (s->level > 1 && *s->entry & PTE_P && !s->table) {
            s->table = s->level == 2 && pte_is_segment(*s->entry);
            if (!s->table)
                s->entry = &pte_table(*s->entry)[pt_index(s->va, --s->level)];
        }
        s->next = (s->va & ~(PT_SPAN(s->level) - 1)) + PT_SPAN(s->level);
        if (s->next > end)
            s->next = end;
        if (*s->entry & PTE_P)
            return true;
    }
    return false;
}
