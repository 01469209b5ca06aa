// SPDX-License-Identifier: MIT
//
// Two processes that never call the system share the CPU: both get on, and a third kills them.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    tap_start();
    volatile long *count =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(count != MAP_FAILED);
    pid_t pid[2];
    for (int i = 0; i < 2; i++)
        if ((pid[i] = tap_fork()) == 0)
            for (;;)
                count[i * 64]++;
    for (int i = 0; i < 2; i++) {
        long start = count[i * 64];
        while (count[i * 64] < start + 1000)
            tap_sleep(2);
        OK(count[i * 64] >= 1000);
    }
    for (int i = 0; i < 2; i++) {
        SYS(kill(pid[i], i ? SIGTERM : SIGKILL));
        EQ(tap_wait(pid[i]), 128 + (i ? SIGTERM : SIGKILL));
    }
    return tap_done();
}
