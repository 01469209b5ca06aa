// SPDX-License-Identifier: MIT
//
// mmap, munmap, mprotect and their relatives: POSIX 2017 and the Linux manual pages of the same
// names.
//
// All work on the region tree; pages follow by fault, or at once where one call for all of them is
// cheaper than a fault each (small copies of files, MAP_POPULATE). What can fail is tried before
// anything is taken away, except that a fixed mapping replaces what was there, as the standard
// says.
#include <mem/mem.h>
#include <fs/file.h>

#define EAGER_COPY  16ull // writable private mappings of files up to this size are filled at once
#define CREDIT_PART 8ull  // so much of the bank's room may be promised before it is asked again

static bool range_bad(uint64_t addr, uint64_t len)
{
    return addr & (PAGE - 1) || addr < EXO_USER_BASE || len > EXO_LIBOS_BASE ||
           addr > EXO_LIBOS_BASE - len;
}

// --- taking away
// --------------------------------------------------------------------------------------
int mem_unmap(uint64_t start, uint64_t end)
{
    struct region *r = region_at_or_after(start);
    while (r && r->start < end) {
        if (r->start < start) {
            r = region_split(r, start);
            if (!r)
                return -LX_ENOMEM;
        }
        if (r->end > end && !region_split(r, end))
            return -LX_ENOMEM;
        struct region *next = region_next(r);
        int error = region_unmap_pages(r, r->start, r->end);
        if (error)
            return lx_error(error);
        region_remove(r);
        r = next;
    }
    return 0;
}

long px_munmap(uint64_t addr, uint64_t len)
{
    len = page_up(len);
    if (!len || range_bad(addr, len))
        return -LX_EINVAL;
    return mem_unmap(addr, addr + len);
}

// --- mapping
// --------------------------------------------------------------------------------------------
// Memory is promised here and bought by faults, where only death is left for who has none: so the
// bank is asked, but not each time.
static int bank_check(uint64_t pages)
{
    static uint64_t credit;
    struct exo_cap_info bank = {.size = sizeof bank, .version = EXO_ABI_VERSION};
    if (pages > credit) {
        if (exo_cap_identify(libos_bank, &bank) < 0)
            return 0;
        uint64_t room = bank.length - bank.used;
        if (pages > room && !memory_more(pages))
            return -LX_ENOMEM;
        credit = room / CREDIT_PART + pages;
    }
    credit -= pages;
    return 0;
}

static int limits_check(const struct map_request *q)
{
    if (q->len + region_total() > rlimit_cur(LX_RLIMIT_AS))
        return -LX_ENOMEM;
    bool owned = !(q->region_flags & RF_SHARED) && q->prot & LX_PROT_WRITE;
    if (!owned)
        return 0;
    if (rlimit_cur(LX_RLIMIT_DATA) != UINT64_MAX &&
        q->len + region_total() > rlimit_cur(LX_RLIMIT_DATA))
        return -LX_ENOMEM;
    return q->region_flags & RF_NORESERVE ? 0 : bank_check(q->len / PAGE);
}

static int place(struct map_request *q)
{
    bool fixed = q->map_flags & (LX_MAP_FIXED | LX_MAP_FIXED_NOREPLACE);
    if (fixed) {
        if (range_bad(q->addr, q->len))
            return q->addr & (PAGE - 1) ? -LX_EINVAL : -LX_ENOMEM;
        if (q->map_flags & LX_MAP_FIXED_NOREPLACE && !region_free_range(q->addr, q->addr + q->len))
            return -LX_EEXIST;
        return 0;
    }
    uint64_t wish = page_down(q->addr);
    if (wish && !range_bad(wish, q->len) && wish + q->len <= APP_MAP_TOP &&
        region_free_range(wish, wish + q->len)) {
        q->addr = wish;
        return 0;
    }
    uint64_t align = q->backing && q->len >= PART_SIZE ? PART_SIZE : PAGE;
    uint64_t top = q->map_flags & LX_MAP_32BIT ? 1ull << 31 : APP_MAP_TOP;
    q->addr = region_place(q->len, align, q->offset & (align - 1), top);
    if (!q->addr && align > PAGE)
        q->addr = region_place(q->len, PAGE, 0, top);
    return q->addr ? 0 : -LX_ENOMEM;
}

