// SPDX-License-Identifier: MIT
//
// The naive model: a flat array per table, parents by pointer, everything recomputed by scanning.
// It shares no code with the implementation and knows nothing of marks. See model.h.
//
// One operation is: choose, note what is condemned and who has children, run the implementation,
// bring the model along (exactly, or through sync() where the order is the implementation's),
// then compare everything: slots, tree, counts, hooks that ran, handles that must be dead.

#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <caps/cspace.h>

#define TABLES    3
#define OBJECTS   4
#define LASTING   (OBJECTS - 1) // the object that is never destroyed
#define PAGES_MAX 3
#define SLOTS_MAX (PAGES_MAX * 42)
#define STALE     64

struct mslot {
    bool used, retired, window, notify, revoking;
    bool condemned, had_children; // noted before the operation
    uint8_t type;
    int obj, events;
    uint32_t rights, generation;
    uint64_t badge;
    struct mslot *parent;
    struct cap_slot *real;
};

struct mtable {
    struct cspace cs;
    void *pages[PAGES_MAX + 2];
    uint32_t npages, size;
    struct mslot slot[SLOTS_MAX];
    cap_handle_t stale[STALE];
    uint32_t nstale;
    uint32_t cursor; // of a clone into this table
};

struct mobj {
    struct cap_obj cap;
    uint32_t caps, wcaps; // as published through cap_hook_counted
    bool dying;
};

static struct mtable table[TABLES];
static struct mobj object[OBJECTS];
static uint32_t unrefs, unmaps; // hook calls in this operation
static uint32_t want_unrefs, want_unmaps;
static const char *op_name;
static size_t op_count;

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            fail(#cond, __LINE__);                                                                 \
    } while (0)

static void fail(const char *what, int line)
{
    fprintf(stderr, "model.c:%d: operation %zu (%s): %s\n", line, op_count, op_name, what);
    abort();
}

// ---- choices of slots ----

static struct mslot *choose_used(struct choices *c, struct mtable *t)
{
    uint32_t at = t->size ? choose(c, t->size) : 0;

    for (uint32_t i = 0; i < t->size; i++) {
        struct mslot *m = &t->slot[(at + i) % t->size];

        if (m->used)
            return m;
    }
    return NULL;
}

// A destination: mostly one that the table offers, sometimes any slot, used or retired as it is.
static struct mslot *choose_dst(struct choices *c, struct mtable *t)
{
    uint32_t how = choose(c, 8), at = t->size ? choose(c, t->size) : 0;
    struct cap_slot *real = how < 4 ? cspace_vacant(&t->cs, 0) : cspace_vacant(&t->cs, at);

    if (how >= 4 && at)
        CHECK(!!real == (!t->slot[at].used && !t->slot[at].retired));
    if (how == 7 && at)
        return &t->slot[at];
    return real ? &t->slot[real->index] : NULL;
}

// ---- the model ----

#define EACH_SLOT(t, m)                                                                            \
    for (struct mtable *t = table; t < table + TABLES; t++)                                        \
        for (struct mslot *m = t->slot; m < t->slot + t->size; m++)

static struct mtable *table_of(const struct mslot *m)
{
    return &table[((const char *)m - (const char *)table) / sizeof(table[0])];
}

static cap_handle_t handle_of(const struct mslot *m)
{
    return (cap_handle_t)(m - table_of(m)->slot) | (cap_handle_t)m->generation << 20;
}

static void stale_add(struct mtable *t, cap_handle_t handle)
{
    t->stale[t->nstale++ % STALE] = handle;
}

static bool descends(const struct mslot *m, const struct mslot *from)
{
    while (m && m != from)
        m = m->parent;
    return m;
}

static uint32_t count_descendants(const struct mslot *of)
{
    uint32_t n = 0;

    EACH_SLOT(t, m)
    n += m != of && m->used && descends(m, of);
    return n;
}

static uint32_t count_caps(int obj)
{
    uint32_t n = 0;

    EACH_SLOT(t, m)
    n += m->used && m->obj == obj;
    return n;
}

static bool has_children(const struct mslot *of)
{
    EACH_SLOT(t, m)
    if (m->used && m->parent == of)
        return true;
    return false;
}

static bool obj_blocked(int obj)
{
    if (object[obj].dying)
        return true;
    EACH_SLOT(t, m)
    if (m->used && m->obj == obj && m->revoking)
        return true;
    return false;
}

static void model_fill(struct mslot *m, uint8_t type, int obj, uint32_t rights, uint64_t badge,
                       struct mslot *parent)
{
    CHECK(!m->used && !m->retired);
    m->used = true;
    m->type = type;
    m->obj = obj;
    m->rights = rights;
    m->badge = badge;
    m->parent = parent;
}

