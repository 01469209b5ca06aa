// SPDX-License-Identifier: MIT
//
// SIGSEGV: si_addr and si_code tell the fault (SEGV_MAPERR, SEGV_ACCERR); the handler may mend the
// page and return; blocked or ignored it kills.
#include "tap.h"
#include <sys/mman.h>
static siginfo_t seen;
static char *map;

static void mend(int sig, siginfo_t *si, void *context)
{
    (void)sig, (void)context;
    seen = *si;
    char *page = (char *)((uintptr_t)si->si_addr & ~4095UL);
    if (mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        MAP_FAILED)
        _exit(3);
}

static int dies(int how)
{
    pid_t pid = tap_fork();
    if (pid == 0) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGSEGV);
        if (how == 0)
            signal(SIGSEGV, SIG_DFL);
        if (how == 1)
            signal(SIGSEGV, SIG_IGN);
        if (how == 2)
            sigprocmask(SIG_BLOCK, &set, NULL);
        tap_crash();
        _exit(1);
    }
    return tap_wait(pid);
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
    tap_start();
    map = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(map != MAP_FAILED);
    SYS(munmap(map + 4096, 4096));
    SYS(sigaction(SIGSEGV, &sa, NULL));
    volatile char *at = map + 5;
    *at = 1;
    OK(seen.si_addr == map + 5);
    EQ(seen.si_code, SEGV_ACCERR);
    EQ(*at, 1);
    at = map + 4096 + 77;
    *at = 2;
    OK(seen.si_addr == map + 4096 + 77);
    EQ(seen.si_code, SEGV_MAPERR);
    EQ(*at, 2);
    SYS(mprotect(map + 8192, 4096, PROT_NONE));
    at = map + 8192 + 1;
    EQ(*at, 0);
    EQ(seen.si_code, SEGV_ACCERR);
    EQ(dies(0), 128 + SIGSEGV);
    EQ(dies(1), 128 + SIGSEGV);
    EQ(dies(2), 128 + SIGSEGV);
    return tap_done();
}
