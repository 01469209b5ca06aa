// SPDX-License-Identifier: MIT
//
// Capability tables: pages in, pages out, handles to slots, and the two operations on a whole
// table, clone (fork; slot by slot) and clear (death; bounded by a number of slots looked at, with
// its place kept in the table, so that whoever reaps a dead domain can change from call to call).
//
// The directory is as deep as needed for 2^20 slots and has no locks or reference counts of its
// own; see caps/cspace.h.

#include "internal.h"

void cspace_init(struct cspace *cs)
{
    *cs = (struct cspace){0};
    TAILQ_INIT(&cs->vacant);
}

static void page_slots(struct cspace *cs, struct cap_slot *slot)
{
    uint32_t index = cs->pages * CSPACE_SLOTS_PER_PAGE;

    for (uint32_t i = 0; i < CSPACE_SLOTS_PER_PAGE; i++, slot++, index++) {
        cap_slot_init(slot);
        slot->space = cs;
        slot->index = index;
        if (index == 0) {
            slot->flags = CAP_FLAG_RETIRED;
        } else {
            TAILQ_INSERT_TAIL(&cs->vacant, &slot->open, link);
        }
    }
}

int cspace_add_page(struct cspace *cs, void *page)
{
    uint32_t dir = cs->pages / CSPACE_FANOUT, place = cs->pages % CSPACE_FANOUT;

    if (cs->closed || cs->pages == CSPACE_PAGES_MAX)
        return CAP_ENOSLOT;
    if (!cs->root[dir]) {
        cs->root[dir] = page;
        return 0;
    }
    page_slots(cs, page);
    cs->root[dir][place] = page;
    cs->pages++;
    return (int)CSPACE_SLOTS_PER_PAGE - (cs->pages == 1);
}

void *cspace_take_page(struct cspace *cs)
{
    struct cap_slot ***dir = &cs->root[cs->pages / CSPACE_FANOUT];
    void *page = *dir;

    if (cs->used || !(cs->pages || page))
        return NULL;
    cs->closed = true;
    TAILQ_INIT(&cs->vacant);
    if (page && cs->pages % CSPACE_FANOUT == 0) {
        *dir = NULL; // its slot pages are gone, or never came
        return page;
    }
    cs->pages--;
    return cs->root[cs->pages / CSPACE_FANOUT][cs->pages % CSPACE_FANOUT];
}

struct cap_slot *cspace_slot(const struct cspace *cs, uint32_t index)
{
    uint32_t page = index / CSPACE_SLOTS_PER_PAGE;

    if (index == 0 || index >= cspace_size(cs))
        return NULL;
    return cs->root[page / CSPACE_FANOUT][page % CSPACE_FANOUT] + index % CSPACE_SLOTS_PER_PAGE;
}

struct cap_slot *cspace_vacant(struct cspace *cs, uint32_t index)
{
    struct cap_slot *slot =
        index ? cspace_slot(cs, index) : cap_mark_opened(TAILQ_FIRST(&cs->vacant));

    return slot && cap_slot_vacant(slot) ? slot : NULL;
}

int cspace_lookup(const struct cspace *cs, cap_handle_t handle, uint8_t type,
                  uint32_t rights_needed, struct cap_slot **slot)
{
    uint32_t index = handle & ((1u << CSPACE_INDEX_BITS) - 1);
    struct cap_slot *found = cspace_slot(cs, index);

    if (!found || !found->type || cspace_handle(found) != handle)
        return CAP_EBADHANDLE;
    if (type && found->type != type)
        return CAP_ETYPE;
    if (!cap_rights_within(rights_needed, found->rights))
        return CAP_ERIGHTS;
    *slot = found;
    return CAP_OK;
}

// Brings a vacant slot's generation up; past the last one the slot is retired.
static void vacant_advance(struct cap_slot *slot, const struct cap_slot *src, bool past)
{
    bool retire = src->flags & CAP_FLAG_RETIRED || (past && src->generation == UINT32_MAX);

    slot->generation = src->generation + (past && !retire);
    if (!retire)
        return;
    TAILQ_REMOVE(&slot->space->vacant, &slot->open, link);
    slot->flags = CAP_FLAG_RETIRED;
}

int cspace_clone(struct cap_slot *src, struct cap_slot *dst, bool copy)
{
    if (!cap_slot_vacant(dst) || dst->generation > src->generation)
        return CAP_EUSED;
    vacant_advance(dst, src, src->type && !copy);
    return src->type && copy ? cap_copy(src, dst, src->rights) : CAP_OK;
}

int cspace_clear(struct cspace *cs, uint32_t budget)
{
    while (cs->used) {
        if (budget-- == 0)
            return CAP_AGAIN;
        if (++cs->clear_at >= cspace_size(cs))
            cs->clear_at = 1;
        cap_delete(cspace_slot(cs, cs->clear_at));
    }
    return CAP_OK;
}
