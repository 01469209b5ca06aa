// SPDX-License-Identifier: MIT
//
// Capabilities and their derivation tree.
//
// A *slot* holds one capability: a typed, weakened, perhaps badged reference to an *object*.
// All capabilities to one object form one forest, because a child or a copy names the same
// object as its source. The forest is kept as a single list of brackets whose head is in the
// object: every slot owns an opening and a closing mark, and what stands between them descends
// from it.
//
//     object:  ( a ( b ( c ) ) ( d ) )   ( e )         a and e are roots, c is a grandchild of a
//
// So every operation is a constant number of list steps, whatever the shape of the tree:
// deriving inserts a pair after the source's opening mark, copying inserts a pair after its
// closing mark, deleting takes a pair out (the children then stand inside the enclosing pair:
// they have moved up), and the descendants of a slot are a contiguous run. The same list is the
// list of all slots that name the object. There is no parent pointer, no depth, no recursion.
//
// Marks are 16 bytes and slots are 32-byte aligned, so bit 4 of a mark's address tells an
// opening mark from a closing one.
//
// Revocation is bounded: a call deletes at most its budget and says CAP_AGAIN while work
// remains. The slot stays marked as being revoked, the object counts such slots, and until they
// are done nobody can make another capability to that object: whoever tries does a part of the
// work instead and gets CAP_AGAIN as well. So what is revoked cannot outrun its revoker, nothing
// escapes, and a revocation that its caller abandons blocks nobody.
//
// Locking: every function here and in cspace.h runs under the kernel's one capability lock,
// hooks included. Nothing is atomic, nothing sleeps.
#ifndef CAPS_CAP_H
#define CAPS_CAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <caps/rights.h>

// Numbered as the kernel numbers its errors (object/cap.c checks that), which passes them on.
enum cap_err {
    CAP_OK = 0,
    CAP_EBADHANDLE = -1, // names nothing, or something that is gone
    CAP_ETYPE = -2,      // names an object of another type
    CAP_ERIGHTS = -3,    // lacks a right that is needed, or asks for more than the source has
    CAP_EBADGE = -4,     // the source has a badge already
    CAP_ENOSLOT = -7,    // the table has no such slot, no vacant one, or all the pages it can have
    CAP_AGAIN = -8,      // bounded work done, more remains: look everything up anew and repeat
    CAP_EUSED = -12,     // the destination slot is not vacant
};

#define CAP_FLAG_NOTIFY_CHILDLESS 0x01 // run cap_hook_childless when the last child goes
#define CAP_FLAG_RETIRED          0x02 // internal: generations are used up, never vacant again
#define CAP_FLAG_REVOKING         0x04 // internal: cap_revoke has begun here and not finished
#define CAP_FLAG_USER             0xf0 // four bits for the kernel's own use, cleared on delete

struct cspace;

struct cap_mark {
    TAILQ_ENTRY(cap_mark) link;
};
TAILQ_HEAD(cap_marks, cap_mark);

// Embedded in every object that a capability can name. All fields belong to caps/; the counts
// may be read by anyone who holds the lock.
struct cap_obj {
    struct cap_marks marks; // the forest of all slots naming this object
    struct cap_mark *scan;  // where helpers look on for slots being revoked, NULL = at the start
    uint32_t caps;          // slots naming this object
    uint32_t wcaps;         // of these, the ones with CAP_R_WRITE
    uint32_t revoking;      // of these, the ones whose revocation is unfinished
    bool dying;             // cap_obj_revoke_all has begun and not finished
};

// Where a slot's object is mapped: one window per slot. Opaque to caps/, which only asks
// whether there is one (slot.wkind != 0) and has cap_hook_unmap remove it before the slot goes.
struct cap_window {
    void *aspace;
    uint64_t va;
    uint32_t first; // of a slot without window: a range that its copies and children inherit
    uint32_t count;
};

