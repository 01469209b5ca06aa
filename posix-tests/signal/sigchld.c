// SPDX-License-Identifier: MIT
//
// SIGCHLD: sent for exit and for stop and continue, with SA_NOCLDSTOP only for exit; one pending
// signal may stand for several children; the handler may reap.
#include "tap.h"
static volatile sig_atomic_t signals, reaped;

static void reap(int sig)
{
    int saved = errno;
    signals += sig == SIGCHLD;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        reaped++;
    errno = saved;
}

int main(void)
{
    sigset_t child, none;
    int status;
    tap_start();
    struct sigaction sa = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
    SYS(sigaction(SIGCHLD, &sa, NULL));
    sigemptyset(&none);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    SYS(sigprocmask(SIG_BLOCK, &child, NULL));
    for (int i = 0; i < 20; i++) {
        pid_t pid = tap_fork();
        if (pid == 0)
            _exit(0);
    }
    while (reaped < 20)
        sigsuspend(&none);
    EQ(reaped, 20);
    OK(signals >= 1 && signals <= 20);
    // The handler may have reaped a child before its signal came.
    sigtimedwait(&child, NULL, &(struct timespec){0, 0});
    signals = 0;
    pid_t pid = tap_fork();
    if (pid == 0) {
        raise(SIGSTOP);
        for (;;)
            pause();
    }
    EQ(waitpid(pid, &status, WUNTRACED), pid);
    OK(WIFSTOPPED(status));
    sigset_t pending;
    sigpending(&pending);
    EQ(sigismember(&pending, SIGCHLD), 0);
    sa.sa_flags = 0;
    SYS(sigaction(SIGCHLD, &sa, NULL));
    SYS(kill(pid, SIGCONT));
    while (signals < 1)
        sigsuspend(&none);
    EQ(signals, 1);
    SYS(kill(pid, SIGSTOP));
    while (signals < 2)
        sigsuspend(&none);
    SYS(kill(pid, SIGKILL));
    while (reaped < 21)
        sigsuspend(&none);
    EQ(reaped, 21);
    return tap_done();
}
