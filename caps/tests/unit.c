// SPDX-License-Identifier: MIT
//
// What random operations do not reach: sizes (chains of 100,000, tables of 2^20), the last
// generation, abandoned and contested revocations, iteration, and that the checkers notice damage.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <caps/cspace.h>

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define ALL 0xffffffffu

// Gives a table at least n vacant slots.
static void grow(struct cspace *cs, uint32_t n)
{
    int got;

    for (uint32_t have = 0; have < n; have += (uint32_t)got) {
        void *page = aligned_alloc(CSPACE_PAGE, CSPACE_PAGE);

        memset(page, 0, CSPACE_PAGE);
        got = cspace_add_page(cs, page);
        CHECK(got >= 0);
    }
}

static void drop(struct cspace *cs)
{
    void *page;

    CHECK(cspace_clear(cs, ALL) == CAP_OK);
    while ((page = cspace_take_page(cs)))
        free(page);
    CHECK(!cs->root[0] && cs->pages == 0);
}

static struct cap_slot *root(struct cspace *cs, struct cap_obj *obj)
{
    struct cap_slot *slot = cspace_vacant(cs, 0);

    CHECK(cap_insert_root(slot, 1, obj, ALL, 0) == CAP_OK);
    return slot;
}

static struct cap_slot *child(struct cspace *cs, struct cap_slot *of)
{
    struct cap_slot *slot = cspace_vacant(cs, 0);

    CHECK(cap_derive(of, slot, of->rights, 0) == CAP_OK);
    return slot;
}

static void sound(const struct cspace *cs, const struct cap_obj *obj)
{
    CHECK(!cspace_check(cs) && !cap_check_obj(obj));
}

// As many steps as there are siblings.
static struct cap_slot *parent(const struct cap_slot *slot)
{
    struct cap_mark *mark = TAILQ_NEXT(&slot->close, link);

    while (cap_mark_opened(mark))
        mark = TAILQ_NEXT(&cap_mark_opened(mark)->close, link);
    return mark ? cap_mark_opened(mark - 1) : NULL; // the two marks of a slot are neighbours
}

static void test_chain(void)
{
    enum { DEPTH = 100000 };
    static struct cap_slot *chain[DEPTH];
    struct cspace cs;
    struct cap_obj obj;
    uint32_t calls = 1;

    cspace_init(&cs);
    cap_obj_init(&obj);
    grow(&cs, DEPTH);
    chain[0] = root(&cs, &obj);
    for (int i = 1; i < DEPTH; i++)
        chain[i] = child(&cs, chain[i - 1]);
    CHECK(parent(chain[DEPTH - 1]) == chain[DEPTH - 2]);
    // Every second one goes: the rest moves up.
    for (int i = 1; i < DEPTH; i += 2)
        cap_delete(chain[i]);
    CHECK(parent(chain[DEPTH - 2]) == chain[DEPTH - 4]);
    CHECK(obj.caps == DEPTH / 2 && obj.wcaps == DEPTH / 2);
    sound(&cs, &obj);
    while (cap_revoke(chain[10], 64) == CAP_AGAIN)
        calls++;
    CHECK(calls == (DEPTH / 2 - 6 + 63) / 64);
    CHECK(obj.caps == 6 && !cap_child_first(chain[10]) && chain[8]->type && !chain[12]->type);
    sound(&cs, &obj);
    drop(&cs);
    CHECK(obj.caps == 0 && obj.wcaps == 0);
}

