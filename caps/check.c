// SPDX-License-Identifier: MIT
//
// The invariant checkers, for tests and for the kernel's debug build. They trust no link before
// they have compared it with its neighbour, and every loop is bounded by a count, so a damaged
// structure gives a message and not a hang. Linear time and no recursion: an object's list is
// walked once flat for links and counts, then for each slot only its children, hopping from each
// closing mark to the next opening one; the hops of all slots together are one per slot.

#include "internal.h"

static const char *check_slot(const struct cap_obj *obj, const struct cap_slot *slot)
{
    if (slot->obj != obj || !slot->type)
        return "a slot in the object's list does not name it";
    if (slot->flags & CAP_FLAG_RETIRED || !slot->generation)
        return "a used slot is retired or has no generation";
    if (slot->space && cspace_slot(slot->space, slot->index) != slot)
        return "a slot is not where its index says";
    return NULL;
}

static const char *check_flat(const struct cap_obj *obj)
{
    uint32_t opens = 0, closes = 0, writers = 0, revoking = 0;
    struct cap_mark *mark, *const *back = &obj->marks.tqh_first;
    bool scan_found = !obj->scan;
    const struct cap_slot *slot;
    const char *wrong;

    for (mark = *back; mark; back = &mark->link.tqe_next, mark = *back) {
        if (mark->link.tqe_prev != back)
            return "a mark's back link is wrong";
        scan_found |= mark == obj->scan;
        slot = cap_mark_opened(mark);
        if (!slot) {
            closes++;
            continue;
        }
        wrong = check_slot(obj, slot);
        if (wrong)
            return wrong;
        if (++opens > obj->caps)
            return "more slots than counted";
        writers += !!(slot->rights & CAP_R_WRITE);
        revoking += !!(slot->flags & CAP_FLAG_REVOKING);
    }
    if (obj->marks.tqh_last != back)
        return "the list's end is wrong";
    if (opens != obj->caps || closes != obj->caps)
        return "caps is not the number of slots";
    if (writers != obj->wcaps || revoking != obj->revoking)
        return "wcaps or revoking is not the number of such slots";
    return scan_found ? NULL : "scan is not in the list";
}

// Hops over the slots that begin at mark, which must end at end. Takes the hops from *left.
static const char *check_run(struct cap_mark *mark, const struct cap_mark *end,
                             const struct cap_slot *parent, uint32_t *left)
{
    const struct cap_slot *slot;

    for (; (slot = cap_mark_opened(mark)); mark = TAILQ_NEXT(&slot->close, link)) {
        if ((*left)-- == 0)
            return "the marks do not nest";
        if (!parent)
            continue;
        if (!cap_rights_within(slot->rights, parent->rights))
            return "a child has more rights than its parent";
        if (slot->type != parent->type || (parent->badge && slot->badge != parent->badge))
            return "a child has another type or badge than its parent";
    }
    return mark == end ? NULL : "the marks do not nest";
}

const char *cap_check_obj(const struct cap_obj *obj)
{
    const char *wrong = check_flat(obj);
    const struct cap_slot *slot;
    uint32_t left = obj->caps;

    if (wrong)
        return wrong;
    wrong = check_run(TAILQ_FIRST(&obj->marks), NULL, NULL, &left);
    for (slot = cap_obj_first(obj); slot && !wrong; slot = cap_obj_next(slot))
        wrong = check_run(TAILQ_NEXT(&slot->open, link), &slot->close, slot, &left);
    return wrong || left == 0 ? wrong : "the marks do not nest";
}

static const char *check_vacant(const struct cspace *cs, uint32_t expected)
{
    struct cap_mark *mark, *const *back = &cs->vacant.tqh_first;
    const struct cap_slot *slot;

    for (mark = *back; mark; back = &mark->link.tqe_next, mark = *back) {
        slot = cap_mark_opened(mark);
        if (!slot || mark->link.tqe_prev != back)
            return "the list of vacant slots is broken";
        if (slot->space != cs || !cap_slot_vacant(slot))
            return "a slot on the list is not vacant";
        if (expected-- == 0)
            return "too many vacant slots on the list";
    }
    if (cs->vacant.tqh_last != back)
        return "the end of the list of vacant slots is wrong";
    return expected ? "vacant slots are missing from the list" : NULL;
}

const char *cspace_check(const struct cspace *cs)
{
    uint32_t used = 0, vacant = 0;
    const struct cap_slot *slot;

    for (uint32_t i = 1; i < cspace_size(cs); i++) {
        slot = cspace_slot(cs, i);
        if (slot->space != cs || slot->index != i || slot->generation == 0)
            return "a slot has lost its place or generation";
        if (slot->type && !slot->obj)
            return "a used slot names no object";
        if (!slot->type && (slot->obj || slot->rights || slot->badge || slot->wkind))
            return "a slot without capability is not blank";
        if (slot->type)
            used++;
        else
            vacant += cap_slot_vacant(slot);
    }
    if (cs->closed)
        return cs->used ? "a closed table is in use" : NULL;
    if (used != cs->used)
        return "used is not the number of such slots";
    return check_vacant(cs, vacant);
}
