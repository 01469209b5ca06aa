// SPDX-License-Identifier: MIT
//
// The capability core under a model checker: the real caps/ takes every sequence of operations
// that a small system allows, TABLES tables of SLOTS slots and OBJECTS objects, and is compared
// after each with what the operation is supposed to do.
//
// spin enumerates (core.pml). A state is a `struct shape`, which names no address. For each step
// the memory of a real system is built from it (build), one real operation runs, and what came of
// it is read back (observe). Checked, in every state after every operation:
//   - cap_check_obj and cspace_check find nothing wrong;
//   - the result and the whole new shape are those of the naive specification in spec.c, which
//   knows
//     parents and an order, and nothing of marks. Where the order of work is the implementation's
//     (helping with somebody's revocation), what may go is specified instead;
//   - no byte of the memory differs from one built from the new shape: the shape is all there is;
//   - rights are within those of the slot derived or copied from, and never change otherwise;
//   - every handle resolves to its slot, with its rights and no more; one of a slot that has lost
//     its capability is refused; generations never fall and rise whenever a capability goes, hence
//     what is stale once is stale for ever;
//   - the hooks ran for exactly the slots they are for, on slots that are in the state they
//   promise.
//
// Left out of the shape are the order of a table's vacant slots (every vacant slot is tried as a
// destination), where its clearing stands (it is tried from everywhere), and, without GENERATIONS,
// how often a slot was used.
//
// A run is made of: TABLES; SLOTS; OBJECTS; MASKS, the rights tried; FLAGS, windows and notices
// too; BADGES; BUDGETS, those of bounded work; GENERATIONS, few are left from the start, and there
// are clones; OPS, how many operations all this makes.

#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <caps/cspace.h>

#define UNLIMITED 1000
#define LEN(a)    ((int)(sizeof(a) / sizeof((a)[0])))
#define FIRST_GEN (GENERATIONS ? UINT32_MAX - GENERATIONS + 1 : 1)

static const char *const kind_names[] = {"root",       "derive", "copy",  "delete", "revoke",
                                         "revoke all", "clear",  "clone", "flag"};

struct shape shape;

static const uint32_t masks[] = {MASKS};
static const int budgets[] = {BUDGETS};
static struct op ops[4096];
static int nops;

static struct cspace table[TABLES];
static struct cap_obj object[OBJECTS];
static struct cap_slot *slots[ALL + 1];
static uint8_t pages[TABLES][2][CSPACE_PAGE] __attribute__((aligned(4096)));

static uint32_t unmapped, unreffed, childless; // slots, by 1 << number
static uint32_t published[OBJECTS][2];
static const char *hook_wrong;
bool core_wrong;

// ---- slots and numbers ----

static int number(const struct cap_slot *slot)
{
    return (int)(slot->space - table) * SLOTS + (int)slot->index;
}

static int table_of(int s)
{
    return (s - 1) / SLOTS;
}

// ---- the memory of a shape, and the shape of memory ----

static void put_close(struct cap_obj *obj, int s)
{
    TAILQ_INSERT_TAIL(&obj->marks, &slots[s]->close, link);
}

static void build_obj(const struct shape *sh, int o)
{
    struct cap_obj *obj = &object[o];
    int open = 0;

    *obj = (struct cap_obj){.dying = sh->dying[o]};
    TAILQ_INIT(&obj->marks);
    for (int i = 0, s; i < ALL && (s = sh->order[o][i]); i++) {
        for (; open != sh->parent[s]; open = sh->parent[open])
            put_close(obj, open);
        TAILQ_INSERT_TAIL(&obj->marks, &slots[s]->open, link);
        open = s;
        obj->caps++;
        obj->wcaps += !!(sh->rights[s] & CAP_R_WRITE);
        obj->revoking += !!(sh->bits[s] & REVOKING);
    }
    for (; open; open = sh->parent[open])
        put_close(obj, open);
    if (sh->scan[o])
        obj->scan =
            sh->scan[o] & 1 ? &slots[sh->scan[o] / 2]->close : &slots[sh->scan[o] / 2]->open;
    published[o][0] = obj->caps;
    published[o][1] = obj->wcaps;
}

