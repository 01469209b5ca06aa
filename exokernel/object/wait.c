// SPDX-License-Identifier: MIT
//
// Waiting for memory to change, for capabilities to go, or for time to pass.
//
// A condition on a word is kept by the word's physical address, in a hash of queues by frame. The
// promise to the waker, who stores, fences, and reads exo_frame.sleepers, is kept by the order
// here: first the count goes up, then the word is read. (One kernel lock makes the rest atomic:
// nobody wakes between the check and the sleep.) A frame that is freed, or that a copy-on-write
// break leaves, wakes its sleepers: they look again at what is there now.
//
// A condition on capability counts is kept by the object and looked at by the counted hook; it
// cannot outlive the object, because its count reaches 0 first.
//
// Deadlines, of sleeps and alarms, are in one red-black tree; the timer of a CPU is set to the
// first. Locking: klock.

#include <sys/tree.h>
#include <core/dispatch.h>
#include <core/log.h>
#include <x86/cpu.h>

#define BUCKETS           512
#define DEADLINES_AT_ONCE 64

LIST_HEAD(bucket, wait_entry);
static struct bucket buckets[BUCKETS];

static int deadline_compare(const struct deadline *a, const struct deadline *b)
{
    if (a->ns != b->ns)
        return a->ns < b->ns ? -1 : 1;
    return a < b ? -1 : a > b;
}

static RB_HEAD(deadlines, deadline) deadlines = RB_INITIALIZER(&deadlines);
RB_GENERATE_STATIC(deadlines, deadline, link, deadline_compare)

void deadline_clear(struct deadline *deadline)
{
    if (!deadline->ctx)
        return;
    deadline->ctx = NULL;
    RB_REMOVE(deadlines, &deadlines, deadline);
}

void deadline_set(struct ctx *ctx, struct deadline *deadline, uint64_t ns)
{
    deadline_clear(deadline);
    if (ns == EXO_NEVER)
        return;
    deadline->ctx = ctx;
    deadline->ns = ns;
    RB_INSERT(deadlines, &deadlines, deadline);
    this_cpu()->resched = true; // sets the timer
}

uint64_t deadline_next(void)
{
    struct deadline *first = RB_MIN(deadlines, &deadlines);

    return first ? first->ns : EXO_NEVER;
}

void deadlines_run(uint64_t now)
{
    struct deadline *first;

    for (unsigned n = 0; n < DEADLINES_AT_ONCE; n++) { // the timer comes back for the rest
        first = RB_MIN(deadlines, &deadlines);
        if (!first || first->ns > now)
            break;
        struct ctx *ctx = first->ctx;

        deadline_clear(first);
        if (first->bits)
            ctx_notify(ctx, first->bits);
        else
            ctx_wake(ctx, -EXO_ETIMEDOUT);
    }
    this_cpu()->resched = true;
}

int64_t sys_ctx_alarm(uint64_t ns, uint64_t bits)
{
    struct ctx *ctx = ctx_current();
    uint64_t old = ctx->alarm.ctx ? ctx->alarm.ns : 0;

    if (bits == 0 && ns != EXO_NEVER)
        return -EXO_EINVAL;
    deadline_clear(&ctx->alarm);
    ctx->alarm.bits = bits;
    deadline_set(ctx, &ctx->alarm, ns);
    return (int64_t)old;
}

// --- conditions ----------------------------------------------------------------------------------

static struct bucket *bucket_of(uint64_t key)
{
    return &buckets[(key >> EXO_PAGE_SHIFT) * 0x9e3779b97f4a7c15ull >> 55];
}
_Static_assert(BUCKETS == 1 << (64 - 55), "the hash keeps its upper bits");

static struct ctx *entry_ctx(struct wait_entry *entry)
{
    struct wait_entry *first = entry - entry->slot;

    return (struct ctx *)((char *)first - offsetof(struct ctx, waits));
}

static void sleepers_add(exo_fn_t fn, int more)
{
    volatile struct exo_frame *info = frame_info(fn);

    if (info)
        __atomic_fetch_add((uint32_t *)&info->sleepers, (uint32_t)more, __ATOMIC_SEQ_CST);
}

static void entry_add(struct ctx *ctx, uint8_t kind, uint64_t key, uint32_t value)
{
    struct wait_entry *entry = &ctx->waits[ctx->nwaits];

    entry->slot = (uint8_t)ctx->nwaits++;
    entry->key = key;
    entry->value = value;
    entry->kind = kind;
    LIST_INSERT_HEAD(bucket_of(key), entry, link);
    if (kind == EXO_COND_WORD)
        sleepers_add(key >> EXO_PAGE_SHIFT, 1);
}

