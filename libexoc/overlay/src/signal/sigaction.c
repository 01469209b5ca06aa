// SPDX-License-Identifier: MIT
/*
 * Replaces musl's file, and keeps its promises to the rest of musl: __get_handler_set() tells which
 * signals may have a handler, __eintr_valid_flag that one without SA_RESTART was ever asked for,
 * the signals musl keeps are unblocked before the first handler is installed, and SIGABRT's action
 * changes under abort()'s lock. What is different is the common case, which repeats what is known
 * already: it stores nothing and has no atomic instruction.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include "ksigaction.h"
#include "libc.h"
#include "lock.h"
#include "pthread_impl.h"
#include "syscall.h"

static volatile uint64_t handled;
static int unblocked;
volatile int __eintr_valid_flag;

void __get_handler_set(sigset_t *set)
{
    set->__bits[0] = handled;
}

// Before a handler is installed.
static inline void expect_handler(int sig, int flags)
{
    uint64_t bit = 1ull << (sig - 1);
    if (!(handled & bit))
        a_or_64(&handled, bit);
    if (!unblocked && !libc.threaded) {
        __syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, SIGPT_SET, 0, _NSIG / 8);
        unblocked = 1;
    }
    if (!(flags & SA_RESTART) && !__eintr_valid_flag)
        a_store(&__eintr_valid_flag, 1);
}

static inline int set(int sig, const struct sigaction *restrict sa, struct k_sigaction *was)
{
    struct k_sigaction action = {sa->sa_handler, sa->sa_flags | SA_RESTORER, __restore_rt, {0}};
    __builtin_memcpy(&action.mask, &sa->sa_mask, sizeof action.mask);
    if (action.handler != SIG_DFL && action.handler != SIG_IGN)
        expect_handler(sig, sa->sa_flags);
    return __syscall_ret(__syscall(SYS_rt_sigaction, sig, &action, was, _NSIG / 8));
}

int __libc_sigaction(int sig, const struct sigaction *restrict sa, struct sigaction *restrict old)
{
    struct k_sigaction was;
    int r = sa ? set(sig, sa, &was) : syscall(SYS_rt_sigaction, sig, 0, &was, _NSIG / 8);
    if (old && !r) {
        old->sa_handler = was.handler;
        old->sa_flags = was.flags;
        __builtin_memcpy(&old->sa_mask, &was.mask, sizeof was.mask);
    }
    return r;
}

static int change_abort(const struct sigaction *restrict sa, struct sigaction *restrict old)
{
    unsigned long mask[_NSIG / 8 / sizeof(long)];
    __block_all_sigs(&mask);
    LOCK(__abort_lock);
    int r = __libc_sigaction(SIGABRT, sa, old);
    UNLOCK(__abort_lock);
    __restore_sigs(&mask);
    return r;
}

#define BIT(sig)  (1ul << ((sig)-1))
#define NOT_PLAIN (BIT(32) | BIT(33) | BIT(34) | BIT(SIGABRT))

static int __attribute__((__noinline__))
unusual(int sig, const struct sigaction *restrict sa, struct sigaction *restrict old)
{
    if (sig - 32u < 3 || sig - 1u >= _NSIG - 1) {
        errno = EINVAL;
        return -1;
    }
    return sig == SIGABRT ? change_abort(sa, old) : __libc_sigaction(sig, sa, old);
}

int __sigaction(int sig, const struct sigaction *restrict sa, struct sigaction *restrict old)
{
    if (!sa || old || sig - 1u >= _NSIG - 1 || NOT_PLAIN & BIT(sig))
        return unusual(sig, sa, old);
    return set(sig, sa, 0);
}

weak_alias(__sigaction, sigaction);
