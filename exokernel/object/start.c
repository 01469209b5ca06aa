// SPDX-License-Identifier: MIT
//
// The start of memory: from the firmware's list of RAM to the frame table, the root bank and the
// kernel's own page tables.
//
// Everything made here lives in one contiguous block at the top of the RAM below 4 GiB, which the
// boot code's tables map; its frames are of kind KERNEL for ever. The kernel half it builds is
// complete: its second-level tables never change, so each address space copies 256 entries of the
// top level and is done.
//
//     EXO_DIRECT_BASE   2 MiB pages, all below the end of RAM and at least 4 GiB, for the devices;
//     no execute.
//                       What holds no RAM is not cached.
//     EXO_INFO_BASE     the exposed tables, user read-only, 4 KiB pages
//     EXO_KERNEL_BASE   the image, each part with its rights (x86/image.h)
//
// RAM beyond RAM_MAX is not used: EXO_INFO_FRAMES has room for so many frames.

#include <core/log.h>
#include <object/aspace.h>
#include <x86/image.h>

#define GIB          (1ull << 30)
#define RAM_MAX      (256 * GIB)
#define LOW_END      (4 * GIB) // what the boot code's page tables map
#define PAGES(bytes) (((bytes) + EXO_PAGE_SIZE - 1) >> EXO_PAGE_SHIFT)

struct exo_info *info_page;
struct exo_env_info *info_envs;
struct exo_slice_info *info_slices;

static struct bank *root;
static paddr_t block, block_end; // what mem_init makes; handed out from the start

struct bank *bank_root(void)
{
    return root;
}

paddr_t kernel_cr3(void)
{
    return virt_to_phys(kernel_pml4);
}

void bank_root_grow(uint64_t frames)
{
    root->limit += frames;
}

static void *block_take(uint64_t pages)
{
    void *memory = phys_to_virt(block);

    kassert(block + (pages << EXO_PAGE_SHIFT) <= block_end);
    block += pages << EXO_PAGE_SHIFT;
    for (uint64_t i = 0; i < pages; i++)
        page_zero((char *)memory + (i << EXO_PAGE_SHIFT));
    return memory;
}

// How long each table is, and how much room all of them and the page tables need.
struct plan {
    uint64_t ram_end, frames, envs, slices, direct_gib;
    uint64_t pages;
};

static uint64_t table_length(uint64_t frames, uint64_t share, uint64_t least, uint64_t most)
{
    uint64_t n = frames / share;

    return n < least ? least : n > most ? most : n;
}

static struct plan plan_make(const struct mem_range *ram, unsigned nram)
{
    struct plan p = {0};
    uint64_t info;

    for (unsigned i = 0; i < nram; i++)
        if (ram[i].end > p.ram_end)
            p.ram_end = ram[i].end < RAM_MAX ? ram[i].end : RAM_MAX;
    p.frames = p.ram_end >> EXO_PAGE_SHIFT;
    p.envs = table_length(p.frames, 16, 1024, 65536);
    p.slices = table_length(p.frames, 64, 256, 8192);
    p.direct_gib = (p.ram_end > LOW_END ? p.ram_end + GIB - 1 : LOW_END) / GIB;
    info = PAGES(p.frames * sizeof(struct exo_frame)) +
           PAGES(p.envs * sizeof(struct exo_env_info)) +
           PAGES(p.slices * sizeof(struct exo_slice_info));
    // The tables, and page tables: the root, one for each GiB mapped directly, one for each 512
    // pages and two above for each of the exposed tables and the image; the information page and
    // the root bank.
    p.pages = info + PAGES(p.frames * sizeof(struct frame)) + 2 + 2 + p.direct_gib + info / 512 +
              PAGES((uint64_t)image_end - EXO_KERNEL_BASE) / 512 + 5ull * 3;
    return p;
}

// The highest place below 4 GiB for `bytes` that lies in RAM and in nothing reserved.
static paddr_t place_find(const struct mem_range *ram, unsigned nram,
                          const struct mem_range *reserved, unsigned nreserved, uint64_t bytes)
{
    paddr_t best = 0;

    for (unsigned i = 0; i < nram; i++) {
        paddr_t end = (ram[i].end < LOW_END ? ram[i].end : LOW_END) & ~(EXO_PAGE_SIZE - 1);

        for (unsigned r = 0; r < nreserved && end >= ram[i].start + bytes; r++) {
            if (reserved[r].start >= end || reserved[r].end <= end - bytes)
                continue;
            end = reserved[r].start & ~(EXO_PAGE_SIZE - 1);
            r = UINT32_MAX; // look at all of them again
        }
        if (end >= ram[i].start + bytes && end - bytes > best)
            best = end - bytes;
    }
    if (!best)
        panic("no %lu KiB of memory for the frame table", bytes >> 10);
    return best;
}

// --- the kernel half -------------------------------------------------------------------------

static void kernel_map(uint64_t va, paddr_t pa, uint64_t flags, int level)
{
    uint64_t *entry = &kernel_pml4[pt_index(va, 4)];

    for (int l = 4; l > level; l--) {
        if (!(*entry & PTE_P))
            *entry = virt_to_phys(block_take(1)) | PTE_P | PTE_W | PTE_U;
        entry = &pte_table(*entry)[pt_index(va, l - 1)];
    }
    *entry = pa | flags | PTE_P | PTE_G | (level == 2 ? PTE_PS : 0);
}

