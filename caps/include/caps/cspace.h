// SPDX-License-Identifier: MIT
//
// A capability table: slots in pages that the caller supplies (a kernel buys them from a bank)
// and gets back at the end. Pages are 4096 bytes, 4096-aligned, mapped in the kernel.
//
//     root               in struct cspace, pointers -> directory pages
//     directory page     512 pointers -> slot pages
//     slot page          42 slots; index = 42 * page + place; index 0 is never valid
//
// A handle is `index | generation << 20`: 20 bits of index, 32 of generation, the rest zero. A
// slot's generation rises whenever its capability goes, so a stale handle never resolves; a slot
// whose generation cannot rise is retired. 0 is never a handle.
//
// Locking: as in cap.h, all under the one capability lock.
#ifndef CAPS_CSPACE_H
#define CAPS_CSPACE_H

#include <caps/cap.h>

#define CSPACE_PAGE           4096u
#define CSPACE_INDEX_BITS     20
#define CSPACE_SLOTS_PER_PAGE (CSPACE_PAGE / (uint32_t)sizeof(struct cap_slot))
#define CSPACE_FANOUT         (CSPACE_PAGE / (uint32_t)sizeof(void *))
#define CSPACE_PAGES_MAX      ((1u << CSPACE_INDEX_BITS) / CSPACE_SLOTS_PER_PAGE)

#define CSPACE_DIRECTORIES (CSPACE_PAGES_MAX / CSPACE_FANOUT + 1)

typedef uint64_t cap_handle_t;

struct cspace {
    struct cap_slot **root[CSPACE_DIRECTORIES];
    struct cap_marks vacant; // by cap_slot.open
    uint32_t pages;          // slot pages
    uint32_t used;           // slots that hold a capability
    uint32_t clear_at;       // where cspace_clear goes on
    bool closed;             // pages are being taken back
};

void cspace_init(struct cspace *cs);

// Gives the table one zeroed page. Returns how many vacant slots that made: 0 when the page became
// a directory page (so give another one), CAP_ENOSLOT when it was not taken. To gain slots:
//     do { page = buy(); n = cspace_add_page(cs, page); } while (n == 0);
int cspace_add_page(struct cspace *cs, void *page);

// Takes back one page of an emptied table (used == 0), in any order the table likes; NULL when
// there are none left. The table gives no slots from the first call on.
void *cspace_take_page(struct cspace *cs);

// The number of slots the table has, used or not: indices run below this.
static inline uint32_t cspace_size(const struct cspace *cs)
{
    return cs->closed ? 0 : cs->pages * CSPACE_SLOTS_PER_PAGE;
}

// The slot at an index in any state; NULL for index 0 and beyond the end.
struct cap_slot *cspace_slot(const struct cspace *cs, uint32_t index);

// A vacant slot to be used as a destination, NULL when there is none: the one at index, or any (0).
// It stays vacant until an operation fills it.
struct cap_slot *cspace_vacant(struct cspace *cs, uint32_t index);

static inline cap_handle_t cspace_handle(const struct cap_slot *slot)
{
    return slot->index | (cap_handle_t)slot->generation << CSPACE_INDEX_BITS;
}

// Resolves a handle. type 0 accepts any type. *slot is set on CAP_OK only; otherwise
// CAP_EBADHANDLE, CAP_ETYPE, CAP_ERIGHTS, in that order of precedence.
int cspace_lookup(const struct cspace *cs, cap_handle_t handle, uint8_t type,
                  uint32_t rights_needed, struct cap_slot **slot);

// For fork: dst, the slot at src's index in another table, becomes a sibling of src with the same
// handle, or, without `copy`, stays vacant, and src's handle is stale in it. CAP_EUSED: dst is left
// alone, it is in use or later than src. CAP_AGAIN: repeat. Generations of vacant slots are carried
// over too, so that what was stale in src's table is stale in dst's.
int cspace_clone(struct cap_slot *src, struct cap_slot *dst, bool copy);

// Deletes every capability in the table, looking at no more than budget slots. CAP_OK: empty.
// CAP_AGAIN: repeat.
int cspace_clear(struct cspace *cs, uint32_t budget);

// Checks the table: links, indices, generations, counts, the list of vacant slots. NULL when
// sound, otherwise what is wrong. cap_check_obj checks the objects named.
const char *cspace_check(const struct cspace *cs);

#endif
