// SPDX-License-Identifier: MIT
//
// The two halves of fork: anonymous pages (aspace_clone) and the capability table with its windows
// (cap_clone_table). Both go over their range in bounded steps and keep their place in the caller's
// cursor, which is believed only as far as it lies in the range.
//
// Copy-on-write: the caller's entry loses its write right before the clone's is made, and the
// caller's TLBs are flushed before the call returns, so no write of the caller can reach a frame
// the clone already relies on (models/cow_break.pml). A page that was not writable becomes
// copy-on-write as well: it may be made writable later, by either side. Where a region has a whole
// table of pages, at least SHARE_LEAST, the clone shares the table, so that a fork costs by the
// 2 MiB (x86/paging.c).

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/env.h>

#define CLONE_REGIONS 64u
#define CLONE_PAGES   512u // entries one call looks at
#define CLONE_SLOTS   512u
#define CLONE_SKIP    64u
#define SHARE_LEAST   128u // pages, about what a copy of the table costs in clones of pages

// --- pages -----------------------------------------------------------------------------------

struct page_clone {
    struct aspace *from, *to;
    struct bank *bank;
    struct gather g; // of `from`
    uint64_t *at;    // the entry of `to` made last
    unsigned pages;  // looked at
};

static bool region_sound(const struct exo_region *r)
{
    return r->start % EXO_PAGE_SIZE == 0 && r->end % EXO_PAGE_SIZE == 0 && r->start <= r->end &&
           r->end <= EXO_USER_END && r->mode <= EXO_CLONE_COPY && r->flags == 0;
}

// What the clone has there already stays.
static int page_clone(struct page_clone *c, uint32_t mode, const struct spot *s)
{
    uint64_t pte = *s->entry & ~(PTE_A | PTE_D), *entry = pt_beside(c->at, s->va);

    if (!entry || mode == EXO_CLONE_COPY)
        TRY(pt_afford(c->to, c->bank, s->va, 1, 1, mode == EXO_CLONE_COPY));
    if (!entry)
        c->at = entry = pt_make(c->to, c->bank, s->va, 1);
    if (!entry || *entry)
        return 0;
    if (mode == EXO_CLONE_COPY) {
        struct frame *f = frame_buy(c->bank, EXO_FRAME_ANON, false);

        page_copy(frame_memory(f), phys_to_virt(pte & PTE_ADDR));
        pte = (pte & ~PTE_ADDR) | frame_number(f) << EXO_PAGE_SHIFT;
    } else if (mode == EXO_CLONE_COW) {
        if (!(pte & PTE_COW))
            entry_change(&c->g, s->entry, s->va, (pte & ~PTE_W) | PTE_COW);
        pte = (pte & ~PTE_W) | PTE_COW;
    }
    entry_put(entry, pte);
    return 0;
}

// The whole table that s lies in, which is one that is shared already or a page's: 1 when the clone
// has it now or, if it is to be gone through page by page, s stands before the first; 0 when s
// stays.
static int pages_share(struct page_clone *c, const struct exo_region *r, struct spot *s)
{
    const struct frame *table = frame_at(s->table ? pte_table(*s->entry) : s->entry);
    uint64_t start = s->va & ~(SEG_SPAN - 1);

    if (r->mode == EXO_CLONE_COW && start >= r->start && start + SEG_SPAN <= r->end &&
        !table->dirty && table->refs >= SHARE_LEAST) {
        TRY(pt_afford(c->to, c->bank, start, SEGMENT_ENTRIES, 2, 0));
        if (table_share(&c->g, start, c->to, c->bank)) {
            *s = SPOT_FROM(start + SEG_SPAN);
            return 1;
        }
    }
    if (!s->table)
        return 0;
    TRY(tables_own(&c->g, c->bank, s->va, s->next, EXO_OP_BUY));
    c->pages += SHARE_LEAST; // a copy of a table is some work
    *s = SPOT_FROM(s->va);
    return 1;
}

// Clones from *va on; 0 at the end of the region, -EXO_EAGAIN when the call has done its share.
static int region_clone(struct page_clone *c, const struct exo_region *r, uint64_t *va)
{
    struct spot s = SPOT_FROM(*va);
    uint64_t seen = EXO_NEVER; // the table looked at last

    for (; r->mode != EXO_CLONE_DROP && spot_next(c->from, &s, r->end); *va = s.next) {
        int err = 0;

        if (c->pages++ >= CLONE_PAGES)
            return -EXO_EAGAIN;
        if (s.table ? pde_is_shared(*s.entry) : s.va >> 21 != seen) {
            seen = s.va >> 21;
            err = pages_share(c, r, &s);
        }
        if (err == 0 && !s.table && (*s.entry & PTE_KIND) == PTE_ANON)
            err = page_clone(c, r->mode, &s);
        if (err < 0)
            return err;
    }
    *va = r->end;
    return 0;
}

// The cursor: index of the region, and the page in it.
#define CURSOR_REGION 36 // bits of the page

static int regions_clone(struct page_clone *c, uaddr_t regions, uint64_t count, uint64_t *cursor)
{
    uint64_t i = *cursor >> CURSOR_REGION;

    for (; i < count; i++, *cursor = i << CURSOR_REGION) {
        struct exo_region r;
        uint64_t va;
        int err;

        TRY(copy_from_user(&r, regions + i * sizeof(r), sizeof(r)));
        if (!region_sound(&r))
            return -EXO_EINVAL;
        va = (*cursor & ((1ull << CURSOR_REGION) - 1)) << EXO_PAGE_SHIFT;
        va = va < r.start ? r.start : va;
        err = region_clone(c, &r, &va);
        *cursor = i << CURSOR_REGION | va >> EXO_PAGE_SHIFT;
        if (err)
            return err;
    }
    return 0;
}