static bool holds_ram(paddr_t start, uint64_t bytes, const struct mem_range *ram, unsigned nram)
{
    for (unsigned i = 0; i < nram; i++)
        if (ram[i].start < start + bytes && ram[i].end > start)
            return true;
    return false;
}

static void direct_map(const struct plan *p, const struct mem_range *ram, unsigned nram)
{
    for (paddr_t pa = 0; pa < p->direct_gib * GIB; pa += PT_SPAN(2)) {
        uint64_t cache = holds_ram(pa, PT_SPAN(2), ram, nram) ? 0 : PTE_PCD | PTE_PWT;

        kernel_map(EXO_DIRECT_BASE + pa, pa, PTE_W | PTE_NX | cache, 2);
    }
}

static void info_map(uint64_t va, const void *table, uint64_t bytes)
{
    for (uint64_t at = 0; at < bytes; at += EXO_PAGE_SIZE)
        kernel_map(va + at, virt_to_phys(table) + at, PTE_U | PTE_NX, 1);
}

static void image_map(void)
{
    for (int i = 0; i < IMAGE_PARTS; i++) {
        const struct image_part *part = &image_parts[i];
        uint64_t flags =
            (part->rights & EXO_R_WRITE ? PTE_W : 0) | (part->rights & EXO_R_EXEC ? 0 : PTE_NX);

        for (uint64_t va = part->start; va < part->end; va += EXO_PAGE_SIZE)
            kernel_map(va, va - EXO_KERNEL_BASE, flags, 1);
    }
}

// --- frames ----------------------------------------------------------------------------------

static void kinds_set(const struct plan *p, const struct mem_range *range, bool inward,
                      enum exo_frame_kind from, enum exo_frame_kind kind)
{
    uint64_t pad = inward ? EXO_PAGE_SIZE - 1 : 0;
    exo_fn_t end = (range->end + (EXO_PAGE_SIZE - 1 - pad)) >> EXO_PAGE_SHIFT;

    for (exo_fn_t fn = (range->start + pad) >> EXO_PAGE_SHIFT; fn < end && fn < p->frames; fn++)
        if (frame_kind(fn) == from)
            frame_kind_set(fn, kind);
}

static void frames_give(const struct plan *p)
{
    for (exo_fn_t fn = 0; fn < p->frames; fn++)
        if (frame_kind(fn) == EXO_FRAME_FREE)
            buddy_free(&frames_buddy, fn, 1);
}

static void root_make(void)
{
    root = block_take(1);
    cap_obj_init(&root->obj.cap);
    root->obj.type = EXO_CAP_BANK;
    bank_init(root, frames_buddy.nfree);
}

void mem_init(const struct mem_range *ram, unsigned nram, const struct mem_range *reserved,
              unsigned nreserved)
{
    struct plan p = plan_make(ram, nram);
    uint64_t bytes = p.pages << EXO_PAGE_SHIFT;
    struct mem_range mine, zero = {0, EXO_PAGE_SIZE}; // address 0 stands for "not mapped"

    block = place_find(ram, nram, reserved, nreserved, bytes);
    block_end = block + bytes;
    mine = (struct mem_range){block, block_end};
    kernel_pml4 = block_take(1);
    info_page = block_take(1);
    info_envs = block_take(PAGES(p.envs * sizeof(struct exo_env_info)));
    info_slices = block_take(PAGES(p.slices * sizeof(struct exo_slice_info)));
    frames_exposed = block_take(PAGES(p.frames * sizeof(struct exo_frame)));
    buddy_init(&frames_buddy, block_take(PAGES(p.frames * sizeof(struct frame))), p.frames);
    for (unsigned i = 0; i < nram; i++)
        kinds_set(&p, &ram[i], true, EXO_FRAME_NONE, EXO_FRAME_FREE);
    for (unsigned i = 0; i < nreserved; i++)
        kinds_set(&p, &reserved[i], false, EXO_FRAME_FREE, EXO_FRAME_KERNEL);
    kinds_set(&p, &mine, false, EXO_FRAME_FREE, EXO_FRAME_KERNEL);
    kinds_set(&p, &zero, false, EXO_FRAME_FREE, EXO_FRAME_KERNEL);
    frames_give(&p);
    root_make();
    *info_page = (struct exo_info){.size = sizeof(struct exo_info),
                                   .version = EXO_ABI_VERSION,
                                   .frames = p.frames,
                                   .envs = p.envs,
                                   .slices = p.slices,
                                   .frames_free = frames_buddy.nfree};
    direct_map(&p, ram, nram);
    info_map(EXO_INFO_BASE, info_page, sizeof(struct exo_info));
    info_map(EXO_INFO_FRAMES, frames_exposed, p.frames * sizeof(struct exo_frame));
    info_map(EXO_INFO_ENVS, info_envs, p.envs * sizeof(struct exo_env_info));
    info_map(EXO_INFO_SLICES, info_slices, p.slices * sizeof(struct exo_slice_info));
    image_map();
    __asm__ volatile("mov %0, %%cr3" : : "r"(kernel_cr3()) : "memory");
}
