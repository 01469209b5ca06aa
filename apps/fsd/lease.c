// SPDX-License-Identifier: MIT
// Leases: a process makes a file grow without asking (struct fs_own).
//
// A lease is a reservation (grow.c) whose owner moves the end of the file itself, by a word in the
// page that it shares with us. There is one at most on a node, and none beside other reservations.
// As long as there is one the node page says so, and whoever wants to know the size asks. Every
// call that has to do with the size or the blocks of the file ends the lease first (lease_end), so
// the rest of the server knows nothing of leases; the process then asks for another one, when it
// seems worth it.
//
// To end a lease is one atomic step on its word: what is done by then counts, and what is claimed
// stays reserved for its owner, who may be in the middle of copying it, until COMMIT; a dead
// owner's is gone. The word is hostile: it can make the file grow over what was reserved, which is
// zero where nobody wrote, and no further.
//
// The blocks of a lease are in use. When there are no others, all leases end (leases_end).
#include "fsd.h"

#define AHEAD_FIRST 4u  // pages past what is asked for, at first
#define AHEAD_MOST  64u // as an owner that comes back for more gets twice as many each time

static LIST_HEAD(, reserve) leases = LIST_HEAD_INITIALIZER(leases);

static uint64_t *word_of(const struct reserve *v)
{
    return &((struct fs_own *)v->holder->page.at)->grow[v->place];
}

uint32_t lease_ahead(struct node *n, struct open *o, uint64_t env, uint64_t length)
{
    bool again = n->lease && n->lease->open == o && n->lease->env == env;
    uint32_t pages = (uint32_t)((length + PAGE - 1) / PAGE); // the same once more
    o->ahead = again && o->ahead ? 2 * o->ahead : AHEAD_FIRST;
    if (o->ahead < pages)
        o->ahead = pages;
    if (o->ahead > AHEAD_MOST)
        o->ahead = AHEAD_MOST;
    return o->ahead;
}

void lease_begin(struct node *n, struct reserve *v, uint32_t claimed)
{
    struct holder *h = holder_find(v->env);
    uint32_t free = h ? ~h->leases & ((1u << FS_GROW_MAX) - 1) : 0;
    v->holder = NULL;
    if (!free || v->start != n->page->size || LIST_FIRST(&n->reserves) != v || LIST_NEXT(v, link))
        return;
    v->holder = h;
    v->place = (uint32_t)__builtin_ctz(free);
    h->leases |= 1u << v->place;
    h->opens++;
    __atomic_store_n(word_of(v), FS_GROW(0, claimed), __ATOMIC_SEQ_CST);
    LIST_INSERT_HEAD(&leases, v, lease_link);
    n->lease = v;
    node_leased(n, true);
}

// What is left of the lease is an ordinary reservation. How far the file reaches by it.
static uint64_t take_back(struct node *n, struct reserve *v)
{
    uint64_t word = __atomic_fetch_or(word_of(v), FS_GROW_ENDED, __ATOMIC_SEQ_CST);
    uint64_t length = v->end - v->start, done = FS_GROW_DONE(word);
    uint64_t claimed = FS_GROW_CLAIMED(word);
    done = done < length ? done : length;
    claimed = claimed < length ? claimed : length;
    v->end = v->start + (claimed > done ? claimed : done);
    v->start += done;
    v->holder->leases &= ~(1u << v->place);
    LIST_REMOVE(v, lease_link);
    holder_leave(v->holder);
    v->holder = NULL;
    n->lease = NULL;
    return v->start;
}

void lease_end(struct node *n)
{
    struct reserve *v = n->lease;
    if (!v)
        return;
    uint64_t began = v->start, limit = v->end, end = take_back(n, v);
    struct ext_cred user = {.uid = 1};
    if (end > began)
        ext_write_done(&vol, n->user_writes ? &user : NULL, n->ino, began, end);
    node_publish(n);
    node_leased(n, false);
    if (v->start == v->end)
        reserve_end(n, v, v->start);
    else
        reserve_rest(n, v->end, limit);
    reserves_settle(n);
}

void leases_of_end(const struct holder *h)
{
    struct reserve *v, *next;
    for (v = LIST_FIRST(&leases); v; v = next) {
        next = LIST_NEXT(v, lease_link);
        if (v->holder == h)
            lease_end(v->open->node);
    }
}

bool leases_end(void)
{
    bool any = !LIST_EMPTY(&leases);
    while (!LIST_EMPTY(&leases))
        lease_end(LIST_FIRST(&leases)->open->node);
    return any;
}

long op_settle(struct request *r)
{
    struct open *o = r->open;
    if (!o || o->path_only) { // a root
        struct holder *h = holder_find(r->env);
        if (h)
            leases_of_end(h);
        return 0;
    }
    lease_end(o->node);
    r->m->w[1] = o->node->page->size;
    return 0;
}