static void test_largest_table(void)
{
    const uint32_t pages = CSPACE_PAGES_MAX + (CSPACE_PAGES_MAX + 511) / 512;
    char *memory = aligned_alloc(CSPACE_PAGE, (size_t)pages * CSPACE_PAGE);
    uint32_t last = CSPACE_PAGES_MAX * 42 - 1, taken = 0;
    struct cspace cs;
    struct cap_obj obj;
    struct cap_slot *slot, *found;

    memset(memory, 0, (size_t)pages * CSPACE_PAGE);
    cspace_init(&cs);
    cap_obj_init(&obj);
    CHECK(!cspace_vacant(&cs, 0) && !cspace_slot(&cs, 1));
    for (uint32_t i = 0; i < pages; i++)
        CHECK(cspace_add_page(&cs, memory + (size_t)i * CSPACE_PAGE) >= 0);
    CHECK(cspace_add_page(&cs, memory) == CAP_ENOSLOT);
    CHECK(cspace_size(&cs) == last + 1 && last < 1u << 20 && last > 1u << 16);
    slot = cspace_vacant(&cs, last);
    CHECK(slot && !cspace_vacant(&cs, last + 1));
    CHECK(cap_insert_root(slot, 1, &obj, 0, 0) == CAP_OK);
    CHECK(cspace_lookup(&cs, last | 1u << 20, 1, 0, &found) == CAP_OK && found == slot);
    sound(&cs, &obj);
    CHECK(!cspace_take_page(&cs));
    CHECK(cspace_clear(&cs, 1000) == CAP_AGAIN);
    CHECK(cspace_clear(&cs, ALL) == CAP_OK);
    while (cspace_take_page(&cs))
        taken++;
    CHECK(taken == pages);
    free(memory);
}

static void test_last_generation(void)
{
    struct cspace cs;
    struct cap_obj obj;
    struct cap_slot *slot, *found;
    cap_handle_t first, last;

    cspace_init(&cs);
    cap_obj_init(&obj);
    grow(&cs, 1);
    slot = root(&cs, &obj);
    first = cspace_handle(slot);
    CHECK(first >> 20 == 1);
    cap_delete(slot);
    CHECK(cspace_vacant(&cs, 0) == slot && slot->generation == 2);
    slot->generation = UINT32_MAX;
    CHECK(root(&cs, &obj) == slot);
    last = cspace_handle(slot);
    CHECK(last == (slot->index | (uint64_t)UINT32_MAX << 20));
    CHECK(cspace_lookup(&cs, last, 0, 0, &found) == CAP_OK);
    cap_delete(slot);
    CHECK(cspace_lookup(&cs, last, 0, 0, &found) == CAP_EBADHANDLE);
    CHECK(!cspace_vacant(&cs, slot->index) && !cap_slot_vacant(slot));
    for (int i = 0; i < 40; i++)
        CHECK(root(&cs, &obj) != slot);
    CHECK(!cspace_vacant(&cs, 0));
    CHECK(cspace_lookup(&cs, 0, 0, 0, &found) == CAP_EBADHANDLE);
    CHECK(cspace_lookup(&cs, 1ull << 20, 0, 0, &found) == CAP_EBADHANDLE);
    CHECK(cspace_lookup(&cs, 2 | 1ull << 20 | 1ull << 52, 0, 0, &found) == CAP_EBADHANDLE);
    sound(&cs, &obj);
    drop(&cs);
}

// One who begins a revocation and goes away must not keep others from the object for ever.
static void test_abandoned_revocation(void)
{
    struct cspace cs;
    struct cap_obj obj;
    struct cap_slot *top, *other, *victim, *dst;
    int tries = 0;

    cspace_init(&cs);
    cap_obj_init(&obj);
    grow(&cs, 6000);
    other = root(&cs, &obj);
    top = child(&cs, other);
    victim = child(&cs, top);
    for (int i = 1; i < 5000; i++)
        victim = child(&cs, i % 3 ? victim : top);
    CHECK(cap_revoke(top, 3) == CAP_AGAIN);
    dst = cspace_vacant(&cs, 0);
    while (cap_derive(other, dst, 0, 0) == CAP_AGAIN) {
        CHECK(cap_slot_vacant(dst) && ++tries < 1000);
        sound(&cs, &obj);
    }
    CHECK(!cap_child_first(top) && obj.caps == 3 && tries > 10);
    drop(&cs);
}

