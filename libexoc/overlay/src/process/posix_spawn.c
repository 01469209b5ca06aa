// SPDX-License-Identifier: MIT
/*
 * Replaces musl's file: posix_spawn(), after its model. There the child reports a failure through a
 * pipe, because a kernel may give it a copy of the memory. Here a child of clone(CLONE_VM |
 * CLONE_VFORK) is simulated in the parent's memory until it executes, so a word of that memory
 * does, unless an attribute makes a process of it earlier; and a pipe costs more than all the rest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fdop.h"
#include "lock.h"
#include "pthread_impl.h"
#include "syscall.h"

// The child cannot be simulated any further.
#define REAL_PROCESS (POSIX_SPAWN_SETSID | POSIX_SPAWN_RESETIDS)

struct args {
    int pipe[2]; // where a real process reports; -1: none
    volatile int error;
    sigset_t oldmask;
    const char *path;
    const posix_spawn_file_actions_t *fa;
    const posix_spawnattr_t *attr;
    char *const *argv, *const *envp;
};

// Handlers of the parent must not run in the child; what is ignored stays so. musl knows which
// signals may have a handler.
static void reset_signals(const posix_spawnattr_t *attr)
{
    static const unsigned long internal = 7ul << 31; // 32 to 34
    struct sigaction sa = {.sa_handler = SIG_DFL};
    unsigned long def = 0, handled;
    sigset_t set;
    __get_handler_set(&set);
    handled = set.__bits[0];
    if (attr->__flags & POSIX_SPAWN_SETSIGDEF)
        def = attr->__def.__bits[0];
    for (unsigned long rest = def | handled; rest; rest &= rest - 1) {
        int signo = __builtin_ctzl(rest) + 1;
        unsigned long bit = rest & -rest;
        sa.sa_handler = SIG_DFL;
        if (!(def & bit) && internal & bit) {
            sa.sa_handler = SIG_IGN;
        } else if (!(def & bit)) {
            __libc_sigaction(signo, 0, &sa);
            if (sa.sa_handler == SIG_IGN)
                continue;
            sa.sa_handler = SIG_DFL;
        }
        __libc_sigaction(signo, &sa, 0);
    }
}

static int set_attributes(const posix_spawnattr_t *attr)
{
    int r;
    if (attr->__flags & POSIX_SPAWN_SETSID && (r = __syscall(SYS_setsid)) < 0)
        return r;
    if (attr->__flags & POSIX_SPAWN_SETPGROUP && (r = __syscall(SYS_setpgid, 0, attr->__pgrp)))
        return r;
    // Not the library's functions, which would change the parent's idea of its ids.
    if (attr->__flags & POSIX_SPAWN_RESETIDS &&
        ((r = __syscall(SYS_setgid, __syscall(SYS_getgid))) ||
         (r = __syscall(SYS_setuid, __syscall(SYS_getuid)))))
        return r;
    return 0;
}

static int file_action(const struct fdop *op)
{
    int fd, r;
    switch (op->cmd) {
    case FDOP_CLOSE:
        __syscall(SYS_close, op->fd);
        return 0;
    case FDOP_DUP2:
        if (op->srcfd != op->fd)
            return __syscall(SYS_dup2, op->srcfd, op->fd);
        r = __syscall(SYS_fcntl, op->fd, F_GETFD);
        return r < 0 ? r : __syscall(SYS_fcntl, op->fd, F_SETFD, r & ~FD_CLOEXEC);
    case FDOP_OPEN:
        fd = __sys_open(op->path, op->oflag, op->mode);
        if (fd < 0 || fd == op->fd)
            return fd;
        r = __syscall(SYS_dup2, fd, op->fd);
        __syscall(SYS_close, fd);
        return r;
    case FDOP_CHDIR:
        return __syscall(SYS_chdir, op->path);
    case FDOP_FCHDIR:
        return __syscall(SYS_fchdir, op->fd);
    default:
        return 0;
    }
}

// The actions in their order; `pipe` steps out of the way of a descriptor they name.
static int file_actions(const posix_spawn_file_actions_t *fa, int *pipe)
{
    struct fdop *op = fa ? fa->__actions : 0;
    int r = 0;
    while (op && op->next)
        op = op->next;
    for (; op && r >= 0; op = op->prev) {
        if (*pipe >= 0 && op->fd == *pipe) {
            if ((r = __syscall(SYS_fcntl, *pipe, F_DUPFD_CLOEXEC, 0)) < 0)
                break;
            __syscall(SYS_close, *pipe);
            *pipe = r;
        }
        r = *pipe >= 0 && op->cmd == FDOP_DUP2 && op->srcfd == *pipe ? -EBADF : file_action(op);
    }
    return r < 0 ? r : 0;
}

static int child(void *argument)
{
    struct args *args = argument;
    const posix_spawnattr_t *attr = args->attr;
    int pipe = args->pipe[1], error;
    reset_signals(attr);
    error = -set_attributes(attr);
    if (!error)
        error = -file_actions(args->fa, &pipe);
    if (!error) {
        int (*exec)(const char *, char *const *, char *const *) =
            attr->__fn ? (int (*)())attr->__fn : execve;
        pthread_sigmask(SIG_SETMASK,
                        attr->__flags & POSIX_SPAWN_SETSIGMASK ? &attr->__mask : &args->oldmask, 0);
        exec(args->path, args->argv, args->envp);
        error = errno;
    }
    args->error = error;
    if (pipe >= 0) // shorter than PIPE_BUF: all or nothing
        while (__syscall(SYS_write, pipe, &error, sizeof error) < 0)
            ;
    _exit(127);
}

// Runs the child; an error, or 0 and the pid.
static int run(struct args *args, pid_t *pid)
{
    char stack[1024 + PATH_MAX];
    int told;
    args->pipe[0] = args->pipe[1] = -1;
    if (args->attr->__flags & REAL_PROCESS && pipe2(args->pipe, O_CLOEXEC))
        return errno;
    *pid = __clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, args);
    if (args->pipe[0] >= 0) {
        close(args->pipe[1]);
        if (*pid > 0 && read(args->pipe[0], &told, sizeof told) == sizeof told)
            args->error = told;
        close(args->pipe[0]);
    }
    if (*pid < 0)
        return -*pid;
    if (args->error)
        waitpid(*pid, &told, 0);
    return args->error;
}

int posix_spawn(pid_t *restrict res, const char *restrict path,
                const posix_spawn_file_actions_t *fa, const posix_spawnattr_t *restrict attr,
                char *const argv[restrict], char *const envp[restrict])
{
    static const posix_spawnattr_t plain;
    struct args args = {
        .path = path, .fa = fa, .attr = attr ? attr : &plain, .argv = argv, .envp = envp};
    int cancel, error;
    pid_t pid;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    pthread_sigmask(SIG_BLOCK, SIGALL_SET, &args.oldmask);
    LOCK(__abort_lock); // abort() must not change SIGABRT meanwhile
    error = run(&args, &pid);
    UNLOCK(__abort_lock);
    if (!error && res)
        *res = pid;
    pthread_sigmask(SIG_SETMASK, &args.oldmask, 0);
    pthread_setcancelstate(cancel, 0);
    return error;
}