static void model_vacate(struct mslot *m)
{
    struct mslot fresh = {.real = m->real, .generation = m->generation};

    stale_add(table_of(m), handle_of(m));
    if (m->generation == UINT32_MAX)
        fresh.retired = true;
    else
        fresh.generation++;
    *m = fresh;
}

static void model_delete(struct mslot *gone)
{
    CHECK(gone->used);
    EACH_SLOT(t, m)
    if (m->used && m->parent == gone)
        m->parent = gone->parent;
    want_unrefs++;
    want_unmaps += gone->window;
    model_vacate(gone);
}

// Deletes in the model what went in the implementation, which may be condemned slots only, and
// takes over which revocations are finished. Returns the number of slots that went.
static uint32_t sync(void)
{
    uint32_t n = 0;

    EACH_SLOT(t, m)
    {
        if (!m->used || m->real->type)
            continue;
        CHECK(m->condemned);
        model_delete(m);
        n++;
    }
    EACH_SLOT(t, m)
    {
        if (!m->used || m->revoking == !!(m->real->flags & CAP_FLAG_REVOKING))
            continue;
        CHECK(m->revoking && !has_children(m));
        m->revoking = false;
    }
    for (int o = 0; o < OBJECTS; o++) {
        CHECK(!object[o].cap.dying || object[o].dying);
        if (object[o].dying && !object[o].cap.dying)
            CHECK(count_caps(o) == 0);
        object[o].dying = object[o].cap.dying;
    }
    return n;
}

static void note_before(void)
{
    unrefs = unmaps = want_unrefs = want_unmaps = 0;
    EACH_SLOT(t, m)
    {
        m->events = 0;
        m->had_children = false;
        m->condemned = m->used && object[m->obj].dying;
        for (struct mslot *up = m->used ? m->parent : NULL; up; up = up->parent)
            m->condemned |= up->revoking;
    }
    EACH_SLOT(t, m)
    if (m->used && m->parent)
        m->parent->had_children = true;
}

// ---- comparison ----

static struct cap_slot *sibling_next(const struct cap_slot *slot)
{
    return cap_mark_opened(TAILQ_NEXT(&slot->close, link));
}

static struct mslot *model_of(const struct cap_slot *real)
{
    for (struct mtable *t = table; t < table + TABLES; t++)
        if (real->space == &t->cs)
            return &t->slot[real->index];
    return NULL;
}

static void compare_slot(const struct mtable *t, const struct mslot *m)
{
    const struct cap_slot *real = m->real, *child;

    CHECK(cspace_slot(&t->cs, (uint32_t)(m - t->slot)) == (m == t->slot ? NULL : real));
    CHECK(!!real->type == m->used);
    CHECK(!!(real->flags & CAP_FLAG_RETIRED) == m->retired);
    CHECK(real->generation == m->generation);
    CHECK(!!real->wkind == m->window);
    CHECK(!!(real->flags & CAP_FLAG_NOTIFY_CHILDLESS) == m->notify);
    CHECK(!!(real->flags & CAP_FLAG_REVOKING) == m->revoking);
    if (!m->used)
        return;
    CHECK(real->type == m->type && real->rights == m->rights && real->badge == m->badge);
    CHECK(real->obj == &object[m->obj].cap);
    if (m->parent)
        CHECK((m->rights & ~m->parent->rights) == 0);
    if (m->parent && m->parent->badge)
        CHECK(m->badge == m->parent->badge);
    for (child = cap_child_first(real); child; child = sibling_next(child))
        CHECK(model_of(child)->parent == m);
    CHECK(m->events == (m->notify && m->had_children && !cap_child_first(real)));
}

static void compare_obj(int o)
{
    const struct cap_obj *cap = &object[o].cap;
    const struct cap_slot *real;
    uint32_t caps = 0, wcaps = 0, revoking = 0, seen = 0;
    const char *wrong = cap_check_obj(cap);

    if (wrong)
        fail(wrong, __LINE__);
    EACH_SLOT(t, m)
    {
        if (!m->used || m->obj != o)
            continue;
        caps++;
        wcaps += !!(m->rights & 2);
        revoking += m->revoking;
    }
    CHECK(cap->caps == caps && cap->wcaps == wcaps && cap->revoking == revoking);
    CHECK(object[o].caps == caps && object[o].wcaps == wcaps);
    CAP_OBJ_FOREACH(real, cap)
    seen++;
    CHECK(seen == caps);
    for (real = cap_obj_first(cap); real; real = sibling_next(real))
        CHECK(model_of(real)->parent == NULL);
}

