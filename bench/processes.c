// SPDX-License-Identifier: MIT
// Processes: made, replaced and waited for.
#include "bench.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAP (64u << 20)

#define DESCRIPTORS 100
#define CHILDREN    16

static volatile char *heap; // volatile: written for the sake of its pages alone
static pid_t child;

static int setup_heap(void)
{
    heap = malloc(HEAP);
    if (!heap)
        return -1;
    for (size_t at = 0; at < HEAP; at += 4096)
        heap[at] = 1;
    return 0;
}

static int setup_descriptors(void)
{
    close(make_file("file", 100));
    for (int i = 0; i < DESCRIPTORS; i++)
        must(open("file", O_RDONLY) >= 0, "open");
    return 0;
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

// Children that live at the same time; a fork is counted for each.
static void run_fork_many(long n)
{
    while (n > 0) {
        int some = n < CHILDREN ? (int)n : CHILDREN;
        for (int i = 0; i < some; i++) {
            pid_t pid = fork();
            must(pid >= 0, "fork");
            if (pid == 0)
                _exit(0);
        }
        for (int i = 0; i < some; i++)
            must(wait(NULL) > 0, "wait");
        n -= some;
    }
}

static void run_vfork(long n)
{
    while (n--) {
        pid_t pid = vfork();
        must(pid >= 0, "vfork");
        if (pid == 0)
            _exit(0);
        must(waitpid(pid, NULL, 0) == pid, "waitpid");
    }
}

static void run_fork_kill(long n)
{
    while (n--) {
        pid_t pid = fork();
        must(pid >= 0, "fork");
        while (pid == 0)
            pause();
        must(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid, "kill");
    }
}

// This program in its own place: a process that starts itself n times.
static void run_exec(long n)
{
    char count[24];
    char *argv[] = {bench_self, "-0", count, NULL};
    snprintf(count, sizeof(count), "%ld", n);
    run_program(argv);
}

static void run_system(long n)
{
    while (n--)
        must(system("exit 0") == 0, "system");
}

static void run_stop(long n)
{
    int status;
    while (n--) {
        must(kill(child, SIGSTOP) == 0 && waitpid(child, &status, WUNTRACED) == child, "stop");
        must(kill(child, SIGCONT) == 0 && waitpid(child, &status, WCONTINUED) == child, "continue");
    }
}
static void wait_forever(void)
{
    for (;;)
        pause();
}
static int setup_child(void)
{
    child = helper(wait_forever);
    return 0;
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
    {"fork-fds", "fork, exit, wait with 100 open files", 0, setup_descriptors, NULL, run_fork,
     NULL},
    {"fork-many", "fork, exit, wait, 16 children at once", 0, NULL, NULL, run_fork_many, NULL},
    {"fork-kill", "fork, kill, wait", 0, NULL, NULL, run_fork_kill, NULL},
    {"vfork", "vfork, exit, wait", 0, NULL, NULL, run_vfork, NULL},
    {"exec", "exec of itself", 0, NULL, NULL, run_exec, NULL},
    {"system", "system(\"exit 0\")", 0, NULL, NULL, run_system, NULL},
    {"stop", "stop and continue a child", 0, setup_child, NULL, run_stop, NULL},
    {"fork-exec", "fork, exec, exit, wait", 0, NULL, NULL, run_fork_exec, NULL},
    {"vfork-exec", "vfork, exec, exit, wait", 0, NULL, NULL, run_vfork_exec, NULL},
    {"wait-none", "waitpid without children", 0, NULL, NULL, run_wait_none, NULL},
    BENCH_END,
};
