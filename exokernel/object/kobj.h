// SPDX-License-Identifier: MIT
// Kernel objects: what capabilities name, and how their memory is bought.
//
// Every object lives in whole frames bought from a bank and starts with struct kobj. An object goes
// when nothing names it any more: no capability (kobj.cap.caps == 0) and no internal reference
// (kobj.refs == 0, such as an environment's hold on its address space, or a context's on its
// slice). kobj_put then calls the type's `release`, which gives the memory back to the bank.
//
// Locking: one kernel lock (klock) guards every object, the capability core and the frame table.
// Every call is short and bounded, so holding it for the whole call costs less than taking finer
// locks. Interrupts are off in the kernel.
#ifndef KERNEL_KOBJ_H
#define KERNEL_KOBJ_H

#include <stdbool.h>
#include <stdint.h>
#include <caps/cspace.h>
#include <exo/calls.h>

struct bank;
struct env;

struct kobj {
    struct cap_obj cap;
    struct bank *bank; // who paid
    uint32_t refs;     // internal references
    uint8_t type;      // enum exo_cap_type
    uint8_t pages;     // frames bought for it
    uint16_t flags;    // KOBJ_*
    uint64_t id;       // never reused: what cap_identify calls `object`
    TAILQ_ENTRY(kobj) reap_link;
};
#define KOBJ_REAPING 1u // on the list of deferred work
#define KOBJ_WAITED  2u // somebody waited for its counts

// What each type does, one table indexed by enum exo_cap_type (object/types.c).
struct kobj_ops {
    const char *name;
    void (*release)(struct kobj *obj); // no capability, no reference: free it
    // Its bank goes: end it; 0 or -EXO_EAGAIN; NULL: caps go.
    int (*destroy)(struct kobj *obj, unsigned budget);
    void (*childless)(struct cap_slot *slot); // a watched slot lost its last child
    void (*counted)(struct kobj *obj);        // capability counts changed
    void (*identify)(struct kobj *obj, struct exo_cap_info *info);
    // A part of the work `release` has put off (reap_later): takes from *budget; true when nothing
    // is left.
    bool (*reap)(struct kobj *obj, unsigned *budget);
};
extern const struct kobj_ops *const kobj_ops[EXO_CAP_TYPES];

// Contexts are objects too, bought and destroyed like others, but no capability names them: their
// place in the table is that of EXO_CAP_NONE.
#define KOBJ_CTX EXO_CAP_NONE

// Each in object/<type>.c.
extern const struct kobj_ops ctx_ops, env_ops, endpoint_ops, slice_ops;
extern const struct kobj_ops bank_ops, frames_ops, segment_ops, aspace_ops;

// Buys a zeroed object of `bytes` (rounded up to 1, 2 or 4 frames) and stores its address, which is
// that of its struct kobj, in the pointer at `out`. Returns 0 or -EXO_ENOMEM.
int kobj_alloc(struct bank *bank, enum exo_cap_type type, size_t bytes, void *out);
// Gives the frames of an object back. Only `release` functions call this.
void kobj_free(struct kobj *obj);
void kobj_get(struct kobj *obj); // one more internal reference
void kobj_put(struct kobj *obj); // one less; may release
// After a capability went (hook): releases the object when that was the last hold on it.
void kobj_unnamed(struct kobj *obj);

#endif
