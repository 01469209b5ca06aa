// SPDX-License-Identifier: MIT
//
// Calls about mapped memory that change no mapping: msync, madvise, mincore, the mlock family,
// membarrier.
//
// Memory is never swapped, so locking means making present, within RLIMIT_MEMLOCK. Shared file
// mappings are the cache itself: msync has nothing to copy. mincore tells of bought pages what is
// known without the kernel: the range that was touched; pages of files count as present.
#include <mem/mem.h>
#include <fs/file.h>

static bool bad_range(uint64_t addr, uint64_t len)
{
    return addr & (PAGE - 1) || len > EXO_LIBOS_BASE || addr > EXO_LIBOS_BASE - len;
}

// The part of [*at, end) that one region covers; NULL when *at is not mapped.
static struct region *next_piece(uint64_t at, uint64_t end, uint64_t *piece_end)
{
    struct region *r = region_find(at);
    if (r)
        *piece_end = r->end < end ? r->end : end;
    return r;
}

static bool all_mapped(uint64_t addr, uint64_t end)
{
    for (uint64_t at = addr; at < end;)
        if (!next_piece(at, end, &at))
            return false;
    return true;
}

static bool any_locked(uint64_t addr, uint64_t end)
{
    for (struct region *r = region_at_or_after(addr); r && r->start < end; r = region_next(r))
        if (r->flags & RF_LOCKED)
            return true;
    return false;
}

long px_msync(uint64_t addr, uint64_t len, int flags)
{
    uint32_t known = LX_MS_ASYNC | LX_MS_SYNC | LX_MS_INVALIDATE;
    len = page_up(len);
    if (addr & (PAGE - 1) || (uint32_t)flags & ~known ||
        (flags & LX_MS_ASYNC && flags & LX_MS_SYNC))
        return -LX_EINVAL;
    if (bad_range(addr, len) || !all_mapped(addr, addr + len))
        return -LX_ENOMEM;
    return flags & LX_MS_INVALIDATE && any_locked(addr, addr + len) ? -LX_EBUSY : 0;
}

// --- madvise
// --------------------------------------------------------------------------------------------
// Private pages are given back and come again as zero or from the file; of shared memory only the
// view goes.
static int advise_drop(struct region *r, uint64_t start, uint64_t end)
{
    if (r->flags & RF_LOCKED)
        return -LX_EINVAL;
    if (!r->backing || r->flags & RF_COPY)
        return lx_error(region_unmap_pages(r, start, end));
    return 0;
}

static int advise_flag(struct region *r, uint64_t start, uint64_t end, uint32_t set, uint32_t clear)
{
    if (((r->flags | set) & ~clear) == r->flags)
        return 0;
    if (r->start < start && !(r = region_split(r, start)))
        return -LX_ENOMEM;
    if (r->end > end && !region_split(r, end))
        return -LX_ENOMEM;
    r->flags = (r->flags | set) & ~clear;
    return 0;
}

static int advise(struct region *r, uint64_t start, uint64_t end, int advice)
{
    switch (advice) {
    case LX_MADV_DONTNEED:
        return advise_drop(r, start, end);
    case LX_MADV_FREE:
        return r->backing ? -LX_EINVAL : advise_drop(r, start, end);
    case LX_MADV_POPULATE_READ:
    case LX_MADV_POPULATE_WRITE:
        return region_populate(r, start, end);
    case LX_MADV_DONTFORK:
        return advise_flag(r, start, end, RF_DONTFORK, 0);
    case LX_MADV_DOFORK:
        return advise_flag(r, start, end, 0, RF_DONTFORK);
    case LX_MADV_WIPEONFORK:
        return r->backing ? -LX_EINVAL : advise_flag(r, start, end, RF_WIPEONFORK, 0);
    case LX_MADV_KEEPONFORK:
        return advise_flag(r, start, end, 0, RF_WIPEONFORK);
    default:
        return 0;
    }
}

static bool advice_known(int advice)
{
    return (advice >= LX_MADV_NORMAL && advice <= LX_MADV_DONTNEED) || advice == LX_MADV_FREE ||
           (advice >= LX_MADV_DONTFORK && advice <= LX_MADV_POPULATE_WRITE);
}

