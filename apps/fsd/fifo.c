// SPDX-License-Identifier: MIT
// FIFOs: the rings two processes that open the same name get (libos/fs/pipe.h). POSIX: open() of a
// FIFO.
//
// We keep one capability with the write right of each half and are no end ourselves: the ends count
// capabilities, ours subtracted (FIFO_BASE in libos/fs/pipe.c). The rings live from the first end's
// open to the last end's close; what is unread then is gone. Nobody waits here: an end waits for a
// peer on the node page's counters.
#include "fsd.h"
#include <fs/pipe.h>
#include <stdlib.h>

struct fifo {
    exo_handle_t w, r; // writers' and readers' half
    uint32_t ends;
};

static struct fifo *fifo_make(uint32_t uid)
{
    struct fifo *f = quota_take(uid, COST_FIFO) == 0 ? calloc(1, sizeof(*f)) : NULL;
    if (!f)
        return NULL;
    int64_t w = buy_frames(1 + PIPE_PAGES);
    int64_t r = w < 0 ? w : buy_frames(1);
    if (r < 0) {
        if (w > 0)
            exo_cap_delete((exo_handle_t)w);
        free(f);
        quota_give(uid, COST_FIFO);
        return NULL;
    }
    *f = (struct fifo){.w = (exo_handle_t)w, .r = (exo_handle_t)r};
    return f;
}

static bool has_reader(const struct node *n)
{
    struct open *o;
    LIST_FOREACH (o, &n->openers, link) {
        if (o->in_fifo && o->access != LX_O_WRONLY)
            return true;
    }
    return false;
}

long fifo_enter(struct open *o, uint32_t flags, struct exo_send send[2])
{
    struct node *n = o->node;
    uint32_t rw = EXO_R_READ | EXO_R_WRITE;
    if (o->access == LX_O_WRONLY && (flags & LX_O_NONBLOCK) && !has_reader(n))
        return -LX_ENXIO;
    struct fifo *f = n->fifo ? n->fifo : fifo_make(n->uid);
    if (!f)
        return -LX_ENFILE;
    n->fifo = f;
    f->ends++;
    o->in_fifo = true;
    send[0] =
        (struct exo_send){n->fifo->w, o->access == LX_O_RDONLY ? EXO_R_READ : rw, EXO_SEND_DERIVE};
    send[1] =
        (struct exo_send){n->fifo->r, o->access == LX_O_WRONLY ? EXO_R_READ : rw, EXO_SEND_DERIVE};
    if (o->access != LX_O_WRONLY)
        node_event(n, &n->page->fifo_readers);
    if (o->access != LX_O_RDONLY)
        node_event(n, &n->page->fifo_writers);
    return 0;
}

void fifo_leave(struct open *o)
{
    struct fifo *f = o->node->fifo;
    if (!o->in_fifo)
        return;
    o->in_fifo = false;
    if (--f->ends)
        return;
    o->node->fifo = NULL;
    quota_give(o->node->uid, COST_FIFO);
    reap(f->w, NULL);
    reap(f->r, NULL);
    free(f);
}
