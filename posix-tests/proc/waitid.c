// SPDX-License-Identifier: MIT
//
// waitid(): the siginfo fields of each event, WNOWAIT leaves the child, WNOHANG gives si_pid 0.
#include "tap.h"

int main(void)
{
    siginfo_t si;
    int go[2];
    tap_start();
    SYS(pipe(go));
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_await(go[0]);
        raise(SIGSTOP);
        _exit(3);
    }
    memset(&si, 0xff, sizeof si);
    EQ(waitid(P_ALL, 0, &si, WEXITED | WNOHANG), 0);
    EQ(si.si_pid, 0);
    tap_post(go[1]);
    EQ(waitid(P_PID, pid, &si, WSTOPPED), 0);
    EQ(si.si_pid, pid);
    EQ(si.si_code, CLD_STOPPED);
    EQ(si.si_status, SIGSTOP);
    EQ(si.si_signo, SIGCHLD);
    SYS(kill(pid, SIGCONT));
    EQ(waitid(P_PID, pid, &si, WEXITED | WNOWAIT), 0);
    EQ(si.si_code, CLD_EXITED);
    EQ(si.si_status, 3);
    EQ(si.si_uid, getuid());
    EQ(waitid(P_PGID, getpgrp(), &si, WEXITED | WNOWAIT), 0);
    EQ(si.si_pid, pid);
    EQ(kill(pid, 0), 0);
    EQ(waitid(P_ALL, 0, &si, WEXITED), 0);
    EQ(si.si_pid, pid);
    ERR(waitid(P_PID, pid, &si, WEXITED), ECHILD);
    pid = tap_fork();
    if (pid == 0)
        for (;;)
            pause();
    SYS(kill(pid, SIGTERM));
    EQ(waitid(P_PID, pid, &si, WEXITED), 0);
    EQ(si.si_code, CLD_KILLED);
    EQ(si.si_status, SIGTERM);
    ERR(kill(pid, 0), ESRCH);
    ERR(waitid(P_ALL, 0, &si, 0), EINVAL);
    ERR(waitid(99, 0, &si, WEXITED), EINVAL);
    return tap_done();
}
