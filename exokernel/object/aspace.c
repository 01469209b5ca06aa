// SPDX-License-Identifier: MIT
//
// Address spaces: their life, and the entries that map pages.
//
// An address space is one object frame and a top-level table; all other tables are bought by
// whoever maps, from the bank named in that call. Each kind of entry counts itself where the mapped
// frame must not go under it: an anonymous page lives by its entries alone; a run is held by the
// slot of the window, or, for a context's block, by the entry itself.
//
// It goes when no capability and no environment names it. Its pages and tables are then given back
// in parts (reap.c). Slots whose window named it are not looked for: they keep its one object frame
// until they go or are mapped elsewhere, and find it dead.

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/env.h>

#define CLEAR_STEPS                                                                                \
    4096u // entries that one part of a clearing looks at: more than a whole path has
#define ASPACE_RIGHTS (EXO_R_READ | EXO_R_WRITE | EXO_R_REVOKE)

paddr_t aspace_cr3(const struct aspace *as)
{
    return virt_to_phys(as->pml4);
}

int aspace_new(struct bank *bank, struct aspace **as)
{
    struct kobj *obj;
    struct frame *f;
    int err;

    if (bank_room(bank) < 2)
        return -EXO_ENOMEM;
    err = kobj_alloc(bank, EXO_CAP_ASPACE, sizeof(struct aspace), &obj);
    if (err)
        return err;
    *as = (struct aspace *)obj;
    f = frame_buy(bank, EXO_FRAME_TABLE, true);
    f->owner = obj;
    f->rank = TABLE_RANK + 4;
    (*as)->pml4 = frame_memory(f);
    for (int i = 256; i < 512; i++)
        (*as)->pml4[i] = kernel_pml4[i];
    return 0;
}

paddr_t aspace_translate(const struct aspace *as, uint64_t va, uint32_t *rights)
{
    uint64_t *pde, *pte, over;

    if (va >= EXO_USER_END)
        return 0;
    pde = pt_entry(as, va, 2);
    if (!pde || !(*pde & PTE_P))
        return 0;
    pte = &pte_table(*pde)[pt_index(va, 1)];
    if (!(*pte & PTE_P))
        return 0;
    over = pte_is_segment(*pde) ? *pde : PTE_P | PTE_W | PTE_U;
    *rights = pte_rights_of(*pte) & pte_rights_of(over);
    return *rights ? (*pte & PTE_ADDR) | (va & (EXO_PAGE_SIZE - 1)) : 0;
}

// --- entries ---------------------------------------------------------------------------------

// The frame an entry counts on; NULL for device memory.
static struct frame *entry_frame(uint64_t pte)
{
    exo_fn_t fn = pte_frame(pte);

    return frame_kind(fn) == EXO_FRAME_NONE ? NULL : frame_of(fn);
}

static void writers_add(struct frame *f, uint64_t pte, int one)
{
    if ((pte & PTE_KIND) == PTE_SEGPAGE && pte & PTE_W)
        f->where = (f->where + (unsigned)one) & 0x3ffffff;
}

void entry_put(uint64_t *entry, uint64_t pte)
{
    struct frame *f = entry_frame(pte);

    pt_set(entry, pte);
    if (!f)
        return;
    frame_ref(f);
    writers_add(f, pte, 1);
    if ((pte & PTE_KIND) == PTE_BLOCK)
        kobj_get(f->owner);
}

void entry_change(uint64_t *entry, uint64_t pte)
{
    struct frame *f = entry_frame(pte);
    uint64_t old = __atomic_exchange_n(entry, pte & ~PTE_D, __ATOMIC_RELAXED);

    if (!f || (pte & PTE_KIND) != PTE_SEGPAGE)
        return;
    f->dirty |= (old & PTE_D) != 0;
    writers_add(f, old, -1);
    writers_add(f, pte, 1);
}

void entry_drop(struct gather *g, uint64_t *entry, uint64_t va)
{
    uint64_t old = pt_clear(entry);
    struct frame *f = entry_frame(old);

    gather_note(g, va, EXO_PAGE_SIZE);
    if (!f)
        return;
    frame_unref(f);
    writers_add(f, old, -1);
    f->dirty |= (old & PTE_KIND) == PTE_SEGPAGE && old & PTE_D;
    if ((old & PTE_KIND) == PTE_ANON && f->refs == 0) {
        LIST_REMOVE(f, link);
        LIST_INSERT_HEAD(&g->dead, f, link);
    }
    if ((old & PTE_KIND) == PTE_BLOCK) {
        gather_finish(g);
        kobj_put(f->owner);
    }
}

// --- clearing --------------------------------------------------------------------------------

bool aspace_clear_range(struct aspace *as, uint64_t start, uint64_t end, unsigned *budget)
{
    struct spot s = SPOT_FROM(start);
    struct gather g;

    gather_init(&g, as);
    s.steps = CLEAR_STEPS;
    while (*budget && spot_next(as, &s, end)) {
        --*budget;
        if (s.table) {
            pt_clear(s.entry);
            gather_note(&g, s.va, s.next - s.va);
        } else {
            entry_drop(&g, s.entry, s.va);
        }
        if (frame_of(virt_to_phys(s.entry) >> EXO_PAGE_SHIFT)->refs == 0)
            pt_prune(as, s.va, s.va + 1, &g);
    }
    if (!s.steps)
        *budget = 0;
    gather_finish(&g);
    return !as->pml4 || s.next >= end;
}