static void compare_table(const struct mtable *t)
{
    const char *wrong = cspace_check(&t->cs);
    struct cap_slot *found;

    if (wrong)
        fail(wrong, __LINE__);
    for (uint32_t i = 0; i < STALE && i < t->nstale; i++)
        CHECK(cspace_lookup(&t->cs, t->stale[i], 0, 0, &found) == CAP_EBADHANDLE);
}

static void compare(void)
{
    EACH_SLOT(t, m)
    compare_slot(t, m);
    for (int o = 0; o < OBJECTS; o++)
        compare_obj(o);
    for (int t = 0; t < TABLES; t++)
        compare_table(&table[t]);
    CHECK(unrefs == want_unrefs && unmaps == want_unmaps);
}

// ---- hooks ----

void cap_hook_unmap(struct cap_slot *slot)
{
    CHECK(slot->type && slot->wkind && slot->window.va == slot->index);
    unmaps++;
}

void cap_hook_unref(struct cap_slot *slot)
{
    CHECK(slot->type && slot->obj && !slot->wkind);
    unrefs++;
}

void cap_hook_childless(struct cap_slot *slot)
{
    CHECK(!cap_child_first(slot));
    model_of(slot)->events++;
}

void cap_hook_counted(struct cap_obj *cap)
{
    struct mobj *o = (struct mobj *)cap;

    o->caps = cap->caps;
    o->wcaps = cap->wcaps;
}

// ---- operations ----

static void table_page(struct mtable *t)
{
    uint32_t had = t->size;
    int got;

    if (t->npages == PAGES_MAX + 1)
        return;
    t->pages[t->npages] = aligned_alloc(CSPACE_PAGE, CSPACE_PAGE);
    memset(t->pages[t->npages], t->npages < 1 ? 0 : 0x5a, CSPACE_PAGE);
    got = cspace_add_page(&t->cs, t->pages[t->npages++]);
    CHECK(got == (t->npages <= 1 ? 0 : t->npages == 2 ? 41 : 42));
    t->size = cspace_size(&t->cs);
    CHECK(t->size == had + (got ? 42 : 0));
    for (uint32_t i = had; i < t->size; i++)
        t->slot[i] = (struct mslot){.generation = 1,
                                    .retired = i == 0,
                                    .real = (struct cap_slot *)t->pages[t->npages - 1] + i - had};
}

static void op_page(struct choices *c, struct mtable *t)
{
    if (choose(c, 4) == 0)
        table_page(t);
}

static void op_root(struct choices *c, struct mtable *t)
{
    struct mslot *dst = choose_dst(c, t);
    int obj = (int)choose(c, OBJECTS);
    uint32_t rights = choose(c, 256) | 0x0fu * (choose(c, 2) != 0);
    uint64_t badge = choose(c, 4) ? 0 : 7;
    int err;

    if (!dst)
        return;
    err = cap_insert_root(dst->real, (uint8_t)(1 + obj), &object[obj].cap, rights, badge);
    if (dst->used || dst->retired) {
        CHECK(err == CAP_EUSED);
    } else if (object[obj].dying) {
        CHECK(err == CAP_AGAIN);
        sync();
    } else {
        CHECK(err == CAP_OK);
        model_fill(dst, (uint8_t)(1 + obj), obj, rights, badge, NULL);
    }
}

static void op_derive(struct choices *c, struct mtable *t)
{
    struct mslot *src = choose_used(c, t), *dst = choose_dst(c, &table[choose(c, TABLES)]);
    uint64_t badge = choose(c, 3) ? 0 : 1 + choose(c, 3);
    uint32_t rights;
    int err, want = CAP_OK;

    if (!src || !dst)
        return;
    rights = choose_rights(c, src->rights);
    if (dst->used || dst->retired)
        want = CAP_EUSED;
    else if (rights & ~src->rights)
        want = CAP_ERIGHTS;
    else if (badge && src->badge)
        want = CAP_EBADGE;
    else if (badge && !(src->rights & 4))
        want = CAP_ERIGHTS;
    else if (obj_blocked(src->obj))
        want = CAP_AGAIN;
    err = cap_derive(src->real, dst->real, rights, badge);
    CHECK(err == want);
    if (err == CAP_AGAIN)
        sync();
    else if (!err)
        model_fill(dst, src->type, src->obj, rights, badge ? badge : src->badge, src);
}

