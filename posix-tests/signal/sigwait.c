// SPDX-License-Identifier: MIT
//
// sigwait(), sigwaitinfo(), sigtimedwait(): take a pending signal without a handler, lowest first,
// with its information; EAGAIN after the time.
#include "tap.h"
static volatile sig_atomic_t handled;

static void note(int sig)
{
    (void)sig;
    handled++;
}

int main(void)
{
    sigset_t set, pending;
    siginfo_t si;
    int sig = 0;
    struct timespec zero = {0, 0}, some = {0, 20000000};
    tap_start();
    signal(SIGUSR1, note);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    SYS(sigprocmask(SIG_BLOCK, &set, NULL));
    raise(SIGUSR1);
    EQ(sigwait(&set, &sig), 0);
    EQ(sig, SIGUSR1);
    EQ(handled, 0);
    sigpending(&pending);
    EQ(sigismember(&pending, SIGUSR1), 0);
    SYS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 5}));
    raise(SIGUSR2);
    EQ(sigwaitinfo(&set, &si), SIGUSR2);
    EQ(sigwaitinfo(&set, &si), SIGRTMIN);
    EQ(si.si_value.sival_int, 5);
    EQ(si.si_code, SI_QUEUE);
    EQ(si.si_pid, getpid());
    ERR(sigtimedwait(&set, &si, &zero), EAGAIN);
    long long start = tap_ms();
    ERR(sigtimedwait(&set, NULL, &some), EAGAIN);
    OK(tap_ms() - start >= 19);
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_sleep(20);
        kill(getppid(), SIGUSR2);
        _exit(0);
    }
    EQ(sigwaitinfo(&set, &si), SIGUSR2);
    EQ(si.si_pid, pid);
    EQ(tap_wait(pid), 0);
    EQ(handled, 0);
    return tap_done();
}
