// SPDX-License-Identifier: MIT
//
// Page faults, and everything that changes what is mapped.
//
// Anonymous pages are bought when they are touched, in batches that grow while faults run on
// sequentially. Files and shared memory are mapped as windows of their segments, one slot and
// window for each 2 MiB part, whole directory entries where the addresses allow; a page missing in
// a segment is asked for and the window refreshed. A private mapping that may be written (RF_COPY)
// never uses windows: its pages are bought and filled from the file, so it is anonymous memory to
// fork, mremap and mprotect.
//
// A fault may interrupt the libOS inside an accessor, in the middle of preparing a call to a
// server: calls made from here then keep the message page and the transfer fields of the context
// block. When the bank is empty the process dies as by SIGKILL, which is how Linux ends the same
// story; calls that reserve memory (mmap, brk) refuse with ENOMEM before it comes to that where
// they can.
#include <mem/mem.h>

#define FAULT_PRESENT 1u
#define FAULT_WRITE   2u
#define FAULT_EXEC    16u

#define BATCH_MAX   16u
#define AROUND      16u // pages that are shown with one that was missing
#define TABLES      8u  // that an operation may buy besides its pages
#define REPEATS_MAX 64u // refreshing the same page this often in a row: nothing we do helps

uint32_t prot_rights(uint32_t prot)
{
    uint32_t rights = 0;
    if (prot & (LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC))
        rights |= EXO_R_READ;
    if (prot & LX_PROT_WRITE)
        rights |= EXO_R_WRITE;
    if (prot & LX_PROT_EXEC)
        rights |= EXO_R_EXEC;
    return rights;
}

uint32_t prot_flags(uint32_t prot)
{
    return (prot & (LX_PROT_WRITE | LX_PROT_EXEC)) == (LX_PROT_WRITE | LX_PROT_EXEC) ? EXO_MAP_WX
                                                                                     : 0;
}

static int map_op(const struct exo_map_op *op)
{
    int64_t r = exo_aspace_batch(0, libos_bank, op, 1);
    if (r == -EXO_ENOMEM && memory_more(op->count + TABLES))
        r = exo_aspace_batch(0, libos_bank, op, 1);
    return r < 0 ? (int)r : 0;
}

int batch_range(uint32_t kind, uint64_t va, uint64_t pages, uint64_t first, uint32_t rights,
                uint32_t flags)
{
    struct exo_map_op op = {.kind = kind, .rights = rights, .flags = flags};
    while (pages) {
        op.va = va;
        op.first = first;
        uint64_t part = BATCH_PAGES - va / PAGE % BATCH_PAGES; // a page table: it may go whole
        op.count = (uint32_t)(pages < part ? pages : part);
        int r = map_op(&op);
        if (r)
            return r;
        va += op.count * PAGE;
        first += op.count * PAGE;
        pages -= op.count;
    }
    return 0;
}

static void out_of_memory(uint64_t addr)
{
    if (memory_pause())
        return; // the instruction faults again
    libos_log("exoc: out of memory at %lx, killed\n", addr);
    proc_exit(LX_SIGKILL);
}

static bool refuse(struct fault_result *why, int signal, int code, uint64_t addr)
{
    *why = (struct fault_result){signal, code, addr};
    return false;
}

// What may leave the page as it was is counted, so that a fault that keeps coming ends in a signal
// and not in a loop.
static bool hopeless(struct region *r, uint64_t page)
{
    if (r->last != page) {
        r->last = page;
        r->repeats = 0;
    }
    return ++r->repeats > REPEATS_MAX;
}

// --- anonymous and copied pages
// ------------------------------------------------------------------- The file's bytes into pages
// just bought; the rest of the last page stays zero. Fewer pages where the file ends.
static int copy_in(struct region *r, uint64_t va, uint64_t pages, uint64_t *got)
{
    long n = r->backing->ops->read(r->backing, va, pages * PAGE, r->offset + (va - r->start));
    uint64_t filled = n > 0 ? page_up((uint64_t)n) / PAGE : 0;
    if (filled < pages)
        batch_range(EXO_OP_UNMAP, va + filled * PAGE, pages - filled, 0, 0, 0);
    *got = filled;
    if (!filled)
        return -EXO_ENOENT;
    if (r->prot & LX_PROT_WRITE)
        return 0;
    return batch_range(EXO_OP_PROTECT, va, filled, 0, prot_rights(r->prot), prot_flags(r->prot));
}

