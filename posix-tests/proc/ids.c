// SPDX-License-Identifier: MIT
//
// getpid(), getppid(), pids: positive, stable, unique among the living, the child knows its parent.
#include "tap.h"

int main(void)
{
    int p[2];
    tap_start();
    pid_t mine = getpid(), child_saw[2];
    OK(mine > 1);
    OK(getppid() >= 0);
    EQ(getpid(), mine);
    EQ(getpgid(0), getpgid(mine));
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        pid_t saw[2] = {getpid(), getppid()};
        NEED(write(p[1], saw, sizeof saw) == sizeof saw);
        _exit(0);
    }
    EQ(read(p[0], child_saw, sizeof child_saw), sizeof child_saw);
    EQ(child_saw[0], pid);
    EQ(child_saw[1], mine);
    EQ(tap_wait(pid), 0);
    EQ(kill(mine, 0), 0);
    EQ(getuid(), geteuid());
    EQ(getgid(), getegid());
    return tap_done();
}