static void build_slot(const struct shape *sh, int s)
{
    struct cap_slot *slot = slots[s];
    uint8_t bits = sh->bits[s];

    *slot = (struct cap_slot){.space = &table[table_of(s)],
                              .index = (uint32_t)(s - 1) % SLOTS + 1,
                              .generation = FIRST_GEN + sh->gen[s]};
    if (bits & RETIRED)
        slot->flags = CAP_FLAG_RETIRED;
    if (!sh->obj[s])
        return;
    slot->type = sh->obj[s];
    slot->obj = &object[sh->obj[s] - 1];
    slot->rights = sh->rights[s];
    slot->badge = bits / BADGE;
    slot->flags =
        (bits & NOTIFY ? CAP_FLAG_NOTIFY_CHILDLESS : 0) | (bits & REVOKING ? CAP_FLAG_REVOKING : 0);
    if (bits & WINDOW) {
        slot->wkind = 1;
        slot->window.va = (uint64_t)s;
    }
}

static void build(const struct shape *sh)
{
    for (int t = 0; t < TABLES; t++) {
        TAILQ_INIT(&table[t].vacant);
        table[t].used = 0;
        table[t].clear_at = 0;
    }
    for (int s = 1; s <= ALL; s++) {
        build_slot(sh, s);
        if (sh->obj[s])
            table[table_of(s)].used++;
        else if (!(sh->bits[s] & RETIRED))
            TAILQ_INSERT_TAIL(&table[table_of(s)].vacant, &slots[s]->open, link);
    }
    for (int o = 0; o < OBJECTS; o++)
        build_obj(sh, o);
}

static void observe_obj(struct shape *sh, int o)
{
    struct cap_obj *obj = &object[o];
    struct cap_mark *mark;
    struct cap_slot *slot;
    int open = 0, n = 0, s;

    TAILQ_FOREACH (mark, &obj->marks, link) {
        slot = cap_mark_opened(mark);
        if (slot) {
            s = number(slot);
            sh->order[o][n++] = (uint8_t)s;
            sh->parent[s] = (uint8_t)open;
            open = s;
        } else {
            open = sh->parent[open];
        }
    }
    sh->dying[o] = obj->dying;
    if (obj->scan) {
        slot = cap_mark_opened(obj->scan);
        s = slot ? 2 * number(slot) : 2 * number((struct cap_slot *)(obj->scan - 1)) + 1;
        sh->scan[o] = (uint8_t)s;
    }
}

static void observe(struct shape *sh)
{
    memset(sh, 0, sizeof(*sh));
    for (int o = 0; o < OBJECTS; o++)
        observe_obj(sh, o);
    for (int s = 1; s <= ALL; s++) {
        const struct cap_slot *slot = slots[s];

        sh->gen[s] = (uint8_t)(slot->generation - FIRST_GEN);
        sh->bits[s] = slot->flags & CAP_FLAG_RETIRED ? RETIRED : 0;
        if (!slot->type)
            continue;
        sh->obj[s] = slot->type;
        sh->rights[s] = (uint8_t)slot->rights;
        sh->bits[s] |= (slot->wkind ? WINDOW : 0) | (uint8_t)slot->badge * BADGE |
                       (slot->flags & CAP_FLAG_NOTIFY_CHILDLESS ? NOTIFY : 0) |
                       (slot->flags & CAP_FLAG_REVOKING ? REVOKING : 0);
    }
}

// ---- the hooks ----

static void hook_expects(bool what, const char *otherwise)
{
    if (!what)
        hook_wrong = otherwise;
}

void cap_hook_unmap(struct cap_slot *slot)
{
    struct cap_mark *mark;
    bool linked = false;

    TAILQ_FOREACH (mark, &slot->obj->marks, link)
        linked |= mark == &slot->open;
    hook_expects(slot->type && slot->wkind && slot->window.va == (uint64_t)number(slot) && linked,
                 "a window went from a slot that was no longer whole");
    hook_expects(!(unmapped & 1u << number(slot)), "a window went twice");
    unmapped |= 1u << number(slot);
}

