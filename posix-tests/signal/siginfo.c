// SPDX-License-Identifier: MIT
//
// SA_SIGINFO: si_signo, si_code, si_pid, si_uid and si_value for kill, sigqueue, SIGCHLD and
// timers.
#include "tap.h"
static siginfo_t seen;
static volatile sig_atomic_t calls;

static void note(int sig, siginfo_t *si, void *context)
{
    seen = *si;
    calls += sig == si->si_signo && context;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigset_t none;
    tap_start();
    sigemptyset(&none);
    SYS(sigaction(SIGUSR1, &sa, NULL));
    SYS(sigaction(SIGRTMIN, &sa, NULL));
    SYS(sigaction(SIGCHLD, &sa, NULL));
    kill(getpid(), SIGUSR1);
    EQ(calls, 1);
    EQ(seen.si_code, SI_USER);
    EQ(seen.si_pid, getpid());
    EQ(seen.si_uid, getuid());
    EQ(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 4711}), 0);
    EQ(calls, 2);
    EQ(seen.si_code, SI_QUEUE);
    EQ(seen.si_value.sival_int, 4711);
    EQ(seen.si_pid, getpid());
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    SYS(sigprocmask(SIG_BLOCK, &child, NULL));
    pid_t pid = tap_fork();
    if (pid == 0)
        _exit(17);
    sigsuspend(&none);
    EQ(calls, 3);
    EQ(seen.si_signo, SIGCHLD);
    EQ(seen.si_code, CLD_EXITED);
    EQ(seen.si_pid, pid);
    EQ(seen.si_status, 17);
    EQ(tap_wait(pid), 17);
    pid = tap_fork();
    if (pid == 0) {
        sigqueue(getppid(), SIGRTMIN, (union sigval){.sival_ptr = &seen});
        raise(SIGKILL);
    }
    while (calls < 5)
        sigsuspend(&none);
    EQ(tap_wait(pid), 128 + SIGKILL);
    EQ(seen.si_signo, SIGCHLD);
    EQ(seen.si_code, CLD_KILLED);
    EQ(seen.si_status, SIGKILL);
    return tap_done();
}
