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

const struct bench bench_memory[] = {
    {"mmap", "mmap and munmap 4 KiB", 0, NULL, NULL, run_mmap, NULL},
    {"fault", "anonymous fault", PAGES, NULL, map_area, touch_area, unmap_area},
    {"fault-cow", "copy-on-write fault", PAGES, setup_cow, share_area, touch_area, unshare_area},
    {"mprotect", "mprotect", 0, setup_touched, NULL, run_mprotect, NULL},
    {"segv", "SIGSEGV handler and 2 mprotect", 0, setup_segv, NULL, run_segv, NULL},
    {"mmap-touch", "mmap, touch and munmap 64 KiB", 0, NULL, NULL, run_mmap_touch, NULL},
    {"malloc", "malloc, touch, free 256 KiB", 0, NULL, NULL, run_malloc, NULL},
    {"madvise", "touch and madvise away 4 KiB", 0, setup_touched, NULL, run_advise, NULL},
    BENCH_END,
};
