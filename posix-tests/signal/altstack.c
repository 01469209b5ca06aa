// SPDX-License-Identifier: MIT
//
// sigaltstack(): SA_ONSTACK handlers run on it and others do not; SS_ONSTACK and EPERM while in
// use; a stack overflow is caught there; inherited by fork.
#include "tap.h"
#include <setjmp.h>
#include <sys/resource.h>
static char *stack;
static sigjmp_buf back;
static volatile sig_atomic_t inside, flags, change;

enum { SIZE = 65536 };

static void note(int sig)
{
    char here;
    stack_t now, other = {.ss_flags = SS_DISABLE};
    inside = &here > stack && &here < stack + SIZE;
    sigaltstack(NULL, &now);
    flags = now.ss_flags;
    change = sigaltstack(&other, NULL) == -1 ? errno : 0;
    if (sig == SIGSEGV)
        siglongjmp(back, 1);
}

__attribute__((noinline)) static int deeper(int n)
{
    volatile char room[1000];
    room[n % 1000] = n;
    return n == -1 ? 0 : deeper(n + 1) + room[n % 1000];
}

int main(void)
{
    tap_start();
    stack = malloc(SIZE);
    stack_t st = {.ss_sp = stack, .ss_size = SIZE}, old;
    struct sigaction sa = {.sa_handler = note, .sa_flags = SA_ONSTACK};
    EQ(sigaltstack(NULL, &old), 0);
    EQ(old.ss_flags, SS_DISABLE);
    EQ(sigaltstack(&st, NULL), 0);
    EQ(sigaltstack(NULL, &old), 0);
    OK(old.ss_sp == stack && old.ss_size == SIZE && old.ss_flags == 0);
    SYS(sigaction(SIGUSR1, &sa, NULL));
    raise(SIGUSR1);
    EQ(inside, 1);
    EQ(flags, SS_ONSTACK);
    EQ(change, EPERM);
    signal(SIGUSR2, note);
    IN_CHILD("a plain handler stays on the normal stack, and the child has the stack too") {
        raise(SIGUSR2);
        EQ(inside, 0);
        raise(SIGUSR1);
        EQ(inside, 1);
    }
    st.ss_size = 100;
    ERR(sigaltstack(&st, NULL), ENOMEM);
    st.ss_size = SIZE;
    st.ss_flags = 77;
    ERR(sigaltstack(&st, NULL), EINVAL);
    struct rlimit limit = {1 << 20, 1 << 20};
    IN_CHILD("stack overflow, twice") {
        SYS(setrlimit(RLIMIT_STACK, &limit));
        SYS(sigaction(SIGSEGV, &sa, NULL));
        for (volatile int i = 0; i < 2; i++) {
            inside = 0;
            if (sigsetjmp(back, 1) == 0)
                deeper(0);
            EQ(inside, 1);
        }
    }
    return tap_done();
}
