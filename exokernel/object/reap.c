// SPDX-License-Identifier: MIT
//
// Deferred work. An object whose last holder goes may have more to give back than one call may do:
// the page tables of an address space, the frames of a long run, the children of a folded bank. Its
// `release` puts it on this list and kobj_ops.reap does the rest in pieces, at the start of memory
// calls and in idle time. Until then everything stays charged to the bank that paid, so putting off
// costs nobody else anything.

#include <object/bank.h>

static TAILQ_HEAD(, kobj) reaping = TAILQ_HEAD_INITIALIZER(reaping);

void reap_later(struct kobj *obj)
{
    if (obj->flags & KOBJ_REAPING)
        return;
    obj->flags |= KOBJ_REAPING;
    TAILQ_INSERT_TAIL(&reaping, obj, reap_link);
}

void reap_cancel(struct kobj *obj)
{
    if (!(obj->flags & KOBJ_REAPING))
        return;
    obj->flags &= (uint16_t)~KOBJ_REAPING;
    TAILQ_REMOVE(&reaping, obj, reap_link);
}

bool mem_work(unsigned budget)
{
    struct kobj *obj;

    if (TAILQ_EMPTY(&reaping))
        return false;
    while (budget && (obj = TAILQ_FIRST(&reaping))) {
        budget--;
        reap_cancel(obj);
        if (!kobj_ops[obj->type]->reap(obj, &budget))
            reap_later(obj);
    }
    return !TAILQ_EMPTY(&reaping);
}
