// SPDX-License-Identifier: MIT
// Inside memory management: regions, their backing, ranges of windows.
#ifndef MEM_H
#define MEM_H

#include <core/core.h>
#include <lx/mman.h>
#include <lx/signal.h>

#define PAGE        EXO_PAGE_SIZE
#define PART_SIZE   (512 * PAGE) // what one segment covers
#define PART_PAGES  512u
#define BATCH_PAGES 512u // most pages of one aspace_batch call

// Where the application lives. The stack grows down to its limit; mappings are placed top-down
// below it.
#define APP_STACK_TOP  (EXO_LIBOS_BASE - 16 * PAGE)
#define APP_STACK_ROOM (256ull << 20) // kept free for a stack without a limit
#define APP_MAP_TOP    (APP_STACK_TOP - APP_STACK_ROOM)
#define STACK_GAP      (256 * PAGE) // never closer to the mapping below
#define APP_PIE_BASE   0x0000555555400000ull

static inline uint64_t page_down(uint64_t a)
{
    return a & ~(PAGE - 1);
}
static inline uint64_t page_up(uint64_t a)
{
    return (a + PAGE - 1) & ~(PAGE - 1);
}

// What a mapping shows when it is not anonymous: segments by 2 MiB part (backing.c).
struct backing;
struct backing_ops {
    // A handle to the segment of a part; stays the backing's.
    int (*segment)(struct backing *b, uint64_t part, bool write, exo_handle_t *seg);
    // The page is in its segment afterwards; -LX_ENXIO past the end.
    int (*fill)(struct backing *b, uint64_t page, bool write);
    // Copies bytes into application memory; returns how many.
    long (*read)(struct backing *b, uint64_t dst, size_t n, uint64_t offset);
    void (*free)(struct backing *b);
};
struct backing {
    const struct backing_ops *ops;
    uint32_t refs;
};
struct backing *backing_file(
    struct file *file); // takes over the caller's reference; NULL: no memory (then dropped)
struct backing *backing_shared(uint64_t pages);        // shared anonymous memory
struct file *backing_is_file(const struct backing *b); // NULL for shared anonymous memory
int backing_extend(struct backing *b, uint64_t pages);
static inline void backing_get(struct backing *b)
{
    b->refs++;
}
static inline void backing_put(struct backing *b)
{
    if (b && --b->refs == 0)
        b->ops->free(b);
}

enum region_flags {
    RF_SHARED = 1u << 0,
    RF_STACK = 1u << 1, // grows down on faults below it
    RF_BRK = 1u << 2,
    RF_COPY = 1u << 3, // private with a backing: pages are bought and filled, never windows
    RF_WIDE = 1u << 4, // may be mapped as the whole directory entry around it
    RF_DONTFORK = 1u << 5,
    RF_WIPEONFORK = 1u << 6,
    RF_NORESERVE = 1u << 7,
    RF_READONLY = 1u << 8, // shared mapping of a file not open for writing
    RF_LOCKED = 1u << 9,
};
// Flags two neighbours must share to become one.
#define RF_MERGE (RF_SHARED | RF_STACK | RF_BRK | RF_DONTFORK | RF_WIPEONFORK | RF_LOCKED)

struct region {
    RB_ENTRY(region) node;
    uint64_t start, end;
    uint32_t prot, flags;
    uint64_t low, high; // pages of [low, high) may be present (anonymous or copied)
    uint64_t expected;  // next fault of a sequential run
    uint32_t batch;     // pages bought at the last fault
    uint32_t repeats;   // faults in a row at `last` without anything else
    uint64_t last;
    struct backing *backing; // NULL: anonymous
    uint64_t offset;         // of start in the backing
    exo_handle_t *parts;     // a slot with a window for each 2 MiB part of the backing, or NULL
    exo_handle_t one_part;   // storage of parts when there is one
};
RB_HEAD(region_tree, region);

// region.c: pure, tested on the host. Nothing is mapped or unmapped here.
struct region *region_find(uint64_t addr);        // the one that holds addr, or NULL
struct region *region_at_or_after(uint64_t addr); // holds addr, or the first after it
struct region *region_first(void);
struct region *region_next(struct region *r);
struct region *region_prev(struct region *r);
int region_insert(const struct region *like,
                  struct region **out); // takes over like->backing's reference
void region_remove(struct region *r);   // and drops its backing
struct region *region_split(struct region *r,
                            uint64_t at);      // the upper part, or NULL without memory
struct region *region_merge(struct region *r); // with equal neighbours; returns what it became
bool region_free_range(uint64_t start, uint64_t end); // nothing there
uint64_t region_place(uint64_t len, uint64_t align, uint64_t residue, uint64_t top); // 0: no room
void region_freed(uint64_t end); // a hole appeared that ends here
uint64_t region_total(void);     // bytes of address space
unsigned region_parts(const struct region *r);
void region_touch(struct region *r, uint64_t start, uint64_t end);
void region_windows_drop(
    struct region *r); // hook into window mapping (fault.c; the host test has its own)

// fault.c
int anon_buy(struct region *r, uint64_t va, uint64_t pages); // 0, -EXO_EEXISTS, -EXO_ENOMEM ...
int region_populate(struct region *r, uint64_t start, uint64_t end);
uint32_t prot_rights(uint32_t prot);
uint32_t prot_flags(uint32_t prot);
int region_unmap_pages(struct region *r, uint64_t start, uint64_t end);
int region_protect_pages(struct region *r, uint64_t start, uint64_t end);
int batch_range(uint32_t kind, uint64_t va, uint64_t pages, uint64_t first, uint32_t rights,
                uint32_t flags);

// mmap.c
struct map_request {
    uint64_t addr, len;
    uint32_t prot, map_flags; // LX_PROT_*, LX_MAP_*
    uint32_t region_flags;
    struct backing *backing; // reference handed over, also on failure
    uint64_t offset;
};
long mem_map(struct map_request *q);
int mem_unmap(uint64_t start, uint64_t end);
long px_mprotect(uint64_t addr, uint64_t len, int prot);

// brk.c
void brk_set_start(uint64_t addr);

#endif
