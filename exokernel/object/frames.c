// SPDX-License-Identifier: MIT
//
// FRAMES: runs of frames that never split. A run is held by its capabilities (whose windows map
// it), by segment entries and by pins (kobj.refs), and goes when all are gone. Long runs are given
// back in parts.
//
// Runs are bought, or adopted at boot: a boot module (its frames become ordinary RAM of the root
// bank when the run goes) or device memory (never RAM, so it has no entries in the frame table).

#include <core/dispatch.h>
#include <core/log.h>
#include <object/bank.h>
#include <object/env.h>

#define RUN_LIMIT  16384u // frames in one allocation: 64 MiB
#define RUN_RIGHTS (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC | EXO_R_REVOKE)

uint64_t run_charge(const struct kobj *obj)
{
    const struct run *run = (const struct run *)obj;

    return obj->type == EXO_CAP_FRAMES && run->bought ? run->count : 0;
}

static int run_new(struct bank *bank, exo_fn_t first, uint64_t count, bool ram, bool bought,
                   struct kobj **obj)
{
    struct run *run;

    TRY(kobj_alloc(bank, EXO_CAP_FRAMES, sizeof(struct run), &run));
    *obj = &run->obj;
    run->first = first;
    run->count = count;
    run->ram = ram;
    run->bought = bought;
    for (exo_fn_t fn = first; ram && fn < first + count; fn++) {
        *frame_of(fn) = (struct frame){.owner = *obj, .unzeroed = bought};
        frame_kind_set(fn, EXO_FRAME_RUN);
    }
    return 0;
}

int frames_buy(struct bank *bank, uint64_t count, uint64_t flags, exo_fn_t at, struct kobj **obj)
{
    bool found;
    int err;

    TRY(bank_afford(bank, count + 1));
    if (flags & EXO_FRAMES_AT)
        found = buddy_take(&frames_buddy, at, count);
    else
        found = buddy_alloc(&frames_buddy, count, flags & EXO_FRAMES_2M ? 512 : 1, &at);
    if (!found)
        return flags & EXO_FRAMES_AT ? -EXO_EBUSY : -EXO_ENOMEM;
    err = run_new(bank, at, count, true, true, obj);
    if (err) {
        buddy_free(&frames_buddy, at, count);
        return err;
    }
    bank_charge(bank, count);
    return 0;
}

// True when every frame is RAM that was kept from the allocator, or every one is outside RAM.
static bool adoptable(exo_fn_t first, uint64_t count, bool *ram)
{
    enum exo_frame_kind kind = frame_kind(first);

    if (!count || (kind != EXO_FRAME_NONE && kind != EXO_FRAME_KERNEL))
        return false;
    for (exo_fn_t fn = first; fn < first + count; fn++)
        if (frame_kind(fn) != kind)
            return false;
    *ram = kind == EXO_FRAME_KERNEL;
    return true;
}

int frames_adopt(struct bank *bank, exo_fn_t first, uint64_t count, struct kobj **obj)
{
    bool ram;

    return adoptable(first, count, &ram) ? run_new(bank, first, count, ram, false, obj)
                                         : -EXO_EBUSY;
}

// Gives back up to *budget frames from the front; true when the run is gone.
static bool frames_reap(struct kobj *obj, unsigned *budget)
{
    struct run *run = (struct run *)obj;
    uint64_t part = run->count < *budget ? run->count : *budget;

    if (run->ram && part) {
        frames_release(run->first, part);
        run->first += part;
        run->count -= part;
        *budget -= (unsigned)part;
        if (run->bought)
            bank_credit(obj->bank, part);
        else
            bank_root_grow(part);
    }
    if (run->ram && run->count)
        return false;
    kobj_free(obj);
    return true;
}

static void frames_release_op(struct kobj *obj)
{
    unsigned budget = 64;

    if (!frames_reap(obj, &budget))
        reap_later(obj);
}

static int frames_destroy(struct kobj *obj, unsigned budget)
{
    if (obj->flags & KOBJ_REAPING)
        return frames_reap(obj, &budget) ? 0 : -EXO_EAGAIN;
    return cap_obj_revoke_all(&obj->cap, budget) ? -EXO_EAGAIN : 0;
}

static void frames_counted(struct kobj *obj)
{
    struct run *run = (struct run *)obj;
    volatile struct exo_frame *e = run->ram && run->count ? frame_info(run->first) : NULL;

    if (!e)
        return;
    e->caps = obj->cap.caps;
    e->wcaps = obj->cap.wcaps;
}

static void frames_identify(struct kobj *obj, struct exo_cap_info *info)
{
    info->first_frame = run_of(obj)->first;
    info->length = run_of(obj)->count;
}

const struct kobj_ops frames_ops = {
    .name = "frames",
    .release = frames_release_op,
    .destroy = frames_destroy,
    .counted = frames_counted,
    .identify = frames_identify,
    .reap = frames_reap,
};

int64_t sys_frames_alloc(exo_handle_t bank, uint64_t count, uint64_t flags, uint64_t frame)
{
    struct bank *pays;
    struct kobj *obj;

    if (!count || flags & ~(uint64_t)(EXO_FRAMES_AT | EXO_FRAMES_2M) ||
        (flags & EXO_FRAMES_AT && flags & EXO_FRAMES_2M && frame % 512))
        return -EXO_EINVAL;
    if (count > RUN_LIMIT)
        return -EXO_ELIMIT;
    TRY(bank_find(bank, EXO_R_BUY, &pays));
    TRY(frames_buy(pays, count, flags, frame, &obj));
    return cap_name_new(env_current(), obj, RUN_RIGHTS, 0);
}
