// SPDX-License-Identifier: MIT
//
// Windows: where a FRAMES or SEGMENT capability is mapped.
//
// A slot has one window, a range of its object at a range of one address space: page i of the
// object is at window.va + (i - window.first) pages. The record only says where to look: which of
// these pages are really mapped by this slot is told by the entries. An entry carries its kind and
// the low bits of the slot's index, and names the frame; so pages that were unmapped, replaced by
// private copies or mapped by another slot since are not touched when this slot's window goes. No
// page is mapped by a window without a slot that records it: deleting the slot therefore removes
// every mapping made by it.
//
// A whole segment at an aligned address is one directory entry, which points at the segment's own
// page table. When a part of it is to be unmapped or protected, it is split into single pages
// first.

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>

#define WINDOW_MAPPED 1 // slot.wkind

#define slot_segment(slot) ((struct segment *)(slot)->obj)

static uint64_t slot_tag(const struct cap_slot *slot)
{
    return (uint64_t)(slot->index & 0xff) << PTE_TAG_SHIFT;
}

static uint64_t window_base(const struct cap_window *w)
{
    return w->va - ((uint64_t)w->first << EXO_PAGE_SHIFT);
}

// Where page i of the slot's object is. An entry that is being cleared counts: it is to be found.
static uint64_t object_page(const struct cap_slot *slot, uint64_t i)
{
    if (slot->type == EXO_CAP_FRAMES)
        return (((const struct run *)slot->obj)->first + i) << EXO_PAGE_SHIFT;
    return slot_segment(slot)->table[i] & PTE_ADDR;
}

static bool owns_page(const struct cap_slot *slot, uint64_t i, uint64_t pte)
{
    uint64_t kind = slot->type == EXO_CAP_FRAMES ? PTE_PAGES : PTE_SEGPAGE;

    return (pte & (PTE_P | PTE_KIND | PTE_TAG | PTE_ADDR)) ==
           (PTE_P | kind | slot_tag(slot) | object_page(slot, i));
}

static bool owns_table(const struct cap_slot *slot, uint64_t pde)
{
    return slot->type == EXO_CAP_SEGMENT && pte_is_segment(pde) &&
           (pde & PTE_TAG) == slot_tag(slot) &&
           (pde & PTE_ADDR) == virt_to_phys(slot_segment(slot)->table);
}

static uint64_t page_index(const struct cap_window *w, uint64_t va)
{
    return (va - window_base(w)) >> EXO_PAGE_SHIFT;
}

// Counts the pages the slot has mapped among pages [first, first + count) of its object, which its
// window covers; with a gather, takes the single ones out, and directory entries too if `tables`.
static uint64_t window_each(const struct cap_slot *slot, uint32_t first, uint32_t count,
                            struct gather *g, bool tables)
{
    struct aspace *as = slot->window.aspace;
    uint64_t va = window_base(&slot->window) + ((uint64_t)first << EXO_PAGE_SHIFT), found = 0;
    uint64_t end = va + ((uint64_t)count << EXO_PAGE_SHIFT);

    FOR_SPOTS (s, as, va, end) {
        if (s.table ? !owns_table(slot, *s.entry)
                    : !owns_page(slot, page_index(&slot->window, s.va), *s.entry))
            continue;
        found += (s.next - s.va) >> EXO_PAGE_SHIFT;
        if (g && (tables || !s.table))
            spot_drop(g, &s);
    }
    return found;
}

uint64_t window_live(const struct cap_slot *slot)
{
    return window_each(slot, slot->window.first, slot->window.count, NULL, false);
}

void window_drop(struct cap_slot *slot)
{
    struct aspace *as = slot->window.aspace;
    struct gather g = GATHER(as);

    if (as->pml4 && frame_at(as->pml4)->refs) { // anything is mapped
        window_each(slot, slot->window.first, slot->window.count, &g, true);
        gather_finish(&g);
    }
    slot->wkind = 0;
    slot->window = (struct cap_window){0};
    aspace_window_gone(as);
}

