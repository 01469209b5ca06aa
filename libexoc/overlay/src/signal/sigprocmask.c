// SPDX-License-Identifier: MIT
/*
 * Replaces musl's file, which goes through pthread_sigmask(): the same in one function. What the
 * library OS refuses is refused here, and the signals that musl keeps for itself are not shown.
 */
#include <signal.h>
#include "syscall.h"

#define KEPT (7ul << 31) // 32 to 34

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    long r = __syscall(SYS_rt_sigprocmask, how, set, old, _NSIG / 8);
    if (r)
        return __syscall_ret(r);
    if (old)
        old->__bits[0] &= ~KEPT;
    return 0;
}
