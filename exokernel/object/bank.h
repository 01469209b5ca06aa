// SPDX-License-Identifier: MIT
// Banks and what they sell: charging, single frames, deferred work. Private to the memory objects.
//
// A bank's `used` is the frames bought from it plus the limits of its child banks, and never
// exceeds its limit; so buying looks at one bank only, whatever stands above it. The root's limit
// is all the RAM there is to sell, so a frame that a bank can pay for exists.
#ifndef KERNEL_BANK_H
#define KERNEL_BANK_H

#include <core/log.h>
#include <object/frame.h>
#include <object/mem.h>

TAILQ_HEAD(banks, bank);
#define BANK_LISTS 3

struct bank {
    struct kobj obj; // obj.bank is the parent; the object's frame is in the parent's list
    uint64_t limit, used;
    bool folded;  // sells nothing more; what is bought stays, its limit sinks with it
    bool dying;   // being destroyed
    bool settled; // folded or destroyed, and its unused limit and its children are the parent's
    bool listed;  // for surrender: stands before all that are not, among its parent's children
    struct exo_bank_debt debt; // what it owes its parent is not for sale
    struct cap_slot *keeper;   // whose holder is told, by notification bit `spare`
    struct banks children;
    TAILQ_ENTRY(bank) sibling;
    struct frame_list bought[BANK_LISTS]; // by kind: objects, tables, anonymous pages
};
static inline struct frame_list *bank_list(struct bank *bank, enum exo_frame_kind kind)
{
    return &bank->bought[kind - EXO_FRAME_OBJECT];
}

static inline uint64_t bank_room(const struct bank *bank)
{
    uint64_t gone = bank ? bank->used + bank->debt.frames : 0;

    return !bank || bank->folded || bank->dying || gone > bank->limit ? 0 : bank->limit - gone;
}
static inline int bank_afford(const struct bank *bank, uint64_t frames)
{
    return frames <= bank_room(bank) ? 0 : -EXO_ENOMEM;
}
// After taking them: the caller has looked at bank_room.
void bank_charge(struct bank *bank, uint64_t frames);
void bank_credit(struct bank *bank, uint64_t frames); // may free a settled bank
void bank_init(struct bank *bank, uint64_t limit);
// The bank that a capability of the caller names.
#define bank_find(handle, rights, bank) obj_find(handle, EXO_CAP_BANK, rights, bank)
void bank_slot_gone(struct cap_slot *slot); // cap_hook_unref: its holder keeps the bank no more
void bank_root_grow(uint64_t frames);       // RAM that was reserved at boot becomes the root's
// --- frames (frame.c) ------------------------------------------------------------------------
extern struct buddy frames_buddy;
extern struct exo_frame *frames_exposed;

static inline struct frame *frame_of(exo_fn_t fn) // a frame of the table
{
    kassert(fn < frames_buddy.frames);
    return &frames_buddy.table[fn];
}
static inline exo_fn_t frame_number(const struct frame *f)
{
    return (exo_fn_t)(f - frames_buddy.table);
}
static inline struct frame *frame_at(const void *memory)
{
    return frame_of(virt_to_phys(memory) >> EXO_PAGE_SHIFT);
}
static inline void frame_move(struct frame *f, struct frame_list *list) // from the list it is in
{
    LIST_REMOVE(f, link);
    LIST_INSERT_HEAD(list, f, link);
}
static inline void *frame_memory(const struct frame *f)
{
    return phys_to_virt(frame_number(f) << EXO_PAGE_SHIFT);
}
static inline enum exo_frame_kind frame_kind(exo_fn_t fn)
{
    return fn < frames_buddy.frames ? (enum exo_frame_kind)frames_exposed[fn].kind : EXO_FRAME_NONE;
}
static inline void frame_kind_set(exo_fn_t fn, enum exo_frame_kind kind)
{
    frames_exposed[fn].kind = (uint16_t)kind;
}
// One TABLE or ANON frame, zeroed unless told otherwise; the caller has looked at bank_room.
struct frame *frame_buy(struct bank *bank, enum exo_frame_kind kind, bool zero);
void frame_free(struct frame *f);                 // of these kinds
void frames_release(exo_fn_t fn, uint64_t count); // to the buddy, kinds set
// One more (1) or one less (-1) entry names the frame; the exposed count follows.
void frame_ref(exo_fn_t fn, int one);
void frame_ready(struct frame *f); // zeroes a frame of a run before its first use

// Whole pages, by the widest instructions the CPU has (x86/cpu.c).
void page_zero(void *page);
void page_copy(void *dst, const void *src);

// --- runs (frames.c) -------------------------------------------------------------------------
struct run {
    struct kobj obj;
    exo_fn_t first; // a run that is being given back loses frames from its front
    uint64_t count;
    bool bought; // from obj.bank; otherwise adopted at boot
    bool ram;
};
#define run_of(frames) ((const struct run *)(frames)) // of a FRAMES object, which contexts pin
// Frames bought for an object besides its own: a run's.
uint64_t run_charge(const struct kobj *obj);

// --- deferred work (reap.c) ------------------------------------------------------------------
void reap_later(struct kobj *obj); // kobj_ops.reap will be called until it says it is done
void reap_cancel(struct kobj *obj);

#endif
