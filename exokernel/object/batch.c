// SPDX-License-Identifier: MIT
//
// The batch call: buy, map, unmap, protect, break copy-on-write, move.
//
// Every operation has two passes over its pages. The first looks: that each page is as the
// operation needs it, and how many frames it will buy, tables included. If the bank has that many,
// the second pass cannot fail. The frames an operation gives up are freed at its end, after the TLB
// flush, so the next one may buy them.
//
// Copy-on-write: an entry with PTE_COW never has PTE_W. Whether a page is copied or kept is decided
// here, by its reference count under the kernel lock: the last one to write keeps it
// (models/cow_break.pml).

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/env.h>

#define BATCH_OPS   64u
#define BATCH_PAGES 512u // pages of all operations of one call

static uint64_t op_end(const struct exo_map_op *op)
{
    return op->va + ((uint64_t)op->count << EXO_PAGE_SHIFT);
}

#define FOR_OP_SPOTS(s, as, op) FOR_SPOTS (s, as, (op)->va, op_end(op))

bool rights_sound(uint32_t rights, uint32_t flags)
{
    if (rights & ~(uint32_t)(EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC))
        return false;
    if (rights && !(rights & EXO_R_READ))
        return false;
    return !(rights & EXO_R_WRITE && rights & EXO_R_EXEC) || flags & EXO_MAP_WX;
}

static int op_buy(struct gather *g, struct bank *bank, const struct exo_map_op *op)
{
    uint64_t *entry = NULL;

    if (!rights_sound(op->rights, op->flags))
        return -EXO_EINVAL;
    if (spot_next(g->as, &SPOT_FROM(op->va), op_end(op)))
        return -EXO_EEXISTS;
    TRY(pt_afford(g->as, bank, op->va, op->count, 1, op->count));
    for (uint64_t at = op->va; at < op_end(op); at += EXO_PAGE_SIZE) {
        struct frame *f = frame_buy(bank, EXO_FRAME_ANON, true);

        entry = pt_beside(entry, at) ?: pt_make(g->as, bank, at, 1);
        entry_put(entry, frame_number(f) << EXO_PAGE_SHIFT | pte_rights(op->rights) | PTE_PRIVATE);
    }
    return 0;
}

static int op_unmap(struct gather *g, struct bank *bank, const struct exo_map_op *op)
{
    TRY(tables_own(g, bank, op->va, op_end(op), EXO_OP_UNMAP));
    FOR_OP_SPOTS (s, g->as, op)
        spot_drop(g, &s);
    return 0;
}

// The most that the rights of this entry may become.
static uint32_t rights_max(uint64_t pte)
{
    return EXO_R_READ | (pte & (PTE_MAX_W | PTE_COW) ? EXO_R_WRITE : 0) |
           (pte & PTE_MAX_X ? EXO_R_EXEC : 0);
}

static uint64_t pte_protected(uint64_t pte, uint32_t rights)
{
    if (pte & PTE_COW)
        rights &= ~(uint32_t)EXO_R_WRITE;
    return (pte & ~(PTE_P | PTE_U | PTE_W | PTE_NX)) | pte_rights(rights);
}

static int op_protect(struct gather *g, struct bank *bank, const struct exo_map_op *op)
{
    if (!rights_sound(op->rights, op->flags))
        return -EXO_EINVAL;
    FOR_OP_SPOTS (s, g->as, op)
        if (op->rights & ~rights_max(*s.entry))
            return -EXO_ERIGHTS;
    TRY(tables_own(g, bank, op->va, op_end(op), EXO_OP_PROTECT));
    FOR_OP_SPOTS (s, g->as, op) {
        uint64_t pte = pte_protected(*s.entry, op->rights);

        if (s.table)
            __atomic_store_n(s.entry, pte, __ATOMIC_RELAXED);
        else
            entry_change(g, s.entry, s.va, pte);
        gather_note(g, s.va, s.next - s.va);
    }
    return 0;
}

static bool page_sole(uint64_t pte)
{
    return (pte & PTE_KIND) == PTE_ANON && frame_of(pte_frame(pte))->refs == 1;
}

// How many pages breaking the range will copy, or an error.
static int64_t break_cost(struct aspace *as, const struct exo_map_op *op)
{
    uint64_t found = 0;
    int64_t copies = 0;

    FOR_OP_SPOTS (s, as, op) {
        if (!(*s.entry & (PTE_COW | PTE_W)))
            return -EXO_ENOENT;
        if (*s.entry & PTE_COW && !(*s.entry & PTE_NX) && !(op->flags & EXO_MAP_WX))
            return -EXO_EINVAL;
        copies += *s.entry & PTE_COW && !page_sole(*s.entry);
        found += s.next - s.va;
    }
    return found == op_end(op) - op->va ? copies : -EXO_ENOENT;
}

