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
    struct frame *f = frame_buy(bank, EXO_FRAME_TABLE, level < 4);

    if (level == 4)
        page_copy(frame_memory(f), kernel_pml4); // its lower half is vacant
    f->owner = owner;
    f->where = (uint32_t)((va & ~(PT_SPAN(level + 1) - 1)) >> 21) & 0x3ffffff;
    f->rank = (TABLE_RANK + (unsigned)level) & 15;
    return frame_memory(f);
}

uint64_t *pt_make(struct aspace *as, struct bank *bank, uint64_t va, int level)
{
    uint64_t *entry = &as->pml4[pt_index(va, 4)];

    for (int l = 4; l > level; l--) {
        if (l == 2 && pte_is_segment(*entry))
            return NULL;
        if (!(*entry & PTE_P))
            pt_set(entry, pte_of_table(table_buy(bank, &as->obj, va, l - 1)));
        entry = &pte_table(*entry)[pt_index(va, l - 1)];
    }
    return entry;
}

void pt_set(uint64_t *entry, uint64_t value)
{
    struct frame *f = frame_at(entry);

    kassert(*entry == 0);
    __atomic_store_n(entry, value, __ATOMIC_RELAXED);
    f->refs++;
    f->map |= 1ull << ((uintptr_t)entry >> 6 & 63);
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

// The first entry in use of a table from i on; 512: none. frame.map tells where to look: a group of
// eight has its bit since an entry of it came into use, and loses it when it is found vacant.
static unsigned table_next(const uint64_t *table, unsigned i)
{
    struct frame *f = frame_at(table);

    for (uint64_t groups = f->map & ~0ull << i / 8; groups; groups &= groups - 1) {
        unsigned group = (unsigned)__builtin_ctzll(groups) * 8;

        for (unsigned n = i > group ? i : group; n < group + 8; n++)
            if (table[n])
                return n;
        if (i <= group)
            f->map &= ~(1ull << group / 8);
    }
    return 512;
}

// Goes on in the table it is in as long as that has entries, and from the root otherwise. A table
// that was given back since is empty and stays readable until the gather that holds it is finished.
// Every table has an entry in use, so the work is that of the spots found and one way down.
bool spot_find(const struct aspace *as, struct spot *s, uint64_t end)
{
    uint64_t *table = s->level && pt_index(s->next, s->level) ? table_of(s->entry) : NULL;

    for (uint64_t at = s->next, span; as->pml4 && at < end;) {
        unsigned i, n;

        if (!table) {
            table = as->pml4;
            s->level = 4;
        }
        span = PT_SPAN(s->level);
        i = pt_index(at, s->level);
        n = table[i] ? i : table_next(table, i);
        if (n != i)
            at = (at & ~(span - 1)) + (n - i) * span;
        s->entry = &table[n];
        table = NULL;
        if (n == 512 || at >= end)
            continue;
        s->table = s->level == 2 && pte_is_segment(*s->entry);
        if (s->level == 1 || s->table) {
            s->va = at;
            s->next = (at & ~(span - 1)) + span;
            if (s->next > end)
                s->next = end;
            return true;
        }
        table = pte_table(*s->entry);
        s->level--;
    }
    s->next = end;
    return false;
}
