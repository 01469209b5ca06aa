// SPDX-License-Identifier: MIT
//
// SIGFPE, SIGILL, SIGTRAP and SIGSEGV from instructions: the default kills with that signal; a
// handler that returns runs the instruction again, a trap goes on behind it.
#include "tap.h"
static volatile sig_atomic_t calls;

static void note(int sig, siginfo_t *si, void *context)
{
    (void)si, (void)context;
    calls++;
    signal(sig, SIG_DFL);
}

static void fault(int sig)
{
    int zero = 0, result;
    if (sig == SIGFPE)
        __asm__ volatile("cltd; idivl %1" : "=a"(result) : "r"(zero), "a"(1) : "edx");
    else if (sig == SIGILL)
        __asm__ volatile("ud2");
    else if (sig == SIGTRAP)
        __asm__ volatile("int3");
    else
        __asm__ volatile("hlt");
}

int main(void)
{
    static const int sigs[] = {SIGFPE, SIGILL, SIGTRAP, SIGSEGV};
    tap_start();
    for (int i = 0; i < 4; i++) {
        pid_t pid = tap_fork();
        if (pid == 0) {
            fault(sigs[i]);
            _exit(0);
        }
        EQ(tap_wait(pid), 128 + sigs[i]);
        pid = tap_fork();
        if (pid == 0) {
            struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
            SYS(sigaction(sigs[i], &sa, NULL));
            fault(sigs[i]);
            EQ(sigs[i], SIGTRAP);
            EQ(calls, 1);
            _exit(128 + SIGTRAP);
        }
        EQ(tap_wait(pid), 128 + sigs[i]);
    }
    return tap_done();
}
