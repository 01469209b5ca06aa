// SPDX-License-Identifier: MIT
//
// Capability tables: pages in, pages out, handles to slots, and the two operations on a whole
// table, clone (fork) and clear (death). Both are bounded by a number of slots looked at; clone's
// place is the caller's cursor, clear's is kept in the table, so that whoever reaps a dead domain
// can change from call to call.
//
// The directory is as deep as needed for 2^20 slots and has no locks or reference counts of its
// own; see caps/cspace.h.

#include "internal.h"

void cspace_init(struct cspace *cs)
{
    *cs = (struct cspace){0};
    TAILQ_INIT(&cs->vacant);
}

static void page_clear(void *page)
{
    void **entry = page;

    for (uint32_t i = 0; i < CSPACE_FANOUT; i++)
        entry[i] = NULL;
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
            cs->retired++;
        } else {
            TAILQ_INSERT_TAIL(&cs->vacant, &slot->open, link);
        }
    }
}

int cspace_add_page(struct cspace *cs, void *page)
{
    uint32_t dir = cs->pages / CSPACE_FANOUT, place = cs->pages % CSPACE_FANOUT;

    if (cs->closed || cs->pages == CSPACE_PAGES_MAX)
        return CAP_EFULL;
    if (!cs->root) {
        page_clear(page);
        cs->root = page;
        return 0;
    }
    if (place == 0 && !cs->dir_ready) {
        page_clear(page);
        cs->root[dir] = page;
        cs->dir_ready = true;
        return 0;
    }
    page_slots(cs, page);
    cs->root[dir][place] = page;
    cs->dir_ready = false;
    cs->pages++;
    return (int)CSPACE_SLOTS_PER_PAGE - (cs->pages == 1);
}

void *cspace_take_page(struct cspace *cs)
{
    void *page = cs->root;

    if (cs->used || !cs->root)
        return NULL;
    cs->closed = true;
    TAILQ_INIT(&cs->vacant);
    if (cs->dir_ready) {
        cs->dir_ready = false;
        return cs->root[cs->pages / CSPACE_FANOUT];
    }
    if (cs->pages) {
        cs->pages--;
        cs->dir_ready = cs->pages % CSPACE_FANOUT == 0;
        return cs->root[cs->pages / CSPACE_FANOUT][cs->pages % CSPACE_FANOUT];
    }
    cs->root = NULL;
    return page;
}

struct cap_slot *cspace_slot(const struct cspace *cs, uint32_t index)
{
    uint32_t page = index / CSPACE_SLOTS_PER_PAGE;

    if (index == 0 || index >= cspace_size(cs))
        return NULL;
    return cs->root[page / CSPACE_FANOUT][page % CSPACE_FANOUT] + index % CSPACE_SLOTS_PER_PAGE;
}

struct cap_slot *cspace_vacant(struct cspace *cs)
{
    return mark_opened(TAILQ_FIRST(&cs->vacant));
}

struct cap_slot *cspace_vacant_at(struct cspace *cs, uint32_t index)
{
    struct cap_slot *slot = cspace_slot(cs, index);

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
    slot->space->retired++;
}

static int clone_slot(struct cap_slot *src, struct cap_slot *dst, const struct cspace_cloner *how)
{
    int err;

    if (!cap_slot_vacant(dst) || dst->generation > src->generation)
        return CAP_OK;
    vacant_advance(dst, src, false);
    if (!src->type)
        return CAP_OK;
    if (how->pick && how->pick(how->arg, src, dst) == CSPACE_SKIP) {
        if (cap_slot_vacant(dst))
            vacant_advance(dst, src, true);
        return CAP_OK;
    }
    err = cap_copy(src, dst, src->rights);
    if (!err && how->done)
        how->done(how->arg, src, dst);
    return err;
}

int cspace_clone(struct cspace *dst, struct cspace *src, uint32_t budget, uint32_t *cursor,
                 const struct cspace_cloner *cloner)
{
    struct cap_slot *from, *to;
    int err;

    if (*cursor == 0)
        *cursor = 1;
    for (; (from = cspace_slot(src, *cursor)); ++*cursor) {
        if (budget-- == 0)
            return CAP_AGAIN;
        to = cspace_slot(dst, *cursor);
        err = to ? clone_slot(from, to, cloner) : CAP_ENOSLOT;
        if (err)
            return err;
    }
    return CAP_OK;
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
