// SPDX-License-Identifier: MIT
//
// The capability core's place in the kernel: its hooks, the tables' pages, handles, and the
// capability calls but for the table clone (clone.c).
//
// A table grows by pages bought from the environment's bank, one at a time when no slot is vacant.
// IRQ and IOPORT capabilities keep what they were narrowed to in slot.window.first and .count
// (count 0: everything), since those types have no windows; a copy keeps it too. Every other type's
// badge is the slot's.
//
// The hooks run in the middle of a deletion and call nothing of caps/; what they release puts off
// whatever is more than a few steps (reap.c).

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/env.h>

#define REVOKE_CAPS  64u   // deletions of one call ...
#define REVOKE_PAGES 4096u // ... and pages that their windows may hold
#define GROW_PAGES   64u   // table pages that one call may add to reach a wanted index

// --- hooks -----------------------------------------------------------------------------------

static uint64_t pages_unmapped; // by deletions, for the bound of revoke

void cap_hook_unmap(struct cap_slot *slot)
{
    if (slot->wkind == CAP_W_EVENT) {
        endpoint_event_drop(slot);
        return;
    }
    pages_unmapped += slot->window.count;
    window_drop(slot);
}

void cap_hook_childless(struct cap_slot *slot)
{
    const struct kobj_ops *ops = kobj_ops[slot->type];

    if (ops->childless)
        ops->childless(slot);
}

void cap_hook_counted(struct cap_obj *cap)
{
    struct kobj *obj = (struct kobj *)cap;

    wait_counted(obj);
    if (kobj_ops[obj->type]->counted)
        kobj_ops[obj->type]->counted(obj);
}

void cap_hook_unref(struct cap_slot *slot)
{
    if (slot->type == EXO_CAP_SEGMENT)
        segment_slot_gone(slot);
    if (slot->type == EXO_CAP_BANK)
        bank_slot_gone(slot);
    kobj_unnamed((struct kobj *)slot->obj);
}

_Static_assert(CAP_EBADHANDLE == -EXO_EBADHANDLE && CAP_ETYPE == -EXO_ETYPE &&
                   CAP_ERIGHTS == -EXO_ERIGHTS && CAP_EBADGE == -EXO_EINVAL &&
                   CAP_ENOSLOT == -EXO_ENOSLOT && CAP_AGAIN == -EXO_EAGAIN &&
                   CAP_EUSED == -EXO_EEXISTS,
               "errors of the core are the kernel's");

// --- tables ----------------------------------------------------------------------------------

// One more page for the table; a directory page counts too.
static int table_grow(struct env *env)
{
    struct frame *f;

    if (env->caps.pages == CSPACE_PAGES_MAX || env->caps.closed)
        return -EXO_ENOSLOT;
    TRY(bank_afford(env->bank, 1));
    f = frame_buy(env->bank, EXO_FRAME_TABLE, true);
    f->owner = &env->obj;
    cspace_add_page(&env->caps, frame_memory(f));
    return 0;
}

int cap_slot_for(struct env *env, uint32_t index, struct cap_slot **slot)
{
    if (env->state >= EXO_ENV_DYING)
        return -EXO_EDEAD;
    if (index == 0) {
        while (!(*slot = cspace_vacant(&env->caps, 0)))
            TRY(table_grow(env));
        return 0;
    }
    if (index / CSPACE_SLOTS_PER_PAGE >= env->caps.pages + GROW_PAGES ||
        index / CSPACE_SLOTS_PER_PAGE >= CSPACE_PAGES_MAX)
        return -EXO_ENOSLOT;
    while (index >= cspace_size(&env->caps))
        TRY(table_grow(env));
    *slot = cspace_vacant(&env->caps, index);
    return *slot ? 0 : -EXO_EEXISTS;
}

int env_clear_table_page_return(struct env *env)
{
    for (unsigned n = 0; n < GROW_PAGES; n++) {
        void *page = cspace_take_page(&env->caps);

        if (!page)
            return 0;
        frame_free(frame_at(page));
    }
    return -EXO_EAGAIN;
}

int obj_find(exo_handle_t handle, enum exo_cap_type type, uint32_t rights, void *out)
{
    struct cap_slot *slot;

    TRY(cap_find(handle, type, rights, &slot));
    *(struct cap_obj **)out = slot->obj;
    return 0;
}

int cap_find(exo_handle_t handle, enum exo_cap_type type, uint32_t rights, struct cap_slot **slot)
{
    return cspace_lookup(&env_current()->caps, handle, (uint8_t)type, rights, slot);
}

static bool has_range(const struct cap_slot *slot)
{
    return slot->type == EXO_CAP_IRQ || slot->type == EXO_CAP_IOPORT;
}

void cap_range(const struct cap_slot *slot, uint32_t *first, uint32_t *count)
{
    *first = slot->window.first;
    *count = slot->window.count;
    if (*count == 0)
        *count = slot->type == EXO_CAP_IRQ ? 16 : 65536;
}

