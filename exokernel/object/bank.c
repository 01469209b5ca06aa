// SPDX-License-Identifier: MIT
//
// Banks: split, fold, destroy.
//
// The tree of banks is kept flat where it ends: a bank that is folded or destroyed hands its
// children to its parent one by one (bank_hoist), a constant number of steps each, and is *settled*
// when it has none. So a settled bank is a leaf, its parent is not settled, and what is freed of it
// climbs one level and no more, however deep the tree was. A settled bank stays, unable to sell,
// until nothing bought from it is left.
//
// Hoisting keeps every sum: a child's limit and the frame of its object are taken out of the
// parent's used and limit both, and the grandparent, which counts the parent's limit, counts them
// directly from then on.
//
// Destroying works on the first child, again and again, until there is none, and then on the bank
// itself: its objects end (kobj_ops.destroy), the page tables it paid for are emptied and taken
// out, and what others still hold - pages shared copy-on-write, objects with references from
// outside - is the heir's, which is the bank's parent. A dying bank sells nothing, so this ends,
// even if each step is a call of its own.

#include <string.h>
#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/bank.h>
#include <x86/cpu.h>

#define BANK_RIGHTS                                                                                \
    (EXO_R_READ | EXO_R_DERIVE | EXO_R_REVOKE | EXO_R_CONTROL | EXO_R_BUY | EXO_R_BIND)
#define DESTROY_BUDGET 1024u
#define FOLD_BUDGET    64u
#define DEPTH_SEEN     1024 // levels that the search for the caller's own bank climbs

void bank_charge(struct bank *bank, uint64_t frames)
{
    kassert(frames <= bank->limit - bank->used);
    bank->used += frames;
    info_page->frames_free = frames_buddy.nfree;
}

// Frees a bank that nothing was bought from and nobody names.
static void bank_gone(struct bank *bank)
{
    struct bank *parent = bank->obj.bank;

    if (bank->used || bank->obj.cap.caps || bank->obj.refs || !parent)
        return;
    TAILQ_REMOVE(&parent->children, bank, sibling);
    parent->used -= bank->limit;
    kobj_free(&bank->obj);
}

void bank_credit(struct bank *bank, uint64_t frames)
{
    kassert(bank->used >= frames);
    bank->used -= frames;
    if (!bank->settled)
        return;
    bank->limit -= frames;
    bank->obj.bank->used -= frames;
    bank_gone(bank);
}

// Gives a bank's unused limit back for good.
static void bank_settle(struct bank *bank)
{
    bank->obj.bank->used -= bank->limit - bank->used;
    bank->limit = bank->used;
    bank->settled = true;
}

static void bank_hoist(struct bank *child)
{
    struct bank *parent = child->obj.bank, *heir = parent->obj.bank;

    parent->used -= child->limit + 1;
    parent->limit -= child->limit + 1;
    TAILQ_REMOVE(&parent->children, child, sibling);
    TAILQ_INSERT_TAIL(&heir->children, child, sibling);
    child->listed = false; // that was said to the parent
    frame_move(frame_at(child), bank_list(heir, EXO_FRAME_OBJECT));
    child->obj.bank = heir;
}

static bool fold_step(struct bank *bank, unsigned *budget)
{
    for (struct bank *child; (child = TAILQ_FIRST(&bank->children)); --*budget) {
        if (!*budget)
            return false;
        bank_hoist(child);
    }
    if (!bank->settled)
        bank_settle(bank);
    return true;
}

// The charge for `frames` of `bank`, which is `doomed` or a child of it, becomes that of doomed's
// parent.
static void charge_inherit(struct bank *bank, struct bank *doomed, uint64_t frames)
{
    bank->used -= frames;
    bank->limit -= frames;
    if (bank == doomed)
        return;
    doomed->used -= frames;
    doomed->limit -= frames;
}

