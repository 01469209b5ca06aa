// SPDX-License-Identifier: MIT
//
// sched_yield(), sched_get_priority_*: yield returns 0 and lets another process run.
#include "tap.h"
#include <sched.h>
#include <sys/mman.h>

int main(void)
{
    tap_start();
    volatile int *turn =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(turn != MAP_FAILED);
    EQ(sched_yield(), 0);
    pid_t pid = tap_fork();
    if (pid == 0) {
        for (int i = 1; i < 200; i += 2) {
            while (*turn != i)
                sched_yield();
            *turn = i + 1;
        }
        _exit(0);
    }
    for (int i = 0; i < 200; i += 2) {
        while (*turn != i)
            sched_yield();
        *turn = i + 1;
    }
    EQ(tap_wait(pid), 0);
    EQ(*turn, 200);
    OK(sched_get_priority_max(SCHED_FIFO) - sched_get_priority_min(SCHED_FIFO) >= 31);
    return tap_done();
}