// Those who are being revoked derive and revoke as hard as they can between the revoker's calls.
static void test_contested_revocation(void)
{
    struct cspace cs;
    struct cap_obj obj;
    struct cap_slot *top, *evil, *slot, *dst;
    int calls = 0;

    cspace_init(&cs);
    cap_obj_init(&obj);
    grow(&cs, 3000);
    top = root(&cs, &obj);
    evil = child(&cs, child(&cs, top));
    for (int i = 0; i < 1000; i++)
        child(&cs, evil);
    while (cap_revoke(top, 10) == CAP_AGAIN) {
        CHECK(++calls <= 101);
        for (int i = 0; i < 50; i++) {
            slot = cap_child_first(top);
            dst = cspace_vacant(&cs, 0);
            if (!slot)
                break;
            cap_revoke(slot, 0);
            CHECK(cap_derive(slot, dst, 0, 0) == CAP_AGAIN);
            if (slot->type)
                CHECK(cap_copy(slot, dst, 0) == CAP_AGAIN);
        }
    }
    CHECK(!cap_child_first(top) && obj.caps == 1 && obj.revoking == 0);
    child(&cs, top);
    sound(&cs, &obj);
    drop(&cs);
}

// The place where helpers go on is a mark; its slot may go at any time.
static void test_helpers_place(void)
{
    struct cspace cs;
    struct cap_obj obj;
    struct cap_slot *top, *last, *slot;

    cspace_init(&cs);
    cap_obj_init(&obj);
    grow(&cs, 3000);
    top = root(&cs, &obj);
    for (int i = 0; i < 1000; i++)
        root(&cs, &obj);
    last = root(&cs, &obj);
    for (int i = 0; i < 100; i++)
        child(&cs, last);
    CHECK(cap_revoke(last, 0) == CAP_AGAIN);
    CHECK(cap_derive(top, cspace_vacant(&cs, 0), 0, 0) == CAP_AGAIN && obj.scan);
    for (int i = 0; i < 4; i++) {
        // As a used slot's two marks are 16 bytes apart, its address is the mark's rounded down.
        slot = (struct cap_slot *)((uintptr_t)obj.scan & ~(uintptr_t)31);
        cap_delete(slot);
        sound(&cs, &obj);
        if (i % 2 == 0)
            obj.scan = TAILQ_NEXT(obj.scan, link);
    }
    while (cap_derive(top, cspace_vacant(&cs, 0), 0, 0) == CAP_AGAIN)
        sound(&cs, &obj);
    CHECK(!cap_child_first(last));
    drop(&cs);
}

static uint32_t released;
static bool releasing;

void cap_hook_unmap(struct cap_slot *slot)
{
    (void)slot;
}

void cap_hook_childless(struct cap_slot *slot)
{
    (void)slot;
}

void cap_hook_counted(struct cap_obj *obj)
{
    (void)obj;
}

void cap_hook_unref(struct cap_slot *slot)
{
    if (releasing && slot->obj->caps == 0) {
        released++;
        memset(slot->obj, 0xdd, sizeof(*slot->obj));
    }
}

// cap_hook_unref of the last capability releases the object: nobody may touch it afterwards.
static void test_object_goes(void)
{
    struct cspace cs;
    struct cap_obj *obj;
    struct cap_slot *top;

    releasing = true;
    cspace_init(&cs);
    grow(&cs, 200);
    for (uint32_t round = 0; round < 3; round++) {
        obj = malloc(sizeof(*obj));
        cap_obj_init(obj);
        top = root(&cs, obj);
        for (int i = 0; i < 20; i++)
            child(&cs, top);
        if (round == 0) {
            CHECK(cap_obj_revoke_all(obj, 20) == CAP_AGAIN);
            CHECK(cap_obj_revoke_all(obj, 1) == CAP_OK);
        } else if (round == 1) {
            CHECK(cap_obj_revoke_all(obj, 0) == CAP_AGAIN);
            CHECK(cap_derive(top, cspace_vacant(&cs, 0), 0, 0) == CAP_AGAIN);
        } else {
            CHECK(cap_revoke(top, 1) == CAP_AGAIN);
            CHECK(cspace_clear(&cs, ALL) == CAP_OK);
        }
        CHECK(released == round + 1);
        for (size_t i = 0; i < sizeof(*obj); i++)
            CHECK(((uint8_t *)obj)[i] == 0xdd);
        free(obj);
    }
    drop(&cs);
    releasing = false;
}

