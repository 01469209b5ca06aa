// SPDX-License-Identifier: MIT
//
// Stop and continue: WUNTRACED and WCONTINUED report each change once; without them a stopped child
// is not there; SIGKILL ends a stopped child.
#include "tap.h"

int main(void)
{
    int status;
    tap_start();
    pid_t pid = tap_fork();
    if (pid == 0)
        for (;;)
            pause();
    SYS(kill(pid, SIGSTOP));
    EQ(waitpid(pid, &status, WUNTRACED), pid);
    OK(WIFSTOPPED(status) && !WIFEXITED(status) && !WIFSIGNALED(status));
    EQ(WSTOPSIG(status), SIGSTOP);
    EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
    SYS(kill(pid, SIGTERM));
    tap_sleep(20);
    EQ(waitpid(pid, &status, WNOHANG), 0);
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    pid = tap_fork();
    if (pid == 0) {
        raise(SIGTSTP);
        raise(SIGSTOP);
        _exit(9);
    }
    SYS(setpgid(pid, pid));
    EQ(waitpid(pid, &status, WUNTRACED), pid);
    OK(WIFSTOPPED(status));
    int first = WSTOPSIG(status);
    OK(first == SIGTSTP || first == SIGSTOP);
    if (first == SIGTSTP) {
        SYS(kill(pid, SIGCONT));
        EQ(waitpid(pid, &status, WUNTRACED), pid);
        EQ(WSTOPSIG(status), SIGSTOP);
    }
    EQ(waitpid(pid, &status, WNOHANG), 0);
    SYS(kill(pid, SIGCONT));
    EQ(tap_wait(pid), 9);
    pid = tap_fork();
    if (pid == 0) {
        raise(SIGSTOP);
        for (;;)
            pause();
    }
    EQ(waitpid(pid, &status, WUNTRACED), pid);
    SYS(kill(pid, SIGCONT));
    EQ(waitpid(pid, &status, WCONTINUED), pid);
    OK(WIFCONTINUED(status) && !WIFSTOPPED(status) && !WIFEXITED(status) && !WIFSIGNALED(status));
    EQ(waitpid(pid, &status, WCONTINUED | WNOHANG), 0);
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    return tap_done();
}
