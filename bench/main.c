// SPDX-License-Identifier: MIT
/*
 * bench [-w] [-l] [NAME...]: run the micro benchmarks, or those named (a prefix that ends in *
 * names several), and print one line for each:
 *
 *     NAME, COST, OPERATIONS IN A RUN, TITLE   separated by tabs; COST may be unsupported or failed
 *
 * The unit is one tick of the time-stamp counter, which in QEMU with -icount shift=0 is one
 * instruction; with -w, and on machines without such a counter, one nanosecond. The number of
 * operations in a run is found by trying, the cost is the median of REPEATS runs. The program
 * starts itself again for each row (bench -1 NAME), and as the program that does nothing (bench
 * -0 [TIMES]).
 */
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REPEATS  5
#define TICKS    2000000  // a run takes at least this many
#define TICKS_NS 20000000 // by the clock, which the host disturbs
#define TOO_LONG                                                                                   \
    100 // seconds for a row; in a machine that jumps over idle time a deadlock ends at once
#define HELPERS   64
#define EXIT_NONE 77 // of a row: unsupported

extern char **environ;
char bench_self[4096], bench_home[4096];

static const struct bench *const tables[] = {
    bench_calls,  bench_files,   bench_names,   bench_pipes, bench_processes,
    bench_memory, bench_signals, bench_threads, bench_apps,
};

static int by_clock;
static pid_t helpers[HELPERS];
static int helper_count;

#if defined(__x86_64__)
#define HAVE_TICKS 1
static uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}
// No-operations that a profiler of the machine looks for.
static void mark_start(void)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long 0x0b0b5a01" : : : "memory");
}
static void mark_end(void)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .long 0x0b0b5a02" : : : "memory");
}
#else
#define HAVE_TICKS 0
static uint64_t ticks(void)
{
    return 0;
}
static void mark_start(void)
{
}
static void mark_end(void)
{
}
#endif

static uint64_t now(void)
{
    struct timespec t;
    if (HAVE_TICKS && !by_clock)
        return ticks();
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void kill_helpers(void)
{
    while (helper_count > 0) {
        kill(helpers[--helper_count], SIGKILL);
        waitpid(helpers[helper_count], NULL, 0);
    }
}

void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    kill_helpers();
    _exit(1);
}

pid_t helper(void (*body)(void))
{
    must(helper_count < HELPERS, "helpers");
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        helper_count = 0;
        body();
        _exit(0);
    }
    return helpers[helper_count++] = pid;
}

int make_file(const char *name, size_t size)
{
    static char block[4096];
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0, name);
    memset(block, 'x', sizeof(block));
    for (size_t done = 0; done < size;) {
        size_t part = size - done < sizeof(block) ? size - done : sizeof(block);
        must(write(fd, block, part) == (ssize_t)part, "write");
        done += part;
    }
    return fd;
}

void run_program(char *const argv[])
{
    pid_t pid;
    int status;
    must((errno = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ)) == 0, argv[0]);
    must(waitpid(pid, &status, 0) == pid && status == 0, "the program's end");
}

static uint64_t once(const struct bench *b, long n, int marked)
{
    if (b->before)
        b->before(n);
    if (marked)
        mark_start();
    uint64_t start = now();
    b->run(n);
    uint64_t end = now();
    if (marked)
        mark_end();
    if (b->after)
        b->after(n);
    return end - start;
}

