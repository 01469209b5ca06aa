// SPDX-License-Identifier: MIT
//
// Code runs from PROT_EXEC mappings only: freshly written and then protected code runs, data pages
// and the stack do not.
#include "tap.h"
#include <sys/mman.h>
static const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3}; // mov $42, %eax; ret

static int run(void *at)
{
    pid_t pid = tap_fork();
    if (pid == 0)
        _exit(((int (*)(void))at)());
    return tap_wait(pid);
}

int main(void)
{
    unsigned char stack[64];
    static unsigned char data[64];
    tap_start();
    char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(m != MAP_FAILED);
    memcpy(m, code, sizeof code);
    EQ(run(m), 128 + SIGSEGV);
    EQ(mprotect(m, 4096, PROT_READ | PROT_EXEC), 0);
    EQ(run(m), 42);
    EQ(mprotect(m, 4096, PROT_READ), 0);
    EQ(run(m), 128 + SIGSEGV);
    memcpy(stack, code, sizeof code);
    memcpy(data, code, sizeof code);
    EQ(run(stack), 128 + SIGSEGV);
    EQ(run(data), 128 + SIGSEGV);
    pid_t pid = tap_fork();
    if (pid == 0) {
        *(volatile char *)(uintptr_t)run = 0;
        _exit(0);
    }
    EQ(tap_wait(pid), 128 + SIGSEGV);
    pid = tap_fork();
    if (pid == 0) {
        *(volatile char *)(uintptr_t)code = 0;
        _exit(0);
    }
    EQ(tap_wait(pid), 128 + SIGSEGV);
    return tap_done();
}