static void op_copy(struct choices *c, struct mtable *t)
{
    struct mslot *src = choose_used(c, t), *dst = choose_dst(c, &table[choose(c, TABLES)]);
    uint32_t rights;
    int err, want = CAP_OK;

    if (!src || !dst)
        return;
    rights = choose_rights(c, src->rights);
    if (dst->used || dst->retired)
        want = CAP_EUSED;
    else if (rights & ~src->rights)
        want = CAP_ERIGHTS;
    else if (obj_blocked(src->obj))
        want = CAP_AGAIN;
    err = cap_copy(src->real, dst->real, rights);
    CHECK(err == want);
    if (err == CAP_AGAIN)
        sync();
    else if (!err)
        model_fill(dst, src->type, src->obj, rights, src->badge, src->parent);
}

static void op_delete(struct choices *c, struct mtable *t)
{
    struct mslot *m = choose_used(c, t);

    if (!m)
        return;
    cap_delete(m->real);
    model_delete(m);
}

static void op_revoke(struct choices *c, struct mtable *t)
{
    struct mslot *top = choose_used(c, t);
    uint32_t budget = choose_budget(c), all;
    int err;

    if (!top)
        return;
    all = count_descendants(top);
    EACH_SLOT(u, m)
    m->condemned = m->used && m != top && descends(m, top);
    top->revoking = true;
    err = cap_revoke(top->real, budget);
    CHECK(err == (all <= budget ? CAP_OK : CAP_AGAIN));
    CHECK(sync() == (all <= budget ? all : budget));
    CHECK(top->revoking == (err == CAP_AGAIN));
}

static void op_destroy(struct choices *c, struct mtable *t)
{
    int obj = (int)choose(c, OBJECTS), err;
    uint32_t budget = choose_budget(c), all = count_caps(obj);

    (void)t;
    if (obj == LASTING || choose(c, 4))
        return;
    EACH_SLOT(u, m)
    m->condemned = m->used && m->obj == obj;
    object[obj].dying = true;
    err = cap_obj_revoke_all(&object[obj].cap, budget);
    CHECK(err == (all <= budget ? CAP_OK : CAP_AGAIN));
    CHECK(sync() == (all <= budget ? all : budget));
    CHECK(object[obj].dying == (err == CAP_AGAIN));
}

static void op_clear(struct choices *c, struct mtable *t)
{
    uint32_t budget = choose_budget(c), left = 0;
    int err;

    if (choose(c, 4))
        return;
    EACH_SLOT(u, m)
    m->condemned = m->used && u == t;
    err = cspace_clear(&t->cs, budget);
    CHECK(sync() <= budget);
    for (uint32_t i = 0; i < t->size; i++)
        left += t->slot[i].used;
    CHECK(err == (left ? CAP_AGAIN : CAP_OK));
    CHECK(budget < 1000 || !left);
}

static void model_clone(struct mtable *t, const struct mslot *src, struct mslot *dst, bool stopped)
{
    bool skip = src->used && (src - table_of(src)->slot) % 7 == 3;

    if (dst->used || dst->retired || dst->generation > src->generation)
        return;
    dst->generation = src->generation;
    for (uint32_t i = 0; i < STALE && i < table_of(src)->nstale; i++)
        if (table_of(src)->stale[i] % (1u << 20) == (uint32_t)(dst - t->slot))
            stale_add(t, table_of(src)->stale[i]);
    if (skip)
        stale_add(t, handle_of(dst));
    dst->retired = src->retired || (skip && src->generation == UINT32_MAX);
    dst->generation += skip && !dst->retired;
    if (!src->used || skip || stopped)
        return;
    model_fill(dst, src->type, src->obj, src->rights, src->badge, src->parent);
    dst->window = src->window;
}

static void op_clone(struct choices *c, struct mtable *t)
{
    struct mtable *from = &table[(t - table + 1) % TABLES];
    uint32_t budget = choose_budget(c);

    if (choose(c, 4))
        return;
    if (t->cursor >= from->size)
        t->cursor = 0;
    for (t->cursor += !t->cursor; budget && t->cursor < from->size && t->cursor < t->size;
         budget--, t->cursor++) {
        struct mslot *src = &from->slot[t->cursor], *dst = &t->slot[t->cursor];
        bool copy = t->cursor % 7 != 3;
        int want = CAP_OK, err;

        if (dst->used || dst->retired || dst->generation > src->generation)
            want = CAP_EUSED;
        else if (src->used && copy && obj_blocked(src->obj))
            want = CAP_AGAIN;
        err = cspace_clone(src->real, dst->real, copy);
        CHECK(err == want);
        model_clone(t, src, dst, err == CAP_AGAIN);
        if (err == CAP_AGAIN) {
            sync();
            return;
        }
        if (!err && src->used && copy) {
            dst->real->wkind = src->real->wkind;
            dst->real->window.va = dst->real->index;
        }
    }
}