static void test_walk(void)
{
    struct cspace cs;
    struct cap_obj obj;
    struct cap_slot *slot, *tmp, *top, loose;
    int n = 0;

    cspace_init(&cs);
    cap_obj_init(&obj);
    cap_slot_init(&loose);
    grow(&cs, 100);
    top = root(&cs, &obj);
    for (int i = 0; i < 60; i++)
        child(&cs, i % 4 ? cap_child_first(top) : top);
    CHECK(cap_copy(top, &loose, CAP_R_READ) == CAP_OK);
    CHECK(!parent(&loose) && TAILQ_NEXT(&top->close, link) == &loose.open && obj.caps == 62);
    CHECK(cap_insert_root(&loose, 1, &obj, 0, 0) == CAP_EUSED);
    for (slot = cap_obj_first(&obj); slot; slot = tmp) {
        tmp = cap_obj_next(slot);
        if (n++ % 2 == 0)
            cap_delete(slot);
        sound(&cs, &obj);
    }
    CHECK(n == 62 && obj.caps == 31);
    cap_delete(&loose);
    CHECK(cap_slot_vacant(&loose));
    drop(&cs);
}

#define DAMAGE(field, value, check)                                                                \
    do {                                                                                           \
        __typeof__(field) kept = (field);                                                          \
        (field) = (value);                                                                         \
        CHECK(check);                                                                              \
        (field) = kept;                                                                            \
        sound(&cs, &obj);                                                                          \
    } while (0)

// A checker that never complains proves nothing.
static void test_checkers(void)
{
    struct cspace cs;
    struct cap_obj obj, another;
    struct cap_slot *a, *b, *c, *v;

    cspace_init(&cs);
    cap_obj_init(&obj);
    cap_obj_init(&another);
    grow(&cs, 10);
    a = root(&cs, &obj);
    b = child(&cs, a);
    c = child(&cs, b);
    v = cspace_vacant(&cs, 0);
    sound(&cs, &obj);
    DAMAGE(obj.caps, 2, cap_check_obj(&obj));
    DAMAGE(obj.caps, 4, cap_check_obj(&obj));
    DAMAGE(obj.wcaps, 2, cap_check_obj(&obj));
    DAMAGE(obj.revoking, 1, cap_check_obj(&obj));
    DAMAGE(obj.scan, &v->open, cap_check_obj(&obj));
    DAMAGE(b->rights, 5, cap_check_obj(&obj));
    DAMAGE(b->badge, 5, cap_check_obj(&obj));
    DAMAGE(c->type, 9, cap_check_obj(&obj));
    DAMAGE(b->obj, &another, cap_check_obj(&obj));
    DAMAGE(b->generation, 0, cap_check_obj(&obj) && cspace_check(&cs));
    DAMAGE(b->index, 7, cap_check_obj(&obj) && cspace_check(&cs));
    DAMAGE(b->close.link.tqe_prev, &a->open.link.tqe_next, cap_check_obj(&obj));
    DAMAGE(c->close.link.tqe_next, &a->open, cap_check_obj(&obj));
    DAMAGE(obj.marks.tqh_last, &b->close.link.tqe_next, cap_check_obj(&obj));
    DAMAGE(cs.used, 4, cspace_check(&cs));
    DAMAGE(v->flags, CAP_FLAG_RETIRED, cspace_check(&cs));
    DAMAGE(v->badge, 1, cspace_check(&cs));
    DAMAGE(v->open.link.tqe_next, NULL, cspace_check(&cs));
    DAMAGE(v->open.link.tqe_next, &v->open, cspace_check(&cs));
    DAMAGE(cs.vacant.tqh_first, &c->open, cspace_check(&cs));
    // "(a (b b) (c a) c)": flat links and counts are right, nesting is not.
    TAILQ_REMOVE(&obj.marks, &c->close, link);
    TAILQ_INSERT_TAIL(&obj.marks, &c->close, link);
    CHECK(cap_check_obj(&obj));
    TAILQ_REMOVE(&obj.marks, &c->close, link);
    TAILQ_INSERT_AFTER(&obj.marks, &c->open, &c->close, link);
    sound(&cs, &obj);
    drop(&cs);
}

int main(void)
{
    test_chain();
    test_largest_table();
    test_last_generation();
    test_abandoned_revocation();
    test_contested_revocation();
    test_helpers_place();
    test_object_goes();
    test_walk();
    test_checkers();
    printf("ok\n");
    return 0;
}
