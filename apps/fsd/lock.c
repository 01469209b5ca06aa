// SPDX-License-Identifier: MIT
// Record locks and flock. POSIX: fcntl() F_SETLK, F_SETLKW, F_GETLK. Nobody waits here: a conflict
// is EAGAIN, and whoever wants to wait sleeps on the node page's lock_event, which counts releases,
// and asks again.
//
// An owner is a process (its environment) or an open. Locks of a process that died are dropped when
// they would stand in somebody's way, and looked for while somebody waits (locks_sweep).
//
// Deadlocks (EDEADLK): a process that asks with a waiting command and is refused leaves a note of
// what it waits for, until its next lock call or its death. A process that stops waiting for a lock
// without getting it makes such a call (libos/fs/lock.c). Before a note is left, the notes are
// followed: from whoever holds the lock to what they wait for, to whoever holds that.
#include "fsd.h"
#include <stdlib.h>

#define SWEEP_NS  50000000u // how long a lock of a dead process may make others wait
#define LOCKS_MAX 4096u     // of one file and owner

struct want {
    int type;
    int64_t start, end;
    uint64_t env;
    struct open *open;
    int pid;
    uint32_t uid;
};

struct lock_wait {
    LIST_ENTRY(lock_wait) link, in_node;
    struct node *node;
    struct want want;
    uint32_t seen; // number of the last search that came here
};

static LIST_HEAD(, lock_wait) waits;
static exo_ns_t next_sweep;
static uint32_t search;

static void lock_drop(struct lock *l)
{
    LIST_REMOVE(l, link);
    quota_give(l->uid, COST_LOCK);
    free(l);
}

static bool drop_dead(struct node *n)
{
    struct lock *l, *next;
    bool any = false;
    for (l = LIST_FIRST(&n->locks); l; l = next) {
        next = LIST_NEXT(l, link);
        if (l->open || env_is_alive(l->env))
            continue;
        lock_drop(l);
        any = true;
    }
    if (any)
        node_event(n, &n->page->lock_event);
    return any;
}

// --- ranges --------------------------------------------------------------------------------------

static bool same_owner(const struct lock *l, const struct want *w)
{
    return w->open ? l->open == w->open : !l->open && l->env == w->env;
}

static bool conflicts(const struct lock *l, const struct want *w)
{
    return !same_owner(l, w) && l->start <= w->end && l->end >= w->start &&
           (l->type == LX_F_WRLCK || w->type == LX_F_WRLCK);
}

// The conflicting lock that begins first.
static struct lock *conflict(struct node *n, const struct want *w)
{
    struct lock *l, *first = NULL;
    LIST_FOREACH (l, &n->locks, link) {
        if (conflicts(l, w) && (!first || l->start < first->start))
            first = l;
    }
    return first;
}

// Takes the range out of the owner's locks: cut, split, or dropped. At most one split happens, for
// which `spare` is used.
static bool carve(struct node *n, const struct want *w, struct lock **spare)
{
    struct lock *l, *next;
    bool any = false;
    for (l = LIST_FIRST(&n->locks); l; l = next) {
        next = LIST_NEXT(l, link);
        if (!same_owner(l, w) || l->start > w->end || l->end < w->start)
            continue;
        any = true;
        if (l->start < w->start && l->end > w->end) {
            struct lock *right = *spare;
            uint32_t uid = right->uid;
            *spare = NULL;
            *right = *l;
            right->uid = uid;
            right->start = w->end + 1;
            l->end = w->start - 1;
            LIST_INSERT_HEAD(&n->locks, right, link);
        } else if (l->start < w->start) {
            l->end = w->start - 1;
        } else if (l->end > w->end) {
            l->start = w->end + 1;
        } else {
            lock_drop(l);
        }
    }
    return any;
}

static void merge(struct node *n, struct lock *with)
{
    struct lock *l, *next;
    for (l = LIST_FIRST(&n->locks); l; l = next) {
        next = LIST_NEXT(l, link);
        if (l == with || l->type != with->type || l->env != with->env || l->open != with->open)
            continue;
        if (l->end != INT64_MAX && l->end + 1 == with->start)
            with->start = l->start;
        else if (with->end != INT64_MAX && with->end + 1 == l->start)
            with->end = l->end;
        else
            continue;
        lock_drop(l);
    }
}

static struct lock *lock_new(uint32_t uid)
{
    struct lock *l = quota_take(uid, COST_LOCK) == 0 ? calloc(1, sizeof(*l)) : NULL;
    if (l)
        l->uid = uid;
    return l;
}

static void lock_unused(struct lock *l)
{
    if (l)
        quota_give(l->uid, COST_LOCK);
    free(l);
}

