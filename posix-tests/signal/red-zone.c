// SPDX-License-Identifier: MIT
//
// A handler must not write below the interrupted stack pointer where leaf functions keep data (128
// bytes on x86-64); the stack is 16-byte aligned at its entry.
#include "tap.h"
#include <sys/time.h>
static volatile sig_atomic_t count, unaligned;

static void note(int sig)
{
    volatile char fill[512];
    (void)sig;
    memset((char *)fill, 0xa5, sizeof fill);
    count++;
    unaligned += ((uintptr_t)__builtin_frame_address(0) & 15) != 0;
}

// Keeps values in the red zone, counts the rounds in which one was lost.
static long leaf(long rounds)
{
    long lost = 0;
    __asm__ volatile("mov %1, %%rcx\n"
                     "1: mov %%rcx, -8(%%rsp)\n"
                     "mov %%rcx, -64(%%rsp)\n"
                     "mov %%rcx, -128(%%rsp)\n"
                     "nop\n nop\n"
                     "cmp %%rcx, -8(%%rsp)\n jne 2f\n"
                     "cmp %%rcx, -64(%%rsp)\n jne 2f\n"
                     "cmp %%rcx, -128(%%rsp)\n je 3f\n"
                     "2: inc %0\n"
                     "3: dec %%rcx\n jnz 1b"
                     : "+r"(lost)
                     : "r"(rounds)
                     : "rcx", "memory", "cc");
    return lost;
}

int main(void)
{
    struct itimerval t = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
    long lost = 0;
    tap_start();
    signal(SIGALRM, note);
    SYS(setitimer(ITIMER_REAL, &t, NULL));
    while (count < 15)
        lost += leaf(10000);
    SYS(setitimer(ITIMER_REAL, &off, NULL));
    tap_alarm();
    EQ(lost, 0);
    EQ(unaligned, 0);
    return tap_done();
}
