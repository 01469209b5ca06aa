// SPDX-License-Identifier: MIT
//
// TAP for the conformance programs: one header, no library, so that a test is one source file.
//
// A test calls tap_start(), makes its checks with OK, EQ and ERR, and returns tap_done(). Every
// check writes its line at once with write(2): nothing is lost when the program dies, and nothing
// is printed twice after a fork.
//
// The same macros work in a child made by tap_fork() or IN_CHILD. There a check that holds is
// silent, and one that fails prints a diagnostic and ends the child with TAP_CHILD_FAILED, which
// the parent sees as the child's status. IN_CHILD counts as one check of the parent.
//
// Every process of a test carries an alarm: a hang is a failure, never a stuck machine. The limit
// is far above what the slowest emulator needs; tests must not measure speed.
//
// tap_tmp() enters a new directory below $TMPDIR (or /tmp); tap_done() removes it.
#ifndef TAP_H
#define TAP_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TAP_LIMIT = 60, TAP_CHILD_LIMIT = 50, TAP_CHILD_FAILED = 99 };

static int tap_count, tap_failures, tap_in_child;
static pid_t tap_pid;
static char tap_dir[PATH_MAX];

__attribute__((format(printf, 1, 2))) static inline void tap_say(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (length > (int)sizeof line - 2)
        length = sizeof line - 2;
    line[length++] = '\n';
    for (int done = 0; done < length;) {
        ssize_t n = write(1, line + done, length - done);
        if (n <= 0 && errno != EINTR)
            return;
        done += n > 0 ? n : 0;
    }
}

// A test that needs an alarm of its own calls this afterwards.
static inline void tap_alarm(void)
{
    alarm(tap_in_child ? TAP_CHILD_LIMIT : TAP_LIMIT);
}

