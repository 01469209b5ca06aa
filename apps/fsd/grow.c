// SPDX-License-Identifier: MIT
// What makes a file grow: WRITE with the bytes in the message, and RESERVE, copy, COMMIT for long
// pieces. POSIX: write().
//
// Between RESERVE and COMMIT the client writes into blocks past the end that nobody reads yet.
// Several may do so at once:
//   - who appends starts behind what others have reserved, so nobody's bytes are overwritten, and
//     nobody waits. If the later one is done first, the file has zeroes for the while where the
//     earlier one writes.
//   - bytes between the old end and the new one are zero, but what lies in a reservation is its
//     owner's to write: it is zero since its blocks were allocated, and is not zeroed again
//     (reserves_pass).
//   - who cuts the file breaks the reservations: COMMIT answers EAGAIN and the client does it all
//     again, so that its write is either before or after the cut.
// A reservation ends with COMMIT, with the next call of its owner that writes, when its open is
// closed or its owner dead. When none is left, blocks past the end are freed; until then the bytes
// there that are nobody's are zero.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

#define RESERVE_MAX (4ull << 20) // bounded work a call: the client asks again for more

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

// --- reservations --------------------------------------------------------------------------------

static struct reserve *reserve_of(const struct node *n, const struct open *o, uint64_t env)
{
    struct reserve *v;
    LIST_FOREACH (v, &n->reserves, link) {
        if (v->open == o && v->env == env)
            return v;
    }
    return NULL;
}

void reserves_break(struct node *n)
{
    struct reserve *v;
    LIST_FOREACH (v, &n->reserves, link)
        v->broken = true;
}

uint64_t reserve_limit(const struct node *n, const struct open *o, uint64_t env)
{
    const struct reserve *v = reserve_of(n, o, env);
    return v && !v->broken && v->end > n->page->size ? v->end : n->page->size;
}

// Where an append begins.
static uint64_t append_at(const struct node *n)
{
    uint64_t at = n->page->size;
    struct reserve *v;
    LIST_FOREACH (v, &n->reserves, link) {
        if (!v->broken && v->end > at)
            at = v->end;
    }
    return at;
}

// Somebody's reservation that `at` lies in or, if none, the next one behind it; NULL: none.
static const struct reserve *next_reserve(const struct node *n, uint64_t at)
{
    const struct reserve *v, *next = NULL;
    LIST_FOREACH (v, &n->reserves, link) {
        // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is freed left the list before
        if (v->broken || v->end <= at)
            continue;
        if (v->start <= at)
            return v;
        if (!next || v->start < next->start)
            next = v;
    }
    return next;
}

static int zero_in_page(struct node *n, uint64_t from, uint64_t to)
{
    struct ext_inode inode;
    uint32_t blk;
    int err = ext_inode_load(&vol, n->ino, &inode);
    if (err == 0)
        err = ext_map_get(&vol, &inode, from / PAGE, &blk);
    char *at = err == 0 && blk ? dev_memory(blk) : NULL;
    if (at)
        memset(at + from % PAGE, 0, to - from);
    return err;
}

// Zeroes [from, to) but for what is reserved.
static int scrub(struct node *n, uint64_t from, uint64_t to)
{
    int err = 0;
    while (from < to && err == 0) {
        const struct reserve *v = next_reserve(n, from);
        if (v && v->start <= from) {
            from = v->end;
            continue;
        }
        uint64_t stop = min_u64(min_u64((from / PAGE + 1) * PAGE, to), v ? v->start : to);
        err = zero_in_page(n, from, stop);
        from = stop;
    }
    return err;
}

// Ends a reservation of which [start, done) was used. What it has left past the end of the file is
// freed (trim) or, while others still have blocks there, zero again.
void reserve_end(struct node *n, struct reserve *v, uint64_t done)
{
    struct reserve was = *v;
    LIST_REMOVE(v, link);
    quota_give(v->uid, COST_LOCK);
    free(v);
    if (done < n->page->size)
        done = n->page->size;
    if (!was.broken && !LIST_EMPTY(&n->reserves) && done < was.end)
        scrub(n, done, was.end);
}

void reserve_rest(struct node *n, uint64_t from, uint64_t to)
{
    scrub(n, from, to);
}

static void drop_dead(struct node *n)
{
    struct reserve *v, *next;
    if (n->lease && !env_is_alive(n->lease->env))
        lease_end(n);
    for (v = LIST_FIRST(&n->reserves); v; v = next) {
        next = LIST_NEXT(v, link);
        if (!env_is_alive(v->env))
            reserve_end(n, v, v->start);
    }
}