// What is left of a doomed bank, with its charge, becomes the parent's.
static void frame_inherit(struct frame *f, struct bank *doomed)
{
    enum exo_frame_kind kind = frame_kind(frame_number(f));
    struct kobj *obj = kind == EXO_FRAME_OBJECT ? f->owner : NULL;
    struct bank **payer = obj ? &obj->bank : &f->bank;

    frame_move(f, bank_list(doomed->obj.bank, kind));
    charge_inherit(*payer, doomed, obj ? obj->pages + run_charge(obj) : 1);
    *payer = doomed->obj.bank;
}

// Each ends one frame of its kind, or leaves it to the heir; false when it is to go on later.
static bool object_end(struct frame *f, struct bank *doomed, unsigned *budget)
{
    struct kobj *obj = f->owner;
    struct frame_list *list = bank_list(obj->bank, EXO_FRAME_OBJECT);
    uint64_t id = obj->id;
    unsigned part = *budget < 64 ? *budget : 64;

    if (kobj_ops[obj->type]->destroy ? kobj_ops[obj->type]->destroy(obj, part)
                                     : cap_obj_revoke_all(&obj->cap, part))
        return false;
    *budget -= part;
    if (LIST_FIRST(list) == f && f->owner == obj && obj->id == id)
        frame_inherit(f, doomed);
    return true;
}

static bool table_end(struct frame *f, struct bank *doomed, unsigned *budget)
{
    --*budget;
    // Of an address space or a capability table that somebody outside the bank still uses, or
    // shared copy-on-write.
    if (f->rank != TABLE_RANK + 4 && f->owner && f->owner->type != EXO_CAP_ENV)
        return aspace_clear_table(f, budget);
    frame_inherit(f, doomed);
    return true;
}

static bool anon_end(struct frame *f, struct bank *doomed, unsigned *budget)
{
    --*budget;
    frame_inherit(f, doomed);
    return true;
}

static bool bank_empty(struct bank *bank, struct bank *doomed, unsigned *budget)
{
    static bool (*const ends[])(struct frame *, struct bank *, unsigned *) = {object_end, table_end,
                                                                              anon_end};

    for (unsigned i = 0; i < BANK_LISTS; i++)
        for (struct frame *f; (f = LIST_FIRST(&bank->bought[i]));)
            if (!*budget || !ends[i](f, doomed, budget))
                return false;
    kassert(bank->used == 0);
    return true;
}

// Takes an emptied bank's capabilities away, and frees it or leaves it to the environments that
// refer to it.
static bool bank_end(struct bank *bank, struct bank *doomed, unsigned *budget)
{
    unsigned part = *budget < 64 ? *budget : 64;

    *budget -= part;
    if (cap_obj_revoke_all(&bank->obj.cap, part))
        return false;
    if (bank->obj.refs > 1) { // besides destroy_one's
        bank_settle(bank);
        if (bank != doomed)
            bank_hoist(bank);
    }
    return true;
}

static bool destroy_one(struct bank *bank, struct bank *doomed, unsigned *budget)
{
    bool done;

    kobj_get(&bank->obj); // it must not go in the middle
    done = bank_empty(bank, doomed, budget) && *budget && bank_end(bank, doomed, budget);
    bank->obj.refs--;
    if (done)
        bank_gone(bank);
    return done;
}

// True when the bank is gone, as far as the caller is concerned.
static bool destroy_step(struct bank *doomed, unsigned *budget)
{
    struct bank *bank;

    doomed->dying = true;
    do {
        bank = TAILQ_FIRST(&doomed->children);
        if (!bank)
            bank = doomed;
        bank->dying = true;
        if (bank != doomed && !TAILQ_EMPTY(&bank->children)) {
            if (!*budget)
                return false;
            --*budget;
            bank_hoist(TAILQ_FIRST(&bank->children));
            continue;
        }
        if (!destroy_one(bank, doomed, budget))
            return false;
    } while (bank != doomed);
    return true;
}

static void bank_release(struct kobj *obj)
{
    struct bank *bank = (struct bank *)obj;

    if (!obj->bank) // the root
        return;
    bank->folded = true;
    if (bank->used == 0)
        bank_gone(bank);
    else if (bank->dying || !bank->settled)
        reap_later(obj);
}

