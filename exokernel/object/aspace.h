// SPDX-License-Identifier: MIT
// Address spaces, windows and segments, as the memory objects see each other. Private to them.
#ifndef KERNEL_ASPACE_H
#define KERNEL_ASPACE_H

#include <object/bank.h>
#include <x86/paging.h>

struct aspace {
    struct kobj obj;
    uint64_t *pml4;   // NULL once it is dead and cleared
    uint32_t windows; // slots whose window names it: the object stays for them, dead or not
    uint32_t shared;  // of its directory entries name a table it shares
    bool dead;        // no holder is left
};

// What a change of page tables leaves to do: flush the TLB over [lo, hi), and only then free.
struct gather {
    struct aspace *as;
    uint64_t lo, hi;
    struct frame_list dead;
};
#define GATHER(of) ((struct gather){.as = (of), .lo = UINT64_MAX})
void gather_note(struct gather *g, uint64_t va, uint64_t bytes);
void gather_finish(struct gather *g);

// --- tables (x86/paging.c) -------------------------------------------------------------------
extern uint64_t *kernel_pml4;
// The entry of this level (1 page .. 4) that maps va; NULL when a table above it is missing, a
// segment's or shared.
#define pt_entry(as, va, level) pt_make(as, NULL, va, level)
static inline bool pte_is_segment(uint64_t pde)
{
    return pde & PTE_P && (pde & PTE_KIND) == PTE_PAGES;
}
#define pde_is_shared(pde)  (((pde)&PTE_COW) != 0)
#define pde_is_foreign(pde) (((pde) & (PTE_KIND | PTE_COW)) != 0) // or a segment's
static inline uint64_t *table_of(const uint64_t *entry)
{
    return (uint64_t *)((uintptr_t)entry & ~(EXO_PAGE_SIZE - 1));
}
// What is mapped in a range, spot by spot: a page, or the directory entry of a segment or of a
// shared table (or the part of it in the range).
struct spot {
    uint64_t va, next; // where it is, and what comes after
    uint64_t *entry;
    int level;  // of the table entry is in; 0 before the first
    bool table; // entry is such a directory entry
};
#define SPOT_FROM(at) ((struct spot){.next = (at)})
bool spot_find(struct aspace *as, struct spot *spot, uint64_t end);
// The next one below end; false: there is none.
static inline bool spot_next(struct aspace *as, struct spot *s, uint64_t end)
{
    if (s->level != 1 || s->next >= end || s->next % SEG_SPAN == 0 || !s->entry[1])
        return spot_find(as, s, end);
    s->entry++;
    s->va = s->next;
    s->next += EXO_PAGE_SIZE;
    return true;
}
// The next one is the first from va on, which may be in the table of the last one.
static inline void spot_seek(struct spot *s, uint64_t va)
{
    if (s->level == 1 && s->va >> 21 == va >> 21)
        s->entry = table_of(s->entry) + pt_index(va, 1) - 1;
    else
        s->level = 0;
    s->next = va;
}
#define FOR_SPOTS(s, as, start, end) for (struct spot s = SPOT_FROM(start); spot_next(as, &s, end);)
// Whether the bank can pay `more` frames and the tables that are to be bought before every page of
// the range has its entry of this level: 0 or -EXO_ENOMEM.
int pt_afford(const struct aspace *as, struct bank *bank, uint64_t va, uint64_t pages, int level,
              uint64_t more);
// Room was looked at; tables that are missing are bought.
uint64_t *pt_make(const struct aspace *as, struct bank *bank, uint64_t va, int level);
// The entry for va beside `near`, a page's entry in the same address space, if they are in one
// table; otherwise NULL.
static inline uint64_t *pt_beside(const uint64_t *near, uint64_t va)
{
    return near && frame_at(near)->where == (va >> 21 & 0x3ffffff)
               ? table_of(near) + pt_index(va, 1)
               : NULL;
}
void pt_set(uint64_t *entry, uint64_t value); // a vacant entry comes into use
// The entry, which maps va, went out of use: when it was the table's last, the table goes too.
void pt_vacant(struct gather *g, struct frame *table, uint64_t va);
// NOLINTNEXTLINE(misc-no-recursion): up the four levels
static inline void pt_unuse(struct gather *g, const uint64_t *entry, uint64_t va)
{
    if (--frame_at(entry)->refs == 0)
        pt_vacant(g, frame_at(entry), va);
}
// A table of this level for va, zeroed and not hung up yet; room was looked at.
uint64_t *table_buy(struct bank *bank, struct kobj *owner, uint64_t va, int level);
// The table of single pages that maps [va, va + SEG_SPAN) in `from` is to be that of `to` as well,
// copy-on-write; false when it has one. Room for what is missing above it was looked at.
bool table_share(struct gather *from, uint64_t va, struct aspace *to, struct bank *bank);
void table_leave(struct aspace *as, uint64_t pde); // a directory entry in use goes
// Makes tables of a range that are not the address space's own so, by a copy. BUY: shared ones;
// MAP: segments', too; PROTECT: of these only what the range has a part of; UNMAP: of both.
// -EXO_ENOMEM.
int tables_own(struct gather *g, struct bank *bank, uint64_t va, uint64_t end, uint32_t kind);
void tlb_flush_all(void); // every address space on every CPU (x86/tlb.c)

// --- entries that map pages (object/aspace.c) ------------------------------------------------
void entry_put(uint64_t *entry, uint64_t pte); // vacant before
// Another page or other rights; vacant after when pte is 0.
void entry_change(struct gather *g, uint64_t *entry, uint64_t va, uint64_t pte);
void spot_drop(struct gather *g, const struct spot *s); // a page or a segment's directory entry
bool aspace_clear_range(struct aspace *as, uint64_t start, uint64_t end, unsigned *budget);
bool aspace_clear_table(struct frame *table, unsigned *budget); // all that it maps, and itself
void aspace_window_gone(struct aspace *as);                     // one slot less names it
// An ASPACE capability with WRITE; handle 0 is the caller's own.
int aspace_find(exo_handle_t handle, struct aspace **as);

// --- batch operations (object/batch.c) -------------------------------------------------------
int batch_op(struct aspace *as, struct bank *bank, const struct exo_map_op *op);
bool rights_sound(uint32_t rights, uint32_t flags); // known bits, nothing without READ, W^X

// --- windows (object/window.c) ---------------------------------------------------------------
#define WINDOW_LIMIT 4096u // pages
int window_map(struct gather *g, struct bank *bank, const struct exo_map_op *op);
void window_drop(struct cap_slot *slot);
uint64_t window_live(const struct cap_slot *slot); // pages (512 for a directory entry) it maps now
// Takes entries [first, first + count) of a segment out of a window made page by page.
void window_cut(struct cap_slot *slot, uint32_t first, uint32_t count);
// Maps the window's pages again for dst, a copy of src, in `to`, where nothing is; what is there
// already stays. *from and *near are where the last one's last page was and is.
void window_clone(struct cap_slot *dst, const struct cap_slot *src, struct aspace *to,
                  struct bank *bank, struct spot *from, uint64_t **near);

// --- segments (object/segment.c) -------------------------------------------------------------
#define SEGMENT_ENTRIES 512u
struct segment {
    struct kobj obj;
    uint64_t *table; // entries: PTE_P, rights; not PTE_P but not 0: being cleared
    uint32_t used;
    uint32_t clear_first, clear_count; // a clearing that goes on over several calls; count 0: none
    struct cap_mark *clear_at;         // it has seen the windows of the slots before this mark
};
void segment_slot_gone(struct cap_slot *slot); // hook: keeps clear_at valid

#endif
