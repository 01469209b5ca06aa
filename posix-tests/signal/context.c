// SPDX-License-Identifier: MIT
//
// The third argument of a handler is the interrupted context: changing its instruction pointer
// moves the program, its mask is put back on return.
#include "tap.h"
#include <ucontext.h>
static volatile sig_atomic_t skipped;

static void skip(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    (void)sig, (void)si;
    skipped++;
    uc->uc_mcontext.gregs[REG_RIP] += 2;
    uc->uc_mcontext.gregs[REG_RBX] = 77;
}

static void mask(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    (void)sig, (void)si;
    sigaddset(&uc->uc_sigmask, SIGUSR2);
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    long rbx;
    sigset_t now;
    tap_start();
    SYS(sigaction(SIGILL, &sa, NULL));
    __asm__ volatile("xor %%ebx, %%ebx; ud2; mov %%rbx, %0" : "=r"(rbx) : : "rbx");
    EQ(rbx, 77);
    EQ(skipped, 1);
    sa.sa_sigaction = mask;
    SYS(sigaction(SIGUSR1, &sa, NULL));
    raise(SIGUSR1);
    sigprocmask(SIG_BLOCK, NULL, &now);
    EQ(sigismember(&now, SIGUSR2), 1);
    EQ(sigismember(&now, SIGUSR1), 0);
    return tap_done();
}