static bool too_many(struct node *n, const struct want *w)
{
    struct lock *l;
    uint32_t count = 0;
    LIST_FOREACH (l, &n->locks, link)
        count += same_owner(l, w);
    return count >= LOCKS_MAX;
}

// An unlock needs memory only if it splits a lock.
static bool splits(struct node *n, const struct want *w)
{
    struct lock *l;
    LIST_FOREACH (l, &n->locks, link) {
        if (same_owner(l, w) && l->start < w->start && l->end > w->end)
            return true;
    }
    return false;
}

static int set(struct node *n, const struct want *w)
{
    bool locks = w->type != LX_F_UNLCK, split = splits(n, w);
    if (locks && conflict(n, w))
        return -LX_EAGAIN;
    if ((locks || split) && too_many(n, w))
        return -LX_ENOLCK;
    struct lock *spare = split ? lock_new(w->uid) : NULL, *new = locks ? lock_new(w->uid) : NULL;
    if ((split && !spare) || (locks && !new)) {
        lock_unused(spare);
        lock_unused(new);
        return -LX_ENOLCK;
    }
    bool released = carve(n, w, &spare);
    lock_unused(spare);
    if (new) {
        *new = (struct lock){.type = w->type,
                             .start = w->start,
                             .end = w->end,
                             .env = w->env,
                             .pid = w->pid,
                             .open = w->open,
                             .uid = w->uid};
        LIST_INSERT_HEAD(&n->locks, new, link);
        merge(n, new);
    }
    if (released)
        node_event(n, &n->page->lock_event);
    return 0;
}

// --- who waits for whom --------------------------------------------------------------------------

static struct lock_wait *wait_of(uint64_t env)
{
    struct lock_wait *v;
    LIST_FOREACH (v, &waits, link) {
        if (v->want.env == env)
            return v;
    }
    return NULL;
}

static void wait_drop(struct lock_wait *v)
{
    LIST_REMOVE(v, link);
    LIST_REMOVE(v, in_node);
    free(v);
}

static void wait_end(uint64_t env)
{
    struct lock_wait *v = wait_of(env);
    if (v)
        wait_drop(v);
}

// Does anyone that stands in the way of `w` wait, through others perhaps, for something of `env`? A
// lock of an open has no process that could be asked, and none is found through it, as on Linux.
// Each note is followed once.
// NOLINTNEXTLINE(misc-no-recursion): as deep as processes wait, which quotas bound
static bool waits_for(struct node *n, const struct want *w, uint64_t env)
{
    struct lock *l;
    LIST_FOREACH (l, &n->locks, link) {
        if (l->open || !conflicts(l, w))
            continue;
        if (l->env == env)
            return true;
        struct lock_wait *v = wait_of(l->env);
        if (!v || v->seen == search)
            continue;
        v->seen = search;
        if (waits_for(v->node, &v->want, env))
            return true;
    }
    return false;
}

static int wait_begin(struct node *n, const struct want *w)
{
    search++;
    if (!w->open && waits_for(n, w, w->env))
        return -LX_EDEADLK;
    struct lock_wait *v = calloc(1, sizeof(*v));
    if (!v)
        return -LX_ENOLCK;
    if (LIST_EMPTY(&waits))
        next_sweep = exo_clock_ns() + SWEEP_NS;
    v->node = n;
    v->want = *w;
    LIST_INSERT_HEAD(&waits, v, link);
    LIST_INSERT_HEAD(&n->waits, v, in_node);
    return -LX_EAGAIN;
}

exo_ns_t locks_deadline(void)
{
    return LIST_EMPTY(&waits) ? EXO_NEVER : next_sweep;
}

void locks_sweep(void)
{
    struct lock_wait *v, *next;
    if (LIST_EMPTY(&waits) || exo_clock_ns() < next_sweep)
        return;
    next_sweep = exo_clock_ns() + SWEEP_NS;
    for (v = LIST_FIRST(&waits); v; v = next) {
        next = LIST_NEXT(v, link);
        if (!env_is_alive(v->want.env))
            wait_drop(v);
        else
            drop_dead(v->node);
    }
}

// --- the calls -----------------------------------------------------------------------------------

static bool is_record_cmd(uint64_t cmd)
{
    return (cmd >= LX_F_GETLK && cmd <= LX_F_SETLKW) ||
           (cmd >= LX_F_OFD_GETLK && cmd <= LX_F_OFD_SETLKW);
}