// Frees what nobody has reserved any more.
static void trim(struct node *n)
{
    uint64_t pages = (n->page->size + PAGE - 1) / PAGE;
    if (!LIST_EMPTY(&n->reserves))
        return;
    if (n->spare_end > pages) {
        seg_cut(n, pages);
        ext_trim_end(&vol, n->ino);
    }
    n->spare_end = 0;
}

void reserves_settle(struct node *n)
{
    drop_dead(n);
    trim(n);
}

// The process writes something else through this open: what it has reserved was given up.
static void abandon(struct node *n, const struct open *o, uint64_t env)
{
    lease_end(n);
    struct reserve *v = reserve_of(n, o, env);
    if (v)
        reserve_end(n, v, v->start);
    reserves_settle(n);
}

void reserves_drop(struct node *n, const struct open *o)
{
    struct reserve *v, *next;
    if (n->lease && n->lease->open == o)
        lease_end(n);
    for (v = LIST_FIRST(&n->reserves); v; v = next) {
        next = LIST_NEXT(v, link);
        if (v->open == o)
            reserve_end(n, v, v->start);
    }
    reserves_settle(n);
}

// The volume library zeroes the rest of the last page when a file grows over it. Where somebody has
// reserved bytes of that page, grow over it here, and leave those alone.
int reserves_pass(struct node *n, uint64_t end)
{
    uint64_t size = n->page->size, stop = min_u64((size + PAGE - 1) / PAGE * PAGE, end);
    const struct reserve *v = next_reserve(n, size);
    struct ext_inode inode;
    if (!v || v->start >= stop || size >= stop)
        return 0;
    int err = scrub(n, size, stop);
    if (err == 0)
        err = ext_inode_load(&vol, n->ino, &inode);
    if (err < 0)
        return err;
    inode.size = stop;
    return ext_inode_store(&vol, &inode);
}

// --- the calls -----------------------------------------------------------------------------------

// The size or blocks in [offset, end) changed.
static void changed(struct node *n, uint64_t offset, uint64_t end)
{
    seg_refresh(n, offset / PAGE, (end + PAGE - 1) / PAGE - offset / PAGE);
    node_publish(n);
}

static int bounds(const struct node *n, uint64_t *offset, uint64_t length)
{
    if (*offset == UINT64_MAX)
        *offset = append_at(n);
    if (*offset >= EXT_FILE_MAX || length > EXT_FILE_MAX - *offset)
        return -LX_EFBIG;
    return 0;
}

static int may_grow(const struct open *o)
{
    return o->path_only || o->access == LX_O_RDONLY || !LX_S_ISREG(o->node->mode) ? -LX_EBADF : 0;
}

long op_write(struct request *r, struct open *o)
{
    struct node *n = o->node;
    uint64_t offset = r->arg[0], length = r->arg[1];
    int err = may_grow(o);
    if (err == 0 && length > r->bytes)
        err = -LX_EINVAL;
    if (err == 0 && o->append_only && offset != UINT64_MAX)
        err = -LX_EPERM;
    if (err < 0)
        return err;
    abandon(n, o, r->env);
    err = bounds(n, &offset, length);
    if (err == 0 && offset > n->page->size)
        err = reserves_pass(n, offset);
    if (err < 0)
        return err;
    long put = length ? ext_write(&vol, &r->cred, n->ino, MSG, offset, length) : 0;
    if (put > 0)
        changed(n, offset, offset + (uint64_t)put);
    r->m->w[1] = n->page->size;
    r->m->w[2] = offset;
    trim(n);
    return put;
}

// Allocates [page, end) and returns how far it came.
static uint64_t allocate(struct request *r, struct node *n, uint64_t page, uint64_t end, int *err)
{
    struct ext_inode inode;
    uint32_t got;
    *err = ext_inode_load(&vol, n->ino, &inode);
    for (; *err == 0 && page < end; page += *err == 0 ? got : 0)
        *err = ext_map_alloc_run(&vol, &r->cred, &inode, page,
                                 (uint32_t)min_u64(end - page, PART_PAGES), &got);
    if (page > n->spare_end)
        n->spare_end = page;
    return page;
}

static int enter_parts(struct request *r, struct node *n, uint64_t page, uint64_t end)
{
    struct part *p;
    int err = 0;
    for (uint64_t part = page / PART_PAGES; err == 0 && part <= (end - 1) / PART_PAGES; part++) {
        err = seg_get(n, part, r->payer, &p);
        if (err == 0)
            p->written = true;
    }
    return err < 0 ? err : seg_refresh(n, page, end - page);
}

