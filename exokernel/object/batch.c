// SPDX-License-Identifier: MIT
//
// The batch call: buy, map, unmap, protect, break copy-on-write, move.
//
// Every operation has two passes over its pages. The first looks: that each page is as the operation needs it,
// and how many frames it will buy, tables included. If the bank has that many, the second pass cannot fail.
// The frames an operation gives up are freed at its end, after the TLB flush, so the next one may buy them.
//
// Copy-on-write: an entry with PTE_COW never has PTE_W. Whether a page is copied or kept is decided here, by
// its reference count under the kernel lock: the last one to write keeps it (models/cow_break.pml).

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/env.h>

#define BATCH_OPS   64u
#define BATCH_PAGES 512u // pages of all operations of one call

#define FOR_PAGES(at, op)                                                                          \
    for (uint64_t at = (op)->va; at < (op)->va + ((uint64_t)(op)->count << EXO_PAGE_SHIFT);        \
         at += EXO_PAGE_SIZE)
// The parts of an operation that one directory entry maps.
#define FOR_CHUNKS(at, op)                                                                         \
    for (uint64_t at = (op)->va; at < (op)->va + ((uint64_t)(op)->count << EXO_PAGE_SHIFT);        \
         at = (at & ~(SEG_SPAN - 1)) + SEG_SPAN)

bool rights_sound(uint32_t rights, uint32_t flags)
{
    if (rights & ~(uint32_t)(EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC))
        return false;
    if (rights && !(rights & EXO_R_READ))
        return false;
    return !(rights & EXO_R_WRITE && rights & EXO_R_EXEC) || flags & EXO_MAP_WX;
}

// The segment that maps va as a whole, as its directory entry, or NULL.
static uint64_t *segment_at(const struct aspace *as, uint64_t va)
{
    uint64_t *pde = pt_entry(as, va, 2);

    return pde && pte_is_segment(*pde) ? pde : NULL;
}

static bool covers_chunk(const struct exo_map_op *op, uint64_t at)
{
    return at % SEG_SPAN == 0 &&
           op->va + ((uint64_t)op->count << EXO_PAGE_SHIFT) - at >= SEG_SPAN;
}

// Directory entries of segments that the operation covers in part: each costs a table.
static uint64_t splits(const struct aspace *as, const struct exo_map_op *op)
{
    uint64_t n = 0;

    FOR_CHUNKS(at, op)
        n += segment_at(as, at) && !covers_chunk(op, at);
    return n;
}

static void split_all(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    FOR_CHUNKS(at, op) {
        uint64_t *pde = segment_at(as, at);

        if (pde && !covers_chunk(op, at))
            window_split(as, bank, at, pde);
    }
}

static void prune_all(struct aspace *as, const struct exo_map_op *op, struct gather *g)
{
    FOR_CHUNKS(at, op)
        pt_prune(as, at, g);
    gather_finish(g);
}

static bool range_vacant(const struct aspace *as, const struct exo_map_op *op)
{
    FOR_PAGES(at, op) {
        const uint64_t *entry = pt_entry(as, at, 1);

        if ((entry && *entry) || segment_at(as, at))
            return false;
    }
    return true;
}

static int op_buy(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    if (!rights_sound(op->rights, op->flags))
        return -EXO_EINVAL;
    if (!range_vacant(as, op))
        return -EXO_EEXISTS;
    if (bank_room(bank) < op->count + pt_missing(as, op->va, op->count, 1))
        return -EXO_ENOMEM;
    FOR_PAGES(at, op) {
        struct frame *f = frame_buy(bank, EXO_FRAME_ANON, true);

        entry_put(pt_make(as, bank, at, 1),
                  frame_number(f) << EXO_PAGE_SHIFT | pte_rights(op->rights) | PTE_ANON);
    }
    return 0;
}

static int op_map(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    struct cap_slot *slot;
    int err = cap_find(op->cap, EXO_CAP_NONE, 0, &slot);

    if (err)
        return err;
    if (slot->type != EXO_CAP_FRAMES && slot->type != EXO_CAP_SEGMENT)
        return -EXO_ETYPE;
    return window_map(slot, as, bank, op);
}

