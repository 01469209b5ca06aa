// SPDX-License-Identifier: MIT
/*
 * Application workloads: the cases of work.sh, each run by a shell of its own. `work.sh CASE-ready`
 * prepares what the case needs, and its failure says that a program is missing.
 */
#include "bench.h"
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char script[4200];
static const char *which;

static char *shell(void)
{
    char *path = getenv("BENCH_SH");
    return path ? path : "/bin/sh";
}

static int prepare(const char *name)
{
    char step[64];
    pid_t pid;
    int status = -1;
    char *argv[] = {shell(), script, step, NULL};
    extern char **environ;
    which = name;
    snprintf(script, sizeof(script), "%s/work.sh", bench_home);
    snprintf(step, sizeof(step), "%s-ready", name);
    if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        return -1;
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static void run_work(long n)
{
    char *argv[] = {shell(), script, (char *)which, NULL};
    while (n--)
        run_program(argv);
}

#define WORK(name)                                                                                 \
    static int setup_##name(void)                                                                  \
    {                                                                                              \
        return prepare(#name);                                                                     \
    }
WORK(loop)
WORK(subst)
WORK(pipeline)
WORK(tree)
WORK(tar)
WORK(list)
WORK(copy)
WORK(search)
WORK(dd)
WORK(gzip)
WORK(shell)
WORK(text)
WORK(sqlite)
WORK(tcc)

const struct bench bench_apps[] = {
    {"app-loop", "shell loop, 40 programs started", 0, setup_loop, NULL, run_work, NULL},
    {"app-subst", "shell, 40 x $(...)", 0, setup_subst, NULL, run_work, NULL},
    {"app-pipeline", "shell, 10 pipelines of 4", 0, setup_pipeline, NULL, run_work, NULL},
    {"app-tree", "tree of 200 files: create, find, remove", 0, setup_tree, NULL, run_work, NULL},
    {"app-tar", "tar of 200 files, written and unpacked", 0, setup_tar, NULL, run_work, NULL},
    {"app-list", "ls -lR and du of 200 files", 0, setup_list, NULL, run_work, NULL},
    {"app-copy", "cp -rp of 200 files, mv, rm -r", 0, setup_copy, NULL, run_work, NULL},
    {"app-search", "grep -r, find -exec of 200 files", 0, setup_search, NULL, run_work, NULL},
    {"app-dd", "dd of 8 MiB and 1 MiB, cat, cksum", 0, setup_dd, NULL, run_work, NULL},
    {"app-gzip", "gzip and gunzip of 100 KB", 0, setup_gzip, NULL, run_work, NULL},
    {"app-shell", "shell loop without programs", 0, setup_shell, NULL, run_work, NULL},
    {"app-text", "sort, grep, sed, wc of 5,000 lines", 0, setup_text, NULL, run_work, NULL},
    {"app-sqlite", "sqlite, 100 transactions", 0, setup_sqlite, NULL, run_work, NULL},
    {"app-tcc", "tcc compiles a program", 0, setup_tcc, NULL, run_work, NULL},
    BENCH_END,
};