void cap_hook_childless(struct cap_slot *slot)
{
    hook_expects(slot->flags & CAP_FLAG_NOTIFY_CHILDLESS && !cap_child_first(slot),
                 "a slot with children, or that did not ask, was told it is childless");
    childless |= 1u << number(slot);
}

void cap_hook_counted(struct cap_obj *obj)
{
    published[obj - object][0] = obj->caps;
    published[obj - object][1] = obj->wcaps;
}

void cap_hook_unref(struct cap_slot *slot)
{
    struct cap_mark *mark;

    hook_expects(slot->type && slot->obj && !slot->wkind, "the object went before the window");
    TAILQ_FOREACH (mark, &slot->obj->marks, link)
        hook_expects(mark != &slot->open && mark != &slot->close, "still linked when unreferenced");
    hook_expects(!(unreffed & 1u << number(slot)), "unreferenced twice");
    unreffed |= 1u << number(slot);
}

// ---- the implementation ----

static int real_flag(struct cap_slot *slot, uint32_t flag)
{
    if (!slot->type)
        return CAP_OK;
    if (flag == NOTIFY)
        slot->flags ^= CAP_FLAG_NOTIFY_CHILDLESS;
    if (flag == WINDOW) {
        slot->wkind ^= 1;
        slot->window = (struct cap_window){.va = slot->wkind ? (uint64_t)number(slot) : 0};
    }
    return CAP_OK;
}

static int real(const struct op *op)
{
    uint32_t budget = (uint32_t)op->extra;

    switch (op->kind) {
    case ROOT:
        return cap_insert_root(slots[op->a], (uint8_t)(op->b + 1), &object[op->b], op->rights,
                               (uint64_t)op->extra);
    case DERIVE:
        return cap_derive(slots[op->a], slots[op->b], op->rights, (uint64_t)op->extra);
    case COPY:
        return cap_copy(slots[op->a], slots[op->b], op->rights);
    case DELETE:
        cap_delete(slots[op->a]);
        return CAP_OK;
    case REVOKE:
        return cap_revoke(slots[op->a], budget);
    case REVOKE_ALL:
        return cap_obj_revoke_all(&object[op->a], budget);
    case CLEAR:
        table[op->a].clear_at = (uint32_t)op->b;
        return cspace_clear(&table[op->a], budget);
    case CLONE:
        return cspace_clone(slots[op->a], slots[op->b], op->extra);
    case FLAG:
        return real_flag(slots[op->a], op->rights);
    }
    return 1;
}

// ---- one step ----

static const struct op *now;

static void show(const char *what)
{
    printf("%s %d %d rights %x, %d: %s\n", kind_names[now->kind], now->a, now->b, now->rights,
           now->extra, what);
}

static bool wrong(const char *what)
{
    show(what);
    core_wrong = true;
    return true;
}

// What refused, and may have helped with a revocation first. The specification follows what it did.
static bool follow_help(struct shape *want, const struct shape *got)
{
    struct shape before = *want;

    for (int s = 1; s <= ALL; s++) {
        if (!before.obj[s] || got->obj[s])
            continue;
        if (!spec_condemned(&before, s))
            return wrong("helping deleted what nobody revoked");
        spec_delete(want, s);
    }
    for (int s = 1; s <= ALL; s++)
        if (want->bits[s] & REVOKING && !(got->bits[s] & REVOKING)) {
            if (spec_parent(want, s))
                return wrong("a revocation ended with descendants left");
            want->bits[s] &= (uint8_t)~REVOKING;
        }
    for (int o = 0; o < OBJECTS; o++)
        if (want->dying[o] && !got->dying[o]) {
            if (want->order[o][0])
                return wrong("an object's end came with capabilities left");
            want->dying[o] = false;
        }
    return false;
}