static int op_unmap(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    struct gather g;

    if (bank_room(bank) < splits(as, op))
        return -EXO_ENOMEM;
    split_all(as, bank, op);
    gather_init(&g, as);
    FOR_CHUNKS(at, op) {
        uint64_t *pde = segment_at(as, at);

        if (pde) {
            pt_clear(pde);
            gather_note(&g, at, SEG_SPAN);
        }
    }
    FOR_PAGES(at, op) {
        uint64_t *entry = pt_entry(as, at, 1);

        if (entry && *entry)
            entry_drop(&g, entry, at);
    }
    prune_all(as, op, &g);
    return 0;
}

// The most that the rights of this entry may become.
static uint32_t rights_max(uint64_t pte)
{
    switch (pte & PTE_KIND) {
    case PTE_ANON:
        return EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC;
    case PTE_BLOCK:
        return EXO_R_READ | EXO_R_WRITE;
    default:
        return EXO_R_READ | (pte & (PTE_MAX_W | PTE_COW) ? EXO_R_WRITE : 0) |
               (pte & PTE_MAX_X ? EXO_R_EXEC : 0);
    }
}

static int protect_check(const struct aspace *as, const struct exo_map_op *op)
{
    FOR_PAGES(at, op) {
        const uint64_t *entry = segment_at(as, at);

        if (!entry)
            entry = pt_entry(as, at, 1);
        if (entry && *entry && op->rights & ~rights_max(*entry))
            return -EXO_ERIGHTS;
    }
    return 0;
}

static uint64_t pte_protected(uint64_t pte, uint32_t rights)
{
    if (pte & PTE_COW)
        rights &= ~(uint32_t)EXO_R_WRITE;
    return (pte & ~(PTE_P | PTE_U | PTE_W | PTE_NX)) | pte_rights(rights);
}

static int op_protect(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    struct gather g;
    int err;

    if (!rights_sound(op->rights, op->flags))
        return -EXO_EINVAL;
    err = protect_check(as, op);
    if (err)
        return err;
    if (bank_room(bank) < splits(as, op))
        return -EXO_ENOMEM;
    split_all(as, bank, op);
    FOR_CHUNKS(at, op) {
        uint64_t *pde = segment_at(as, at);

        if (pde)
            __atomic_store_n(pde, pte_protected(*pde, op->rights), __ATOMIC_RELAXED);
    }
    FOR_PAGES(at, op) {
        uint64_t *entry = pt_entry(as, at, 1);

        if (entry && *entry)
            entry_change(entry, pte_protected(*entry, op->rights));
    }
    gather_init(&g, as);
    gather_note(&g, op->va, (uint64_t)op->count << EXO_PAGE_SHIFT);
    prune_all(as, op, &g);
    return 0;
}

static bool page_sole(uint64_t pte)
{
    return (pte & PTE_KIND) == PTE_ANON && frame_of(pte_frame(pte))->refs == 1;
}

// How many pages breaking the range will copy, or an error.
static int64_t break_cost(const struct aspace *as, const struct exo_map_op *op)
{
    int64_t copies = 0;

    FOR_PAGES(at, op) {
        const uint64_t *entry = segment_at(as, at);

        if (!entry)
            entry = pt_entry(as, at, 1);
        if (!entry || !(*entry & (PTE_COW | PTE_W)))
            return -EXO_ENOENT;
        if (!(*entry & PTE_COW))
            continue;
        if (!(*entry & PTE_NX) && !(op->flags & EXO_MAP_WX))
            return -EXO_EINVAL;
        copies += !page_sole(*entry);
    }
    return copies;
}

static void break_page(struct aspace *as, struct bank *bank, uint64_t *entry, uint64_t at)
{
    uint64_t old = *entry, nx = old & PTE_NX;
    struct frame *f;
    struct gather g;

    if (page_sole(old)) {
        entry_change(entry, (old & ~PTE_COW) | PTE_W | PTE_U);
        return;
    }
    f = frame_buy(bank, EXO_FRAME_ANON, false);
    page_copy(frame_memory(f), phys_to_virt(old & PTE_ADDR));
    gather_init(&g, as);
    entry_drop(&g, entry, at);
    entry_put(entry, frame_number(f) << EXO_PAGE_SHIFT | PTE_P | PTE_U | PTE_W | nx | PTE_ANON);
    gather_finish(&g);
    if (frame_info(pte_frame(old)) && frame_info(pte_frame(old))->sleepers)
        wait_frame_gone(pte_frame(old));
}

