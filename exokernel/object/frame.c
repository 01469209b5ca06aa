// SPDX-License-Identifier: MIT
//
// Frames: the table, kinds, reference counts, and the sale of single frames to banks. Blocks of
// free frames are buddy.c's; the start of the machine is start.c's.
//
// Two tables run beside each other: struct frame, which only the kernel sees, and struct exo_frame,
// which every environment may read (kind, mappings, sleepers, capabilities). The kind lives in the
// exposed one.
//
// A frame changes owner only zeroed: tables, objects and anonymous pages are zeroed when they are
// bought, those of a run one by one before their first mapping (unzeroed), so that buying a long
// one stays short and what is never used costs nothing. Debug builds fill what is freed with junk.

#include <core/log.h>
#include <object/bank.h>

#ifndef KERNEL_DEBUG
#define KERNEL_DEBUG 0
#endif

struct buddy frames_buddy;
struct exo_frame *frames_exposed; // set by mem_init

volatile struct exo_frame *frame_info(exo_fn_t fn)
{
    return frame_kind(fn) == EXO_FRAME_NONE ? NULL : &frames_exposed[fn];
}

struct kobj *frame_run(exo_fn_t fn)
{
    return frame_kind(fn) == EXO_FRAME_RUN ? frames_buddy.table[fn].owner : NULL;
}

void frames_release(exo_fn_t fn, uint64_t count)
{
    for (exo_fn_t i = fn; i < fn + count; i++) {
        struct frame *f = &frames_buddy.table[i];
        struct exo_frame *e = &frames_exposed[i];

        kassert(f->refs == 0 && f->rank == 0);
        if (e->sleepers)
            wait_frame_gone(i);
        *f = (struct frame){0};
        *e = (struct exo_frame){.kind = EXO_FRAME_FREE};
        if (KERNEL_DEBUG)
            __builtin_memset(frame_memory(f), 0xdb, EXO_PAGE_SIZE);
    }
    buddy_free(&frames_buddy, fn, count);
    info_page->frames_free = frames_buddy.nfree;
}

struct frame *frame_buy(struct bank *bank, enum exo_frame_kind kind, bool zero)
{
    exo_fn_t fn;
    struct frame *f;
    bool found = buddy_alloc(&frames_buddy, 1, 1, &fn);

    kassert(found); // every bank's room is free RAM
    bank_charge(bank, 1);
    f = &frames_buddy.table[fn];
    *f = (struct frame){.bank = bank};
    frame_kind_set(fn, kind);
    LIST_INSERT_HEAD(bank_list(bank, kind), f, link);
    if (zero)
        page_zero(frame_memory(f));
    return f;
}

void frame_free(struct frame *f)
{
    struct bank *bank = f->bank;

    LIST_REMOVE(f, link);
    f->rank = 0;
    frames_release(frame_number(f), 1);
    bank_credit(bank, 1);
}

void frame_ref(exo_fn_t fn, int one)
{
    uint32_t refs = frames_buddy.table[fn].refs += (uint32_t)one;

    kassert(refs != UINT32_MAX);
    frames_exposed[fn].refs = refs < UINT16_MAX ? (uint16_t)refs : UINT16_MAX;
}

void frame_ready(struct frame *f)
{
    if (!f->unzeroed)
        return;
    page_zero(frame_memory(f));
    f->unzeroed = 0;
}

// --- objects ---------------------------------------------------------------------------------

static uint64_t kobj_ids;

// The frames of an object are contiguous and at most four.
int kobj_alloc(struct bank *bank, enum exo_cap_type type, size_t bytes, void *out)
{
    uint64_t pages = bytes <= EXO_PAGE_SIZE ? 1 : bytes <= 2 * EXO_PAGE_SIZE ? 2 : 4;
    struct kobj *obj;
    exo_fn_t fn;

    kassert(bytes <= 4 * EXO_PAGE_SIZE);
    if (bank_room(bank) < pages || !buddy_alloc(&frames_buddy, pages, 1, &fn))
        return -EXO_ENOMEM;
    bank_charge(bank, pages);
    obj = *(struct kobj **)out = frame_memory(frame_of(fn));
    for (exo_fn_t i = fn; i < fn + pages; i++) {
        *frame_of(i) = (struct frame){.owner = obj};
        frame_kind_set(i, EXO_FRAME_OBJECT);
    }
    __builtin_memset(obj, 0, bytes);
    LIST_INSERT_HEAD(bank_list(bank, EXO_FRAME_OBJECT), frame_of(fn), link);
    cap_obj_init(&obj->cap);
    obj->bank = bank;
    obj->type = (uint8_t)type;
    obj->pages = (uint8_t)pages;
    obj->id = ++kobj_ids;
    return 0;
}

void kobj_free(struct kobj *obj)
{
    struct frame *head = frame_at(obj);
    struct bank *bank = obj->bank;
    uint64_t pages = obj->pages;

    reap_cancel(obj);
    LIST_REMOVE(head, link);
    frames_release(frame_number(head), pages);
    bank_credit(bank, pages);
}

void kobj_get(struct kobj *obj)
{
    obj->refs++;
}

void kobj_unnamed(struct kobj *obj)
{
    if (obj->cap.caps == 0 && obj->refs == 0)
        kobj_ops[obj->type]->release(obj);
}

void kobj_put(struct kobj *obj)
{
    kassert(obj->refs);
    obj->refs--;
    kobj_unnamed(obj);
}
