// SPDX-License-Identifier: MIT
// Memory: mappings, faults and protection. A fault row counts one fault, in mappings of at most 64
// pages.
#include "bench.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096
#define PAGES 64

static volatile char *area;
static int hold[2];

static char *map(size_t size)
{
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(at != MAP_FAILED, "mmap");
    return at;
}

static void run_mmap(long n)
{
    while (n--)
        must(munmap(map(PAGE), PAGE) == 0, "munmap");
}

static void run_mmap_touch(long n)
{
    while (n--) {
        char *at = map(16 * PAGE);
        for (int i = 0; i < 16; i++)
            at[i * PAGE] = 1;
        must(munmap(at, 16 * PAGE) == 0, "munmap");
    }
}

static void map_area(long n)
{
    (void)n;
    area = map(PAGES * PAGE);
}
static void unmap_area(long n)
{
    (void)n;
    must(munmap((void *)area, PAGES * PAGE) == 0, "munmap");
}
static void touch_area(long n)
{
    for (long i = 0; i < n; i++)
        area[i * PAGE] = 1;
}

// A page between others that are executable, so that what is changed of it is a mapping of its own
// before and after.
static int setup_touched(void)
{
    area = map(3 * PAGE) + PAGE;
    *area = 1;
    must(mprotect((void *)(area - PAGE), PAGE, PROT_READ | PROT_EXEC) == 0, "mprotect");
    must(mprotect((void *)(area + PAGE), PAGE, PROT_READ | PROT_EXEC) == 0, "mprotect");
    return 0;
}

// Shares the area with a child that waits until the pipe is closed.
static void share_area(long n)
{
    char byte;
    touch_area(n);
    must(pipe(hold) == 0, "pipe");
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        close(hold[1]);
        _exit(read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(hold[0]);
}
static void unshare_area(long n)
{
    (void)n;
    close(hold[1]);
    must(wait(NULL) > 0, "wait");
}
static int setup_cow(void)
{
    map_area(0);
    return 0;
}

static void run_mprotect(long n)
{
    while (n--)
        must(mprotect((void *)area, PAGE, n & 1 ? PROT_READ : PROT_READ | PROT_WRITE) == 0,
             "mprotect");
}

static void on_fault(int number)
{
    (void)number;
    must(mprotect((void *)area, PAGE, PROT_READ | PROT_WRITE) == 0, "mprotect");
}
static int setup_segv(void)
{
    setup_touched();
    return signal(SIGSEGV, on_fault) == SIG_ERR ? -1 : 0;
}
static void run_segv(long n)
{
    while (n--) {
        must(mprotect((void *)area, PAGE, PROT_NONE) == 0, "mprotect");
        *area = 1;
    }
}

static void run_malloc(long n)
{
    while (n--) {
        char *volatile at = malloc(256 * 1024);
        must(at != NULL, "malloc");
        at[0] = 1;
        free(at);
    }
}

static void run_advise(long n)
{
    while (n--) {
        *area = 1;
        must(madvise((void *)area, PAGE, MADV_DONTNEED) == 0, "madvise");
    }
}

static void run_mremap(long n)
{
    while (n--) {
        volatile char *at = map(16 * PAGE);
        at[0] = at[15 * PAGE] = 1;
        at = mremap((void *)at, 16 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
        must(at != MAP_FAILED && munmap((void *)at, 64 * PAGE) == 0, "mremap");
    }
}

// 16 MiB at once; the cost of one page.
static void run_touch_many(long n)
{
    volatile char *at = map((size_t)n * PAGE);
    for (long i = 0; i < n; i++)
        at[i * PAGE] = 1;
    must(munmap((void *)at, (size_t)n * PAGE) == 0, "munmap");
}

static void map_shared(long n)
{
    area = mmap(NULL, (size_t)n * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(area != MAP_FAILED, "mmap");
}

static void read_area(long n)
{
    for (long i = 0; i < n; i++)
        (void)area[i * PAGE];
}

static void run_protect_many(long n)
{
    while (n--)
        must(mprotect((void *)area, PAGES * PAGE, n & 1 ? PROT_READ : PROT_READ | PROT_WRITE) == 0,
             "mprotect");
}
static int setup_touched_many(void)
{
    map_area(0);
    touch_area(PAGES);
    return 0;
}

static void run_mincore(long n)
{
    unsigned char resident[PAGES];
    while (n--)
        must(mincore((void *)area, PAGES * PAGE, resident) == 0, "mincore");
}

const struct bench bench_memory[] = {
    {"mmap", "mmap and munmap 4 KiB", 0, NULL, NULL, run_mmap, NULL},
    {"fault", "anonymous fault", PAGES, NULL, map_area, touch_area, unmap_area},
    {"fault-cow", "copy-on-write fault", PAGES, setup_cow, share_area, touch_area, unshare_area},
    {"mprotect", "mprotect", 0, setup_touched, NULL, run_mprotect, NULL},
    {"segv", "SIGSEGV handler and 2 mprotect", 0, setup_segv, NULL, run_segv, NULL},
    {"mmap-touch", "mmap, touch and munmap 64 KiB", 0, NULL, NULL, run_mmap_touch, NULL},
    {"malloc", "malloc, touch, free 256 KiB", 0, NULL, NULL, run_malloc, NULL},
    {"madvise", "touch and madvise away 4 KiB", 0, setup_touched, NULL, run_advise, NULL},
    {"mremap", "mmap 64 KiB, mremap to 256 KiB, munmap", 0, NULL, NULL, run_mremap, NULL},
    {"touch-16m", "mmap, touch, munmap 16 MiB, per page", 4096, NULL, NULL, run_touch_many, NULL},
    {"fault-shared", "shared anonymous fault", PAGES, NULL, map_shared, touch_area, unmap_area},
    {"fault-read", "anonymous fault by reading", PAGES, NULL, map_area, read_area, unmap_area},
    {"mprotect-64", "mprotect of 64 pages", 0, setup_touched_many, NULL, run_protect_many, NULL},
    {"mincore", "mincore of 64 pages", 0, setup_touched_many, NULL, run_mincore, NULL},
    BENCH_END,
};