// The caller's cursor: read, and a place to write it to that stays even when its page becomes
// copy-on-write.
static int cursor_find(uaddr_t cursor, uint64_t *at, uint64_t **place)
{
    uint32_t rights;
    paddr_t pa = aspace_translate(env_current()->aspace, cursor, &rights);

    if (!pa || !(rights & EXO_R_WRITE) || cursor % sizeof(*at) || !frame_info(pa >> EXO_PAGE_SHIFT))
        return -EXO_EFAULT;
    *place = phys_to_virt(pa);
    *at = **place;
    return 0;
}

// A call that did a part is to be repeated, whatever stopped it; the next one will tell.
static int64_t part_done(int err, uint64_t from, uint64_t at)
{
    return err && at != from ? -EXO_EAGAIN : err;
}

int64_t sys_aspace_clone(exo_handle_t dst, exo_handle_t bank, uaddr_t regions, uint64_t count,
                         uaddr_t cursor)
{
    struct page_clone c = {.from = env_current()->aspace};
    uint64_t at, from, *place;
    int err;

    TRY(aspace_find(dst, &c.to));
    TRY(bank_find(bank, EXO_R_BUY, &c.bank));
    if (count > CLONE_REGIONS)
        return -EXO_ELIMIT;
    TRY(cursor_find(cursor, &at, &place));
    if (c.to == c.from)
        return -EXO_EINVAL;
    from = at;
    c.g = GATHER(c.from);
    err = regions_clone(&c, regions, count, &at);
    gather_finish(&c.g);
    *place = at;
    return part_done(err, from, at);
}

// --- tables ----------------------------------------------------------------------------------

struct table_clone {
    struct env *to;
    bool windows;
    const uint64_t *skips;
    uint64_t nskips, pages;
    struct spot from; // the page that a window had last, and its entry in the clone
    uint64_t *at;
};

static bool is_skipped(const struct table_clone *c, const struct cap_slot *src)
{
    for (uint64_t i = 0, handle = cspace_handle(src); src->type && i < c->nskips; i++)
        if (c->skips[i] == handle)
            return true;
    return false;
}

// A slot of the clone that is taken, or later than the caller's, stays as it is.
static int slot_clone(struct table_clone *c, struct cap_slot *src, struct cap_slot *dst)
{
    const struct cap_window *w = &src->window;
    bool copy = !is_skipped(c, src);
    bool window = copy && c->windows && src->wkind && w->aspace == env_current()->aspace &&
                  (src->type == EXO_CAP_FRAMES || src->type == EXO_CAP_SEGMENT);

    if (dst->generation > src->generation)
        return -EXO_EEXISTS;
    if (window && !(pt_beside(c->at, w->va) && w->count == 1))
        TRY(pt_afford(c->to->aspace, c->to->bank, w->va, w->count, 1, 0));
    TRY(cspace_clone(src, dst, copy));
    if (!window)
        return 0;
    window_clone(dst, src, c->to->aspace, c->to->bank, &c->from, &c->at);
    // One directory entry, or page by page.
    c->pages += w->count == SEGMENT_ENTRIES && w->va % SEG_SPAN == 0 ? 1 : w->count;
    return 0;
}

static int table_clone(struct table_clone *c, uint32_t *cursor)
{
    struct cap_slot *src = NULL, *dst = NULL;
    int err;

    *cursor += *cursor == 0;
    for (unsigned n = 0;; n++, ++*cursor, src++, dst++) {
        if (n == 0 || *cursor % CSPACE_SLOTS_PER_PAGE == 0) { // both tables have pages alike
            src = cspace_slot(&env_current()->caps, *cursor);
            err = src ? cap_slot_for(c->to, *cursor, &dst) : 0;
            if (!src || (err && err != -EXO_EEXISTS))
                return err;
            dst = cspace_slot(&c->to->caps, *cursor);
        }
        if (!src->type && !src->flags && src->generation == dst->generation)
            continue; // vacant since the beginning
        if (n >= CLONE_SLOTS || c->pages >= CLONE_PAGES)
            return -EXO_EAGAIN;
        err = slot_clone(c, src, dst);
        if (err && err != -EXO_EEXISTS)
            return err;
    }
}

int64_t sys_cap_clone_table(exo_handle_t env, uaddr_t skip, uint64_t nskip, uaddr_t cursor,
                            uint64_t flags)
{
    uint64_t handles[CLONE_SKIP], from;
    struct table_clone c = {.skips = handles, .nskips = nskip, .windows = !flags};
    uint32_t at;
    int err;

    TRY(env_find(env, EXO_R_CONTROL, &c.to));
    if (nskip > CLONE_SKIP)
        return -EXO_ELIMIT;
    TRY(copy_from_user(handles, skip, nskip * sizeof(handles[0])));
    TRY(copy_from_user(&from, cursor, sizeof(from)));
    TRY(copy_to_user(cursor, &from, sizeof(from)));
    if (c.to == env_current() || from >> EXO_HANDLE_BITS || flags & ~(uint64_t)EXO_CLONE_NO_WINDOWS)
        return -EXO_EINVAL;
    at = (uint32_t)from;
    err = table_clone(&c, &at);
    if (copy_to_user(cursor, &(uint64_t){at}, sizeof(from)))
        return -EXO_EFAULT; // a revocation took the caller's page away meanwhile
    return part_done(err, from ? from : 1, at);
}
