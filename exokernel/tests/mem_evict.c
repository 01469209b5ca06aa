// SPDX-License-Identifier: MIT
// A segment under its readers. A toy server evicts and truncates while a reader in another
// environment, which maps the segment as one directory entry, reads it all the time; the reader
// recovers by its page-fault upcall: it reports the page, the server fills it again or says that it
// lies beyond the end.
#include "child.h"

#define FILE_VA    0x400000000ull // where the reader maps it
#define STORE      0x500000000ull // the server's own view of the frames
#define FILE_PAGES 64u
#define ROUNDS     400u

struct talk {
    volatile uint64_t request; // page + 1 that the reader misses
    volatile uint64_t end;     // pages in the file
    volatile uint64_t reads, wrong, refills, beyond, stop;
};
static struct talk *talk = (struct talk *)SHARED;

static uint64_t value(uint64_t page)
{
    return page * 1000003 + 7;
}

static void missing(struct exo_save *save)
{
    uint64_t page = (save->addr - FILE_VA) / EXO_PAGE_SIZE;

    if (save->addr < FILE_VA || save->addr >= FILE_VA + 0x200000) {
        cow_handler(save);
        return;
    }
    if (page >= talk->end || talk->stop) { // truncated: skip the access, as a fixup would
        talk->beyond++;
        save->rip = save->rcx;
        save->rax = value(page);
        return;
    }
    talk->request = page + 1;
    while (talk->request && !talk->stop)
        exo_ctx_yield(0, 0, 0);
}

static uint64_t read_page(uint64_t page)
{
    uint64_t got;

    __asm__ volatile("lea 1f(%%rip), %%rcx\n\tmov (%1), %0\n1:"
                     : "=a"(got)
                     : "r"(FILE_VA + PAGES(page))
                     : "rcx", "memory");
    return got;
}

static void reader(void *arg)
{
    exo_handle_t seg = (exo_handle_t)arg;

    upcalls_to(missing);
    if (map(0, seg, FILE_VA, 0, 512, EXO_R_READ) != 1)
        exo_env_exit(1);
    while (!talk->stop)
        for (uint64_t page = 0; page < FILE_PAGES; page++) {
            talk->wrong += read_page(page) != value(page);
            talk->reads++;
        }
    exo_env_exit(0);
}

static void serve(exo_handle_t seg, exo_handle_t frames)
{
    uint64_t page = talk->request;

    if (!page--)
        return;
    if (page < talk->end) {
        int64_t r = exo_segment_fill(seg, page, frames, page, 1 | (uint64_t)RW << 32);

        if (r != 0 && r != -EXO_EEXISTS)
            talk->wrong++;
        talk->refills++;
    }
    talk->request = 0;
}

void test_main(void)
{
    exo_handle_t frames, seg, theirs;
    struct child c;
    uint64_t seed = 1, bad = 0, bits[1];

    upcalls_to(cow_handler);
    is(buy(CURSOR, 1, RW), 1);
    is(buy(SHARED, 1, RW), 1);
    frames = (exo_handle_t)exo_frames_alloc(boot->bank, FILE_PAGES, 0, 0);
    seg = (exo_handle_t)exo_segment_create(boot->bank);
    theirs = (exo_handle_t)exo_cap_derive(seg, EXO_R_READ, 0, 0, 0);
    ok((int64_t)frames > 0 && (int64_t)seg > 0 && (int64_t)theirs > 0);
    child_start(&c, reader, (void *)theirs); // it has no window of ours
    is(map(0, frames, STORE, 0, FILE_PAGES, RW), 1);
    for (uint64_t page = 0; page < FILE_PAGES; page++)
        *(volatile uint64_t *)(STORE + PAGES(page)) = value(page);
    is(exo_segment_fill(seg, 0, frames, 0, FILE_PAGES | (uint64_t)RW << 32), 0);
    talk->end = FILE_PAGES;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t first, n;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        first = (seed >> 33) % FILE_PAGES;
        n = 1 + (seed >> 40) % (FILE_PAGES - first);
        if (round % 16 == 0) // truncate and grow
            talk->end = talk->end == FILE_PAGES ? FILE_PAGES / 2 : FILE_PAGES;
        bad += exo_segment_clear(seg, first, n) != 0;
        // Whoever still saw the evicted frames would read this.
        for (uint64_t page = first; page < first + n; page++)
            *(volatile uint64_t *)(STORE + PAGES(page)) = 0xbad;
        exo_ctx_yield(0, 0, 0);
        for (uint64_t page = first; page < first + n; page++)
            *(volatile uint64_t *)(STORE + PAGES(page)) = value(page);
        for (int i = 0; i < 4; i++) {
            exo_ctx_yield(0, 0, 0);
            serve(seg, frames);
        }
    }
    talk->stop = 1;
    is(child_end(&c), 0);
    is(bad, 0);
    is(talk->wrong, 0);
    put("# %lu reads, %lu refills, %lu beyond the end\n", talk->reads, talk->refills, talk->beyond);
    ok(talk->reads > ROUNDS && talk->refills > 10 && talk->beyond > 10);
    // Dirty pages of a writable mapping, collected in the segment itself.
    exo_segment_clear(seg, 0, 512);
    is(exo_segment_fill(seg, 0, frames, 0, FILE_PAGES | (uint64_t)RW << 32), 0);
    is(map(0, seg, FILE_VA, 0, 512, RW), 1);
    exo_segment_harvest(seg, 0, 64, bits);
    *(volatile uint64_t *)(FILE_VA + PAGES(3)) = 1;
    *(volatile uint64_t *)(FILE_VA + PAGES(60)) = 1;
    is(exo_segment_harvest(seg, 0, 64, bits), 0);
    is(bits[0], 1ull << 3 | 1ull << 60);
    is(exo_segment_harvest(seg, 0, 64, bits), 0);
    is(bits[0], 0);
    *(volatile uint64_t *)(FILE_VA + PAGES(3)) = 2; // the TLB had to forget that it was dirty
    is(exo_segment_harvest(seg, 0, 64, bits), 0);
    is(bits[0], 1ull << 3);
    is(exo_cap_revoke(seg), 0);
    is(exo_cap_delete(seg), 0);
    is(exo_cap_delete(frames), 0);
    is(unmap(CURSOR, 1), 1);
    is(unmap(SHARED, 1), 1);
}
