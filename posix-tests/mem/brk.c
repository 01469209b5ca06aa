// SPDX-License-Identifier: MIT
//
// The break: grows by zeros, shrinks, reports where it is, refuses what cannot be; memory below the
// new end keeps its contents and what was cut off comes back as zeros. By system call, because C
// libraries keep the break for themselves.
#include "tap.h"
#include <sys/syscall.h>

static char *move(char *to)
{
    return (char *)syscall(SYS_brk, to);
}

int main(void)
{
    tap_start();
    IN_CHILD("the break of a child") {
        char *start = move(NULL);
        OK(start != (char *)-1 && start != NULL);
        OK(move(start + 100000) == start + 100000);
        OK(move(NULL) == start + 100000);
        int dirty = 0;
        for (int i = 4096; i < 100000; i++)
            dirty |= start[i];
        EQ(dirty, 0);
        memset(start, 'x', 100000);
        OK(move(start + 50000) == start + 50000);
        EQ(start[49999], 'x');
        OK(move(start + 100000) == start + 100000);
        EQ(start[49999], 'x');
        EQ(start[60000], 0);
        OK(move(start + (1L << 46)) == start + 100000);
        OK(move((char *)8) == start + 100000);
        pid_t pid = tap_fork();
        if (pid == 0) {
            EQ(start[49999], 'x');
            OK(move(start + 200000) == start + 200000);
            start[199999] = 1;
            _exit(0);
        }
        EQ(tap_wait(pid), 0);
        OK(move(NULL) == start + 100000);
        pid = tap_fork();
        if (pid == 0) {
            ((volatile char *)start)[120000] = 1;
            _exit(0);
        }
        EQ(tap_wait(pid), 128 + SIGSEGV);
    }
    return tap_done();
}