long px_madvise(uint64_t addr, uint64_t len, int advice)
{
    len = page_up(len);
    if (bad_range(addr, len) || !advice_known(advice))
        return -LX_EINVAL;
    uint64_t end = addr + len, stop;
    bool hole = false;
    for (uint64_t at = addr; at < end; at = stop) {
        struct region *r = region_at_or_after(at);
        if (!r || r->start >= end)
            return -LX_ENOMEM;
        if (r->start > at) {
            hole = true; // the rest is still done
            at = r->start;
        }
        stop = r->end < end ? r->end : end;
        int error = advise(r, at, stop, advice);
        if (error)
            return error;
    }
    return hole ? -LX_ENOMEM : 0;
}

// --- residence
// --------------------------------------------------------------------------------------------
long px_mincore(uint64_t addr, uint64_t len, uint64_t vec)
{
    len = page_up(len);
    if (addr & (PAGE - 1))
        return -LX_EINVAL;
    if (bad_range(addr, len) || !all_mapped(addr, addr + len))
        return -LX_ENOMEM;
    for (uint64_t at = addr; at < addr + len; at += PAGE) {
        const struct region *r = region_find(at);
        bool bought = !r->backing || r->flags & RF_COPY;
        uint8_t present = bought ? at >= r->low && at < r->high : 1;
        if (user_write(vec++, &present, 1))
            return -LX_EFAULT;
    }
    return 0;
}

static uint64_t locked_bytes(void)
{
    uint64_t n = 0;
    for (struct region *r = region_first(); r; r = region_next(r))
        if (r->flags & RF_LOCKED)
            n += r->end - r->start;
    return n;
}

static bool lock_exempt(void)
{
    return proc_self()->euid == 0;
}

static int lock_range(uint64_t addr, uint64_t len, bool lock, bool populate)
{
    uint64_t end = page_up(addr + len), stop;
    addr = page_down(addr);
    if (end < addr || bad_range(addr, end - addr) || !all_mapped(addr, end))
        return -LX_ENOMEM;
    if (lock && !lock_exempt()) {
        uint64_t limit = rlimit_cur(LX_RLIMIT_MEMLOCK);
        if (!limit)
            return -LX_EPERM;
        if (locked_bytes() + (end - addr) > limit)
            return -LX_ENOMEM;
    }
    for (uint64_t at = addr; at < end; at = stop) {
        struct region *r = region_find(at); // all_mapped looked
        stop = r->end < end ? r->end : end;
        int error = advise_flag(r, at, stop, lock ? RF_LOCKED : 0, lock ? 0 : RF_LOCKED);
        r = region_find(at);
        if (!error && lock && populate)
            error = region_populate(r, at, stop);
        if (error)
            return error;
    }
    return 0;
}

long px_mlock(uint64_t addr, uint64_t len)
{
    return lock_range(addr, len, true, true);
}

long px_mlock2(uint64_t addr, uint64_t len, int flags)
{
    if (flags & ~LX_MLOCK_ONFAULT)
        return -LX_EINVAL;
    return lock_range(addr, len, true, !(flags & LX_MLOCK_ONFAULT));
}

long px_munlock(uint64_t addr, uint64_t len)
{
    return lock_range(addr, len, false, false);
}

long px_mlockall(int flags)
{
    if (!flags || flags & ~(LX_MCL_CURRENT | LX_MCL_FUTURE | LX_MCL_ONFAULT) ||
        flags == LX_MCL_ONFAULT)
        return -LX_EINVAL;
    if (!lock_exempt()) {
        uint64_t limit = rlimit_cur(LX_RLIMIT_MEMLOCK);
        if (!limit)
            return -LX_EPERM;
        if (flags & LX_MCL_CURRENT && region_total() > limit)
            return -LX_ENOMEM;
    }
    for (struct region *r = region_first(); r && flags & LX_MCL_CURRENT; r = region_next(r)) {
        r->flags |= RF_LOCKED;
        if (!(flags & LX_MCL_ONFAULT) && !(r->flags & RF_NORESERVE) &&
            region_populate(r, r->start, r->end))
            return -LX_ENOMEM;
    }
    return 0;
}

long px_munlockall(void)
{
    for (struct region *r = region_first(); r; r = region_next(r))
        r->flags &= ~(uint32_t)RF_LOCKED;
    return 0;
}

// --- membarrier
// ------------------------------------------------------------------------------------------- One
// context: every thread of the process has seen what this one did. Other processes pass through the
// kernel's lock before they run again.
#define MEMBARRIER_COMMANDS 0x7fu

long px_membarrier(int command, unsigned flags)
{
    if (flags)
        return -LX_EINVAL;
    if (command == 0)
        return MEMBARRIER_COMMANDS;
    if (command < 0 || command & (command - 1) || (unsigned)command & ~MEMBARRIER_COMMANDS)
        return -LX_EINVAL;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return 0;
}
