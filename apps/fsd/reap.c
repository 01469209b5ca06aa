// SPDX-License-Identifier: MIT
// Taking back what clients may still hold. A closed file's segments, node page and rings are
// revoked: the call is one short step when the client has deleted its own, as it should. A client
// that made thousands of copies gets them taken step by step between other clients' calls.
//
// Also buying: when the bank is empty, nodes that are kept for the sake of speed alone go first.
#include "fsd.h"
#include <stdlib.h>

struct corpse {
    SLIST_ENTRY(corpse) link;
    exo_handle_t cap;
    void *window;
};

static SLIST_HEAD(, corpse) corpses = SLIST_HEAD_INITIALIZER(corpses);

bool reap_now(exo_handle_t cap)
{
    return exo_cap_revoke(cap) != -EXO_EAGAIN;
}

static void finish(exo_handle_t cap, void *window)
{
    exo_cap_delete(cap);
    if (window)
        page_unmapped(window);
}

void reap(exo_handle_t cap, void *window)
{
    if (reap_now(cap)) {
        finish(cap, window);
        return;
    }
    struct corpse *c = malloc(sizeof(*c));
    if (c) {
        *c = (struct corpse){.cap = cap, .window = window};
        SLIST_INSERT_HEAD(&corpses, c, link);
        return;
    }
    while (!reap_now(cap))
        ;
    finish(cap, window);
}

bool reap_pending(void)
{
    return !SLIST_EMPTY(&corpses);
}

void reap_step(void)
{
    struct corpse *c = SLIST_FIRST(&corpses);
    if (!c || !reap_now(c->cap))
        return;
    SLIST_REMOVE_HEAD(&corpses, link);
    finish(c->cap, c->window);
    free(c);
}

int64_t buy_frames(uint64_t count)
{
    int64_t h;
    while ((h = exo_frames_alloc(H_BANK, count, 0, 0)) == -EXO_ENOMEM &&
           (node_evict() || memory_more()))
        ;
    return h;
}

int64_t buy_segment(void)
{
    int64_t h;
    while ((h = exo_segment_create(H_BANK)) == -EXO_ENOMEM && (node_evict() || memory_more()))
        ;
    return h;
}