static bool check_hooks(const struct shape *before, const struct shape *after)
{
    uint32_t gone = 0, windows = 0, ended = 0;

    for (int s = 1; s <= ALL; s++) {
        bool went = before->obj[s] && unreffed & 1u << s;

        if (before->obj[s] && !after->obj[s])
            gone |= 1u << s;
        if (went && before->bits[s] & WINDOW)
            windows |= 1u << s;
        if (!went && before->bits[s] & NOTIFY && spec_parent(before, s) && !spec_parent(after, s))
            ended |= 1u << s;
    }
    if (hook_wrong)
        return wrong(hook_wrong);
    if (gone != unreffed || windows != unmapped || (childless & ~gone) != ended)
        return wrong("a hook ran too often or not at all");
    for (int o = 0; o < OBJECTS; o++)
        if (published[o][0] != object[o].caps || published[o][1] != object[o].wcaps)
            return wrong("the counts that were told are not the counts");
    return false;
}

static bool check_handle(int s, uint32_t old, const struct shape *before)
{
    struct cspace *cs = &table[table_of(s)];
    struct cap_slot *found = NULL, *slot = slots[s];
    cap_handle_t stale = slot->index | (cap_handle_t)old << CSPACE_INDEX_BITS;
    bool went = before->obj[s] && unreffed & 1u << s;
    int err = cspace_lookup(cs, cspace_handle(slot), 0, 0, &found);

    if (slot->type ? err || found != slot : err != CAP_EBADHANDLE)
        return wrong("a handle resolves wrongly");
    for (int bit = CSPACE_INDEX_BITS; bit < 64; bit++)
        if (cspace_lookup(cs, cspace_handle(slot) ^ 1ull << bit, 0, 0, &found) != CAP_EBADHANDLE)
            return wrong("a handle of another generation resolves");
    if (slot->type &&
        (cspace_lookup(cs, cspace_handle(slot), slot->type, slot->rights, &found) ||
         cspace_lookup(cs, cspace_handle(slot), 0, ~slot->rights, &found) != CAP_ERIGHTS ||
         cspace_lookup(cs, cspace_handle(slot), slot->type + 1, 0, &found) != CAP_ETYPE))
        return wrong("a lookup takes the wrong type or rights");
    if (slot->generation < old ||
        (went && slot->generation == old && slot->flags != CAP_FLAG_RETIRED))
        return wrong("a generation did not rise");
    if (went && cspace_lookup(cs, stale, 0, 0, &found) != CAP_EBADHANDLE)
        return wrong("a stale handle resolves");
    return false;
}

static bool check_sound(void)
{
    const char *found = NULL;

    for (int o = 0; o < OBJECTS && !found; o++)
        found = cap_check_obj(&object[o]);
    for (int t = 0; t < TABLES && !found; t++)
        found = cspace_check(&table[t]);
    return found && wrong(found);
}

// Whether a system built from the shape is this one, byte by byte; the links of vacant slots may
// differ. Leaves the built one.
static bool check_memory(const struct shape *sh)
{
    static struct cap_slot copies[ALL + 1];

    for (int s = 1; s <= ALL; s++)
        copies[s] = *slots[s];
    build(sh);
    for (int s = 1; s <= ALL; s++) {
        if (!slots[s]->type)
            copies[s].open = slots[s]->open;
        if (memcmp(&copies[s], slots[s], sizeof(copies[s])))
            return wrong("a slot's memory holds what its state does not say");
    }
    return false;
}

static void forget_generations(struct shape *sh)
{
    for (int s = 1; s <= ALL; s++) {
        slots[s]->generation = FIRST_GEN;
        sh->gen[s] = 0;
    }
}

static bool compare(int err, int want_err, struct shape *want, struct shape *got)
{
    if (err != want_err)
        return wrong("another result than specified");
    if (err == CAP_AGAIN && now->kind != CLEAR && now->kind != REVOKE && now->kind != REVOKE_ALL &&
        follow_help(want, got))
        return true;
    memcpy(want->scan, got->scan, sizeof(want->scan));
    if (!GENERATIONS)
        memcpy(want->gen, got->gen, sizeof(want->gen));
    return memcmp(want, got, sizeof(*want)) && wrong("another state than specified");
}