static inline void tap_start(void)
{
    static const int reset[] = {SIGPIPE, SIGCHLD, SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGALRM};
    for (size_t i = 0; i < sizeof reset / sizeof *reset; i++)
        signal(reset[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    tap_alarm();
}

static inline void tap_remove(const char *path)
{
    DIR *dir = unlink(path) == 0 ? NULL : (chmod(path, 0700), opendir(path));
    if (!dir)
        return;
    char child[PATH_MAX];
    for (struct dirent *e; (e = readdir(dir));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        if (snprintf(child, sizeof child, "%s/%s", path, e->d_name) < (int)sizeof child)
            tap_remove(child);
    }
    closedir(dir);
    rmdir(path);
}

static inline void tap_clean(void)
{
    if (*tap_dir && chdir("/") == 0)
        tap_remove(tap_dir);
    *tap_dir = 0;
}

static inline int tap_done(void)
{
    tap_clean();
    tap_say("1..%d", tap_count);
    return tap_failures != 0;
}

static inline void tap_skip_all(const char *reason)
{
    tap_clean();
    tap_say("1..0 # SKIP %s", reason);
    exit(0);
}

static inline void tap_skip(const char *what, const char *reason)
{
    tap_say("ok %d - %s # SKIP %s", ++tap_count, what, reason);
}

__attribute__((format(printf, 4, 5))) static inline void
tap_result(int ok, int line, const char *text, const char *format, ...)
{
    char why[512];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (tap_in_child) {
        if (ok)
            return;
        tap_say("# child, line %d: %s: %s", line, text, why);
        _exit(TAP_CHILD_FAILED);
    }
    tap_say("%s %d - line %d: %s", ok ? "ok" : "not ok", ++tap_count, line, text);
    if (!ok) {
        tap_failures++;
        tap_say("#   %s", why);
    }
}

static inline void tap_eq(long long got, long long want, int line, const char *text)
{
    tap_result(got == want, line, text, "got %lld, want %lld, errno %s", got, want,
               strerror(errno));
}

static inline void tap_err(int failed, int got, int want, int line, const char *text)
{
    tap_result(failed && got == want, line, text, "%s%s, want %s",
               failed ? "got " : "succeeded, errno ", strerror(got), strerror(want));
}

__attribute__((noreturn)) static inline void tap_give_up(int line, const char *text)
{
    tap_result(0, line, text, "cannot go on: %s", strerror(errno));
    _exit(tap_done());
}

static inline long long tap_sys(long long result, int line, const char *text)
{
    if (result == -1)
        tap_give_up(line, text);
    return result;
}

// One check: the condition holds.
#define OK(cond)                                                                                   \
    do {                                                                                           \
        int ok_ = !!(cond);                                                                        \
        tap_result(ok_, __LINE__, #cond, "errno %s", strerror(errno));                             \
    } while (0)

// One check: two integers (or pointers) are equal.
#define EQ(got, want)                                                                              \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        tap_eq(got_, want_, __LINE__, #got " == " #want);                                          \
    } while (0)

// One check: the call returns -1 (or MAP_FAILED) and sets errno to `code`.
#define ERR(call, code)                                                                            \
    do {                                                                                           \
        errno = 0;                                                                                 \
        int failed_ = (long long)(call) == -1, errno_ = errno;                                     \
        tap_err(failed_, errno_, code, __LINE__, #call " fails with " #code);                      \
    } while (0)

// The same for calls that return a null pointer.
#define ERR_NULL(call, code)                                                                       \
    do {                                                                                           \
        errno = 0;                                                                                 \
        int failed_ = (call) == NULL, errno_ = errno;                                              \
        tap_err(failed_, errno_, code, __LINE__, #call " fails with " #code);                      \
    } while (0)

// One check: two strings are equal.
#define STR(got, want)                                                                             \
    do {                                                                                           \
        const char *got_ = (got), *want_ = (want);                                                 \
        tap_result(got_ && !strcmp(got_, want_), __LINE__, #got " is " #want,                      \
                   "got \"%.200s\", want \"%.200s\"", got_ ? got_ : "(null)", want_);              \
    } while (0)

// Preconditions: no check of its own, but the test ends as failed when they do not hold.
#define NEED(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            tap_give_up(__LINE__, #cond);                                                          \
    } while (0)
#define SYS(call) tap_sys((long long)(call), __LINE__, #call)

static inline pid_t tap_fork(void)
{
    pid_t pid = SYS(fork());
    if (pid == 0) {
        tap_in_child = 1;
        tap_alarm();
    }
    return pid;
}

// Wait for one child: its exit status, or 128 + the signal that killed it.
static inline int tap_wait(pid_t pid)
{
    int status;
    pid_t got;
    do {
        got = waitpid(pid, &status, 0);
    } while (got == -1 && errno == EINTR);
    NEED(got == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int tap_enter(void)
{
    pid_t pid = tap_fork();
    if (pid)
        tap_pid = pid;
    return pid == 0;
}

static inline int tap_leave(int line, const char *text)
{
    tap_eq(tap_wait(tap_pid), 0, line, text);
    return 0;
}

// IN_CHILD("what is shown") { checks } runs the block in a child; one check of the parent.
#define IN_CHILD(text)                                                                             \
    for (int in_child_ = tap_enter(); in_child_ || tap_leave(__LINE__, text); _exit(0))

static inline void tap_tmp(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(tap_dir, sizeof tap_dir, "%s/exoc-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(tap_dir)) {
        *tap_dir = 0;
        tap_give_up(__LINE__, "mkdtemp");
    }
    char real[PATH_MAX];
    SYS(chdir(tap_dir));
    NEED(getcwd(real, sizeof real));
    strcpy(tap_dir, real);
}

// The absolute path of the running program, for tests that execute themselves.
static inline const char *tap_self(char **argv)
{
    static char path[PATH_MAX * 2];
    char cwd[PATH_MAX];
    NEED(getcwd(cwd, sizeof cwd));
    snprintf(path, sizeof path, "%s%s%s", *argv[0] == '/' ? "" : cwd, *argv[0] == '/' ? "" : "/",
             argv[0]);
    return path;
}

static inline void tap_drop(uid_t uid)
{
    if (geteuid() == 0) {
        gid_t gid = uid;
        NEED(setgroups(0, NULL) == 0 && setgid(gid) == 0);
        NEED(setuid(uid) == 0);
    }
}

static inline void tap_put(const char *path, mode_t mode, const char *text)
{
    int fd = SYS(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    NEED(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    NEED(fchmod(fd, mode) == 0 && close(fd) == 0);
}

static inline const char *tap_get(const char *path)
{
    static char text[4096];
    int fd = SYS(open(path, O_RDONLY));
    ssize_t n = SYS(read(fd, text, sizeof text - 1));
    text[n] = 0;
    close(fd);
    return text;
}

// Post and await one byte on a pipe: the order of two processes, without a guess about time.
static inline void tap_post(int fd)
{
    NEED(write(fd, "!", 1) == 1);
}

static inline void tap_await(int fd)
{
    char byte;
    ssize_t n;
    do {
        n = read(fd, &byte, 1);
    } while (n == -1 && errno == EINTR);
    NEED(n == 1);
}

// A second process that carries out one change at a time, whichever it is told.
static int tap_other_ask[2], tap_other_done[2];
static pid_t tap_other_pid;

static inline void tap_other_start(void (*change)(int what))
{
    unsigned char what;
    SYS(pipe(tap_other_ask));
    SYS(pipe(tap_other_done));
    tap_other_pid = tap_fork();
    if (tap_other_pid)
        return;
    close(tap_other_ask[1]);
    while (read(tap_other_ask[0], &what, 1) == 1) {
        change(what);
        EQ(write(tap_other_done[1], &what, 1), 1);
    }
    _exit(0);
}

static inline void tap_other_do(int what)
{
    unsigned char byte = (unsigned char)what;
    SYS(write(tap_other_ask[1], &byte, 1));
    EQ(read(tap_other_done[0], &byte, 1), 1);
}

static inline void tap_other_end(void)
{
    close(tap_other_ask[1]);
    EQ(tap_wait(tap_other_pid), 0);
}

// A write to an address that is never mapped, which the compiler cannot see through.
static inline void tap_crash(void)
{
    volatile int *volatile nowhere = (int *)8;
    *nowhere = 1;
}

static inline void tap_sleep(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&t, &t) == -1 && errno == EINTR)
        ;
}

static inline long long tap_ms(void)
{
    struct timespec t;
    NEED(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

#endif