static bool bank_reap(struct kobj *obj, unsigned *budget)
{
    struct bank *bank = (struct bank *)obj;

    if (bank->dying) // the running environment may be bought from it: only between contexts
        return this_cpu()->ctx ? false : destroy_step(bank, budget);
    if (!fold_step(bank, budget))
        return false;
    bank_gone(bank);
    return true;
}

static void bank_identify(struct kobj *obj, struct exo_cap_info *info)
{
    info->length = ((struct bank *)obj)->limit;
    info->used = ((struct bank *)obj)->used;
    info->debt = ((struct bank *)obj)->debt;
}

const struct kobj_ops bank_ops = {
    .name = "bank",
    .release = bank_release,
    .identify = bank_identify,
    .reap = bank_reap,
};

void bank_init(struct bank *bank, uint64_t limit)
{
    bank->limit = limit;
    TAILQ_INIT(&bank->children);
    for (int i = 0; i < BANK_LISTS; i++)
        LIST_INIT(&bank->bought[i]);
}

int64_t sys_bank_split(exo_handle_t handle, uint64_t frames)
{
    struct bank *bank, *child;

    TRY(bank_find(handle, EXO_R_DERIVE, &bank));
    if (frames >= bank_room(bank))
        return -EXO_ENOMEM;
    TRY(kobj_alloc(bank, EXO_CAP_BANK, sizeof(struct bank), &child));
    bank_init(child, frames);
    bank_charge(bank, frames);
    TAILQ_INSERT_TAIL(&bank->children, child, sibling);
    return cap_name_new(env_current(), &child->obj, BANK_RIGHTS, 0);
}

int64_t sys_bank_fold(exo_handle_t handle)
{
    struct bank *bank;
    unsigned budget = FOLD_BUDGET;

    TRY(bank_find(handle, EXO_R_CONTROL, &bank));
    if (!bank->obj.bank || bank->dying)
        return bank->dying ? -EXO_EDEAD : -EXO_EINVAL;
    bank->folded = true;
    if (!fold_step(bank, &budget) || cap_obj_revoke_all(&bank->obj.cap, FOLD_BUDGET))
        return -EXO_EAGAIN;
    return 0;
}

// Levels above DEPTH_SEEN count as within: too deep to tell.
static bool bank_within(const struct bank *bank, const struct bank *above)
{
    for (int i = 0; i < DEPTH_SEEN && bank != above; i++) {
        if (!bank)
            return false;
        bank = bank->obj.bank;
    }
    return true;
}

// The caller stands on it.
static bool bank_carries(const struct bank *bank)
{
    return bank_within(env_current()->obj.bank, bank) || bank_within(env_current()->bank, bank);
}

int64_t sys_bank_destroy(exo_handle_t handle)
{
    struct bank *bank;
    unsigned budget = DESTROY_BUDGET;

    TRY(bank_find(handle, EXO_R_CONTROL, &bank));
    if (!bank->obj.bank)
        return -EXO_EINVAL;
    if (bank_carries(bank))
        return -EXO_EBUSY;
    return destroy_step(bank, &budget) ? 0 : -EXO_EAGAIN;
}

// --- asking back ---------------------------------------------------------------------------------

void bank_slot_gone(struct cap_slot *slot)
{
    struct bank *bank = (struct bank *)slot->obj;

    if (bank->keeper == slot)
        bank->keeper = NULL;
}

static void keeper_tell(const struct bank *bank)
{
    struct env *env = bank->keeper ? slot_env(bank->keeper) : NULL;

    if (!env || !bank->debt.frames)
        return;
    memcpy(env->asked, (uint64_t[]){bank->obj.id, bank->debt.frames, bank->debt.lost},
           sizeof(env->asked));
    env_notify(env, 1ull << bank->keeper->spare);
}

// Not the root, and not about to end.
static int bank_find_alive(exo_handle_t handle, uint32_t rights, struct bank **bank)
{
    TRY(bank_find(handle, rights, bank));
    if (!(*bank)->obj.bank)
        return -EXO_EINVAL;
    return (*bank)->folded || (*bank)->dying ? -EXO_EDEAD : 0;
}