static int make_present(struct region *r, const struct map_request *q)
{
    uint64_t end = q->addr + q->len;
    bool copied = r->flags & RF_COPY;
    bool eager = q->map_flags & LX_MAP_POPULATE;
    if (copied && q->len <= EAGER_COPY * PAGE && q->prot & LX_PROT_WRITE)
        eager = true;
    return eager ? region_populate(r, q->addr, end) : 0;
}

// The address, or -LX_E. q->backing's reference is used up in any case.
long mem_map(struct map_request *q)
{
    struct region *r;
    int error = limits_check(q);
    if (!error)
        error = place(q);
    if (!error && q->map_flags & LX_MAP_FIXED)
        error = mem_unmap(q->addr, q->addr + q->len);
    struct region like = {
        .start = q->addr,
        .end = q->addr + q->len,
        .prot = q->prot,
        .flags = q->region_flags,
        .low = q->addr,
        .high = q->addr,
        .backing = q->backing,
        .offset = q->offset,
    };
    if (!error)
        error = region_insert(&like, &r);
    if (error) {
        backing_put(q->backing);
        return error;
    }
    r = region_merge(r);
    error = make_present(r, q);
    if (error) {
        mem_unmap(q->addr, q->addr + q->len);
        return error;
    }
    return (long)q->addr;
}

#define RDEV_ZERO 0x105u

// What a descriptor shows in memory: *backing stays NULL for anonymous memory (/dev/zero).
static int file_backing(int fd, struct map_request *q)
{
    struct file *file = file_get(fd);
    if (!file)
        return -LX_EBADF;
    bool shared = q->region_flags & RF_SHARED;
    int error = 0;
    if (file->ops == &path_ops)
        error = -LX_EBADF;
    else if (!file_readable(file) || (shared && q->prot & LX_PROT_WRITE && !file_writable(file)))
        error = -LX_EACCES;
    else if (file->ops->kind == FD_KIND_DEV && file->rdev == RDEV_ZERO)
        q->map_flags |= LX_MAP_ANONYMOUS;
    else if (file->ops != &regular_ops)
        error = -LX_ENODEV;
    if (error || q->map_flags & LX_MAP_ANONYMOUS) {
        file_put(file);
        return error;
    }
    if (shared && !file_writable(file))
        q->region_flags |= RF_READONLY;
    file_settle(file);
    q->backing = backing_file(file);
    return q->backing ? 0 : -LX_ENOMEM;
}

static int request_flags(struct map_request *q)
{
    switch (q->map_flags & LX_MAP_TYPE) {
    case LX_MAP_SHARED_VALIDATE:
        if (q->map_flags & LX_MAP_SYNC)
            return -LX_EOPNOTSUPP;
        // fallthrough
    case LX_MAP_SHARED:
        q->region_flags |= RF_SHARED;
        break;
    case LX_MAP_PRIVATE:
        break;
    default:
        return -LX_EINVAL;
    }
    if (q->map_flags & LX_MAP_HUGETLB)
        return -LX_ENOMEM;
    if (q->map_flags & LX_MAP_NORESERVE)
        q->region_flags |= RF_NORESERVE;
    if (q->map_flags & LX_MAP_LOCKED)
        q->map_flags |= LX_MAP_POPULATE;
    q->prot &= LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC;
    return 0;
}