// What only the kernel writes: windows and flags. Rarely, brings a slot near its last generation.
static void op_poke(struct choices *c, struct mtable *t)
{
    struct mslot *m = choose_used(c, t);

    if (!m)
        return;
    switch (choose(c, 16)) {
    case 0:
        if (m->generation < UINT32_MAX - 1) {
            stale_add(t, handle_of(m));
            m->generation = m->real->generation = UINT32_MAX - choose(c, 2);
        }
        break;
    case 1 ... 7:
        m->notify = true;
        m->real->flags |= CAP_FLAG_NOTIFY_CHILDLESS;
        break;
    default:
        m->window = true;
        m->real->wkind = 3;
        m->real->window.va = m->real->index;
    }
}

static void op_lookup(struct choices *c, struct mtable *t)
{
    struct mslot *m = choose_used(c, t);
    struct cap_slot *found = NULL;
    uint8_t type = (uint8_t)choose(c, 3);
    uint32_t rights = choose(c, 256);
    cap_handle_t wild;

    if (!m)
        return;
    CHECK(cspace_lookup(&t->cs, handle_of(m), 0, 0, &found) == CAP_OK && found == m->real);
    found = NULL;
    switch (cspace_lookup(&t->cs, handle_of(m), type, rights, &found)) {
    case CAP_OK:
        CHECK((!type || type == m->type) && (rights & ~m->rights) == 0 && found == m->real);
        break;
    case CAP_ETYPE:
        CHECK(type && type != m->type && !found);
        break;
    case CAP_ERIGHTS:
        CHECK((!type || type == m->type) && (rights & ~m->rights) && !found);
        break;
    default:
        CHECK(!"a used slot's handle resolves");
    }
    wild = handle_of(m) ^ (cap_handle_t)1 << (20 + choose(c, 44));
    CHECK(cspace_lookup(&t->cs, wild, 0, 0, &found) == CAP_EBADHANDLE);
    wild = (cap_handle_t)choose(c, 1000) | (cap_handle_t)(1 + choose(c, 3)) << 20;
    if (!cspace_lookup(&t->cs, wild, 0, 0, &found))
        CHECK(handle_of(&t->slot[wild % (1u << 20)]) == wild);
}

static void table_close(struct mtable *t)
{
    uint32_t taken = 0;
    void *page;

    while ((page = cspace_take_page(&t->cs))) {
        free(page);
        taken++;
        CHECK(!cspace_vacant(&t->cs, 0) && !cspace_slot(&t->cs, 1));
    }
    CHECK(taken == t->npages);
    *t = (struct mtable){0};
    cspace_init(&t->cs);
}

static void op_close(struct choices *c, struct mtable *t)
{
    bool used = false;

    for (uint32_t i = 0; i < t->size; i++)
        used |= t->slot[i].used;
    if (used)
        CHECK(!cspace_take_page(&t->cs));
    else if (choose(c, 2))
        table_close(t);
}

struct op {
    const char *name;
    void (*run)(struct choices *c, struct mtable *t);
};

static const struct op ops[] = {
    {"add page", op_page},   {"insert root", op_root}, {"derive", op_derive},
    {"derive", op_derive},   {"derive", op_derive},    {"copy", op_copy},
    {"copy", op_copy},       {"delete", op_delete},    {"revoke", op_revoke},
    {"destroy", op_destroy}, {"clear", op_clear},      {"clone", op_clone},
    {"poke", op_poke},       {"lookup", op_lookup},    {"close table", op_close},
};

size_t model_run(struct choices *c)
{
    struct mtable *t;

    memset(object, 0, sizeof(object));
    for (int o = 0; o < OBJECTS; o++)
        cap_obj_init(&object[o].cap);
    for (int i = 0; i < TABLES; i++) {
        table[i] = (struct mtable){0};
        cspace_init(&table[i].cs);
        for (int page = 0; page < 3; page++)
            table_page(&table[i]);
    }
    for (op_count = 0; choices_left(c); op_count++) {
        const struct op *op = &ops[choose(c, sizeof(ops) / sizeof(ops[0]))];

        t = &table[choose(c, TABLES)];
        op_name = op->name;
        note_before();
        op->run(c, t);
        compare();
    }
    op_name = "end";
    for (t = table; t < table + TABLES; t++) {
        CHECK(cspace_clear(&t->cs, UINT32_MAX) == CAP_OK);
        table_close(t);
    }
    return op_count;
}