// Takes what was listed or, if nothing was, ends the keeper. What was begun goes on (reap.c) if the
// caller does not come back.
static int bank_force(struct bank *bank)
{
    struct bank *child = TAILQ_FIRST(&bank->children);
    unsigned budget = DESTROY_BUDGET;

    if (child && child->listed) {
        if (bank_carries(child))
            return -EXO_EBUSY;
        if (!child->dying) {
            bank->debt.lost = child->obj.id;
            bank->debt.nlost++;
            keeper_tell(bank);
        }
        if (!destroy_step(child, &budget))
            reap_later(&child->obj);
        return -EXO_EAGAIN;
    }
    if (!bank->keeper)
        return -EXO_ENOENT;
    if (slot_env(bank->keeper) == env_current())
        return -EXO_EBUSY;
    env_begin_death(slot_env(bank->keeper), EXO_DEATH_REVOKED, bank->obj.id);
    bank->keeper = NULL;
    bank->debt.due = clock_ns() + EXO_RECLAIM_GRACE;
    return -EXO_EBUSY;
}

int64_t sys_bank_reclaim(exo_handle_t handle, uint64_t limit, uint64_t grace, uint64_t flags)
{
    struct bank *bank;
    uint64_t have, owes, owed;

    TRY(bank_find_alive(handle, EXO_R_CONTROL, &bank));
    if (flags & ~(uint64_t)EXO_RECLAIM_ABORT || grace > EXO_NEVER / 2)
        return -EXO_EINVAL;
    owed = bank->debt.frames;
    owes = limit < bank->limit ? bank->limit - limit : 0;
    have = bank->limit - bank->used < owes ? bank->limit - bank->used : owes;
    bank->debt.frames = owes - have;
    bank->limit -= have;
    bank->obj.bank->used -= have;
    if (owes == have)
        return 0;
    if (owes > owed) { // lower than ever
        bank->debt.due = clock_ns() + (grace > EXO_RECLAIM_GRACE ? grace : EXO_RECLAIM_GRACE);
        keeper_tell(bank);
    }
    return flags & EXO_RECLAIM_ABORT && clock_ns() >= bank->debt.due ? bank_force(bank)
                                                                     : -EXO_EBUSY;
}

int64_t sys_bank_grant(exo_handle_t handle, exo_handle_t to, uint64_t frames)
{
    struct bank *bank, *child;

    TRY(bank_find(handle, EXO_R_DERIVE, &bank));
    TRY(bank_find_alive(to, 0, &child));
    if (child->obj.bank != bank)
        return -EXO_EINVAL;
    if (frames > bank_room(bank))
        return -EXO_ENOMEM;
    bank_charge(bank, frames);
    child->limit += frames;
    return 0;
}

int64_t sys_bank_keep(exo_handle_t handle, uint64_t bits)
{
    struct cap_slot *slot;
    struct bank *bank;

    TRY(cap_find(handle, EXO_CAP_BANK, EXO_R_BIND, &slot));
    if (bits & (bits - 1))
        return -EXO_EINVAL;
    bank = (struct bank *)slot->obj;
    if (!bits) {
        bank_slot_gone(slot);
        return 0;
    }
    bank->keeper = slot;
    slot->spare = (uint8_t)__builtin_ctzll(bits);
    keeper_tell(bank);
    return 0;
}

int64_t sys_bank_list(exo_handle_t handle, uint64_t on)
{
    struct bank *bank;

    TRY(bank_find_alive(handle, EXO_R_CONTROL, &bank));
    if (on > 1)
        return -EXO_EINVAL;
    TAILQ_REMOVE(&bank->obj.bank->children, bank, sibling);
    if (on)
        TAILQ_INSERT_HEAD(&bank->obj.bank->children, bank, sibling);
    else
        TAILQ_INSERT_TAIL(&bank->obj.bank->children, bank, sibling);
    bank->listed = on;
    return 0;
}