static int op_cow_break(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    int64_t cost = break_cost(as, op);
    struct gather g;

    if (cost < 0)
        return (int)cost;
    if (bank_room(bank) < (uint64_t)cost)
        return -EXO_ENOMEM;
    FOR_PAGES(at, op) {
        uint64_t *entry = pt_entry(as, at, 1);

        if (entry && *entry & PTE_COW)
            break_page(as, bank, entry, at);
    }
    gather_init(&g, as);
    gather_note(&g, op->va, (uint64_t)op->count << EXO_PAGE_SHIFT);
    gather_finish(&g);
    return 0;
}

static bool user_pages(uint64_t va, uint64_t count)
{
    // The last page is never mapped: a SYSCALL there would return to an address that is none.
    return va % EXO_PAGE_SIZE == 0 && va >= EXO_USER_BASE && va < EXO_USER_END &&
           count << EXO_PAGE_SHIFT <= EXO_USER_END - EXO_PAGE_SIZE - va;
}

static int op_move(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    uint64_t bytes = (uint64_t)op->count << EXO_PAGE_SHIFT, by = op->first - op->va;
    struct exo_map_op from = *op;
    struct gather g;

    if (!user_pages(op->first, op->count) ||
        (op->first < op->va + bytes && op->va < op->first + bytes))
        return -EXO_EINVAL;
    from.va = op->first;
    FOR_PAGES(at, &from) {
        const uint64_t *entry = pt_entry(as, at, 1);

        if (segment_at(as, at) || (entry && *entry && (*entry & PTE_KIND) != PTE_ANON))
            return -EXO_EINVAL;
    }
    if (!range_vacant(as, op))
        return -EXO_EEXISTS;
    if (bank_room(bank) < pt_missing(as, op->va, op->count, 1))
        return -EXO_ENOMEM;
    gather_init(&g, as);
    FOR_PAGES(at, op) {
        uint64_t *entry = pt_entry(as, at + by, 1);

        if (!entry || !*entry)
            continue;
        pt_set(pt_make(as, bank, at, 1), pt_clear(entry));
        gather_note(&g, at + by, EXO_PAGE_SIZE);
    }
    prune_all(as, &from, &g);
    return 0;
}

typedef int batch_fn(struct aspace *as, struct bank *bank, const struct exo_map_op *op);
static batch_fn *const batch_fns[] = {
    [EXO_OP_BUY] = op_buy,         [EXO_OP_MAP] = op_map,
    [EXO_OP_UNMAP] = op_unmap,     [EXO_OP_PROTECT] = op_protect,
    [EXO_OP_COW_BREAK] = op_cow_break, [EXO_OP_MOVE] = op_move,
};

int batch_op(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    if (op->kind >= sizeof(batch_fns) / sizeof(batch_fns[0]) || op->count == 0)
        return -EXO_EINVAL;
    if (op->count > BATCH_PAGES)
        return -EXO_ELIMIT;
    if (!user_pages(op->va, op->count) || op->flags & ~(EXO_MAP_COW | EXO_MAP_WX))
        return -EXO_EINVAL;
    return batch_fns[op->kind](as, bank, op);
}

int64_t sys_aspace_batch(exo_handle_t aspace, exo_handle_t bank, uaddr_t ops, uint64_t count)
{
    struct aspace *as = env_current()->aspace;
    struct cap_slot *slot, *pays = NULL;
    struct exo_map_op op;
    uint64_t done = 0, pages = 0;
    int err = 0;

    if (aspace && !(err = cap_find(aspace, EXO_CAP_ASPACE, EXO_R_WRITE, &slot)))
        as = (struct aspace *)slot->obj;
    if (!err && bank)
        err = cap_find(bank, EXO_CAP_BANK, EXO_R_BUY, &pays);
    if (err)
        return err;
    if (count > BATCH_OPS)
        return -EXO_ELIMIT;
    for (; done < count; done++) {
        err = copy_from_user(&op, ops + done * sizeof(op), sizeof(op));
        if (err)
            break;
        pages += op.count;
        if (done && pages > BATCH_PAGES)
            break;
        err = batch_op(as, pays ? (struct bank *)pays->obj : NULL, &op);
        if (err)
            break;
    }
    return done || !err ? (int64_t)done : err;
}