void window_cut(struct cap_slot *slot, uint32_t first, uint32_t count)
{
    uint32_t from = slot->window.first > first ? slot->window.first : first;
    uint32_t end = slot->window.first + slot->window.count;
    struct gather g = GATHER(slot->window.aspace);

    if (end > first + count)
        end = first + count;
    if (end <= from)
        return;
    window_each(slot, from, end - from, &g, false);
    gather_finish(&g);
}

static void window_record(struct cap_slot *slot, const struct cap_window *w)
{
    struct aspace *old = slot->wkind ? slot->window.aspace : NULL, *as = w->aspace;

    if (old != as) {
        as->windows++;
        if (old)
            aspace_window_gone(old);
    }
    slot->wkind = WINDOW_MAPPED;
    slot->window = *w;
}

// What the record will be: the union with what it is, if both agree on where the object lies.
static int window_join(const struct cap_slot *slot, struct aspace *as, const struct exo_map_op *op,
                       struct cap_window *w)
{
    const struct cap_window *old = &slot->window;
    int err = -EXO_EEXISTS;

    *w = (struct cap_window){as, op->va, (uint32_t)op->first, op->count};
    if (!slot->wkind)
        return 0;
    if (old->aspace == as && window_base(old) == window_base(w)) {
        uint32_t first = old->first < w->first ? old->first : w->first;
        uint32_t old_end = old->first + old->count, end = w->first + w->count;

        end = old_end > end ? old_end : end;
        if (end - first <= WINDOW_LIMIT) {
            *w = (struct cap_window){as, old->va < w->va ? old->va : w->va, first, end - first};
            return 0;
        }
        err = -EXO_ELIMIT;
    }
    return window_live(slot) ? err : 0;
}

// --- mapping ---------------------------------------------------------------------------------

// The entry for page i of the object, or 0 where a segment has nothing.
static uint64_t page_entry(const struct cap_slot *slot, const struct exo_map_op *op, uint64_t i)
{
    uint32_t rights = op->rights, most = slot->rights;
    uint64_t extra = slot_tag(slot) | (op->flags & EXO_MAP_COW ? PTE_COW : 0);

    if (slot->type == EXO_CAP_SEGMENT) {
        uint64_t entry = slot_segment(slot)->table[i];

        if (!(entry & PTE_P))
            return 0;
        most &= pte_rights_of(entry);
        extra |= PTE_SEGPAGE;
    } else {
        extra |= PTE_PAGES;
        if (!run_of(slot->obj)->ram)
            extra |= PTE_PCD | PTE_PWT;
    }
    rights &= most;
    if (op->flags & EXO_MAP_COW)
        rights &= ~(uint32_t)EXO_R_WRITE;
    return object_page(slot, i) | pte_rights(rights) | pte_most(most) | extra;
}

// Frames that mapping page by page costs besides what is missing, or an error.
static int64_t pages_cost(const struct cap_slot *slot, struct aspace *as,
                          const struct exo_map_op *op, const struct cap_window *w, uint64_t end)
{
    int64_t cost = 0;
    bool again = slot->wkind && slot->window.aspace == as && op->flags & EXO_MAP_COW;

    FOR_SPOTS (s, as, op->va, end) {
        if (s.table ? owns_table(slot, *s.entry) : owns_page(slot, page_index(w, s.va), *s.entry))
            cost += s.table;
        else if (s.table || !again || (*s.entry & PTE_KIND) != PTE_ANON) // a private copy stays
            return -EXO_EEXISTS;
    }
    return cost;
}

