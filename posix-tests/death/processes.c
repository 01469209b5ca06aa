// SPDX-License-Identifier: MIT
// Processes: parent and child of each way to begin one, exec, exit, wait, and plain calls of init.
// A pipe whose writing end the whole family holds tells when the last of it is gone.
#include "death.h"
#include <proto/proc.h>
#include <proto/start.h>
#include <spawn.h>
#include <sys/resource.h>

extern char **environ;
static int p[2];

static void set(void)
{
    IS(pipe2(p, O_CLOEXEC), 0);
}

static void enter(void)
{
    close(p[0]);
}

static void family_gone(bool whole)
{
    char c;

    (void)whole;
    close(p[1]);
    IS(read(p[0], &c, 1), 0);
    close(p[0]);
}

// --- the parent dies

static void play_fork(void)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(STATUS);
    MUST(child > 0);
    stage->count++;
    MUST(waitpid(child, &status, 0) == child);
    MUST(status == STATUS << 8);
}

static void play_vfork(void)
{
    int status;
    pid_t child = vfork();

    if (child == 0)
        _exit(STATUS);
    MUST(child > 0);
    MUST(waitpid(child, &status, 0) == child);
    MUST(status == STATUS << 8);
}

static void play_spawn(void)
{
    int status;
    pid_t child;

    MUST(posix_spawn(&child, self, NULL, NULL, no_arguments, environ) == 0);
    stage->count++;
    MUST(waitpid(child, &status, 0) == child);
    MUST(status == STATUS << 8);
}

// A zombie, a sleeper that ends when we do, and a stopped child are left behind.
static void play_wait(void)
{
    int fds[2], status;
    char c;

    MUST(pipe(fds) == 0);
    if (fork() == 0)
        _exit(STATUS);
    if (fork() == 0) {
        close(fds[1]);
        _exit(read(fds[0], &c, 1) == 0 ? STATUS : 1);
    }
    stage->count++;
    close(fds[1]);
    MUST(waitpid(-1, &status, WUNTRACED | WCONTINUED) > 0);
    MUST(wait(&status) > 0);
    MUST(wait(&status) == -1 && errno == ECHILD);
}

// In a group of its own, that its death orphans: a stopped child is then sent SIGHUP and SIGCONT.
static void enter_group(void)
{
    enter();
    setpgid(0, 0);
}

static void play_stopped_child(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        raise(SIGTSTP); // which is nothing once nobody could continue us
        _exit(STATUS);
    }
    stage->count++;
    MUST(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    MUST(kill(child, SIGCONT) == 0);
    MUST(waitpid(child, &status, 0) == child);
    MUST(status == STATUS << 8);
}

// --- the child dies

static pid_t birth_fork(void)
{
    pid_t child = fork();

    if (child)
        return child;
    close(p[0]);
    stage->count++;
    _exit(STATUS);
}

static pid_t birth_vfork(void)
{
    pid_t child = vfork();

    if (child == 0) {
        execv(self, no_arguments);
        _exit(1);
    }
    return child;
}

// posix_spawn returns when the child has executed: a helper calls it, and is given time until the
// child is there, which then is the victim. The helper tells what became of it.
static pid_t helper;

static pid_t child_of(pid_t parent)
{
    for (uint64_t i = 0; i < EXO_INFO->envs && i < PROC_PER_SEGMENT; i++) {
        const struct proc_rec *r = (const void *)(LIBOS_PROCTAB + i * PROC_REC_SIZE);
        if (EXO_ENVS[i].state != EXO_ENV_LIVE) // then its record may not be there
            continue;
        if (r->env == EXO_ENVS[i].id && r->ppid == parent)
            return r->pid;
    }
    return 0;
}

static void __attribute__((noreturn)) help(void)
{
    pid_t child;
    int status;

    close(p[0]);
    if (posix_spawn(&child, self, NULL, NULL, no_arguments, environ) ||
        waitpid(child, &status, 0) != child)
        _exit(1);
    _exit(WIFSIGNALED(status) ? 100 + WTERMSIG(status) : WEXITSTATUS(status));
}

