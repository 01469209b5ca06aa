// SPDX-License-Identifier: MIT
/*
 * exo-entries: how often common POSIX calls enter the kernel, counted by the kernel itself in the
 * exposed environment table. Prints TAP: 10,000 calls of each must make no entry at all.
 */
#include <exo/exo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CALLS 10000

static uint64_t entries(void)
{
    struct exo_ctx *ctx;
    __asm__("mov %%gs:0x08, %0" : "=r"(ctx));
    const volatile struct exo_env_info *me = &EXO_ENVS[EXO_ENV_INDEX(ctx->env)];
    return me->entries + me->foreign + me->faults;
}

static int file_fd, pipe_fd[2];
static char buffer[4096];

static int do_read(void)
{
    return pread(file_fd, buffer, sizeof(buffer), 0) == (ssize_t)sizeof(buffer) &&
           read(file_fd, buffer, 1) == 1 && lseek(file_fd, 0, SEEK_SET) == 0;
}
static int do_lseek(void)
{
    return lseek(file_fd, 100, SEEK_SET) == 100;
}
static int do_clock(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_MONOTONIC, &t) == 0;
}
static int do_getpid(void)
{
    return getpid() > 1 && getppid() > 0;
}
static int do_sigprocmask(void)
{
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    return sigprocmask(SIG_BLOCK, &set, &old) == 0 && sigprocmask(SIG_SETMASK, &old, NULL) == 0;
}
static int do_pipe(void)
{
    return write(pipe_fd[1], buffer, 512) == 512 && read(pipe_fd[0], buffer, 512) == 512;
}
static int do_overwrite(void)
{
    return pwrite(file_fd, buffer, 512, 1024) == 512;
}

static int do_stat(void)
{
    struct stat st;
    return stat("/etc/passwd", &st) == 0 && access("/etc/passwd", R_OK) == 0 &&
           stat("/etc/none", &st) < 0;
}
static int do_fstat(void)
{
    static int fd = -1;
    struct stat st;
    if (fd < 0)
        fd = open("/etc/passwd", O_RDONLY);
    return fstat(fd, &st) == 0;
}
static int do_open(void)
{
    int fd = open("/etc/passwd", O_RDONLY);
    return fd >= 0 && read(fd, buffer, 10) == 10 && close(fd) == 0;
}

static const struct {
    const char *name;
    int (*call)(void);
} calls[] = {
    {"read and pread of a cached file", do_read},
    {"lseek", do_lseek},
    {"clock_gettime", do_clock},
    {"getpid, getppid", do_getpid},
    {"sigprocmask", do_sigprocmask},
    {"pipe write and read", do_pipe},
    {"pwrite inside a file", do_overwrite},
    {"stat and access of known names", do_stat},
    {"fstat", do_fstat},
    {"open, read, close of a file closed before", do_open},
};
#define COUNT (sizeof(calls) / sizeof(calls[0]))

int main(void)
{
    int bad = 0;
    char name[] = "/tmp/entriesXXXXXX";
    file_fd = mkstemp(name);
    memset(buffer, 'x', sizeof(buffer));
    if (file_fd < 0 || write(file_fd, buffer, sizeof(buffer)) != (ssize_t)sizeof(buffer) ||
        pipe(pipe_fd) < 0) {
        puts("Bail out! cannot make the file and the pipe");
        return 1;
    }
    unlink(name);
    lseek(file_fd, 0, SEEK_SET);
    printf("1..%zu\n", COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        int ok = 1;
        for (int n = 0; n < 5; n++) // maps and faults in what the first calls need
            ok &= calls[i].call();
        uint64_t before = entries();
        for (int n = 0; n < CALLS; n++)
            ok &= calls[i].call();
        uint64_t made = entries() - before;
        bad |= !ok || made;
        printf("%s %zu - %s: %llu kernel entries in %d calls\n", ok && !made ? "ok" : "not ok",
               i + 1, calls[i].name, (unsigned long long)made, CALLS);
        fflush(stdout);
    }
    return bad;
}
