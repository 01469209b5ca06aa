// SPDX-License-Identifier: MIT
// Opens that a process keeps though it has closed the file, so that it need not ask when it opens
// it again (FS_OP_OWN).
//
// The process has a page of words that it and we can write. It puts an open's number there when it
// closes the file and takes it out, by compare-and-swap, before it uses the open again; we take it
// out when the open stands in the way: the file has lost its last name and its blocks must go. Who
// takes it out has it, so an open is closed by us or used by the process, never both. A process
// that lies closes its own files, or keeps them open, which it may do anyway.
#include "fsd.h"
#include <stdlib.h>

#define HASH 64u

static LIST_HEAD(, holder) holders[HASH];

struct holder *holder_find(uint64_t env)
{
    struct holder *h;
    LIST_FOREACH (h, &holders[EXO_ENV_INDEX(env) % HASH], link) {
        if (h->env == env)
            return h;
    }
    return NULL;
}

static void holder_free(struct holder *h)
{
    LIST_REMOVE(h, link);
    page_give(&h->page, PAGE); // by its holder, too
    quota_give(h->uid, COST_NODE);
    free(h);
}

void holder_leave(struct holder *h)
{
    if (--h->opens == 0 && !env_is_alive(h->env))
        holder_free(h);
}

// Of those whose environments had the same place, more or less: a process that died without such
// opens was not told of.
static void drop_dead(uint64_t env)
{
    struct holder *h, *next;
    for (h = LIST_FIRST(&holders[EXO_ENV_INDEX(env) % HASH]); h; h = next) {
        next = LIST_NEXT(h, link);
        if (!h->opens && !env_is_alive(h->env))
            holder_free(h);
    }
}

static struct holder *holder_new(const struct request *r)
{
    struct holder *h;
    if (quota_take(r->payer, COST_NODE) < 0)
        return NULL;
    h = calloc(1, sizeof(*h));
    if (!h || page_take(&h->page) < 0) {
        free(h);
        quota_give(r->payer, COST_NODE);
        return NULL;
    }
    h->env = r->env;
    h->uid = r->payer;
    LIST_INSERT_HEAD(&holders[EXO_ENV_INDEX(r->env) % HASH], h, link);
    return h;
}

long op_own(struct request *r)
{
    drop_dead(r->env);
    struct holder *h = holder_find(r->env);
    if (h)
        leases_of_end(h);
    if (h && !reap_now(h->page.cap)) // it gave the page up before it forked
        return -LX_EAGAIN;
    if (!h)
        h = holder_new(r);
    if (!h)
        return -LX_ENFILE;
    *(struct fs_own *)h->page.at = (struct fs_own){.size = sizeof(struct fs_own), .version = 1};
    CTX->send[0] = (struct exo_send){h->page.cap, EXO_R_READ | EXO_R_WRITE, EXO_SEND_DERIVE};
    r->m->meta = EXO_META(0, 1);
    return 0;
}

static bool take(struct open *o)
{
    struct fs_own *page = o->holder->page.at;
    for (unsigned i = 0; i < FS_IDLE_MAX; i++) {
        uint32_t number = o->generation;
        if (__atomic_compare_exchange_n(&page->open[i], &number, 0, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return true;
    }
    return false;
}

// Closes the opens of a node that are only kept. What somebody made more copies of than one step
// finds is left to its end.
void idle_close(struct node *n)
{
    struct open *o, *next;
    for (o = LIST_FIRST(&n->openers); o; o = next) {
        next = LIST_NEXT(o, link);
        if (o->holder && take(o) && reap_now(o->cap))
            open_free(o);
    }
}
