// SPDX-License-Identifier: MIT
// Processes: made, replaced and waited for.
#include "bench.h"
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAP (64u << 20)

static char *heap;

static int setup_heap(void)
{
    heap = malloc(HEAP);
    if (heap)
        memset(heap, 1, HEAP);
    return heap ? 0 : -1;
}

static void run_fork(long n)
{
    while (n--) {
        int status;
        pid_t pid = fork();
        must(pid >= 0, "fork");
        if (pid == 0)
            _exit(0);
        must(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    }
}

static void run_vfork_exec(long n)
{
    while (n--) {
        int status;
        pid_t pid = vfork();
        must(pid >= 0, "vfork");
        if (pid == 0) {
            execl(bench_self, bench_self, "-0", (char *)NULL);
            _exit(127);
        }
        must(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    }
}

static void run_fork_exec(long n)
{
    while (n--) {
        int status;
        pid_t pid = fork();
        must(pid >= 0, "fork");
        if (pid == 0) {
            execl(bench_self, bench_self, "-0", (char *)NULL);
            _exit(127);
        }
        must(waitpid(pid, &status, 0) == pid && status == 0, "waitpid");
    }
}

static void run_spawn(long n)
{
    char *argv[] = {bench_self, "-0", NULL};
    while (n--)
        run_program(argv);
}

// The shell that lies beside us, built as we are, or the system's.
static void run_shell(long n)
{
    char *shell = getenv("BENCH_SH");
    char *argv[] = {shell ? shell : "/bin/sh", "-c", "true", NULL};
    while (n--)
        run_program(argv);
}

static void run_wait_none(long n)
{
    while (n--)
        must(waitpid(-1, NULL, WNOHANG) < 0, "waitpid");
}

const struct bench bench_processes[] = {
    {"fork", "fork, exit, wait", 0, NULL, NULL, run_fork, NULL},
    {"fork-64m", "fork, exit, wait with 64 MiB heap", 0, setup_heap, NULL, run_fork, NULL},
    {"spawn", "posix_spawn, exec, exit, wait", 0, NULL, NULL, run_spawn, NULL},
    {"sh-true", "sh -c true", 0, NULL, NULL, run_shell, NULL},
    {"fork-exec", "fork, exec, exit, wait", 0, NULL, NULL, run_fork_exec, NULL},
    {"vfork-exec", "vfork, exec, exit, wait", 0, NULL, NULL, run_vfork_exec, NULL},
    {"wait-none", "waitpid without children", 0, NULL, NULL, run_wait_none, NULL},
    BENCH_END,
};