long px_mmap(uint64_t addr, uint64_t len, int prot, int flags, int fd, uint64_t offset)
{
    struct map_request q = {
        .addr = addr, .len = page_up(len), .prot = (uint32_t)prot, .map_flags = (uint32_t)flags};
    if (!len || offset & (PAGE - 1))
        return -LX_EINVAL;
    if (q.len < len || q.len > EXO_LIBOS_BASE)
        return -LX_ENOMEM;
    int error = request_flags(&q);
    if (!error && !(flags & LX_MAP_ANONYMOUS)) {
        if (offset + q.len < offset || offset + q.len > INT64_MAX)
            return -LX_EOVERFLOW;
        error = file_backing(fd, &q);
        q.offset = offset;
    }
    if (!error && q.map_flags & LX_MAP_ANONYMOUS) {
        q.offset = 0;
        if (q.region_flags & RF_SHARED && !(q.backing = backing_shared(q.len / PAGE)))
            error = -LX_ENOMEM;
    }
    if (error)
        return error;
    if (q.backing && !(q.region_flags & RF_SHARED) && q.prot & LX_PROT_WRITE)
        q.region_flags |= RF_COPY;
    return mem_map(&q);
}

// --- protection
// ---------------------------------------------------------------------------------------
static bool same_treatment(const struct region *r, uint32_t prot)
{
    return r->prot == prot;
}

static int protect(struct region *r, uint32_t prot)
{
    if (r->flags & RF_READONLY && prot & LX_PROT_WRITE)
        return -LX_EACCES;
    r->prot = prot;
    if (!r->backing || r->flags & RF_COPY)
        return lx_error(region_protect_pages(r, r->start, r->end));
    region_windows_drop(r); // the next fault maps them with the new rights
    if (!(r->flags & RF_SHARED) && prot & LX_PROT_WRITE)
        r->flags |= RF_COPY;
    return 0;
}

long px_mprotect(uint64_t addr, uint64_t len, int prot)
{
    len = page_up(len);
    uint32_t want = (uint32_t)prot & (LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC);
    if (addr & (PAGE - 1) || (uint32_t)prot & ~(want | LX_PROT_GROWSDOWN | LX_PROT_GROWSUP))
        return -LX_EINVAL;
    if (!len)
        return 0;
    if (range_bad(addr, len))
        return -LX_ENOMEM;
    uint64_t end = addr + len;
    struct region *r;
    for (uint64_t at = addr; at < end; at = r->end) {
        r = region_find(at);
        if (!r)
            return -LX_ENOMEM;
        if (same_treatment(r, want))
            continue;
        if (r->start < at && !(r = region_split(r, at)))
            return -LX_ENOMEM;
        if (r->end > end && !region_split(r, end))
            return -LX_ENOMEM;
        int error = protect(r, want);
        if (error)
            return error;
        r = region_merge(r);
    }
    return 0;
}

// --- mremap
// -----------------------------------------------------------------------------------------------
static int grow_in_place(struct region *r, uint64_t old_end, uint64_t new_end)
{
    if (r->end != old_end || range_bad(r->start, new_end - r->start) ||
        !region_free_range(old_end, new_end))
        return -LX_ENOMEM;
    if (new_end - old_end + region_total() > rlimit_cur(LX_RLIMIT_AS))
        return -LX_ENOMEM;
    struct region like = *r;
    like.start = old_end;
    like.end = new_end;
    like.low = like.high = old_end;
    like.offset = r->offset + (old_end - r->start);
    if (r->backing && backing_extend(r->backing, (like.offset + new_end - old_end) / PAGE))
        return -LX_ENOMEM;
    struct region *more;
    if (region_insert(&like, &more))
        return -LX_ENOMEM;
    if (more->backing)
        backing_get(more->backing);
    region_merge(more);
    return 0;
}

// Pages bought in [from, from + len) go to `to`; what lies there otherwise (windows) stays behind.
static int move_pages(struct region *r, uint64_t from, uint64_t len, uint64_t to)
{
    uint64_t low = from > r->low ? from : r->low;
    uint64_t high = from + len < r->high ? from + len : r->high;
    if (low >= high)
        return 0;
    return lx_error(batch_range(EXO_OP_MOVE, to + (low - from), (high - low) / PAGE, low, 0, 0));
}