void core_step(int n)
{
    struct shape before = shape, want = shape, got;
    uint32_t old[ALL + 1];
    int err, want_err;

    now = &ops[n];
    unmapped = unreffed = childless = 0;
    hook_wrong = NULL;
    build(&shape);
    for (int s = 1; s <= ALL; s++)
        old[s] = slots[s]->generation;
    want_err = spec(&want, now);
    err = real(now);
    if (getenv("CORE_SHOW"))
        show(err == CAP_OK ? "done" : err == CAP_AGAIN ? "again" : "refused");
    if (check_sound())
        return;
    observe(&got);
    if (compare(err, want_err, &want, &got) || check_hooks(&before, &got))
        return;
    for (int s = 1; s <= ALL; s++)
        if (check_handle(s, old[s], &before))
            return;
    if (!GENERATIONS)
        forget_generations(&got);
    if (!check_memory(&got))
        shape = got;
}

// ---- what is tried ----

static void op_add(enum kind kind, int a, int b, uint32_t rights, int extra)
{
    ops[nops++] = (struct op){kind, a, b, rights, extra};
}

static void ops_of_pair(int a, int b)
{
    for (int m = 0; m < LEN(masks); m++) {
        for (int badge = 0; badge <= BADGES; badge++)
            op_add(DERIVE, a, b, masks[m], badge);
        op_add(COPY, a, b, masks[m], 0);
    }
    if (GENERATIONS && (a - b) % SLOTS == 0 && a != b) {
        op_add(CLONE, a, b, 0, true);
        op_add(CLONE, a, b, 0, false);
    }
}

static void ops_of_slot(int s)
{
    for (int o = 0; o < OBJECTS; o++)
        for (int m = 0; m < LEN(masks); m++)
            op_add(ROOT, s, o, masks[m], m == 0 ? 0 : BADGES);
    op_add(DELETE, s, 0, 0, 0);
    for (int b = 0; b < LEN(budgets); b++)
        op_add(REVOKE, s, 0, 0, budgets[b]);
    if (FLAGS) {
        op_add(FLAG, s, 0, WINDOW, 0);
        op_add(FLAG, s, 0, NOTIFY, 0);
    }
    for (int b = 1; b <= ALL; b++)
        ops_of_pair(s, b);
}

static void table_setup(int t)
{
    cspace_init(&table[t]);
    for (int p = 0; p < 2; p++)
        cspace_add_page(&table[t], pages[t][p]);
    for (uint32_t i = 1; i < CSPACE_SLOTS_PER_PAGE; i++) {
        struct cap_slot *slot = cspace_slot(&table[t], i);

        if (i <= SLOTS) {
            slots[t * SLOTS + (int)i] = slot;
            continue;
        }
        slot->generation = UINT32_MAX; // the last: deleting it retires the slot
        cap_insert_root(slot, 1, &object[0], 0, 0);
        cap_delete(slot);
    }
}

void core_setup(void)
{
    memset(pages, 0, sizeof(pages));
    nops = 0;
    for (int o = 0; o < OBJECTS; o++)
        cap_obj_init(&object[o]);
    for (int t = 0; t < TABLES; t++)
        table_setup(t);
    for (int s = 1; s <= ALL; s++)
        ops_of_slot(s);
    for (int b = 0; b < LEN(budgets); b++) {
        for (int o = 0; o < OBJECTS; o++)
            op_add(REVOKE_ALL, o, 0, 0, budgets[b]);
        for (int t = 0; t < TABLES; t++)
            for (int at = 0; at <= SLOTS; at++)
                op_add(CLEAR, t, at, 0, budgets[b]);
    }
    if (nops != OPS) {
        printf("there are %d operations\n", nops);
        exit(1);
    }
    memset(&shape, 0, sizeof(shape));
}
