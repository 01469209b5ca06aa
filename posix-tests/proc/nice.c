// SPDX-License-Identifier: MIT
//
// nice(), getpriority(), setpriority(): relative and clamped; less nice needs privilege; inherited.
#include "tap.h"
#include <sys/resource.h>

int main(void)
{
    tap_start();
    IN_CHILD("nicer and clamped") {
        int base = getpriority(PRIO_PROCESS, 0);
        int next = base + 2 > 19 ? 19 : base + 2;
        EQ(nice(2), next);
        EQ(getpriority(PRIO_PROCESS, 0), next);
        pid_t pid = tap_fork();
        if (pid == 0)
            _exit(getpriority(PRIO_PROCESS, 0) + 20);
        EQ(tap_wait(pid), next + 20);
        EQ(setpriority(PRIO_PROCESS, getpid(), 19), 0);
        EQ(nice(100), 19);
        EQ(getpriority(PRIO_PROCESS, getpid()), 19);
        ERR(getpriority(99, 0), EINVAL);
        ERR(getpriority(PRIO_PROCESS, 999999), ESRCH);
    }
    IN_CHILD("not nicer to itself") {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_NICE, &none);
        tap_drop(1000);
        int base = getpriority(PRIO_PROCESS, 0);
        OK(nice(-5) == -1 && (errno == EPERM || errno == EACCES));
        EQ(getpriority(PRIO_PROCESS, 0), base);
    }
    return tap_done();
}
