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

#define ASPACE_RIGHTS (EXO_R_READ | EXO_R_WRITE | EXO_R_REVOKE)

paddr_t aspace_cr3(const struct aspace *as)
{
    return virt_to_phys(as->pml4);
}

int aspace_new(struct bank *bank, struct aspace **as)
{
    TRY(bank_afford(bank, 2));
    TRY(kobj_alloc(bank, EXO_CAP_ASPACE, sizeof(struct aspace), as));
    (*as)->pml4 = table_buy(bank, &(*as)->obj, 0, 4);
    return 0;
}

// Through tables of its own, of segments and shared ones alike.
paddr_t aspace_translate(const struct aspace *as, uint64_t va, uint32_t *rights)
{
    const uint64_t *table = as->pml4;
    uint64_t pte = 0, pde = 0;

    if (va >= EXO_USER_END || !table)
        return 0;
    for (int l = 4; l > 0; l--, table = pte_table(pte)) {
        pde = pte;
        pte = table[pt_index(va, l)];
        if (!(pte & PTE_P))
            return 0;
    }
    *rights = pte_rights_of((pte & pde) | ((pte | pde) & PTE_NX));
    return *rights ? (pte & PTE_ADDR) | (va & (EXO_PAGE_SIZE - 1)) : 0;
}

// --- entries ---------------------------------------------------------------------------------

// The frame an entry counts on; NULL for device memory, which is never cached.
static struct frame *entry_frame(uint64_t pte)
{
    return pte & PTE_PCD ? NULL : &frames_buddy.table[pte_frame(pte)];
}

static void entry_count(uint64_t pte, int one)
{
    struct frame *f = entry_frame(pte);

    if (!f)
        return;
    frame_ref(pte_frame(pte), one);
    if ((pte & PTE_KIND) == PTE_SEGPAGE && pte & PTE_W)
        f->where = (f->where + (unsigned)one) & 0x3ffffff;
    if ((pte & PTE_KIND) == PTE_BLOCK && one > 0)
        kobj_get(f->owner);
}

// After the entry is changed: what it no longer names may go.
static void entry_lost(struct gather *g, uint64_t pte)
{
    struct frame *f = entry_frame(pte);

    if (!f)
        return;
    entry_count(pte, -1);
    if ((pte & PTE_KIND) == PTE_ANON && f->refs == 0)
        frame_move(f, &g->dead);
    f->dirty |= (pte & PTE_KIND) == PTE_SEGPAGE && pte & PTE_D;
    if ((pte & PTE_KIND) == PTE_BLOCK) {
        gather_finish(g);
        kobj_put(f->owner);
    }
}

void entry_put(uint64_t *entry, uint64_t pte)
{
    pt_set(entry, pte);
    entry_count(pte, 1);
}

void entry_change(struct gather *g, uint64_t *entry, uint64_t va, uint64_t pte)
{
    uint64_t old = __atomic_exchange_n(entry, pte & ~PTE_D, __ATOMIC_RELAXED);

    gather_note(g, va, EXO_PAGE_SIZE);
    if (!((old ^ pte) & (PTE_ADDR | PTE_KIND)) && (pte & PTE_KIND) != PTE_SEGPAGE)
        return;
    entry_count(pte, 1);
    entry_lost(g, old);
}

void spot_drop(struct gather *g, const struct spot *s)
{
    uint64_t old = __atomic_exchange_n(s->entry, 0, __ATOMIC_RELAXED);

    gather_note(g, s->va, s->next - s->va);
    if (s->table)
        table_leave(g->as, old);
    else
        entry_lost(g, old);
    pt_unuse(g, s->entry, s->va);
}

// --- clearing --------------------------------------------------------------------------------

bool aspace_clear_range(struct aspace *as, uint64_t start, uint64_t end, unsigned *budget)
{
    struct spot s = SPOT_FROM(start);
    struct gather g = GATHER(as);

    for (; *budget && spot_next(as, &s, end); --*budget)
        spot_drop(&g, &s);
    gather_finish(&g);
    return s.next >= end;
}

bool aspace_clear_table(struct frame *table, unsigned *budget)
{
    struct aspace *as = (struct aspace *)table->owner;
    uint64_t va = (uint64_t)table->where << 21;

    kassert(as->obj.type == EXO_CAP_ASPACE);
    return aspace_clear_range(as, va, va + PT_SPAN(table->rank - TABLE_RANK + 1), budget);
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

    if (!aspace_clear_range(as, 0, EXO_USER_END, budget))
        return false;
    cpu_unload_aspace(as);
    if (as->pml4) {
        frame_free(frame_at(as->pml4));
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

int aspace_map_block(struct aspace *as, struct bank *bank, uint64_t va, const struct kobj *block)
{
    uint64_t pte = pte_rights(EXO_R_READ | EXO_R_WRITE) | PTE_BLOCK | PTE_MAX_W;

    if (va % EXO_PAGE_SIZE || va < EXO_USER_BASE || va > EXO_USER_END - 3 * EXO_PAGE_SIZE ||
        run_of(block)->count < 2 || !run_of(block)->ram)
        return -EXO_EINVAL;
    TRY(tables_own(&GATHER(as), bank, va, va + 2 * EXO_PAGE_SIZE, EXO_OP_BUY));
    if (spot_next(as, &SPOT_FROM(va), va + 2 * EXO_PAGE_SIZE))
        return -EXO_EEXISTS;
    TRY(pt_afford(as, bank, va, 2, 1, 0));
    for (uint64_t i = 0; i < 2; i++) {
        frame_ready(frame_of(run_of(block)->first + i));
        entry_put(pt_make(as, bank, va + (i << EXO_PAGE_SHIFT), 1),
                  (run_of(block)->first + i) << EXO_PAGE_SHIFT | pte);
    }
    return 0;
}

void aspace_unmap_block(struct aspace *as, uint64_t va, const struct kobj *block)
{
    struct gather g = GATHER(as);

    FOR_SPOTS (s, as, va, va + 2 * EXO_PAGE_SIZE)
        if (!s.table && (*s.entry & PTE_KIND) == PTE_BLOCK &&
            pte_frame(*s.entry) == run_of(block)->first + ((s.va - va) >> EXO_PAGE_SHIFT))
            spot_drop(&g, &s);
    gather_finish(&g);
}

int aspace_find(exo_handle_t handle, struct aspace **as)
{
    *as = env_current()->aspace;
    return handle ? obj_find(handle, EXO_CAP_ASPACE, EXO_R_WRITE, as) : 0;
}

int64_t sys_aspace_create(exo_handle_t bank)
{
    struct bank *pays;
    struct aspace *as;

    TRY(bank_find(bank, EXO_R_BUY, &pays));
    TRY(aspace_new(pays, &as));
    return cap_name_new(env_current(), &as->obj, ASPACE_RIGHTS, 0);
}
