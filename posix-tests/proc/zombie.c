// SPDX-License-Identifier: MIT
//
// A zombie keeps its pid, may be signalled without effect, and its group exists until it is reaped.
#include "tap.h"

int main(void)
{
    siginfo_t si;
    tap_start();
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(setpgid(0, 0));
        _exit(5);
    }
    EQ(waitid(P_PID, pid, &si, WEXITED | WNOWAIT), 0);
    EQ(kill(pid, 0), 0);
    EQ(kill(pid, SIGKILL), 0);
    EQ(kill(-pid, 0), 0);
    EQ(getpgid(pid), pid);
    EQ(tap_wait(pid), 5);
    ERR(kill(pid, SIGKILL), ESRCH);
    ERR(kill(-pid, 0), ESRCH);
    ERR(getpgid(pid), ESRCH);
    return tap_done();
}
