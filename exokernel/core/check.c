// SPDX-License-Identifier: MIT
//
// The invariant checker: machine_check walks everything there is and counts what is wrong, after
// finishing all deferred work, so that tests may compare the counts of live objects before and
// after.
//
// It needs no memory of its own. Every count the kernel keeps is first lowered by what the walk
// finds (sign -1), is then zero or wrong, and is raised again by the same walk (sign +1). Nothing
// else runs meanwhile. This is the one call whose time grows with the machine; only the machine's
// capability allows it.
//
// Checked: references of every frame against the entries that name it; entries in use of every
// table; what every bank sold against the frames it paid for and its children's limits; windows of
// slots against entries; capability forests and tables; the free lists; that what is mapped is
// neither free nor the kernel's.

#include <core/dispatch.h>
#include <core/log.h>
#include <object/aspace.h>
#include <object/env.h>

#define LOGGED_MOST 20u

struct check {
    struct exo_check out;
    int sign;
    uint64_t mapped, recorded; // pages mapped by windows: by the entries; by the slots
    uint64_t hung;             // entries that point at tables, less the tables
};

// Nothing is wrong when `what` is NULL, or was said on the way down.
static void wrong(struct check *c, const char *what, uint64_t which, uint64_t off)
{
    if (!what || c->sign > 0)
        return;
    if (c->out.violations++ < LOGGED_MOST)
        log_printf("check: %s: %lx (%ld)\n", what, which, (long)off);
}

// The object whose first frame this is, or NULL.
static struct kobj *object_at(exo_fn_t fn)
{
    struct kobj *obj = frame_kind(fn) == EXO_FRAME_OBJECT ? frame_of(fn)->owner : NULL;

    return obj && virt_to_phys(obj) >> EXO_PAGE_SHIFT == fn ? obj : NULL;
}

#define FOR_OBJECTS(obj)                                                                           \
    for (exo_fn_t at_ = 0; at_ < frames_buddy.frames; at_++)                                       \
        if (((obj) = object_at(at_)))

// --- one walk over all mappings ------------------------------------------------------------------
static void count_leaf(struct check *c, uint64_t pte)
{
    enum exo_frame_kind kind = frame_kind(pte_frame(pte));

    c->mapped += (pte & PTE_KIND) == PTE_PAGES || (pte & PTE_KIND) == PTE_SEGPAGE;
    if (kind == EXO_FRAME_NONE)
        return;
    struct frame *f = frame_of(pte_frame(pte));
    if (kind != ((pte & PTE_KIND) == PTE_ANON ? EXO_FRAME_ANON : EXO_FRAME_RUN))
        wrong(c, "a mapped frame is of another kind", pte_frame(pte), kind);
    if (pte & PTE_W && pte & PTE_COW)
        wrong(c, "writable and copy-on-write", pte_frame(pte), 0);
    f->refs += (uint32_t)c->sign;
    if ((pte & PTE_KIND) == PTE_SEGPAGE && pte & PTE_W)
        f->where = (f->where + (unsigned)c->sign) & 0x3ffffff;
}

// The entries of one table of an address space: every table is a frame that names it.
static void count_table_entries(struct check *c, struct frame *f)
{
    uint64_t *table = frame_memory(f);
    struct aspace *as = (struct aspace *)f->owner;
    unsigned level = f->rank - TABLE_RANK, end = level == 4 ? 256 : 512;

    for (unsigned i = 0; i < end; i++) {
        struct frame *below = &frames_buddy.table[pte_frame(table[i])];

        if (!table[i])
            continue;
        f->refs += (uint32_t)c->sign;
        if (level == 1)
            count_leaf(c, table[i]);
        else if (level == 2 && pte_is_segment(table[i]))
            c->mapped += SEGMENT_ENTRIES;
        else if (level == 2 && pde_is_shared(table[i])) {
            // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): of level 2 all have an owner
            as->shared += (uint32_t)c->sign;
            below->where = (below->where + (unsigned)c->sign) & 0x3ffffff;
            if (below->rank != f->rank - 1 || below->owner || below->dirty || table[i] & PTE_W)
                wrong(c, "a shared table is not one", pte_frame(table[i]), 0);
        } else if (c->hung++, frame_kind(pte_frame(table[i])) != EXO_FRAME_TABLE ||
                                  below->rank != f->rank - 1 || below->owner != f->owner)
            wrong(c, "a table is of another kind", pte_frame(table[i]), level);
    }
}

static void count_tables(struct check *c)
{
    for (exo_fn_t fn = 0; fn < frames_buddy.frames; fn++) {
        struct frame *f = frame_of(fn);

        if (frame_kind(fn) != EXO_FRAME_TABLE || (f->owner && f->owner->type != EXO_CAP_ASPACE))
            continue;
        count_table_entries(c, f);
        c->hung -= f->rank != TABLE_RANK + 4 && f->owner;
    }
    if (c->hung)
        wrong(c, "tables that nothing points at, or two entries", 0, c->hung);
}

static void count_segment(struct check *c, const struct segment *seg)
{
    uint32_t used = 0;

    for (unsigned i = 0; i < SEGMENT_ENTRIES; i++) {
        if (!seg->table[i])
            continue;
        used++;
        frame_of(pte_frame(seg->table[i]))->refs += (uint32_t)c->sign;
        if (frame_kind(pte_frame(seg->table[i])) != EXO_FRAME_RUN)
            wrong(c, "a segment holds a frame of no run", pte_frame(seg->table[i]), i);
    }
    if (used != seg->used)
        wrong(c, "a segment's entries are miscounted", seg->obj.id, used);
}