// The number of operations that takes long enough. The first runs also warm up whatever gets warm.
static long calibrate(const struct bench *b)
{
    uint64_t least = by_clock || !HAVE_TICKS ? TICKS_NS : TICKS;
    long n = 1;
    once(b, 1, 0);
    for (;;) {
        uint64_t took = once(b, n, 0);
        if (took >= least || (b->most && n >= b->most))
            return n;
        uint64_t guess = took ? (uint64_t)n * least / took + 1 : (uint64_t)n * 100;
        guess = guess < (uint64_t)n * 100 ? guess : (uint64_t)n * 100;
        n = guess > (uint64_t)n * 2 ? (long)guess : n * 2;
        if (b->most && n > b->most)
            n = b->most;
    }
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int run_one(const struct bench *b)
{
    char directory[] = "/tmp/bench.XXXXXX";
    uint64_t took[REPEATS];
    alarm(TOO_LONG);
    must(mkdtemp(directory) && chdir(directory) == 0, "a directory in /tmp");
    must(chmod(directory, 0755) == 0, "chmod"); // as most directories are
    if (b->setup && b->setup() < 0) {
        kill_helpers();
        return EXIT_NONE;
    }
    long n = calibrate(b);
    for (int i = 0; i < REPEATS; i++)
        took[i] = once(b, n, 1);
    kill_helpers();
    qsort(took, REPEATS, sizeof(took[0]), ascending);
    uint64_t hundredths = took[REPEATS / 2] * 100 / (uint64_t)n;
    printf("%s\t%llu.%02llu\t%ld\t%s\n", b->name, (unsigned long long)hundredths / 100,
           (unsigned long long)hundredths % 100, n, b->title);
    return fflush(stdout) == 0 ? 0 : 1;
}

static void report_one(const struct bench *b)
{
    pid_t pid;
    int status = -1;
    char *argv[] = {bench_self, by_clock ? "-w1" : "-1", (char *)b->name, NULL};
    errno = posix_spawn(&pid, bench_self, NULL, NULL, argv, environ);
    if (errno == 0)
        waitpid(pid, &status, 0);
    if (status != 0) {
        int none = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NONE;
        printf("%s\t%s\t0\t%s\n", b->name, none ? "unsupported" : "failed", b->title);
    }
    fflush(stdout);
}

static int named(const struct bench *b, char **names)
{
    if (!*names)
        return 1;
    for (; *names; names++) {
        size_t length = strlen(*names);
        if (strcmp(*names, b->name) == 0)
            return 1;
        if (length && (*names)[length - 1] == '*' && strncmp(*names, b->name, length - 1) == 0)
            return 1;
    }
    return 0;
}

static void find_self(const char *name)
{
    must(name[0] == '/' && strlen(name) < sizeof(bench_self),
         "bench must be started by its full path");
    strcpy(bench_self, name);
    strcpy(bench_home, name);
    *strrchr(bench_home, '/') = 0;
}

// The same variables on every system: programs copy them and search among them.
static void choose_environment(void)
{
    const char *const kept[] = {"PATH=", "BENCH_SH=", "BENCH_TRUE="};
    char **to = environ;
    for (char **from = environ; *from; from++)
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
            if (strncmp(*from, kept[i], strlen(kept[i])) == 0)
                *to++ = *from;
    *to = NULL;
}

// The program that does nothing; with a number, it starts itself that many times first.
static void do_nothing(char **argv)
{
    char left[24];
    long n = argv[2] ? atol(argv[2]) : 0;
    if (n <= 0)
        _exit(0);
    snprintf(left, sizeof(left), "%ld", n - 1);
    execv(argv[0], (char *[]){argv[0], argv[1], left, NULL});
    _exit(127);
}

int main(int argc, char **argv)
{
    int option, list = 0, one = 0, found = 0;
    if (argc > 1 && strcmp(argv[1], "-0") == 0)
        do_nothing(argv);
    find_self(argv[0]);
    choose_environment();
    while ((option = getopt(argc, argv, "wl1")) != -1) {
        by_clock |= option == 'w';
        list |= option == 'l';
        one |= option == '1';
        if (option == '?')
            return 2;
    }
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct bench *b = tables[t]; b->name; b++) {
            if (!named(b, argv + optind))
                continue;
            found = 1;
            if (list)
                printf("%s\t%s\n", b->name, b->title);
            else if (one)
                return run_one(b);
            else
                report_one(b);
        }
    return found ? 0 : 2;
}
