// SPDX-License-Identifier: MIT
/*
 * What the micro benchmarks share. A benchmark is a row of a table: `setup` once, then runs of n
 * operations each, of which only `run` is timed; `before` and `after` make and clear what a run
 * uses up. Each row runs in a process of its own, in a directory of its own, so that none finds
 * what another left behind.
 *
 * The sources are portable POSIX: the same run on Linux. What a system has not, `setup` tells by
 * -1, and the row is reported as unsupported.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <sys/types.h>

struct bench {
    const char *name;
    const char *title;
    long most; // operations in one run at most, 0: any number
    int (*setup)(void);
    void (*before)(long n);
    void (*run)(long n);
    void (*after)(long n);
};

// The tables, one for each file; each ends with a row without a name.
extern const struct bench bench_calls[], bench_files[], bench_names[], bench_pipes[],
    bench_processes[], bench_memory[], bench_signals[], bench_threads[], bench_apps[];

extern char bench_self[]; // the path of this program
extern char bench_home[]; // of the directory it lies in

/* Ends the row as failed unless `good`. */
void must(int good, const char *what);
/* A child that is killed when the row ends; `body` must not return. */
pid_t helper(void (*body)(void));
/* A file of `size` bytes in the row's directory, opened for reading and writing. */
int make_file(const char *name, size_t size);
/* Starts a program with this process's environment and waits for it; it must end with 0. */
void run_program(char *const argv[]);

#define BENCH_END                                                                                  \
    {                                                                                              \
        .name = NULL                                                                               \
    }

#endif
