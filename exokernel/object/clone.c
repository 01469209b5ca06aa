// SPDX-License-Identifier: MIT
//
// The two halves of fork: anonymous pages (aspace_clone) and the capability table with its windows
// (cap_clone_table). Both go over their range in bounded steps and keep their place in the caller's
// cursor, which is believed only as far as it lies in the range.
//
// Copy-on-write: the caller's entry loses its write right before the clone's is made, and the
// caller's TLBs are flushed before the call returns, so no write of the caller can reach a frame
// the clone already relies on (models/cow_break.pml). A page that was not writable becomes
// copy-on-write as well: it may be made writable later, by either side.

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/env.h>

#define CLONE_REGIONS 64u
#define CLONE_PAGES   512u // entries one call looks at
#define CLONE_SLOTS   512u
#define CLONE_SKIP    64u

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
    uint64_t cost = (entry ? 0 : pt_missing(c->to, s->va, 1, 1)) + (mode == EXO_CLONE_COPY);

    if (cost && bank_room(c->bank) < cost)
        return -EXO_ENOMEM;
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

// Clones from *va on; 0 at the end of the region, -EXO_EAGAIN when the call has done its share.
static int region_clone(struct page_clone *c, const struct exo_region *r, uint64_t *va)
{
    struct spot s = SPOT_FROM(*va);

    for (; r->mode != EXO_CLONE_DROP && spot_next(c->from, &s, r->end); *va = s.next) {
        if (c->pages++ >= CLONE_PAGES)
            return -EXO_EAGAIN;
        if (!s.table && (*s.entry & PTE_KIND) == PTE_ANON)
            TRY(page_clone(c, r->mode, &s));
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
    uint64_t nskips;
};

static bool has_window(const struct table_clone *c, const struct cap_slot *src)
{
    return c->windows && (src->type == EXO_CAP_FRAMES || src->type == EXO_CAP_SEGMENT) &&
           src->wkind && src->window.aspace == env_current()->aspace;
}

static bool is_skipped(const struct table_clone *c, const struct cap_slot *src)
{
    for (uint64_t i = 0; src->type && i < c->nskips; i++)
        if (c->skips[i] == cspace_handle(src))
            return true;
    return false;
}

// A slot of the clone that is taken, or later than the caller's, stays as it is.
static int slot_clone(const struct table_clone *c, struct cap_slot *src, struct cap_slot *dst,
                      uint64_t *pages)
{
    bool copy = !is_skipped(c, src), window = copy && has_window(c, src);
    const struct cap_window *w = &src->window;
    int err;

    if (dst->generation > src->generation)
        return 0;
    if (window)
        TRY(bank_afford(c->to->bank, pt_missing(c->to->aspace, w->va, w->count, 1)));
    err = cspace_clone(src, dst, copy);
    if (!err && window)
        window_clone(dst, src, c->to->aspace, c->to->bank);
    if (window) // one directory entry, or page by page
        *pages += w->count == SEGMENT_ENTRIES && w->va % SEG_SPAN == 0 ? 1 : w->count;
    return err;
}

static int table_clone(struct table_clone *c, uint32_t *cursor)
{
    struct cap_slot *src = NULL, *dst = NULL;
    uint64_t pages = 0;
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
        if (n >= CLONE_SLOTS || pages >= CLONE_PAGES)
            return -EXO_EAGAIN;
        err = slot_clone(c, src, dst, &pages);
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
