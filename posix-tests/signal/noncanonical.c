// SPDX-License-Identifier: MIT
//
// Faults at addresses no page table can hold: SIGSEGV (or SIGBUS), catchable, and the system lives
// on.
#include "tap.h"
static const uintptr_t bad[] = {0x0000800000000000, 0x8000000000000000, 0xffff800000000000,
                                0xffffffff80000000, 0xfffffffffffff000, 0xffffffffffffffff};
static volatile sig_atomic_t calls;

static void note(int sig)
{
    calls += sig == SIGSEGV || sig == SIGBUS;
    _exit(41);
}

int main(void)
{
    tap_start();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (int how = 0; how < 4; how++) {
            pid_t pid = tap_fork();
            if (pid == 0) {
                signal(SIGSEGV, note);
                signal(SIGBUS, note);
                if (how == 0)
                    (void)*(volatile char *)bad[i];
                if (how == 1)
                    *(volatile char *)bad[i] = 1;
                if (how == 2)
                    ((void (*)(void))bad[i])();
                if (how == 3)
                    __asm__ volatile("mov %0, %%rsp; push %0" : : "r"(bad[i]));
                _exit(1);
            }
            int status = tap_wait(pid);
            OK(how == 3 ? status == 128 + SIGSEGV || status == 128 + SIGBUS : status == 41);
        }
    }
    return tap_done();
}
