// SPDX-License-Identifier: MIT
//
// Misuse: what a program tries that leaves its library OS aside and talks to the kernel and the
// servers itself.
//
//     ATTEMPT("another's process killed") {
//         TRY(ask(H_INIT, PROC_OP_KILL, victim, SIGKILL), -EPERM);
//     }
//
// is one check named for the misuse: every answer must be the one given, and afterwards the process
// records of everybody (ids, groups, states, flags) and the watched file must be what they were.
// That the kernel's counts come back is seen at the end of the machine (apps/init/end.c).
#ifndef MISUSE_H
#define MISUSE_H

#include "tap.h"
#include <exo/exo.h>
#include <proto/fs.h>
#include <proto/proc.h>
#include <proto/server.h>
#include <proto/start.h>
#include <proto/tty.h>

static inline struct exo_ctx *own_ctx(void)
{
    struct exo_ctx *ctx;
    __asm__("mov %%gs:0x08, %0" : "=r"(ctx));
    return ctx;
}

static inline char *own_message(void)
{
    return (char *)own_ctx() + EXO_PAGE_SIZE;
}

// A call to a server with six words; made again when a signal came before the server took it.
static inline int64_t raw_call(exo_handle_t endpoint, struct exo_msg *m)
{
    struct exo_msg request = *m;
    int64_t error;
    while ((error = exo_call(endpoint, m)) == -EXO_EINTR)
        *m = request;
    return error;
}

// The server's answer, w[0], or -1000 - the kernel's error.
static inline long ask_all(exo_handle_t endpoint, uint64_t meta, uint64_t op, uint64_t a,
                           uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    struct exo_msg m = {.meta = meta, .w = {op, a, b, c, d, e}};
    memset(own_ctx()->recv, 0, sizeof own_ctx()->recv);
    int64_t error = raw_call(endpoint, &m);
    return error < 0 ? -1000 + (long)error : (long)m.w[0];
}

#define ASK_(ep, op, a, b, c, d, e, ...)                                                           \
    ask_all(ep, 0, op, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e))
#define ask(ep, ...) ASK_(ep, __VA_ARGS__, 0, 0, 0, 0, 0, 0)

// The same with a message; `bytes` of it, whatever they are.
static inline long ask_with(exo_handle_t endpoint, const void *message, size_t bytes, uint64_t op,
                            uint64_t a, uint64_t b)
{
    memcpy(own_message(), message, bytes);
    return ask_all(endpoint, EXO_META(bytes, 0), op, a, b, 0, 0, 0);
}

#define RECORDS ((const volatile struct proc_rec *)LIBOS_PROCTAB)

static inline const volatile struct proc_rec *record_of(pid_t pid)
{
    for (unsigned i = 0; i < EXO_INFO->envs && i < PROC_PER_SEGMENT; i++) {
        const volatile struct proc_rec *r =
            (const volatile void *)((const volatile char *)RECORDS + i * PROC_REC_SIZE);
        if (EXO_ENVS[i].state != EXO_ENV_FREE && r->pid == pid && r->state != PROC_FREE)
            return r;
    }
    return NULL;
}

static inline uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x100000001b3ull;
}

// Of all processes: who they are, whose, and in which state, but for the caller's own parent, who
// runs.
static inline uint64_t records_sum(void)
{
    uint64_t h = 14695981039346656037ull;
    for (unsigned i = 0; i < EXO_INFO->envs && i < PROC_PER_SEGMENT; i++) {
        const volatile struct proc_rec *r =
            (const volatile void *)((const volatile char *)RECORDS + i * PROC_REC_SIZE);
        if (EXO_ENVS[i].state == EXO_ENV_FREE || r->state == PROC_FREE)
            continue;
        uint64_t words[] = {r->env,     r->state,     r->pid,  r->ppid, r->pgid, r->sid,
                            r->ruid,    r->euid,      r->suid, r->rgid, r->egid, r->sgid,
                            r->ngroups, r->groups[0], r->tty,  r->nice, r->flags};
        for (unsigned k = 0; k < sizeof words / sizeof *words; k++)
            h = mix(h, words[k]);
    }
    return h;
}

static const char *attempt_watch; // a file that must stay as it is
static int attempt_open, attempt_wrong;
static uint64_t attempt_before;
static char attempt_why[300];

static inline uint64_t world_sum(void)
{
    uint64_t h = records_sum();
    struct stat st;
    if (attempt_watch && stat(attempt_watch, &st) == 0) {
        uint64_t words[] = {st.st_ino,
                            st.st_mode,
                            st.st_uid,
                            st.st_gid,
                            st.st_nlink,
                            (uint64_t)st.st_size,
                            (uint64_t)st.st_mtim.tv_sec,
                            (uint64_t)st.st_mtim.tv_nsec};
        for (unsigned k = 0; k < sizeof words / sizeof *words; k++)
            h = mix(h, words[k]);
    }
    return h;
}

static inline void attempt_begin(void)
{
    attempt_open = 1;
    attempt_wrong = 0;
    attempt_why[0] = 0;
    attempt_before = world_sum();
}

static inline void attempt_end(const char *name, int line)
{
    if (world_sum() != attempt_before) {
        attempt_wrong++;
        snprintf(attempt_why, sizeof attempt_why, "something else has changed");
    }
    attempt_open = 0;
    tap_result(!attempt_wrong, line, name, "%s", attempt_why);
}

static inline void attempt_try(long long got, long long want, const char *what, int line)
{
    if (got == want)
        return;
    if (!attempt_wrong++)
        snprintf(attempt_why, sizeof attempt_why, "line %d: %.180s: got %lld, want %lld", line,
                 what, got, want);
}

#define ATTEMPT(name)   for (attempt_begin(); attempt_open; attempt_end(name, __LINE__))
#define TRY(call, want) attempt_try((long long)(call), (long long)(want), #call, __LINE__)
#define TRY_FAILS(call) attempt_try((long long)(call) < 0, 1, #call " fails", __LINE__)
#define TRY_TRUE(cond)  attempt_try(!!(cond), 1, #cond, __LINE__)

static inline void copy_to(const char *from, const char *to)
{
    static char buf[65536];
    int in = SYS(open(from, O_RDONLY)), out = SYS(open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755));
    for (ssize_t n; (n = SYS(read(in, buf, sizeof buf))) > 0;)
        NEED(write(out, buf, n) == n);
    NEED(close(in) == 0 && close(out) == 0);
}

// The rest of the test runs as this user, in a child of root's test; the parent passes its checks
// on.
static inline int as_user(uid_t uid)
{
    if (geteuid() != 0)
        return 1;
    pid_t pid = fork();
    NEED(pid >= 0);
    if (pid == 0) {
        tap_drop(uid);
        tap_alarm();
        return 1;
    }
    int status;
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// A process of root that only waits, to be somebody's victim.
static inline pid_t victim_start(void)
{
    pid_t pid = fork();
    NEED(pid >= 0);
    if (pid == 0) {
        alarm(TAP_CHILD_LIMIT);
        setsid();
        for (;;)
            pause();
    }
    while (!record_of(pid) || record_of(pid)->sid != pid)
        tap_sleep(2);
    return pid;
}

#endif
