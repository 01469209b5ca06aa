// SPDX-License-Identifier: MIT
//
// Segments: a page table of 512 entries that its owner fills and others map as one directory entry.
//
// Filling and clearing act on all mappers at once, since they all share the one table; only windows
// made page by page have entries of their own, which a clearing finds by the segment's slots. It
// takes the present bits away first and flushes every TLB, so nobody reaches the frames by the
// table any more and no new window can enter them; then it walks the slots, a bounded number a
// call, and only at the end lets the frames go. A mark in the list of slots remembers how far it
// came; slots made meanwhile stand behind the mark or have nothing of the range. Another call to
// clear finishes the one under way first.
//
// An entry holds its frame and the run it is part of (kobj_get). Dirty bits of directory-entry
// windows collect in the table itself. For pages mapped singly the frame keeps two facts instead:
// whether it is mapped writable now (then it counts as dirty at each harvest), and whether such a
// mapping was dirty when it went.

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/env.h>

#define SEGMENT_RIGHTS (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_REVOKE)
#define CLEAR_SLOTS    256u // slots that one call visits; a window counts 16

static int segment_find(exo_handle_t handle, uint32_t rights, uint64_t index, uint64_t count,
                        struct segment **seg)
{
    TRY(obj_find(handle, EXO_CAP_SEGMENT, rights, seg));
    if (!count || index >= SEGMENT_ENTRIES || count > SEGMENT_ENTRIES - index)
        return -EXO_EINVAL;
    return 0;
}

static struct frame *entry_frame(uint64_t entry)
{
    return frame_of(pte_frame(entry));
}

static void entries_let_go(struct segment *seg, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count && seg->used; i++) {
        uint64_t entry = seg->table[i];
        struct frame *f = entry_frame(entry);

        if (!entry)
            continue;
        seg->table[i] = 0;
        seg->used--;
        f->dirty |= (entry & PTE_D) != 0;
        frame_ref(frame_number(f), -1);
        kobj_put(f->owner);
    }
}

static void segment_release(struct kobj *obj)
{
    struct segment *seg = (struct segment *)obj;

    entries_let_go(seg, 0, SEGMENT_ENTRIES);
    frame_free(frame_at(seg->table));
    kobj_free(obj);
}

static void segment_identify(struct kobj *obj, struct exo_cap_info *info)
{
    info->length = SEGMENT_ENTRIES;
    info->used = ((struct segment *)obj)->used;
}

const struct kobj_ops segment_ops = {
    .name = "segment",
    .release = segment_release,
    .identify = segment_identify,
};

int64_t sys_segment_create(exo_handle_t bank)
{
    struct bank *pays;
    struct segment *seg;

    TRY(bank_find(bank, EXO_R_BUY, &pays));
    TRY(bank_afford(pays, 2));
    TRY(kobj_alloc(pays, EXO_CAP_SEGMENT, sizeof(*seg), &seg));
    seg->table = table_buy(pays, &seg->obj, 0, 1);
    return cap_name_new(env_current(), &seg->obj, SEGMENT_RIGHTS, 0);
}

int64_t sys_segment_fill(exo_handle_t handle, uint64_t index, exo_handle_t frames, uint64_t first,
                         uint64_t count_rights)
{
    uint64_t count = (uint32_t)count_rights;
    uint32_t rights = (uint32_t)(count_rights >> 32);
    struct segment *seg;
    struct kobj *run;

    if (count > SEGMENT_ENTRIES)
        return -EXO_ELIMIT;
    TRY(segment_find(handle, EXO_R_REVOKE, index, count, &seg));
    TRY(obj_find(frames, EXO_CAP_FRAMES, rights, &run));
    if (!(rights & EXO_R_READ) || !rights_sound(rights, EXO_MAP_WX) || !run_of(run)->ram ||
        first >= run_of(run)->count || count > run_of(run)->count - first)
        return -EXO_EINVAL;
    for (uint64_t i = index; i < index + count; i++)
        if (seg->table[i])
            return -EXO_EEXISTS;
    for (uint64_t i = 0; i < count; i++) {
        struct frame *f = frame_of(run_of(run)->first + first + i);

        frame_ready(f);
        frame_ref(frame_number(f), 1);
        kobj_get(run);
        __atomic_store_n(&seg->table[index + i],
                         frame_number(f) << EXO_PAGE_SHIFT | pte_rights(rights), __ATOMIC_RELAXED);
    }
    seg->used += (uint32_t)count;
    return 0;
}

