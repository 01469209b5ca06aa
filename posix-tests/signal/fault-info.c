// SPDX-License-Identifier: MIT
//
// The siginfo of machine faults: FPE_INTDIV with the address of the instruction, ILL_ILLOPN, and a
// handler that leaves by siglongjmp many times.
#include "tap.h"
#include <setjmp.h>
static siginfo_t seen;
static sigjmp_buf back;

static void leave(int sig, siginfo_t *si, void *context)
{
    (void)sig, (void)context;
    seen = *si;
    siglongjmp(back, 1);
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = leave, .sa_flags = SA_SIGINFO};
    volatile int times = 0;
    tap_start();
    SYS(sigaction(SIGFPE, &sa, NULL));
    SYS(sigaction(SIGILL, &sa, NULL));
    SYS(sigaction(SIGSEGV, &sa, NULL));
    if (sigsetjmp(back, 1) == 0) {
        int zero = 0, one = 1;
        __asm__ volatile("cltd; idivl %1" : "+a"(one) : "r"(zero) : "edx");
    }
    EQ(seen.si_signo, SIGFPE);
    EQ(seen.si_code, FPE_INTDIV);
    OK(seen.si_addr != NULL);
    void *volatile address = NULL;
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("leaq 1f(%%rip), %%rax; movq %%rax, %0; 1: ud2" : "=m"(address) : : "rax");
    EQ(seen.si_signo, SIGILL);
    EQ(seen.si_code, ILL_ILLOPN);
    OK(seen.si_addr == address);
    sigsetjmp(back, 1);
    if (times++ < 300)
        tap_crash();
    EQ(times, 301);
    EQ(seen.si_signo, SIGSEGV);
    OK(seen.si_addr == (void *)8);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    EQ(sigismember(&now, SIGSEGV), 0);
    return tap_done();
}