static void break_page(struct gather *g, struct bank *bank, uint64_t *entry, uint64_t at)
{
    uint64_t old = *entry, pte = (old & PTE_NX) | PTE_P | PTE_U | PTE_W | PTE_PRIVATE;
    exo_fn_t fn = pte_frame(old);
    struct frame *f;

    if (page_sole(old)) {
        entry_change(g, entry, at, (old & PTE_ADDR) | pte);
        return;
    }
    f = frame_buy(bank, EXO_FRAME_ANON, false);
    page_copy(frame_memory(f), phys_to_virt(old & PTE_ADDR));
    entry_change(g, entry, at, frame_number(f) << EXO_PAGE_SHIFT | pte);
    if (frame_info(fn) && frame_info(fn)->sleepers)
        wait_frame_gone(fn);
}

static int op_cow_break(struct gather *g, struct bank *bank, const struct exo_map_op *op)
{
    int64_t cost = break_cost(g->as, op);

    if (cost < 0)
        return (int)cost;
    TRY(bank_afford(bank, (uint64_t)cost));
    FOR_OP_SPOTS (s, g->as, op)
        if (*s.entry & PTE_COW)
            break_page(g, bank, s.entry, s.va);
    return 0;
}

static bool user_pages(uint64_t va, uint64_t count)
{
    // The last page is never mapped: a SYSCALL there would return to an address that is none.
    return va % EXO_PAGE_SIZE == 0 && va >= EXO_USER_BASE && va < EXO_USER_END &&
           count << EXO_PAGE_SHIFT <= EXO_USER_END - EXO_PAGE_SIZE - va;
}

static int op_move(struct gather *g, struct bank *bank, const struct exo_map_op *op)
{
    struct exo_map_op from = *op;

    from.va = op->first;
    if (!user_pages(from.va, op->count) || (from.va < op_end(op) && op->va < op_end(&from)))
        return -EXO_EINVAL;
    TRY(tables_own(g, bank, from.va, op_end(&from), EXO_OP_BUY));
    FOR_OP_SPOTS (s, g->as, &from)
        if (s.table || (*s.entry & PTE_KIND) != PTE_ANON)
            return -EXO_EINVAL;
    if (spot_next(g->as, &SPOT_FROM(op->va), op_end(op)))
        return -EXO_EEXISTS;
    TRY(pt_afford(g->as, bank, op->va, op->count, 1, 0));
    FOR_OP_SPOTS (s, g->as, &from)
        entry_put(pt_make(g->as, bank, s.va - from.va + op->va, 1), *s.entry);
    FOR_OP_SPOTS (s, g->as, &from) // only now: a table of theirs may be one of the new place's
        spot_drop(g, &s);
    return 0;
}

typedef int batch_fn(struct gather *g, struct bank *bank, const struct exo_map_op *op);
static batch_fn *const batch_fns[] = {
    [EXO_OP_BUY] = op_buy,         [EXO_OP_MAP] = window_map,         [EXO_OP_UNMAP] = op_unmap,
    [EXO_OP_PROTECT] = op_protect, [EXO_OP_COW_BREAK] = op_cow_break, [EXO_OP_MOVE] = op_move,
};

int batch_op(struct aspace *as, struct bank *bank, const struct exo_map_op *op)
{
    struct gather g = GATHER(as);
    int err;

    if (op->kind >= sizeof(batch_fns) / sizeof(batch_fns[0]) || op->count == 0)
        return -EXO_EINVAL;
    if (op->count > BATCH_PAGES)
        return -EXO_ELIMIT;
    if (!user_pages(op->va, op->count) || op->flags & ~(EXO_MAP_COW | EXO_MAP_WX))
        return -EXO_EINVAL;
    if (op->kind != EXO_OP_UNMAP && op->kind != EXO_OP_PROTECT) // these look for themselves
        TRY(tables_own(&g, bank, op->va, op_end(op), EXO_OP_BUY));
    err = batch_fns[op->kind](&g, bank, op);
    gather_finish(&g);
    return err;
}

int64_t sys_aspace_batch(exo_handle_t aspace, exo_handle_t bank, uaddr_t ops, uint64_t count)
{
    struct aspace *as;
    struct bank *pays = NULL;
    struct exo_map_op op;
    uint64_t done = 0, pages = 0;
    int err = 0;

    TRY(aspace_find(aspace, &as));
    if (bank)
        TRY(bank_find(bank, EXO_R_BUY, &pays));
    if (count > BATCH_OPS)
        return -EXO_ELIMIT;
    for (; done < count && !err; done += !err) {
        err = copy_from_user(&op, ops + done * sizeof(op), sizeof(op));
        pages += err ? 0 : op.count;
        if (done && pages > BATCH_PAGES)
            break;
        err = err ? err : batch_op(as, pays, &op);
    }
    return done || !err ? (int64_t)done : err;
}
