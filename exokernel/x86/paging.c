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
//
// A table that holds nothing but anonymous pages may be shared copy-on-write as a whole: it has no
// owner, each of its directory entries is read-only, and its pages count it as one. Nobody changes
// it. Who must takes a copy, which makes all its pages copy-on-write (tables_own); who comes upon
// one that nobody shares any more has it back as it was (spot_find). models/cow_table.pml.

#include <core/dispatch.h>
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

uint64_t *pt_make(const struct aspace *as, struct bank *bank, uint64_t va, int level)
{
    uint64_t *entry = as->pml4 + pt_index(va, 4);

    for (int l = 4; as->pml4 && l > level; l--) {
        if ((l == 2 && pde_is_foreign(*entry)) || (!*entry && !bank))
            return NULL;
        if (!*entry)
            pt_set(entry, pte_of_table(table_buy(bank, (struct kobj *)&as->obj, va, l - 1)));
        entry = &pte_table(*entry)[pt_index(va, l - 1)];
    }
    return as->pml4 ? entry : NULL;
}

static uint64_t pt_missing(const struct aspace *as, uint64_t va, uint64_t pages, int level)
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

// A range of a few MiB needs no more than one table for each 2 MiB, and two of each kind at its
// ends.
int pt_afford(const struct aspace *as, struct bank *bank, uint64_t va, uint64_t pages, int level,
              uint64_t more)
{
    return bank_room(bank) >= more + pages / SEGMENT_ENTRIES + 6
               ? 0
               : bank_afford(bank, more + pt_missing(as, va, pages, level));
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

void pt_set(uint64_t *entry, uint64_t value)
{
    struct frame *f = frame_at(entry);

    kassert(*entry == 0);
    __atomic_store_n(entry, value, __ATOMIC_RELAXED);
    f->refs++;
    f->dirty |= (value & PTE_KIND) != PTE_ANON;
    f->map |= 1ull << ((uintptr_t)entry >> 6 & 63);
}

// NOLINTNEXTLINE(misc-no-recursion): up the four levels
void pt_vacant(struct gather *g, struct frame *table, uint64_t va)
{
    uint64_t *above;
    int level = (int)(table->rank - TABLE_RANK);

    if (level == 4)
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

    // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): i is pt_index's, below 512
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

// --- tables shared copy-on-write -------------------------------------------------------------

bool table_share(struct gather *from, uint64_t va, struct aspace *to, struct bank *bank)
{
    uint64_t *pde = pt_entry(from->as, va, 2), *entry = pt_make(to, bank, va, 2);
    struct frame *f = frame_at(pte_table(*pde));

    if (*entry)
        return false;
    if (!pde_is_shared(*pde)) {
        __atomic_store_n(pde, (*pde & ~PTE_W) | PTE_COW | PTE_PRIVATE, __ATOMIC_RELAXED);
        gather_note(from, va, SEG_SPAN);
        from->as->shared++;
        f->owner = NULL;
        f->where = 1;
    }
    f->where++;
    to->shared++;
    pt_set(entry, *pde & ~PTE_A);
    return true;
}

void table_leave(struct aspace *as, uint64_t pde)
{
    if (!pde_is_shared(pde))
        return;
    frame_at(pte_table(pde))->where--;
    as->shared--;
}

// The last one to share a table has it for its own. More rights need no flush.
static bool table_alone(struct aspace *as, uint64_t va, uint64_t *pde)
{
    struct frame *f = frame_at(pte_table(*pde));

    if (f->where > 1)
        return false;
    f->owner = &as->obj;
    f->where = va >> 21 & 0x3ffffff;
    as->shared--;
    __atomic_store_n(pde, pte_of_table(frame_memory(f)), __ATOMIC_RELAXED);
    return true;
}

// What a table of the address space has where a segment's or a shared one had this entry, and the
// directory this one.
static uint64_t entry_owned(uint64_t *entry, uint64_t pde)
{
    uint64_t pte = *entry;

    if (pde_is_shared(pde))
        return pte ? *entry = (pte & ~(PTE_W | PTE_A | PTE_D)) | PTE_COW : 0;
    return !(pte & PTE_P) ? 0
                          : (pte & PTE_ADDR) | (pde & PTE_TAG) | PTE_SEGPAGE |
                                pte_rights(pte_rights_of(pte) & pte_rights_of(pde)) |
                                (pte_most(pte_rights_of(pte)) & pde);
}

// What else the old one serves goes on with it.
static void table_own(struct gather *g, struct bank *bank, uint64_t va, uint64_t *pde)
{
    uint64_t old = *pde, *from = pte_table(old), *table = table_buy(bank, &g->as->obj, va, 1), pte;

    for (unsigned i = 0; i < SEGMENT_ENTRIES; i++)
        if ((pte = entry_owned(&from[i], old)))
            entry_put(&table[i], pte);
    table_leave(g->as, old);
    __atomic_store_n(pde, pte_of_table(table), __ATOMIC_RELEASE);
    tlb_flush(g->as, va, SEGMENT_ENTRIES); // before the old one may go
    frame_at(table)->refs++;               // so that it goes at once when the segment has nothing
    pt_unuse(g, table, va);
}

int tables_own(struct gather *g, struct bank *bank, uint64_t va, uint64_t end, uint32_t kind)
{
    for (uint64_t at = kind == EXO_OP_BUY && !g->as->shared ? end : va & ~(SEG_SPAN - 1); at < end;
         at += SEG_SPAN) {
        uint64_t *pde = pt_entry(g->as, at, 2);
        bool all = at >= va && at + SEG_SPAN <= end;

        if (!pde || !pde_is_foreign(*pde))
            continue;
        if (pde_is_shared(*pde) ? (all && kind == EXO_OP_UNMAP) || table_alone(g->as, at, pde)
                                : kind == EXO_OP_BUY || (all && kind != EXO_OP_MAP))
            continue;
        TRY(bank_afford(bank, 1));
        table_own(g, bank, at, pde);
    }
    return 0;
}

// --- what is mapped --------------------------------------------------------------------------

// Goes on in the table it is in as long as that has entries, and from the root otherwise. A table
// that was given back since is empty and stays readable until the gather that holds it is finished.
// Every table has an entry in use, so the work is that of the spots found and one way down.
bool spot_find(struct aspace *as, struct spot *s, uint64_t end)
{
    uint64_t *table = s->level && pt_index(s->next, s->level) ? table_of(s->entry) : NULL;
    uint64_t at = s->next;

    for (int level = s->level; as->pml4 && at < end; level--) {
        unsigned i;

        if (!table) {
            table = as->pml4;
            level = 4;
        }
        i = pt_index(at, level);
        if (!table[i]) {
            unsigned n = table_next(table, i);

            at = (at & ~(PT_SPAN(level) - 1)) + (n - i) * PT_SPAN(level);
            i = n;
            if (n == 512 || at >= end) {
                table = NULL;
                continue;
            }
        }
        s->table = level == 2 && pde_is_foreign(table[i]) &&
                   !(pde_is_shared(table[i]) && table_alone(as, at, &table[i]));
        if (level == 1 || s->table) {
            s->entry = &table[i];
            s->level = level;
            s->va = at;
            s->next = (at & ~(PT_SPAN(level) - 1)) + PT_SPAN(level);
            if (s->next > end)
                s->next = end;
            return true;
        }
        table = pte_table(table[i]);
    }
    s->next = end;
    return false;
}
