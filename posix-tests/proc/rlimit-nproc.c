// SPDX-License-Identifier: MIT
//
// RLIMIT_NPROC: fork() fails with EAGAIN at the user's limit and works again once a child is gone.
#include "tap.h"
#include <sys/resource.h>

int main(void)
{
    tap_start();
    if (geteuid() != 0)
        tap_skip_all("needs root");
    uid_t uid = 100000 + getpid();
    IN_CHILD("a user of few processes") {
        struct rlimit l = {4, 4};
        SYS(setrlimit(RLIMIT_NPROC, &l));
        tap_drop(uid);
        pid_t pid[8], extra;
        int made = 0;
        for (; made < 8; made++) {
            pid[made] = fork();
            if (pid[made] == 0)
                for (tap_alarm();;)
                    pause();
            if (pid[made] < 0)
                break;
        }
        EQ(errno, EAGAIN);
        EQ(made, 3);
        SYS(kill(pid[0], SIGKILL));
        EQ(tap_wait(pid[0]), 128 + SIGKILL);
        OK((extra = fork()) >= 0);
        if (extra == 0)
            _exit(0);
        EQ(tap_wait(extra), 0);
        for (int i = 1; i < made; i++) {
            kill(pid[i], SIGKILL);
            EQ(tap_wait(pid[i]), 128 + SIGKILL);
        }
    }
    return tap_done();
}