int anon_buy(struct region *r, uint64_t va, uint64_t pages)
{
    uint32_t rights = prot_rights(r->prot), flags = prot_flags(r->prot);
    if (r->backing) {
        rights = EXO_R_READ | EXO_R_WRITE | (flags ? EXO_R_EXEC : 0);
    }
    int error = batch_range(EXO_OP_BUY, va, pages, 0, rights, flags);
    if (error)
        return error;
    region_touch(r, va, va + pages * PAGE);
    if (!r->backing)
        return 0;
    uint64_t got;
    return copy_in(r, va, pages, &got);
}

static uint32_t next_batch(struct region *r, uint64_t page)
{
    uint32_t n = 1;
    if (page == r->expected && r->batch)
        n = r->batch < BATCH_MAX ? r->batch * 2 : BATCH_MAX;
    uint64_t room = r->flags & RF_STACK ? (page - r->start) / PAGE + 1 : (r->end - page) / PAGE;
    return n < room ? n : (uint32_t)room;
}

static int buy_around(struct region *r, uint64_t page)
{
    uint32_t n = next_batch(r, page);
    bool down = r->flags & RF_STACK;
    uint64_t va = down ? page - (n - 1) * PAGE : page;
    int error = anon_buy(r, va, n);
    if (n > 1 && (error == -EXO_EEXISTS || error == -EXO_ENOMEM)) {
        n = 1;
        va = page;
        error = anon_buy(r, va, n);
    }
    if (error)
        return error;
    r->batch = n;
    r->expected = down ? va - PAGE : va + n * PAGE;
    return 0;
}

// A present page whose entry allows less than the region: copy-on-write, or rights changed since.
static int upgrade(struct region *r, uint64_t page, bool write)
{
    if (write) {
        struct exo_map_op op = {
            .kind = EXO_OP_COW_BREAK, .count = 1, .va = page, .flags = prot_flags(r->prot)};
        int error = map_op(&op);
        if (error != -EXO_ENOENT)
            return error;
    }
    if (hopeless(r, page))
        return -EXO_EINVAL;
    return batch_range(EXO_OP_PROTECT, page, 1, 0, prot_rights(r->prot), prot_flags(r->prot));
}

static bool fault_anon(struct region *r, uint64_t page, uint64_t error, struct fault_result *why)
{
    int e;
    if (error & FAULT_PRESENT)
        e = upgrade(r, page, error & FAULT_WRITE);
    else
        e = buy_around(r, page);
    if (e == -EXO_ENOMEM) {
        out_of_memory(page);
        return true;
    }
    if (!e || (e == -EXO_EEXISTS && !hopeless(r, page)))
        return true;
    return refuse(why, LX_SIGBUS, LX_BUS_ADRERR, page);
}

// --- windows
// --------------------------------------------------------------------------------------
struct transfer { // what a server call uses in the context block
    uint8_t message[EXO_MSG_SIZE];
    uint8_t fields[offsetof(struct exo_ctx, libos_words) - offsetof(struct exo_ctx, send)];
};

static struct transfer *transfer_save(void)
{
    struct transfer *t = heap_alloc(sizeof *t);
    if (t) {
        memcpy(t->message, msg_page(), sizeof t->message);
        memcpy(t->fields, ctx_self()->send, sizeof t->fields);
    }
    return t;
}

static void transfer_restore(struct transfer *t)
{
    memcpy(msg_page(), t->message, sizeof t->message);
    memcpy(ctx_self()->send, t->fields, sizeof t->fields);
    heap_free(t);
}

// Which pages of the part a region shows, and where.
static void part_window(const struct region *r, unsigned k, struct exo_map_op *op)
{
    uint64_t region_first = r->offset / PAGE;
    uint64_t region_end = region_first + (r->end - r->start) / PAGE;
    uint64_t part = (r->offset / PART_SIZE + k) * PART_PAGES;
    uint64_t from = part > region_first ? part : region_first;
    uint64_t to = part + PART_PAGES < region_end ? part + PART_PAGES : region_end;
    op->kind = EXO_OP_MAP;
    op->va = r->start + (from - region_first) * PAGE;
    op->first = from - part;
    op->count = (uint32_t)(to - from);
    op->rights = prot_rights(r->prot);
    op->flags = prot_flags(r->prot);
    uint64_t whole = op->va - op->first * PAGE;
    if (r->flags & RF_WIDE && whole % PART_SIZE == 0) {
        op->va = whole;
        op->first = 0;
        op->count = PART_PAGES;
    }
}