void wait_leave(struct ctx *ctx)
{
    while (ctx->nwaits) {
        struct wait_entry *entry = &ctx->waits[--ctx->nwaits];

        LIST_REMOVE(entry, link);
        if (entry->kind == EXO_COND_WORD)
            sleepers_add(entry->key >> EXO_PAGE_SHIFT, -1);
    }
}

static uint32_t count_now(const struct kobj *obj, uint8_t kind)
{
    return kind == EXO_COND_CAPS ? obj->cap.caps : obj->cap.wcaps;
}

// Where a word of the caller's memory is.
static int word_find(uaddr_t va, paddr_t *pa)
{
    uint32_t rights;

    if (va % 4)
        return -EXO_EINVAL;
    *pa = aspace_translate(env_current()->aspace, va, &rights);
    return *pa && rights & EXO_R_READ && frame_info(*pa >> EXO_PAGE_SHIFT) ? 0 : -EXO_EFAULT;
}

// Registers one condition. 1: it holds. 0: it does not.
static int cond_add(struct ctx *ctx, const struct exo_cond *cond)
{
    struct cap_slot *slot;
    paddr_t pa;

    if (cond->kind == EXO_COND_WORD) {
        TRY(word_find(cond->va, &pa));
        entry_add(ctx, EXO_COND_WORD, pa, cond->value);
        return __atomic_load_n((uint32_t *)phys_to_virt(pa), __ATOMIC_SEQ_CST) == cond->value;
    }
    if (cond->kind > EXO_COND_WCAPS)
        return -EXO_EINVAL;
    TRY(cap_find(cond->va, EXO_CAP_NONE, 0, &slot));
    ((struct kobj *)slot->obj)->flags |= KOBJ_WAITED;
    entry_add(ctx, (uint8_t)cond->kind, (uint64_t)slot->obj, cond->value);
    return count_now((struct kobj *)slot->obj, (uint8_t)cond->kind) >= cond->value;
}

int64_t sys_wait(uaddr_t from, uint64_t count, uint64_t deadline)
{
    struct exo_cond conds[64];
    struct ctx *ctx = ctx_current();
    int holds = 1;
    unsigned i;

    if (count > 64)
        return -EXO_ELIMIT;
    TRY(copy_from_user(conds, from, count * sizeof(conds[0])));
    if (ctx_pending(ctx))
        return -EXO_EINTR;
    for (i = 0; i < count && holds == 1; i++)
        holds = cond_add(ctx, &conds[i]);
    if (holds != 1 || (deadline != EXO_NEVER && deadline <= clock_ns())) {
        wait_leave(ctx);
        return holds == 1 ? -EXO_ETIMEDOUT : holds ? holds : (int64_t)i - 1;
    }
    ctx->state = CTX_WAIT;
    schedule_handoff(NULL);
    deadline_set(ctx, &ctx->timeout, deadline);
    return CALL_NO_RESULT;
}

// --- waking --------------------------------------------------------------------------------------

// The next entry of the bucket that is another context's: waking takes all of a context's entries
// out.
static struct wait_entry *entry_after(struct wait_entry *entry)
{
    struct ctx *ctx = entry_ctx(entry);

    do
        entry = LIST_NEXT(entry, link);
    while (entry && entry_ctx(entry) == ctx);
    return entry;
}

// Wakes up to count of those whose condition is on a word in [from, to), all in one frame, or on
// counts of the object at `from`, and does not hold any more.
static uint64_t wake_keys(uint64_t from, uint64_t to, uint64_t count)
{
    struct wait_entry *entry = LIST_FIRST(bucket_of(from)), *next;
    uint64_t woken = 0;

    for (; entry && woken < count; entry = next) {
        if (entry->key < from || entry->key >= to ||
            (entry->kind != EXO_COND_WORD &&
             count_now((struct kobj *)from, entry->kind) >= entry->value)) {
            next = LIST_NEXT(entry, link);
            continue;
        }
        next = entry_after(entry);
        ctx_wake(entry_ctx(entry), entry->slot);
        woken++;
    }
    return woken;
}

int64_t sys_wake(uaddr_t va, uint64_t count)
{
    paddr_t pa;

    TRY(word_find(va, &pa));
    return (int64_t)wake_keys(pa, pa + 4, count);
}

void wait_frame_gone(exo_fn_t fn)
{
    wake_keys(fn << EXO_PAGE_SHIFT, (fn + 1) << EXO_PAGE_SHIFT, UINT64_MAX);
}

void wait_counted(struct kobj *obj)
{
    if (obj->flags & KOBJ_WAITED)
        wake_keys((uint64_t)obj, (uint64_t)obj + 1, UINT64_MAX);
}