struct cap_slot {
    struct cap_mark open; // also the link of the table's list of vacant slots
    struct cap_mark close;
    struct cspace *space; // the table this slot is part of; NULL for a loose slot
    struct cap_obj *obj;
    uint64_t badge;      // 0 = none
    uint32_t rights;     // CAP_R_*
    uint32_t generation; // never 0; of the present or, while vacant, of the next capability
    uint32_t index;      // place in the table
    uint8_t type;        // 0 = vacant; otherwise opaque
    uint8_t flags;       // CAP_FLAG_*
    uint8_t wkind;       // kind of window, 0 = none; set and read by the kernel
    uint8_t spare;       // the kernel's own, with the flags of CAP_FLAG_USER; cleared on delete
    struct cap_window window;
} __attribute__((aligned(32)));

_Static_assert(sizeof(struct cap_slot) == 96, "42 slots fit a page");
_Static_assert(offsetof(struct cap_slot, close) == 16, "bit 4 tells closing marks");

// What the user of caps/ provides, to learn of it. Called under the capability lock; a hook must
// not call back into caps/ except to read. In the order in which a deletion runs them.
void cap_hook_unmap(struct cap_slot *slot);     // has a window that must go now, TLBs included;
                                                // the slot is still whole; caps/ clears the window
void cap_hook_childless(struct cap_slot *slot); // flagged slot lost its last child
void cap_hook_counted(struct cap_obj *obj);     // caps or wcaps changed, up or down
void cap_hook_unref(struct cap_slot *slot);     // stopped naming slot->obj: already unlinked and
                                                // uncounted, fields still readable. caps/ does not
                                                // touch the object afterwards

void cap_obj_init(struct cap_obj *obj);
void cap_slot_init(struct cap_slot *slot); // a loose slot, outside any table

// The slot whose opening mark this is, NULL for a closing mark or the end of the list.
static inline struct cap_slot *cap_mark_opened(struct cap_mark *mark)
{
    bool opens = mark && !((uintptr_t)mark & offsetof(struct cap_slot, close));

    return opens ? (struct cap_slot *)mark : NULL;
}

static inline bool cap_slot_vacant(const struct cap_slot *slot)
{
    return slot->type == 0 && !(slot->flags & CAP_FLAG_RETIRED);
}

// All operations take the slots themselves, found by cspace_lookup and cspace_vacant. The
// destination must be vacant (CAP_EUSED); it is taken off its table's list of vacant slots on
// success only: an error changes nothing, except that CAP_AGAIN may mean that slots condemned by
// somebody's revocation, even the source, are gone. A new capability has no window and no flags.

// The first capability to an object. type is not 0.
int cap_insert_root(struct cap_slot *dst, uint8_t type, struct cap_obj *obj, uint32_t rights,
                    uint64_t badge);

// dst becomes a child of src. rights must be within src's (CAP_ERIGHTS). badge 0 inherits src's;
// another needs an unbadged src (CAP_EBADGE) that has CAP_R_DERIVE (CAP_ERIGHTS).
int cap_derive(struct cap_slot *src, struct cap_slot *dst, uint32_t rights, uint64_t badge);

// dst becomes a sibling of src, with the same parent and badge; rights must be within src's.
int cap_copy(struct cap_slot *src, struct cap_slot *dst, uint32_t rights);

// Deletes one capability; its children become children of its parent. Constant time.
void cap_delete(struct cap_slot *slot);

// Deletes the descendants of slot, at most budget of them. CAP_OK: none is left. CAP_AGAIN:
// repeat, as anyone who finds the slot may do.
int cap_revoke(struct cap_slot *slot, uint32_t budget);

// Deletes every capability to obj, in the same way. CAP_OK: none is left, and the object may
// be gone if cap_hook_unref released it.
int cap_obj_revoke_all(struct cap_obj *obj, uint32_t budget);

// Walking the slots that name an object, ancestors first.
struct cap_slot *cap_obj_first(const struct cap_obj *obj);
struct cap_slot *cap_obj_next(const struct cap_slot *slot);

#define CAP_OBJ_FOREACH(slot, obj)                                                                 \
    for ((slot) = cap_obj_first(obj); (slot); (slot) = cap_obj_next(slot))

// The youngest child of a slot; NULL when it has none.
struct cap_slot *cap_child_first(const struct cap_slot *slot);

// Checks an object's forest: brackets nest, links and counts agree, rights and badges of
// children are within their parents'. NULL when sound, otherwise what is wrong. Linear time.
const char *cap_check_obj(const struct cap_obj *obj);

#endif