static int part_open(struct region *r, unsigned k)
{
    bool write = r->flags & RF_SHARED && r->prot & LX_PROT_WRITE;
    exo_handle_t seg;
    int error = r->backing->ops->segment(r->backing, r->offset / PART_SIZE + k, write, &seg);
    if (error)
        return error;
    struct exo_map_op op = {0};
    part_window(r, k, &op);
    int64_t slot = exo_cap_copy(seg, op.rights, 0, 0);
    if (slot < 0)
        return lx_error(slot);
    op.cap = (uint64_t)slot;
    error = map_op(&op);
    if (error) {
        exo_cap_delete((exo_handle_t)slot);
        return lx_error(error);
    }
    r->parts[k] = (exo_handle_t)slot;
    return 0;
}

// Of what the operation shows, only the block that the page lies in: its neighbours often came with
// it, the rest is as it was.
static void around(struct exo_map_op *op, uint64_t page)
{
    uint64_t from = page & ~(AROUND * PAGE - 1), to = from + AROUND * PAGE;
    uint64_t end = op->va + op->count * PAGE;
    from = from > op->va ? from : op->va;
    to = to < end ? to : end;
    op->first += (from - op->va) / PAGE;
    op->va = from;
    op->count = (uint32_t)((to - from) / PAGE);
}

// The page is missing in the segment, or its entry allows too little: ask, then show it.
static int part_refresh(struct region *r, unsigned k, uint64_t page, bool write)
{
    int error = r->backing->ops->fill(r->backing, (r->offset + (page - r->start)) / PAGE, write);
    if (!error && hopeless(r, page))
        error = -LX_EIO;
    if (error)
        return error;
    struct exo_map_op op = {.cap = r->parts[k]};
    part_window(r, k, &op);
    if (op.count == PART_PAGES && op.va % PART_SIZE == 0)
        return 0; // one directory entry: the segment is the table
    around(&op, page);
    return lx_error(map_op(&op));
}

static int window_page(struct region *r, uint64_t page, bool write)
{
    unsigned parts = region_parts(r);
    if (!r->parts) {
        r->parts = parts == 1 ? &r->one_part : heap_alloc(parts * sizeof *r->parts);
        if (!r->parts)
            return -LX_ENOMEM;
    }
    unsigned k = (unsigned)((r->offset + (page - r->start)) / PART_SIZE - r->offset / PART_SIZE);
    if (r->parts[k])
        return part_refresh(r, k, page, write);
    return part_open(r, k);
}

static bool fault_window(struct region *r, uint64_t page, uint64_t error, bool inside,
                         struct fault_result *why)
{
    struct transfer *saved = NULL;
    if (inside && !(saved = transfer_save())) {
        out_of_memory(page);
        return true;
    }
    int e = window_page(r, page, error & FAULT_WRITE);
    if (saved)
        transfer_restore(saved);
    if (e == -LX_ENOMEM) {
        out_of_memory(page);
        return true;
    }
    return e ? refuse(why, LX_SIGBUS, LX_BUS_ADRERR, page) : true;
}

void region_windows_drop(struct region *r)
{
    if (!r->parts)
        return;
    unsigned n = region_parts(r);
    for (unsigned k = 0; k < n; k++)
        if (r->parts[k])
            while (exo_cap_delete(r->parts[k]) == -EXO_EAGAIN)
                ;
    if (r->parts != &r->one_part)
        heap_free(r->parts);
    r->parts = NULL;
    r->one_part = 0;
}

// --- changes from the calls
// -------------------------------------------------------------------------
int region_unmap_pages(struct region *r, uint64_t start, uint64_t end)
{
    uint64_t from = start > r->low ? start : r->low;
    uint64_t to = end < r->high ? end : r->high;
    if (from >= to)
        return 0;
    return batch_range(EXO_OP_UNMAP, from, (to - from) / PAGE, 0, 0, 0);
}