bool aspace_clear_table(struct frame *table, unsigned *budget)
{
    struct aspace *as = (struct aspace *)table->owner;
    uint64_t va = (uint64_t)table->where << 21;

    kassert(as->obj.type == EXO_CAP_ASPACE);
    return aspace_clear_range(as, va, va + PT_SPAN(table->rank - TABLE_RANK + 1), budget);
}

int aspace_clear(struct aspace *as, unsigned budget)
{
    return aspace_clear_range(as, 0, EXO_USER_END, &budget) ? 0 : -EXO_EAGAIN;
}

// --- life ------------------------------------------------------------------------------------

static void aspace_release(struct kobj *obj)
{
    ((struct aspace *)obj)->dead = true;
    reap_later(obj);
}

static bool aspace_reap(struct kobj *obj, unsigned *budget)
{
    struct aspace *as = (struct aspace *)obj;
    struct frame *f;

    if (!aspace_clear_range(as, 0, EXO_USER_END, budget))
        return false;
    cpu_unload_aspace(as);
    if (as->pml4) {
        f = frame_of(virt_to_phys(as->pml4) >> EXO_PAGE_SHIFT);
        LIST_REMOVE(f, link);
        frame_free(f);
        as->pml4 = NULL;
    }
    if (as->windows == 0)
        kobj_free(obj);
    return true;
}

void aspace_window_gone(struct aspace *as)
{
    if (--as->windows == 0 && as->dead && !as->pml4)
        kobj_free(&as->obj);
}

static int aspace_destroy(struct kobj *obj, unsigned budget)
{
    struct aspace *as = (struct aspace *)obj;

    if (!as->dead && (!aspace_clear_range(as, 0, EXO_USER_END, &budget) || !budget ||
                      cap_obj_revoke_all(&obj->cap, budget)))
        return -EXO_EAGAIN;
    if (!as->dead || !as->pml4) // somebody outside the bank refers to it
        return 0;
    return aspace_reap(obj, &budget) ? 0 : -EXO_EAGAIN;
}

const struct kobj_ops aspace_ops = {
    .name = "aspace",
    .release = aspace_release,
    .destroy = aspace_destroy,
    .reap = aspace_reap,
};

// --- the boot's and the contexts' mappings ---------------------------------------------------

int aspace_buy(struct aspace *as, struct bank *bank, uint64_t va, uint64_t pages, uint32_t rights)
{
    for (uint64_t part; pages; pages -= part, va += part << EXO_PAGE_SHIFT) {
        struct exo_map_op op = {.kind = EXO_OP_BUY, .va = va, .rights = rights};
        int err;

        part = pages < 512 ? pages : 512;
        op.count = (uint32_t)part;
        err = batch_op(as, bank, &op);
        if (err)
            return err;
    }
    return 0;
}

int aspace_map_block(struct aspace *as, struct bank *bank, uint64_t va, const struct kobj *block)
{
    uint64_t pte = pte_rights(EXO_R_READ | EXO_R_WRITE) | PTE_BLOCK;

    if (va % EXO_PAGE_SIZE || va < EXO_USER_BASE || va > EXO_USER_END - 3 * EXO_PAGE_SIZE ||
        frames_count(block) < 2 || !frames_is_ram(block))
        return -EXO_EINVAL;
    if (spot_next(as, &SPOT_FROM(va), va + 2 * EXO_PAGE_SIZE))
        return -EXO_EEXISTS;
    if (bank_room(bank) < pt_missing(as, va, 2, 1))
        return -EXO_ENOMEM;
    for (uint64_t i = 0; i < 2; i++) {
        frame_ready(frame_of(frames_first(block) + i));
        entry_put(pt_make(as, bank, va + (i << EXO_PAGE_SHIFT), 1),
                  (frames_first(block) + i) << EXO_PAGE_SHIFT | pte);
    }
    return 0;
}

void aspace_unmap_block(struct aspace *as, uint64_t va, const struct kobj *block)
{
    struct gather g;

    gather_init(&g, as);
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t at = va + (i << EXO_PAGE_SHIFT), *entry = pt_entry(as, at, 1);

        if (!entry || (*entry & PTE_KIND) != PTE_BLOCK ||
            pte_frame(*entry) != frames_first(block) + i)
            continue;
        entry_drop(&g, entry, at);
    }
    pt_prune(as, va, va + 2 * EXO_PAGE_SIZE, &g);
    gather_finish(&g);
}

int64_t sys_aspace_create(exo_handle_t bank)
{
    struct bank *pays;
    struct aspace *as;
    int err = bank_find(bank, EXO_R_BUY, &pays);

    if (!err)
        err = aspace_new(pays, &as);
    return err ? err : cap_name_new(env_current(), &as->obj, ASPACE_RIGHTS, 0);
}