static long move(struct region *r, uint64_t old, uint64_t old_len, uint64_t new_len, uint64_t flags,
                 uint64_t want)
{
    struct map_request q = {
        .addr = flags & LX_MREMAP_FIXED ? want : 0,
        .len = new_len,
        .prot = r->prot,
        .map_flags = flags & LX_MREMAP_FIXED ? LX_MAP_FIXED : 0,
        .region_flags = (r->flags & ~(RF_BRK | RF_STACK)) | RF_NORESERVE,
        .backing = r->backing,
        .offset = r->offset + (old - r->start),
    };
    if (r->backing) {
        if (backing_extend(r->backing, (q.offset + new_len) / PAGE))
            return -LX_ENOMEM;
        backing_get(r->backing);
    }
    int error = limits_check(&q);
    if (!error)
        error = place(&q);
    if (!error && q.map_flags & LX_MAP_FIXED)
        error = mem_unmap(q.addr, q.addr + q.len);
    if (!error)
        r = region_find(old); // mem_unmap may have split it
    struct region like = {
        .start = q.addr, .end = q.addr + new_len, .prot = q.prot, .flags = q.region_flags};
    like.low = like.high = q.addr;
    like.backing = q.backing;
    like.offset = q.offset;
    struct region *new;
    if (!error)
        error = region_insert(&like, &new);
    if (error) {
        backing_put(q.backing);
        return error;
    }
    uint64_t moved = old_len < new_len ? old_len : new_len;
    if (!r->backing || r->flags & RF_COPY) {
        error = move_pages(r, old, moved, q.addr);
        if (error) {
            region_remove(new);
            return error;
        }
        region_touch(new, q.addr, q.addr + moved);
    }
    if (!(flags & LX_MREMAP_DONTUNMAP) && old_len)
        mem_unmap(old, old + old_len);
    return (long)q.addr;
}

static bool spans(const struct region *r, uint64_t end)
{
    return r && r->end >= end;
}

long px_mremap(uint64_t old, uint64_t old_len, uint64_t new_len, uint64_t flags, uint64_t want)
{
    old_len = page_up(old_len);
    new_len = page_up(new_len);
    bool fixed = flags & LX_MREMAP_FIXED, keep = flags & LX_MREMAP_DONTUNMAP;
    if (flags & ~(uint64_t)(LX_MREMAP_MAYMOVE | LX_MREMAP_FIXED | LX_MREMAP_DONTUNMAP) ||
        old & (PAGE - 1) || !new_len)
        return -LX_EINVAL;
    if ((fixed || keep) && !(flags & LX_MREMAP_MAYMOVE))
        return -LX_EINVAL;
    if (keep && old_len != new_len)
        return -LX_EINVAL;
    if (fixed && (range_bad(want, new_len) || (want < old + old_len && old < want + new_len)))
        return -LX_EINVAL;
    struct region *r = region_find(old);
    if (!spans(r, old + old_len) || range_bad(old, old_len))
        return -LX_EFAULT;
    if (!old_len && !(r->flags & RF_SHARED))
        return -LX_EINVAL;
    if (keep && (r->backing || r->flags & RF_SHARED))
        return -LX_EINVAL;
    if (!fixed && !keep && old_len) {
        if (new_len <= old_len) {
            int error = new_len < old_len ? mem_unmap(old + new_len, old + old_len) : 0;
            return error ? error : (long)old;
        }
        if (grow_in_place(r, old + old_len, old + new_len) == 0)
            return (long)old;
    }
    if (!(flags & LX_MREMAP_MAYMOVE))
        return -LX_ENOMEM;
    return move(r, old, old_len, new_len, flags, want);
}