int region_protect_pages(struct region *r, uint64_t start, uint64_t end)
{
    uint64_t from = start > r->low ? start : r->low;
    uint64_t to = end < r->high ? end : r->high;
    if (from >= to)
        return 0;
    return batch_range(EXO_OP_PROTECT, from, (to - from) / PAGE, 0, prot_rights(r->prot),
                       prot_flags(r->prot));
}

// Makes the pages present; what cannot be had (end of the file, protection) is left to the fault.
// -LX_ENOMEM.
int region_populate(struct region *r, uint64_t start, uint64_t end)
{
    if (!(r->prot & (LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC)))
        return 0;
    if (r->backing && !(r->flags & RF_COPY)) {
        for (uint64_t va = start; va < end; va = (va / PAGE + PART_PAGES) * PAGE) {
            uint64_t k = (r->offset + (va - r->start)) / PART_SIZE - r->offset / PART_SIZE;
            if ((!r->parts || !r->parts[k]) && window_page(r, va, false) == -LX_ENOMEM)
                return -LX_ENOMEM;
        }
        return 0;
    }
    uint64_t step = (start >= r->high || end <= r->low) ? BATCH_PAGES * PAGE : PAGE;
    for (uint64_t va = start; va < end; va += step) {
        uint64_t n = end - va < step ? end - va : step;
        int error = anon_buy(r, va, n / PAGE);
        if (error == -EXO_ENOMEM)
            return -LX_ENOMEM;
    }
    return 0;
}

// --- the fault itself
// ---------------------------------------------------------------------------------
static bool fault_libos(uint64_t page, uint64_t error, struct fault_result *why)
{
    struct exo_map_op op = {.kind = EXO_OP_COW_BREAK, .count = 1, .va = page};
    if (!(error & FAULT_PRESENT)) {
        if (page < CALL_STACK || page >= CALL_TOP)
            return refuse(why, LX_SIGSEGV, LX_SEGV_MAPERR, page);
        op.kind = EXO_OP_BUY;
        op.rights = EXO_R_READ | EXO_R_WRITE;
    } else if (!(error & FAULT_WRITE)) {
        return refuse(why, LX_SIGSEGV, LX_SEGV_ACCERR, page);
    }
    int e = map_op(&op);
    if (e == -EXO_ENOMEM) {
        out_of_memory(page);
        return true;
    }
    return e ? refuse(why, LX_SIGSEGV, LX_SEGV_ACCERR, page) : true;
}

// The stack reaches down to its limit, but not into the neighbourhood of what lies below.
static struct region *stack_grow(uint64_t addr)
{
    struct region *r = region_at_or_after(addr);
    if (!r || !(r->flags & RF_STACK))
        return NULL;
    uint64_t start = page_down(addr);
    if (r->end - start > rlimit_cur(LX_RLIMIT_STACK))
        return NULL;
    struct region *below = region_prev(r);
    if (below && below->end + STACK_GAP > start)
        return NULL;
    uint64_t old = r->start;
    r->start = start;
    if (r->expected == 0)
        r->expected = old - PAGE;
    return r;
}

static bool allowed(const struct region *r, uint64_t error)
{
    if (error & FAULT_WRITE)
        return r->prot & LX_PROT_WRITE;
    if (error & FAULT_EXEC)
        return r->prot & LX_PROT_EXEC;
    return r->prot & (LX_PROT_READ | LX_PROT_WRITE | LX_PROT_EXEC);
}

bool mem_fault(uint64_t addr, uint64_t error, bool inside, struct fault_result *why)
{
    uint64_t page = page_down(addr);
    if (addr >= EXO_LIBOS_BASE)
        return fault_libos(page, error, why);
    struct region *r = region_find(addr);
    if (!r)
        r = stack_grow(addr);
    if (!r)
        return refuse(why, LX_SIGSEGV, LX_SEGV_MAPERR, addr);
    if (!allowed(r, error))
        return refuse(why, LX_SIGSEGV, LX_SEGV_ACCERR, addr);
    bool ok;
    if (!r->backing || r->flags & RF_COPY)
        ok = fault_anon(r, page, error, why);
    else
        ok = fault_window(r, page, error, inside, why);
    why->addr = addr;
    return ok;
}
