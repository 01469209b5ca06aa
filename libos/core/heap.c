// SPDX-License-Identifier: MIT
//
// The libOS's private heap: one growing range, free page runs in a tree, small blocks on lists by
// size.
//
// Blocks carry a header with their size class or their pages. Free runs are kept by address and
// joined with their neighbours; a run's node lies in the run itself, so freeing never allocates.
// Memory goes back to runs but not to the bank: the heap of a process is small, and exec keeps it.
// After fork the heap is copy-on-write: faults on it are resolved without touching it
// (mem/fault.c).
#include <core/heap.h>

#define HEADER     16ull
#define LIVE       0x4c495645u
#define DEAD       0x44454144u
#define CLASSES    14
#define RUN_CLASS  CLASSES
#define GROW_PAGES 4ull

static const uint16_t class_size[CLASSES] = {16,  32,  48,  64,  96,   128,  192,
                                             256, 384, 512, 768, 1024, 1536, 2032};

struct block {
    uint32_t class;
    uint32_t magic;
    uint64_t pages; // of a run
};
struct small {
    struct block head;
    SLIST_ENTRY(small) link;
};
struct run {
    RB_ENTRY(run) node;
    uint64_t pages;
};
SLIST_HEAD(small_list, small);
RB_HEAD(run_tree, run);

static struct small_list lists[CLASSES];
static struct run_tree runs = RB_INITIALIZER(&runs);

static int run_compare(const struct run *a, const struct run *b)
{
    return a < b ? -1 : a > b;
}
RB_GENERATE_STATIC(run_tree, run, node, run_compare)

static void *run_end(const struct run *r)
{
    return (uint8_t *)r + r->pages * EXO_PAGE_SIZE;
}

static void run_free(void *p, uint64_t pages)
{
    struct run *r = p;
    r->pages = pages;
    RB_INSERT(run_tree, &runs, r);
    struct run *next = RB_NEXT(run_tree, &runs, r);
    if (next && run_end(r) == next) {
        RB_REMOVE(run_tree, &runs, next);
        r->pages += next->pages;
    }
    struct run *prev = RB_PREV(run_tree, &runs, r);
    if (prev && run_end(prev) == r) {
        RB_REMOVE(run_tree, &runs, r);
        prev->pages += r->pages;
    }
}

static void *run_take(struct run *r, uint64_t pages)
{
    RB_REMOVE(run_tree, &runs, r);
    if (r->pages > pages) {
        struct run *rest = (struct run *)((uint8_t *)r + pages * EXO_PAGE_SIZE);
        rest->pages = r->pages - pages;
        RB_INSERT(run_tree, &runs, rest);
    }
    return r;
}

static void *run_alloc(uint64_t pages)
{
    struct run *r;
    RB_FOREACH (r, run_tree, &runs)
        if (r->pages >= pages)
            return run_take(r, pages);
    uint64_t grow = pages > GROW_PAGES ? pages : GROW_PAGES;
    void *more = heap_more(grow);
    if (!more && grow > pages)
        more = heap_more(grow = pages);
    if (!more)
        return NULL;
    if (grow > pages)
        run_free((uint8_t *)more + pages * EXO_PAGE_SIZE, grow - pages);
    return more;
}

// A page is cut for whatever sizes come next, a few blocks at a time, so that a process that needs
// little has few pages to clone.
#define CUT_AT_ONCE 512u

static uint8_t *piece, *piece_end; // what is left of the page being cut

static bool refill(unsigned class)
{
    size_t total = class_size[class] + HEADER, cut = 0;
    if ((size_t)(piece_end - piece) < total) {
        uint8_t *page = run_alloc(1);
        if (!page)
            return false;
        piece = page;
        piece_end = page + EXO_PAGE_SIZE;
    }
    do {
        struct small *s = (struct small *)piece;
        s->head.class = class;
        s->head.magic = DEAD;
        SLIST_INSERT_HEAD(&lists[class], s, link);
        piece += total;
        cut += total;
    } while (cut + total <= CUT_AT_ONCE && (size_t)(piece_end - piece) >= total);
    return true;
}

static unsigned class_of(size_t size)
{
    unsigned class = 0;
    while (class < CLASSES && class_size[class] < size)
        class ++;
    return class;
}

void *heap_alloc(size_t size)
{
    unsigned class = class_of(size);
    struct block *b;
    if (class < CLASSES) {
        if (SLIST_EMPTY(&lists[class]) && !refill(class))
            return NULL;
        b = &SLIST_FIRST(&lists[class])->head;
        SLIST_REMOVE_HEAD(&lists[class], link);
    } else {
        if (size > HEAP_MAX)
            return NULL;
        uint64_t pages = (size + HEADER + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE;
        b = run_alloc(pages);
        if (!b)
            return NULL;
        b->class = RUN_CLASS;
        b->pages = pages;
    }
    b->magic = LIVE;
    return memset(b + 1, 0, size);
}

void heap_free(void *p)
{
    if (!p)
        return;
    struct block *b = (struct block *)p - 1;
    if (b->magic != LIVE || b->class > RUN_CLASS)
        heap_broken(p);
    b->magic = DEAD;
    if (b->class == RUN_CLASS)
        run_free(b, b->pages);
    else
        SLIST_INSERT_HEAD(&lists[b->class], (struct small *)b, link);
}

void *heap_resize(void *p, size_t old_size, size_t new_size)
{
    if (p) {
        const struct block *b = (struct block *)p - 1;
        size_t room =
            b->class == RUN_CLASS ? b->pages * EXO_PAGE_SIZE - HEADER : class_size[b->class];
        if (new_size <= room) {
            if (new_size > old_size)
                memset((uint8_t *)p + old_size, 0, new_size - old_size);
            return p;
        }
    }
    void *q = heap_alloc(new_size);
    if (q && p) {
        memcpy(q, p, old_size < new_size ? old_size : new_size);
        heap_free(p);
    }
    return q;
}
