// SPDX-License-Identifier: MIT
//
// mprotect() of a part: exactly the pages named change; contents stay; PROT_NONE, read-only, and
// back; it holds over fork, and copy on write does not weaken it.
#include "tap.h"
#include <setjmp.h>
#include <sys/mman.h>
static sigjmp_buf back;
static siginfo_t seen;

static void leave(int sig, siginfo_t *si, void *context)
{
    (void)context;
    seen = *si;
    siglongjmp(back, sig);
}

// 0 nothing, 1 readable, 3 readable and writable.
static int rights(volatile char *p)
{
    volatile int can = 0;
    char value = 0;
    if (sigsetjmp(back, 1) == 0) {
        value = *p;
        can = 1;
        *p = value;
        can = 3;
    } else if (seen.si_addr != p || seen.si_code != SEGV_ACCERR)
        return -1;
    return can;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = leave, .sa_flags = SA_SIGINFO};
    tap_start();
    const long page = 4096;
    SYS(sigaction(SIGSEGV, &sa, NULL));
    char *m = mmap(NULL, 7 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(m != MAP_FAILED);
    for (int i = 0; i < 7; i++)
        m[i * page] = m[i * page + page - 1] = 'a' + i;
    EQ(mprotect(m + page, page, PROT_READ), 0);
    EQ(mprotect(m + 3 * page, 2 * page, PROT_NONE), 0);
    static const int want[] = {3, 1, 3, 0, 0, 3, 3};
    for (int i = 0; i < 7; i++) {
        EQ(rights(m + i * page), want[i]);
        EQ(rights(m + i * page + page - 1), want[i]);
    }
    IN_CHILD("after fork") {
        for (int i = 0; i < 7; i++)
            EQ(rights(m + i * page + 9), want[i]);
        EQ(mprotect(m, 7 * page, PROT_READ | PROT_WRITE), 0);
        m[3 * page + 1] = 'C';
    }
    EQ(rights(m + page), 1);
    EQ(mprotect(m, 7 * page, PROT_READ | PROT_WRITE), 0);
    int wrong = m[3 * page + 1] != 0;
    for (int i = 0; i < 7; i++)
        wrong += m[i * page] != 'a' + i || m[i * page + page - 1] != 'a' + i;
    EQ(wrong, 0);
    EQ(rights(m + 4 * page), 3);
    return tap_done();
}
