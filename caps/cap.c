// SPDX-License-Identifier: MIT
//
// Making, moving and deleting capabilities: everything that puts marks into an object's list or
// takes them out. Each operation first checks, then commits; the commit cannot fail. See
// caps/cap.h for the list of brackets and for the locking.
//
// Order inside a deletion: the window goes first, while the slot is still whole, so that a hook
// sees where the mapping is; then the slot is unlinked and uncounted; then the parent and the
// object learn of it; last the slot becomes vacant with a new generation. After cap_hook_unref the
// object may be gone.

#include "internal.h"

void cap_obj_init(struct cap_obj *obj)
{
    *obj = (struct cap_obj){0};
    TAILQ_INIT(&obj->marks);
}

void cap_slot_init(struct cap_slot *slot)
{
    *slot = (struct cap_slot){.generation = 1};
}

static void slot_fill(struct cap_slot *dst, uint8_t type, struct cap_obj *obj, uint32_t rights,
                      uint64_t badge)
{
    if (dst->space) {
        TAILQ_REMOVE(&dst->space->vacant, &dst->open, link);
        dst->space->used++;
    }
    dst->type = type;
    dst->obj = obj;
    dst->rights = rights;
    dst->badge = badge;
}

void slot_vacate(struct cap_slot *slot)
{
    struct cspace *cs = slot->space;
    uint32_t generation = slot->generation;

    *slot = (struct cap_slot){.space = cs, .index = slot->index, .generation = generation};
    if (!cs)
        return;
    cs->used--;
    if (generation == UINT32_MAX) {
        slot->flags = CAP_FLAG_RETIRED;
        return;
    }
    slot->generation = generation + 1;
    TAILQ_INSERT_HEAD(&cs->vacant, &slot->open, link);
}

static void obj_count(struct cap_obj *obj, uint32_t rights, uint32_t one)
{
    obj->caps += one;
    if (rights & CAP_R_WRITE)
        obj->wcaps += one;
    cap_hook_counted(obj);
}

int cap_insert_root(struct cap_slot *dst, uint8_t type, struct cap_obj *obj, uint32_t rights,
                    uint64_t badge)
{
    if (!cap_slot_vacant(dst))
        return CAP_EUSED;
    if (obj->dying && obj_help(obj))
        return CAP_AGAIN;
    slot_fill(dst, type, obj, rights, badge);
    TAILQ_INSERT_TAIL(&obj->marks, &dst->open, link);
    TAILQ_INSERT_TAIL(&obj->marks, &dst->close, link);
    obj_count(obj, rights, 1);
    return CAP_OK;
}

// A relative of src, right after `place` in the list; badge 0 inherits.
static int slot_make(struct cap_mark *place, const struct cap_slot *src, struct cap_slot *dst,
                     uint32_t rights, uint64_t badge)
{
    struct cap_obj *obj = src->obj;

    if (!src->type)
        return CAP_EBADHANDLE;
    if (!cap_slot_vacant(dst))
        return CAP_EUSED;
    if (!cap_rights_within(rights, src->rights))
        return CAP_ERIGHTS;
    if (badge && src->badge)
        return CAP_EBADGE;
    if (badge && !(src->rights & CAP_R_DERIVE))
        return CAP_ERIGHTS;
    if (obj_help(obj))
        return CAP_AGAIN;
    slot_fill(dst, src->type, obj, rights, badge ? badge : src->badge);
    if (!src->wkind)
        dst->window = src->window;
    TAILQ_INSERT_AFTER(&obj->marks, place, &dst->open, link);
    TAILQ_INSERT_AFTER(&obj->marks, &dst->open, &dst->close, link);
    obj_count(obj, rights, 1);
    return CAP_OK;
}

int cap_derive(struct cap_slot *src, struct cap_slot *dst, uint32_t rights, uint64_t badge)
{
    return slot_make(&src->open, src, dst, rights, badge);
}

int cap_copy(struct cap_slot *src, struct cap_slot *dst, uint32_t rights)
{
    return slot_make(&src->close, src, dst, rights, 0);
}

// Takes a slot's marks out of its object's list. Returns the parent when that made it childless.
static struct cap_slot *slot_unlink(struct cap_slot *slot)
{
    struct cap_marks *marks = &slot->obj->marks;
    struct cap_mark **scan = &slot->obj->scan;
    struct cap_mark *before = TAILQ_PREV(&slot->open, cap_marks, link);
    struct cap_slot *parent = cap_mark_opened(before);

    if (*scan == &slot->open)
        *scan = TAILQ_NEXT(&slot->open, link);
    TAILQ_REMOVE(marks, &slot->open, link);
    if (*scan == &slot->close)
        *scan = TAILQ_NEXT(&slot->close, link);
    TAILQ_REMOVE(marks, &slot->close, link);
    return parent && TAILQ_NEXT(before, link) == &parent->close ? parent : NULL;
}

void cap_delete(struct cap_slot *slot)
{
    struct cap_obj *obj = slot->obj;
    struct cap_slot *childless;

    if (!slot->type)
        return;
    if (slot->wkind)
        cap_hook_unmap(slot);
    slot->wkind = 0;
    slot->window = (struct cap_window){0};
    if (slot->flags & CAP_FLAG_REVOKING)
        obj->revoking--;
    childless = slot_unlink(slot);
    if (childless && childless->flags & CAP_FLAG_NOTIFY_CHILDLESS)
        cap_hook_childless(childless);
    obj_count(obj, slot->rights, -1u);
    cap_hook_unref(slot);
    slot_vacate(slot);
}

struct cap_slot *cap_obj_first(const struct cap_obj *obj)
{
    return cap_mark_opened(TAILQ_FIRST(&obj->marks));
}

struct cap_slot *cap_obj_next(const struct cap_slot *slot)
{
    struct cap_mark *mark = TAILQ_NEXT(&slot->open, link);

    while (mark && !cap_mark_opened(mark))
        mark = TAILQ_NEXT(mark, link);
    return (struct cap_slot *)mark;
}

struct cap_slot *cap_child_first(const struct cap_slot *slot)
{
    return cap_mark_opened(TAILQ_NEXT(&slot->open, link));
}
