// SPDX-License-Identifier: MIT
//
// The stack grows on touch to 6 MB below a limit of 8 MB, keeps its contents, grows in the child of
// a fork, and beyond the limit is SIGSEGV.
#include "tap.h"
#include <sys/resource.h>

__attribute__((noinline)) static long use(long bytes)
{
    volatile char room[16384];
    room[0] = room[16383] = bytes / 16384;
    long sum = bytes > 16384 ? use(bytes - 16384) : 0;
    return sum + (room[0] == (char)(bytes / 16384)) + (room[16383] == (char)(bytes / 16384));
}

__attribute__((noinline)) static long endless(long depth)
{
    volatile char room[4096];
    room[0] = depth;
    return depth < 0 ? 0 : endless(depth + 1) + room[0];
}

int main(void)
{
    struct rlimit limit;
    tap_start();
    SYS(getrlimit(RLIMIT_STACK, &limit));
    OK(limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= 8 << 20);
    EQ(use(6 << 20), 2 * 384);
    IN_CHILD("a child") {
        EQ(use(6 << 20), 2 * 384);
    }
    pid_t pid = tap_fork();
    if (pid == 0) {
        limit.rlim_cur = 1 << 20;
        setrlimit(RLIMIT_STACK, &limit);
        endless(1);
        _exit(0);
    }
    EQ(tap_wait(pid), 128 + SIGSEGV);
    EQ(use(6 << 20), 2 * 384);
    return tap_done();
}
