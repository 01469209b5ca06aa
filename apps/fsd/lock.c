// SPDX-License-Identifier: MIT
// Record locks and flock. POSIX: fcntl() F_SETLK, F_GETLK. Nobody waits here: a conflict is EAGAIN, and whoever wants to
// wait sleeps on the node page's lock_event, which counts releases.
//
// An owner is a process (its environment) or an open. Locks of a process that died are dropped when they would
// stand in somebody's way.
#include "fsd.h"
#include <stdlib.h>

static bool alive(const struct lock *l)
{
    uint32_t index = EXO_ENV_INDEX(l->env);
    return l->open || (EXO_ENVS[index].id == l->env && EXO_ENVS[index].state < EXO_ENV_DYING);
}

static void lock_drop(struct lock *l)
{
    LIST_REMOVE(l, link);
    free(l);
}

static void drop_dead(struct node *n)
{
    struct lock *l, *next;
    for (l = LIST_FIRST(&n->locks); l; l = next) {
        next = LIST_NEXT(l, link);
        if (!alive(l))
            lock_drop(l);
    }
}

struct want {
    int type;
    int64_t start, end;
    uint64_t env;
    struct open *open;
    int pid;
};

static bool same_owner(const struct lock *l, const struct want *w)
{
    return w->open ? l->open == w->open : !l->open && l->env == w->env;
}

static struct lock *conflict(struct node *n, const struct want *w)
{
    struct lock *l;
    LIST_FOREACH (l, &n->locks, link) {
        if (same_owner(l, w) || l->start > w->end || l->end < w->start)
            continue;
        if (l->type == LX_F_WRLCK || w->type == LX_F_WRLCK)
            return l;
    }
    return NULL;
}

// Takes the range out of the owner's locks: cut, split, or dropped. At most one split happens, for which `spare` is used.
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
            *spare = NULL;
            *right = *l;
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

static int set(struct node *n, const struct want *w)
{
    if (w->type != LX_F_UNLCK && conflict(n, w))
        return -LX_EAGAIN;
    struct lock *spare = calloc(1, sizeof(*spare)), *new = NULL;
    if (!spare)
        return -LX_ENOLCK;
    if (w->type != LX_F_UNLCK) {
        new = calloc(1, sizeof(*new));
        if (!new) {
            free(spare);
            return -LX_ENOLCK;
        }
    }
    bool released = carve(n, w, &spare);
    free(spare);
    if (new) {
        *new = (struct lock){.type = w->type, .start = w->start, .end = w->end, .env = w->env, .pid = w->pid,
                             .open = w->open};
        LIST_INSERT_HEAD(&n->locks, new, link);
        merge(n, new);
    }
    if (released)
        node_event(n, &n->page->lock_event);
    return 0;
}

static long op_record(struct request *r, struct open *o)
{
    int cmd = (int)r->arg[0];
    bool ofd = cmd >= LX_F_OFD_GETLK, get = cmd == LX_F_GETLK || cmd == LX_F_OFD_GETLK;
    int64_t start = (int64_t)r->arg[2], length = (int64_t)r->arg[3];
    struct want w = {(int)r->arg[1], start, INT64_MAX, r->env, ofd ? o : NULL, ofd ? -1 : r->pid};
    if (start < 0 || length < 0 || w.type < LX_F_RDLCK || w.type > LX_F_UNLCK || o->path_only)
        return -LX_EINVAL;
    if (length && __builtin_add_overflow(start, length - 1, &w.end))
        return -LX_EOVERFLOW;
    drop_dead(o->node);
    if (!get) {
        if ((w.type == LX_F_RDLCK && o->access == LX_O_WRONLY) || (w.type == LX_F_WRLCK && o->access == LX_O_RDONLY))
            return -LX_EBADF;
        return set(o->node, &w);
    }
    struct lock *l = w.type == LX_F_UNLCK ? NULL : conflict(o->node, &w);
    r->m->w[1] = l ? (uint64_t)l->type : LX_F_UNLCK;
    r->m->w[2] = l ? (uint64_t)l->start : r->arg[2];
    r->m->w[3] = l ? (l->end == INT64_MAX ? 0 : (uint64_t)(l->end - l->start + 1)) : r->arg[3];
    r->m->w[4] = l ? (uint64_t)(int64_t)l->pid : 0;
    return 0;
}

static struct open *other_flock(struct node *n, const struct open *mine, int op);

static long op_flock(struct request *r, struct open *o)
{
    int op = (int)r->arg[0];
    if (o->path_only)
        return -LX_EBADF;
    if (op == LX_LOCK_UN) {
        bool had = o->flock;
        o->flock = 0;
        if (had)
            node_event(o->node, &o->node->page->lock_event);
        return 0;
    }
    if (op != LX_LOCK_SH && op != LX_LOCK_EX)
        return -LX_EINVAL;
    if (other_flock(o->node, o, op))
        return -LX_EAGAIN;
    o->flock = op;
    return 0;
}

static struct open *other_flock(struct node *n, const struct open *mine, int op)
{
    struct open *o;
    LIST_FOREACH (o, &n->openers, link) {
        if (o != mine && o->flock && (o->flock == LX_LOCK_EX || op == LX_LOCK_EX))
            return o;
    }
    return NULL;
}

static long unlock_all(struct request *r, struct node *n)
{
    struct lock *l, *next;
    bool any = false;
    for (l = LIST_FIRST(&n->locks); l; l = next) {
        next = LIST_NEXT(l, link);
        if (!l->open && l->env == r->env) {
            lock_drop(l);
            any = true;
        }
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
    if (any)
        node_event(n, &n->page->lock_event);
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
        return unlock_all(r, o->node);
    }
}