static void answer_conflict(struct request *r, const struct lock *l)
{
    r->m->w[1] = l ? (uint64_t)l->type : LX_F_UNLCK;
    r->m->w[2] = l ? (uint64_t)l->start : r->arg[2];
    r->m->w[3] = l ? (l->end == INT64_MAX ? 0 : (uint64_t)(l->end - l->start + 1)) : r->arg[3];
    r->m->w[4] = l ? (uint64_t)(int64_t)l->pid : 0;
}

static long op_record(struct request *r, struct open *o)
{
    uint64_t cmd = r->arg[0], type = r->arg[1];
    bool ofd = cmd >= LX_F_OFD_GETLK, get = cmd == LX_F_GETLK || cmd == LX_F_OFD_GETLK;
    int64_t start = (int64_t)r->arg[2], length = (int64_t)r->arg[3];
    struct want w = {(int)type,         start,   INT64_MAX, r->env, ofd ? o : NULL,
                     ofd ? -1 : r->pid, r->payer};
    wait_end(r->env);
    if (!is_record_cmd(cmd) || start < 0 || length < 0 || type > LX_F_UNLCK)
        return -LX_EINVAL;
    if (o->path_only)
        return -LX_EBADF;
    if (length && __builtin_add_overflow(start, length - 1, &w.end))
        return -LX_EOVERFLOW;
    drop_dead(o->node);
    if (get) {
        answer_conflict(r, w.type == LX_F_UNLCK ? NULL : conflict(o->node, &w));
        return 0;
    }
    if ((w.type == LX_F_RDLCK && o->access == LX_O_WRONLY) ||
        (w.type == LX_F_WRLCK && o->access == LX_O_RDONLY))
        return -LX_EBADF;
    int err = set(o->node, &w);
    bool waiting = cmd == LX_F_SETLKW || cmd == LX_F_OFD_SETLKW;
    return err == -LX_EAGAIN && waiting ? wait_begin(o->node, &w) : err;
}

static bool other_flock(struct node *n, const struct open *mine, int op)
{
    struct open *o;
    LIST_FOREACH (o, &n->openers, link) {
        if (o != mine && o->flock && (o->flock == LX_LOCK_EX || op == LX_LOCK_EX))
            return true;
    }
    return false;
}

static void flock_drop(struct open *o)
{
    if (!o->flock)
        return;
    o->flock = 0;
    node_event(o->node, &o->node->page->lock_event);
}

// A conversion gives the old lock up first, so that two sharers that both want it alone do not wait
// for each other.
static long op_flock(struct request *r, struct open *o)
{
    uint64_t op = r->arg[0];
    if (o->path_only)
        return -LX_EBADF;
    if (op != LX_LOCK_SH && op != LX_LOCK_EX && op != LX_LOCK_UN)
        return -LX_EINVAL;
    if (op == (uint64_t)o->flock)
        return 0;
    flock_drop(o);
    if (op == LX_LOCK_UN)
        return 0;
    if (other_flock(o->node, o, (int)op))
        return -LX_EAGAIN;
    o->flock = (int)op;
    return 0;
}

static long unlock_all(struct request *r, struct node *n)
{
    struct lock *l, *next;
    bool any = false;
    for (l = LIST_FIRST(&n->locks); l; l = next) {
        next = LIST_NEXT(l, link);
        if (l->open || l->env != r->env)
            continue;
        lock_drop(l);
        any = true;
    }
    if (any)
        node_event(n, &n->page->lock_event);
    return 0;
}

void locks_drop_open(struct node *n, const struct open *o)
{
    struct lock *l, *next;
    bool any = o->flock;
    for (l = LIST_FIRST(&n->locks); l; l = next) {
        next = LIST_NEXT(l, link);
        if (l->open == o) {
            lock_drop(l);
            any = true;
        }
    }
    struct lock_wait *v, *v_next;
    for (v = LIST_FIRST(&n->waits); v; v = v_next) {
        v_next = LIST_NEXT(v, in_node);
        if (v->want.open == o)
            wait_drop(v);
    }
    if (!drop_dead(n) && any)
        node_event(n, &n->page->lock_event);
}

void locks_drop_node(struct node *n)
{
    while (!LIST_EMPTY(&n->locks))
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is freed left the list before
        lock_drop(LIST_FIRST(&n->locks));
    while (!LIST_EMPTY(&n->waits))
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is freed left the list before
        wait_drop(LIST_FIRST(&n->waits));
}

long op_lock(struct request *r)
{
    struct open *o = r->open;
    if (!o)
        return -LX_EBADF;
    switch (r->m->w[0]) {
    case FS_OP_LOCK:
        return op_record(r, o);
    case FS_OP_FLOCK:
        return op_flock(r, o);
    default:
        wait_end(r->env);
        return unlock_all(r, o->node);
    }
}