static int map_pages(struct cap_slot *slot, struct gather *g, struct bank *bank,
                     const struct exo_map_op *op, const struct cap_window *w)
{
    struct aspace *as = g->as;
    uint64_t end = op->va + ((uint64_t)op->count << EXO_PAGE_SHIFT);
    int64_t cost = pages_cost(slot, as, op, w, end);

    if (cost < 0)
        return (int)cost;
    TRY(pt_afford(as, bank, op->va, op->count, 1, (uint64_t)cost));
    TRY(tables_own(g, bank, op->va, end, EXO_OP_MAP));
    for (uint64_t at = op->va, *entry = NULL; at < end; at += EXO_PAGE_SIZE) {
        uint64_t pte = page_entry(slot, op, page_index(w, at));

        if (!pte)
            continue;
        entry = pt_beside(entry, at) ?: pt_make(as, bank, at, 1);
        if (*entry && !owns_page(slot, page_index(w, at), *entry))
            continue;
        if (!(pte & PTE_PCD))
            frame_ready(frame_of(pte_frame(pte)));
        if (*entry)
            entry_change(g, entry, at, pte);
        else
            entry_put(entry, pte);
    }
    window_record(slot, w);
    return 0;
}

static int map_table(struct cap_slot *slot, struct gather *g, struct bank *bank,
                     const struct exo_map_op *op, const struct cap_window *w)
{
    struct aspace *as = g->as;
    uint64_t *pde = pt_entry(as, op->va, 2);
    uint64_t value = virt_to_phys(slot_segment(slot)->table) | pte_rights(op->rights) | PTE_PAGES |
                     pte_most(slot->rights) | slot_tag(slot);

    if (pde && *pde) {
        if (!owns_table(slot, *pde))
            return -EXO_EEXISTS;
        __atomic_store_n(pde, value, __ATOMIC_RELAXED);
        gather_note(g, op->va, SEG_SPAN);
    } else {
        TRY(pt_afford(as, bank, op->va, SEGMENT_ENTRIES, 2, 0));
        pt_set(pt_make(as, bank, op->va, 2), value);
    }
    window_record(slot, w);
    return 0;
}

int window_map(struct gather *g, struct bank *bank, const struct exo_map_op *op)
{
    bool cow = op->flags & EXO_MAP_COW;
    uint32_t need = (cow ? op->rights & ~(uint32_t)EXO_R_WRITE : op->rights) | EXO_R_READ;
    const uint64_t *pde = pt_entry(g->as, op->va, 2);
    struct cap_slot *slot;
    struct cap_window w;
    uint64_t length = SEGMENT_ENTRIES;

    TRY(cap_find(op->cap, EXO_CAP_NONE, need, &slot));
    if (slot->type != EXO_CAP_FRAMES && slot->type != EXO_CAP_SEGMENT)
        return -EXO_ETYPE;
    if (slot->type == EXO_CAP_FRAMES)
        length = run_of(slot->obj)->count;
    if (!rights_sound(op->rights, op->flags) || op->first >= length ||
        op->count > length - op->first ||
        (cow && slot->type == EXO_CAP_FRAMES && !run_of(slot->obj)->ram))
        return -EXO_EINVAL;
    TRY(window_join(slot, g->as, op, &w));
    if (slot->type == EXO_CAP_SEGMENT && !cow && op->va % SEG_SPAN == 0 &&
        op->count == SEGMENT_ENTRIES && !(pde && *pde & PTE_P && !pte_is_segment(*pde)))
        return map_table(slot, g, bank, op, &w);
    return map_pages(slot, g, bank, op, &w);
}

void window_clone(struct cap_slot *dst, const struct cap_slot *src, struct aspace *to,
                  struct bank *bank, struct spot *from, uint64_t **near)
{
    struct cap_window w = src->window;
    uint64_t end = w.va + ((uint64_t)w.count << EXO_PAGE_SHIFT), *entry;
    bool made = false;

    kassert(dst->index == src->index); // entries carry its low bits
    for (spot_seek(from, w.va); spot_next(w.aspace, from, end);) {
        uint64_t pte = *from->entry & ~(PTE_A | PTE_D);

        if (from->table ? !owns_table(src, pte) : !owns_page(src, page_index(&w, from->va), pte))
            continue;
        entry = from->table ? NULL : pt_beside(*near, from->va);
        entry = entry ?: pt_make(to, bank, from->va, from->table ? 2 : 1);
        if (!entry || *entry)
            continue;
        made = true;
        if (from->table)
            pt_set(entry, pte);
        else
            entry_put(*near = entry, pte);
    }
    w.aspace = to;
    if (made)
        window_record(dst, &w);
}
