// SPDX-License-Identifier: MIT
//
// The break, and the start and end of an address space.
#include <mem/mem.h>

static uint64_t brk_start, brk_now;
static uint64_t heap_top = LIBOS_HEAP;

void brk_set_start(uint64_t addr)
{
    brk_start = brk_now = addr;
}

static int brk_grow(uint64_t from, uint64_t to)
{
    if (to - brk_start > rlimit_cur(LX_RLIMIT_DATA) || to > EXO_LIBOS_BASE ||
        !region_free_range(from, to + PAGE))
        return -LX_ENOMEM;
    struct map_request q = {
        .addr = from,
        .len = to - from,
        .prot = LX_PROT_READ | LX_PROT_WRITE,
        .map_flags = LX_MAP_FIXED_NOREPLACE,
        .region_flags = RF_BRK,
    };
    long r = mem_map(&q);
    return r < 0 ? (int)r : 0;
}

// As Linux: the new break, or the old one when it cannot be.
long px_brk(uint64_t want)
{
    if (want < brk_start || want > EXO_LIBOS_BASE)
        return (long)brk_now;
    uint64_t old_end = page_up(brk_now), new_end = page_up(want);
    if (new_end > old_end && brk_grow(old_end, new_end))
        return (long)brk_now;
    if (new_end < old_end && mem_unmap(new_end, old_end))
        return (long)brk_now;
    brk_now = want;
    return (long)want;
}

void mem_init(void)
{
    brk_start = brk_now = 0;
}

void mem_drop_application(void)
{
    struct region *r;
    while ((r = region_first())) {
        region_unmap_pages(r, r->start, r->end);
        region_remove(r);
    }
    brk_start = brk_now = 0;
}

void mem_forget_application(void)
{
    struct region *r;
    while ((r = region_first())) {
        if (r->parts && r->parts != &r->one_part)
            heap_free(r->parts);
        r->parts = NULL;
        region_remove(r);
    }
    brk_start = brk_now = 0;
}

void mem_after_fork_child(void)
{
    struct region *next;
    for (struct region *r = region_first(); r; r = next) {
        next = region_next(r);
        if (r->flags & RF_DONTFORK)
            region_remove(r);
    }
}

unsigned mem_part_handles(exo_handle_t *handles, unsigned max)
{
    unsigned n = 0;
    for (struct region *r = region_first(); r && n < max; r = region_next(r)) {
        unsigned parts = r->parts ? region_parts(r) : 0;
        for (unsigned k = 0; k < parts && n < max; k++)
            if (r->parts[k])
                handles[n++] = r->parts[k];
    }
    return n;
}

// --- the libOS's heap (core/heap.h)
// -----------------------------------------------------------------------
void *heap_more(uint64_t pages)
{
    if (pages * PAGE > LIBOS_HEAP_END - heap_top)
        return NULL;
    if (batch_range(EXO_OP_BUY, heap_top, pages, 0, EXO_R_READ | EXO_R_WRITE, 0))
        return NULL;
    void *p = (void *)heap_top;
    heap_top += pages * PAGE;
    return p;
}

void heap_broken(const void *p)
{
    libos_panic("heap_free: %p is not a live block", p);
}

// --- fork: what of the address space goes to the child, and how
// -----------------------------------------------
extern char libos_data_end[]; // libos.ld

// The first page or region at or above `at` that is not simply copy-on-write.
static bool next_special(uint64_t at, struct exo_region *out)
{
    uint64_t hot = page_down(sys_frame()->user_sp);
    struct region *r = region_at_or_after(at);
    while (r && !(r->flags & (RF_DONTFORK | RF_WIPEONFORK)) &&
           !(hot >= at && hot >= r->start && hot < r->end))
        r = region_next(r);
    if (!r)
        return false;
    if (r->flags & (RF_DONTFORK | RF_WIPEONFORK))
        *out = (struct exo_region){r->start > at ? r->start : at, r->end, EXO_CLONE_DROP, 0};
    else
        *out = (struct exo_region){hot, hot + PAGE, EXO_CLONE_COPY, 0};
    return true;
}

static unsigned clone_application(struct exo_region *regions, unsigned max, uint64_t *cursor)
{
    unsigned n = 0;
    while (n + 2 <= max && *cursor < EXO_LIBOS_BASE) {
        struct exo_region special;
        if (!next_special(*cursor, &special))
            special = (struct exo_region){EXO_LIBOS_BASE, EXO_LIBOS_BASE, EXO_CLONE_DROP, 0};
        if (special.start > *cursor)
            regions[n++] = (struct exo_region){*cursor, special.start, EXO_CLONE_COW, 0};
        if (special.mode == EXO_CLONE_COPY)
            regions[n++] = special;
        *cursor = special.end;
    }
    return n;
}

// Stacks and data are copied at once: both sides write them on their way out anyway, and an upcall
// must find its stack. So is a heap of usual size, most pages of which would be broken soon; a big
// one is shared until written.
#define HEAP_COPIED (16 * PAGE)

static unsigned clone_libos(struct exo_region *regions)
{
    uint64_t sp = page_down((uint64_t)__builtin_frame_address(0));
    regions[0] =
        (struct exo_region){LIBOS_DATA, page_up((uint64_t)libos_data_end), EXO_CLONE_COPY, 0};
    regions[1] = (struct exo_region){UPCALL_STACK, UPCALL_TOP, EXO_CLONE_COPY, 0};
    regions[2] = (struct exo_region){sp, CALL_TOP, EXO_CLONE_COPY, 0};
    uint32_t mode = heap_top - LIBOS_HEAP <= HEAP_COPIED ? EXO_CLONE_COPY : EXO_CLONE_COW;
    regions[3] = (struct exo_region){LIBOS_HEAP, heap_top, mode, 0};
    return heap_top > LIBOS_HEAP ? 4 : 3;
}

unsigned mem_clone_regions(struct exo_region *regions, unsigned max, bool application,
                           uint64_t *cursor)
{
    if (*cursor == 0)
        *cursor = application ? EXO_USER_BASE : EXO_LIBOS_BASE;
    unsigned n = 0;
    if (*cursor < EXO_LIBOS_BASE)
        n = clone_application(regions, max, cursor);
    if (*cursor != EXO_LIBOS_BASE || max - n < 4)
        return n;
    *cursor = EXO_USER_END;
    return n + clone_libos(regions + n);
}
