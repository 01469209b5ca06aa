// SPDX-License-Identifier: MIT
//
// What a mapping shows: the segments of a file, or segments of our own for shared anonymous memory.
//
// Shared anonymous memory is a row of segments bought when it is mapped, one for each 2 MiB.
// Children get the same segments with the capability table; whoever touches a page first buys it
// and enters it, and the others find it there. All sharers may fill and clear: what they share
// harms its sharers at most.
#include <mem/mem.h>
#include <fs/file.h>

#define BATCH_MAX 16u

struct backing_of_file {
    struct backing b;
    struct file *file;
};
struct backing_of_memory {
    struct backing b;
    uint64_t pages;
    uint64_t expected; // the page that follows what was bought last
    uint64_t batch;    // pages bought then
    uint64_t nsegs;
    exo_handle_t *segs;
};

// --- files
// ------------------------------------------------------------------------------------------
static struct file *file_of(const struct backing *b)
{
    return ((const struct backing_of_file *)b)->file;
}

static int of_file_segment(struct backing *b, uint64_t part, bool write, exo_handle_t *seg)
{
    return file_segment(file_of(b), part, write, seg);
}

static int of_file_fill(struct backing *b, uint64_t page, bool write)
{
    return file_fill(file_of(b), page, write);
}

static long of_file_read(struct backing *b, uint64_t dst, size_t n, uint64_t offset)
{
    return file_pread(file_of(b), (void *)dst, n, offset);
}

static void of_file_free(struct backing *b)
{
    file_put(file_of(b));
    heap_free(b);
}

static const struct backing_ops file_backing = {of_file_segment, of_file_fill, of_file_read,
                                                of_file_free};

struct backing *backing_file(struct file *file)
{
    struct backing_of_file *f = heap_alloc(sizeof *f);
    if (!f) {
        file_put(file);
        return NULL;
    }
    f->b.ops = &file_backing;
    f->b.refs = 1;
    f->file = file;
    file->mapped = true;
    return &f->b;
}

struct file *backing_is_file(const struct backing *b)
{
    return b && b->ops == &file_backing ? file_of(b) : NULL;
}

// --- shared anonymous memory
// ---------------------------------------------------------------------------
static int of_memory_segment(struct backing *b, uint64_t part, bool write, exo_handle_t *seg)
{
    struct backing_of_memory *m = (struct backing_of_memory *)b;
    (void)write;
    if (part >= m->nsegs)
        return -LX_ENXIO;
    *seg = m->segs[part];
    return 0;
}

#define ENTRY_RIGHTS (EXO_R_READ | EXO_R_WRITE | EXO_R_EXEC)

static int64_t memory_buy(struct backing_of_memory *m, uint64_t page, uint64_t count)
{
    int64_t frames = frames_buy(count);
    if (frames < 0)
        return frames;
    int64_t r = exo_segment_fill(m->segs[page / PART_PAGES], page % PART_PAGES,
                                 (exo_handle_t)frames, 0, count | (uint64_t)ENTRY_RIGHTS << 32);
    exo_cap_delete((exo_handle_t)frames);
    return r;
}

// Pages touched one after the other are bought together, ever more of them.
static int of_memory_fill(struct backing *b, uint64_t page, bool write)
{
    struct backing_of_memory *m = (struct backing_of_memory *)b;
    (void)write;
    if (page >= m->pages)
        return -LX_ENXIO;
    uint64_t room = PART_PAGES - page % PART_PAGES, count = 1;
    if (page == m->expected && m->batch)
        count = m->batch < BATCH_MAX ? m->batch * 2 : BATCH_MAX;
    if (room > m->pages - page)
        room = m->pages - page;
    if (count > room)
        count = room;
    int64_t r = memory_buy(m, page, count);
    if (count > 1 && (r == -EXO_EEXISTS || r == -EXO_ENOMEM))
        r = memory_buy(m, page, count = 1);
    if (r == -EXO_EEXISTS)
        return 0; // another sharer was first
    if (r == 0) {
        m->batch = count;
        m->expected = page + count;
    }
    return lx_error(r);
}

static long of_memory_read(struct backing *b, uint64_t dst, size_t n, uint64_t offset)
{
    (void)b, (void)dst, (void)n, (void)offset;
    return -LX_EINVAL; // shared memory is never copied in
}

static void of_memory_free(struct backing *b)
{
    struct backing_of_memory *m = (struct backing_of_memory *)b;
    for (uint64_t i = 0; i < m->nsegs; i++)
        while (exo_cap_delete(m->segs[i]) == -EXO_EAGAIN)
            ;
    heap_free(m->segs);
    heap_free(m);
}

static const struct backing_ops memory_backing = {of_memory_segment, of_memory_fill, of_memory_read,
                                                  of_memory_free};

int backing_extend(struct backing *b, uint64_t pages)
{
    if (b->ops != &memory_backing)
        return 0;
    struct backing_of_memory *m = (struct backing_of_memory *)b;
    uint64_t want = (pages + PART_PAGES - 1) / PART_PAGES;
    if (want > m->nsegs) {
        exo_handle_t *segs = heap_resize(m->segs, m->nsegs * sizeof *segs, want * sizeof *segs);
        if (!segs)
            return -LX_ENOMEM;
        m->segs = segs;
    }
    while (m->nsegs < want) {
        int64_t seg = exo_segment_create(libos_bank);
        if (seg == -EXO_ENOMEM && memory_more(2))
            seg = exo_segment_create(libos_bank);
        if (seg < 0)
            return -LX_ENOMEM;
        m->segs[m->nsegs++] = (exo_handle_t)seg;
    }
    if (pages > m->pages)
        m->pages = pages;
    return 0;
}

struct backing *backing_shared(uint64_t pages)
{
    struct backing_of_memory *m = heap_alloc(sizeof *m);
    if (!m)
        return NULL;
    m->b.ops = &memory_backing;
    m->b.refs = 1;
    if (backing_extend(&m->b, pages)) {
        of_memory_free(&m->b);
        return NULL;
    }
    return &m->b;
}