// --- clearing --------------------------------------------------------------------------------

static void clear_begin(struct segment *seg, uint32_t first, uint32_t count)
{
    bool any = false;

    for (uint32_t i = first; i < first + count; i++)
        any |= __atomic_fetch_and(&seg->table[i], ~PTE_P, __ATOMIC_RELAXED) != 0;
    if (!any)
        return;
    tlb_flush_all();
    seg->clear_first = first;
    seg->clear_count = count;
    seg->clear_at = TAILQ_FIRST(&seg->obj.cap.marks);
}

static bool clear_step(struct segment *seg)
{
    unsigned budget = CLEAR_SLOTS;

    while (seg->clear_count && seg->clear_at) {
        struct cap_slot *slot = cap_mark_opened(seg->clear_at);
        unsigned cost = slot && slot->wkind ? 16 : 1;

        if (budget < cost)
            return false;
        budget -= cost;
        if (slot && slot->wkind)
            window_cut(slot, seg->clear_first, seg->clear_count);
        seg->clear_at = TAILQ_NEXT(seg->clear_at, link);
    }
    entries_let_go(seg, seg->clear_first, seg->clear_count);
    seg->clear_count = 0;
    return true;
}

// The marks are unlinked already: the opening one first, so its next may be the closing one.
void segment_slot_gone(struct cap_slot *slot)
{
    struct segment *seg = (struct segment *)slot->obj;

    if (seg->clear_at == &slot->open)
        seg->clear_at = TAILQ_NEXT(&slot->open, link);
    if (seg->clear_at == &slot->close)
        seg->clear_at = TAILQ_NEXT(&slot->close, link);
}

int64_t sys_segment_clear(exo_handle_t handle, uint64_t index, uint64_t count)
{
    struct segment *seg;
    bool other;

    TRY(segment_find(handle, EXO_R_REVOKE, index, count, &seg));
    other = seg->clear_count && (seg->clear_first != index || seg->clear_count != count);
    if (other && !clear_step(seg))
        return -EXO_EAGAIN;
    if (!seg->clear_count)
        clear_begin(seg, (uint32_t)index, (uint32_t)count);
    return clear_step(seg) ? 0 : -EXO_EAGAIN;
}

// --- harvest ---------------------------------------------------------------------------------

static bool entry_dirty(const struct segment *seg, uint64_t i)
{
    uint64_t entry = seg->table[i];

    return entry & PTE_P &&
           (entry & PTE_D || entry_frame(entry)->dirty || entry_frame(entry)->where);
}

int64_t sys_segment_harvest(exo_handle_t handle, uint64_t index, uint64_t count, uaddr_t bits)
{
    uint64_t words[SEGMENT_ENTRIES / 64] = {0};
    struct segment *seg;

    TRY(segment_find(handle, EXO_R_REVOKE, index, count, &seg));
    if (count % 64)
        return -EXO_EINVAL;
    for (uint64_t i = 0; i < count; i++)
        words[i / 64] |= (uint64_t)entry_dirty(seg, index + i) << i % 64;
    TRY(copy_to_user(bits, words, count / 8));
    for (uint64_t i = 0; i < count; i++) {
        if (!(words[i / 64] >> i % 64 & 1))
            continue;
        __atomic_fetch_and(&seg->table[index + i], ~PTE_D, __ATOMIC_RELAXED);
        entry_frame(seg->table[index + i])->dirty = 0;
    }
    tlb_flush_all();
    return 0;
}