// Slots of one capability table.
static void count_table(struct check *c, const struct cspace *cs)
{
    for (uint32_t i = 1; i < cspace_size(cs); i++) {
        const struct cap_slot *slot = cspace_slot(cs, i);

        if (!slot->type || !slot->wkind || slot->wkind == CAP_W_EVENT)
            continue;
        ((struct aspace *)slot->window.aspace)->windows += (uint32_t)c->sign;
        c->recorded += c->sign ? 0 : window_live(slot); // which needs the counts as they are
    }
}

static void count_mappings(struct check *c)
{
    struct kobj *obj;

    c->mapped = c->hung = 0;
    count_tables(c);
    FOR_OBJECTS (obj) {
        if (obj->type == EXO_CAP_SEGMENT)
            count_segment(c, (struct segment *)obj);
        else if (obj->type == EXO_CAP_ENV)
            count_table(c, &((struct env *)obj)->caps);
    }
}

// --- one walk over all that was bought -----------------------------------------------------------
static void bank_count(struct check *c, struct bank *bank, uint64_t frames)
{
    bank->used += c->sign < 0 ? -frames : frames;
}

static void count_charges(struct check *c)
{
    for (exo_fn_t fn = 0; fn < frames_buddy.frames; fn++) {
        enum exo_frame_kind kind = frame_kind(fn);
        struct kobj *obj = object_at(fn);

        if (kind == EXO_FRAME_TABLE || kind == EXO_FRAME_ANON)
            bank_count(c, frame_of(fn)->bank, 1);
        if (!obj)
            continue;
        bank_count(c, obj->bank, obj->pages + run_charge(obj));
        if (obj->type == EXO_CAP_BANK)
            bank_count(c, obj->bank, ((struct bank *)obj)->limit);
    }
}

// --- what must be zero in between, and the rest --------------------------------------------------

static void check_zero(struct check *c)
{
    struct kobj *obj;

    for (exo_fn_t fn = 0; fn < frames_buddy.frames; fn++) {
        const struct frame *f = frame_of(fn);

        if (f->refs)
            wrong(c, "references are miscounted", fn, f->refs);
        if ((frame_kind(fn) == EXO_FRAME_RUN || (f->rank && !f->owner)) && f->where)
            wrong(c, "writers or sharers are miscounted", fn, f->where);
    }
    FOR_OBJECTS (obj) {
        if (obj->type == EXO_CAP_BANK && ((struct bank *)obj)->used)
            wrong(c, "a bank's sales are miscounted", obj->id, ((struct bank *)obj)->used);
        if (obj->type != EXO_CAP_ASPACE)
            continue;
        wrong(c,
              ((struct aspace *)obj)->windows ? "an address space's windows are miscounted" : NULL,
              obj->id, ((struct aspace *)obj)->windows);
        wrong(c, ((struct aspace *)obj)->shared ? "shared tables are miscounted" : NULL, obj->id,
              ((struct aspace *)obj)->shared);
    }
    if (bank_root()->used)
        wrong(c, "the root bank's sales are miscounted", 0, bank_root()->used);
}

static void check_caps(struct check *c)
{
    struct kobj *obj;

    FOR_OBJECTS (obj) {
        wrong(c, cap_check_obj(&obj->cap), obj->id, obj->type);
        if (obj->type != EXO_CAP_ENV)
            continue;
        wrong(c, cspace_check(&((struct env *)obj)->caps), obj->id, 0);
        count_table(c, &((struct env *)obj)->caps);
        c->out.caps += ((struct env *)obj)->caps.used;
    }
    wrong(c, cap_check_obj(&bank_root()->obj.cap), 0, EXO_CAP_BANK);
    if (c->recorded < c->mapped)
        wrong(c, "pages mapped by no slot's window", c->mapped, c->recorded);
}

static void count_kinds(struct check *c)
{
    const char *what = buddy_check(&frames_buddy);

    for (exo_fn_t fn = 0; fn < frames_buddy.frames; fn++) {
        c->out.frames[frame_kind(fn)]++;
        if (object_at(fn))
            c->out.objects[object_at(fn)->type]++;
    }
    if (what || c->out.frames[EXO_FRAME_FREE] != frames_buddy.nfree)
        wrong(c, what ? what : "free frames are miscounted", c->out.frames[EXO_FRAME_FREE],
              frames_buddy.nfree);
}

// Everything, into *out; returns the number of violations. For panics and tests inside the kernel
// too.
uint64_t check_all(struct exo_check *out)
{
    struct check c = {.out = {.size = sizeof(*out), .version = EXO_ABI_VERSION}, .sign = -1};

    count_mappings(&c);
    count_charges(&c);
    check_zero(&c);
    c.sign = 1;
    count_charges(&c);
    count_mappings(&c);
    c.sign = 0;
    check_caps(&c);
    count_kinds(&c);
    *out = c.out;
    return c.out.violations;
}

int64_t sys_machine_check(exo_handle_t machine, uaddr_t report, uint64_t flags)
{
    struct exo_check out;

    for (unsigned n = 0; n < 100000 && mem_work(4096); n++)
        ;
    TRY(obj_find(machine, EXO_CAP_MACHINE, EXO_R_CONTROL, &machine));
    if (flags)
        return -EXO_EINVAL;
    check_all(&out);
    return copy_to_user(report, &out, sizeof(out));
}