// ahead: pages more, as far as there are any.
static long reserve(struct request *r, struct open *o, struct reserve *v, uint64_t offset,
                    uint64_t length, uint32_t ahead)
{
    struct node *n = o->node;
    uint64_t page = offset / PAGE, end = (offset + length + PAGE - 1) / PAGE;
    // Behind the end the last page may hold anything.
    int err = scrub(n, n->page->size, (n->page->size + PAGE - 1) / PAGE * PAGE);
    if (err < 0)
        return err;
    uint64_t got = allocate(r, n, page, min_u64(end + ahead, EXT_FILE_MAX / PAGE), &err);
    if (got == page)
        return err;
    err = enter_parts(r, n, page, got);
    if (err < 0)
        return err;
    length = min_u64(got * PAGE - offset, length);
    *v = (struct reserve){.open = o,
                          .env = r->env,
                          .start = offset,
                          .end = ahead ? got * PAGE : offset + length,
                          .uid = r->payer};
    LIST_INSERT_HEAD(&n->reserves, v, link);
    n->written = true;
    attr_forget(n->ino);
    n->user_writes |= r->cred.uid != 0;
    if (ahead)
        lease_begin(n, v, (uint32_t)length);
    if (!v->holder)
        v->end = offset + length;
    r->m->w[1] = offset;
    r->m->w[2] = v->holder ? v->place + 1 : 0;
    r->m->w[3] = v->end;
    return (long)length;
}

long op_reserve(struct request *r, struct open *o)
{
    struct node *n = o->node;
    uint64_t offset = r->arg[0], length = min_u64(r->arg[1], RESERVE_MAX);
    int err = may_grow(o);
    if (err == 0 && !o->may_map_write)
        err = -LX_EACCES;
    if (err < 0)
        return err;
    uint32_t ahead = r->arg[2] ? lease_ahead(n, o, r->env, length) : 0;
    abandon(n, o, r->env);
    err = bounds(n, &offset, length);
    if (err < 0 || !length)
        return err;
    if (quota_take(r->payer, COST_LOCK) < 0)
        return -LX_ENOMEM;
    struct reserve *v = malloc(sizeof(*v));
    long got = v ? reserve(r, o, v, offset, length, ahead) : -LX_ENOMEM;
    if (got < 0) {
        free(v);
        quota_give(r->payer, COST_LOCK);
        trim(n);
    }
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was got holds it in its list
    return got;
}

// Without a reservation nothing was promised, and nothing is believed.
long op_commit(struct request *r, struct open *o)
{
    struct node *n = o->node;
    uint64_t offset = r->arg[0], length = r->arg[1];
    int err = may_grow(o);
    if (err < 0)
        return err;
    lease_end(n);
    drop_dead(n); // that may be the caller by now: look only then
    struct reserve *v = reserve_of(n, o, r->env);
    if (!v || offset != v->start || length > v->end - offset)
        return -LX_EINVAL;
    bool broken = v->broken;
    uint64_t end = offset + length;
    if (!broken && length) {
        err = offset > n->page->size ? reserves_pass(n, offset) : 0;
        if (err == 0)
            err = ext_write_done(&vol, &r->cred, n->ino, offset, end);
        if (err == 0)
            node_publish(n);
    }
    reserve_end(n, v, err == 0 ? end : offset);
    trim(n);
    r->m->w[1] = n->page->size;
    return broken ? -LX_EAGAIN : err;
}

// Blocks for all of it before the size changes; what was a hole and could be filled stays filled.
long op_fallocate(struct request *r, struct open *o)
{
    struct node *n = o->node;
    uint64_t offset = r->arg[1], length = r->arg[2];
    int err = may_grow(o);
    if (err < 0)
        return err;
    if (r->arg[0])
        return -LX_EOPNOTSUPP;
    if (!length || offset >= EXT_FILE_MAX || length > EXT_FILE_MAX - offset)
        return length ? -LX_EFBIG : -LX_EINVAL;
    abandon(n, o, r->env);
    uint64_t end = offset + length, page = offset / PAGE;
    struct lx_statfs sf;
    if (ext_statfs(&vol, &sf) == 0 && length / PAGE > dev_free(sf.f_bfree) + n->page->size / PAGE)
        return -LX_ENOSPC; // before long work for nothing
    allocate(r, n, page, (end + PAGE - 1) / PAGE, &err);
    if (err == 0 && end > n->page->size)
        err = reserves_pass(n, end);
    if (err == 0)
        err = ext_write_done(&vol, &r->cred, n->ino, end, end);
    node_publish(n);
    end = min_u64(end, n->page->size);
    if (end > offset)
        seg_refresh(n, page, (end + PAGE - 1) / PAGE - page);
    trim(n);
    return err;
}