static pid_t birth_spawn(void)
{
    pid_t child = 0;

    helper = fork();
    if (helper == 0)
        help();
    int64_t peer = libos_peer(helper);
    HOLDS(peer > 0);
    for (int i = 0; i < 1000 && peer > 0 && !(child = child_of(helper)); i++)
        libos_yield_to((exo_handle_t)peer, 100000); // we are next whenever it ends or sleeps
    exo_cap_delete((exo_handle_t)peer);
    return child;
}

static void reap_spawned(int want)
{
    int status = -1;

    IS(waitpid(helper, &status, 0), helper);
    IS(status, (WIFSIGNALED(want) ? 100 + WTERMSIG(want) : WEXITSTATUS(want)) << 8);
}

// --- exec, exit

static void play_exec(void)
{
    execv(self, no_arguments);
    MUST(false);
}

static void play_exit(void)
{
    exit(STATUS);
}

static void enter_rich(void)
{
    enter();
    for (int i = 0; i < 20; i++)
        MUST(open("/etc/passwd", O_RDONLY) >= 0);
    void *memory = malloc(1 << 20);
    MUST(memory != NULL);
    memset(memory, 1, 1 << 20);
}

// --- signals and records

static void play_calls(void)
{
    MUST(kill(getppid(), 0) == 0);
    MUST(setpgid(0, 0) == 0);
    MUST(setpriority(PRIO_PROCESS, 0, 1) == 0);
    MUST(setsid() == -1);
    stage->count++;
}

static volatile unsigned handled;

static void handler(int signo, siginfo_t *info, void *context)
{
    (void)context;
    handled += signo == SIGUSR1 && info->si_pid > 0;
}

static void play_signals(void)
{
    struct sigaction a = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t all, old;

    handled = 0;
    sigfillset(&all);
    MUST(sigaction(SIGUSR1, &a, NULL) == 0);
    MUST(raise(SIGUSR1) == 0);
    MUST(handled == 1);
    MUST(sigprocmask(SIG_SETMASK, &all, &old) == 0);
    union sigval value = {.sival_int = 7};
    MUST(kill(getpid(), SIGUSR1) == 0);
    MUST(sigqueue(getpid(), SIGRTMIN, value) == 0);
    MUST(sigtimedwait(&all, NULL, &(struct timespec){0, 0}) > 0);
    MUST(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    stage->count++;
}

static void enter_signals(void)
{
    enter();
    signal(SIGRTMIN, SIG_IGN);
}

#define EXITS (STATUS << 8)

const struct scene process_scenes[] = {
    {.name = "fork-parent", .set = set, .enter = enter, .play = play_fork, .after = family_gone},
    {.name = "fork-child", .set = set, .birth = birth_fork, .after = family_gone, .ends = EXITS},
    {.name = "vfork-parent", .set = set, .enter = enter, .play = play_vfork, .after = family_gone},
    {.name = "vfork-child", .set = set, .birth = birth_vfork, .after = family_gone, .ends = EXITS},
    {.name = "spawn-parent", .set = set, .enter = enter, .play = play_spawn, .after = family_gone},
    {.name = "spawn-child",
     .set = set,
     .birth = birth_spawn,
     .reap = reap_spawned,
     .after = family_gone,
     .ends = EXITS,
     .kill_only = true},
    {.name = "exec",
     .set = set,
     .enter = enter,
     .play = play_exec,
     .after = family_gone,
     .ends = EXITS},
    {.name = "exit",
     .set = set,
     .enter = enter_rich,
     .play = play_exit,
     .after = family_gone,
     .ends = EXITS},
    {.name = "wait", .set = set, .enter = enter, .play = play_wait, .after = family_gone},
    {.name = "wait-stopped",
     .set = set,
     .enter = enter_group,
     .play = play_stopped_child,
     .after = family_gone},
    {.name = "calls", .set = set, .enter = enter, .play = play_calls, .after = family_gone},
    {.name = "signals",
     .set = set,
     .enter = enter_signals,
     .play = play_signals,
     .after = family_gone},
    {0},
};