static void range_set(struct cap_slot *slot, uint64_t range)
{
    slot->window.first = (uint32_t)(range >> 32);
    slot->window.count = (uint32_t)range;
}

int64_t cap_name_new(struct env *env, struct kobj *obj, uint32_t rights, uint64_t badge)
{
    struct cap_slot *slot;
    int err = cap_slot_for(env, 0, &slot);

    if (err) {
        kobj_unnamed(obj);
        return err;
    }
    cap_insert_root(slot, obj->type, &obj->cap, rights, badge);
    if (has_range(slot)) {
        slot->badge = 0;
        range_set(slot, badge);
    }
    return (int64_t)cspace_handle(slot);
}

// --- calls -----------------------------------------------------------------------------------

static int narrow_check(const struct cap_slot *src, uint64_t range)
{
    uint32_t first, count, want = (uint32_t)(range >> 32), n = (uint32_t)range;

    if (!has_range(src))
        return -EXO_ETYPE;
    if (!(src->rights & EXO_R_DERIVE))
        return -EXO_ERIGHTS;
    cap_range(src, &first, &count);
    return n == 0 || want < first || n > count || want - first > count - n ? -EXO_EINVAL : 0;
}

int64_t sys_cap_derive(exo_handle_t src, uint64_t rights, uint64_t badge, uint64_t flags,
                       uint64_t range)
{
    struct cap_slot *from, *to;

    TRY(cap_find(src, EXO_CAP_NONE, 0, &from));
    if (flags & ~(uint64_t)(EXO_DERIVE_BADGE | EXO_DERIVE_RANGE | EXO_DERIVE_WATCH) ||
        (flags & EXO_DERIVE_BADGE && !badge))
        return -EXO_EINVAL;
    if (flags & (EXO_DERIVE_BADGE | EXO_DERIVE_WATCH) && from->type != EXO_CAP_ENDPOINT)
        return -EXO_ETYPE;
    if (rights & ~(uint64_t)from->rights)
        return -EXO_ERIGHTS;
    TRY(flags & EXO_DERIVE_RANGE ? narrow_check(from, range) : 0);
    TRY(cap_slot_for(env_current(), 0, &to));
    TRY(cap_derive(from, to, (uint32_t)rights, flags & EXO_DERIVE_BADGE ? badge : 0));
    if (flags & EXO_DERIVE_RANGE)
        range_set(to, range);
    if (flags & EXO_DERIVE_WATCH)
        to->flags |= CAP_FLAG_NOTIFY_CHILDLESS;
    return (int64_t)cspace_handle(to);
}

int64_t sys_cap_copy(exo_handle_t src, uint64_t rights, exo_handle_t env, uint64_t index)
{
    struct cap_slot *from, *to;
    struct env *target;

    TRY(cap_find(src, EXO_CAP_NONE, 0, &from));
    TRY(env_find(env, EXO_R_CONTROL, &target));
    if (rights & ~(uint64_t)from->rights)
        return -EXO_ERIGHTS;
    if (index >> EXO_HANDLE_BITS)
        return -EXO_ENOSLOT;
    TRY(cap_slot_for(target, (uint32_t)index, &to));
    TRY(cap_copy(from, to, (uint32_t)rights));
    return (int64_t)cspace_handle(to);
}

int64_t sys_cap_delete(exo_handle_t cap)
{
    struct cap_slot *slot;

    TRY(cap_find(cap, EXO_CAP_NONE, 0, &slot));
    cap_delete(slot);
    return 0;
}

int64_t sys_cap_revoke(exo_handle_t cap)
{
    struct cap_slot *slot;

    TRY(cap_find(cap, EXO_CAP_NONE, EXO_R_REVOKE, &slot));
    pages_unmapped = 0;
    for (unsigned n = 0; n < REVOKE_CAPS && pages_unmapped < REVOKE_PAGES; n++)
        if (cap_revoke(slot, 1) == CAP_OK)
            return 0;
    return -EXO_EAGAIN;
}

int64_t sys_cap_identify(exo_handle_t cap, uaddr_t info)
{
    struct cap_slot *slot;
    struct kobj *obj;
    struct exo_cap_info out = {.size = sizeof(out), .version = EXO_ABI_VERSION};

    TRY(cap_find(cap, EXO_CAP_NONE, 0, &slot));
    obj = (struct kobj *)slot->obj;
    out.type = slot->type;
    out.rights = slot->rights;
    out.object = obj->id;
    out.badge = slot->badge;
    out.caps = obj->cap.caps;
    out.wcaps = obj->cap.wcaps;
    if (has_range(slot)) {
        uint32_t first, count;

        cap_range(slot, &first, &count);
        out.badge = (uint64_t)first << 32 | count;
    } else if (slot->wkind && slot->wkind != CAP_W_EVENT &&
               slot->window.aspace == env_current()->aspace) {
        out.window_va = slot->window.va;
        out.window_pages = slot->window.count;
    }
    if (kobj_ops[obj->type]->identify)
        kobj_ops[obj->type]->identify(obj, &out);
    return copy_to_user(info, &out, sizeof(out));
}
