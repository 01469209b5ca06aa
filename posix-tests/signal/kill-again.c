// SPDX-License-Identifier: MIT
//
// kill() of the same process again and again: each signal arrives and tells who sent it, also when
// the sender is a child of one that did before, or has been gone for a while; nothing is left of
// having been allowed once, when the sender or the target has become somebody else or is no more.
#include "tap.h"

#define TIMES 5

static sigset_t usr1;

// Waits for one SIGUSR1 and tells its sender, or -1 when the rest of it is wrong.
static pid_t sender(void)
{
    siginfo_t info;
    struct timespec limit = {10, 0};
    if (sigtimedwait(&usr1, &info, &limit) != SIGUSR1 || info.si_code != SI_USER ||
        info.si_uid != getuid())
        return -1;
    return info.si_pid;
}

static void answers(void)
{
    for (int i = 0; i < 2 * TIMES; i++)
        if (sender() > 0)
            kill(getppid(), SIGUSR1);
    _exit(0);
}

static void again_and_again(void)
{
    pid_t pid = tap_fork();
    if (pid == 0)
        answers();
    for (int i = 0; i < TIMES; i++) {
        EQ(kill(pid, SIGUSR1), 0);
        EQ(sender(), pid);
    }
    IN_CHILD("a child of the sender is another sender") {
        pid_t other = tap_fork();
        if (other == 0) {
            EQ(sender(), getppid());
            EQ(sender(), getppid());
            _exit(0);
        }
        EQ(kill(other, SIGUSR1), 0);
        tap_sleep(50);
        EQ(kill(other, SIGUSR1), 0);
        EQ(tap_wait(other), 0);
        EQ(kill(pid, 0), 0);
    }
    for (int i = 0; i < TIMES; i++) {
        EQ(kill(pid, SIGUSR1), 0);
        EQ(sender(), pid);
    }
    while (waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT) == -1 && errno == EINTR)
        ;
    EQ(kill(pid, SIGUSR1), 0); // a zombie
    EQ(tap_wait(pid), 0);
    ERR(kill(pid, SIGUSR1), ESRCH);
}

static void child_of_sender(void)
{
    pid_t pid = tap_fork();
    if (pid == 0) {
        pid_t seen[TIMES];
        for (int i = 0; i < TIMES; i++) {
            seen[i] = sender();
            kill(getppid(), SIGUSR1);
        }
        for (int i = 0; i < TIMES - 1; i++)
            EQ(seen[i], getppid());
        OK(seen[TIMES - 1] > 0 && seen[TIMES - 1] != getppid());
        _exit(tap_failures != 0);
    }
    for (int i = 0; i < TIMES - 1; i++) {
        EQ(kill(pid, SIGUSR1), 0);
        EQ(sender(), pid);
    }
    pid_t child = tap_fork();
    if (child == 0)
        _exit(kill(pid, SIGUSR1) != 0);
    EQ(sender(), pid);
    EQ(tap_wait(child), 0);
    EQ(tap_wait(pid), 0);
}

// Sent often enough, then gone, before anybody looks.
static void gone_sender(void)
{
    pid_t pid = tap_fork();
    if (pid == 0) {
        for (int i = 0; i < TIMES; i++)
            kill(getppid(), SIGUSR1);
        _exit(0);
    }
    EQ(tap_wait(pid), 0);
    EQ(sender(), pid);
}

static void sender_changes(uid_t user)
{
    pid_t pid = tap_fork();
    if (pid == 0)
        answers();
    IN_CHILD("a sender that gives up its user") {
        for (int i = 0; i < TIMES; i++)
            EQ(kill(pid, SIGWINCH), 0);
        pid_t child = tap_fork();
        if (child == 0) {
            for (int i = 0; i < TIMES; i++)
                EQ(kill(pid, SIGWINCH), 0);
            NEED(setresuid(user, user, user) == 0);
            ERR(kill(pid, SIGWINCH), EPERM);
            _exit(tap_failures != 0);
        }
        EQ(tap_wait(child), 0);
        EQ(kill(pid, SIGWINCH), 0);
        NEED(setresuid(user, user, user) == 0);
        ERR(kill(pid, SIGWINCH), EPERM);
    }
    kill(pid, SIGKILL);
    EQ(tap_wait(pid), 128 + SIGKILL);
}

static void target_changes(uid_t user)
{
    int go[2], done[2];
    SYS(pipe(go));
    SYS(pipe(done));
    pid_t pid = tap_fork();
    if (pid == 0) {
        NEED(setresuid(user, user, 0) == 0);
        tap_post(done[1]);
        tap_await(go[0]);
        NEED(setresuid(0, 0, 0) == 0);
        tap_post(done[1]);
        for (;;)
            pause();
    }
    tap_await(done[0]);
    IN_CHILD("a target that becomes root again") {
        NEED(setresuid(user, user, user) == 0);
        for (int i = 0; i < TIMES; i++)
            EQ(kill(pid, SIGWINCH), 0);
        tap_post(go[1]);
        tap_await(done[0]);
        ERR(kill(pid, SIGWINCH), EPERM);
    }
    EQ(kill(pid, SIGKILL), 0);
    EQ(tap_wait(pid), 128 + SIGKILL);
}

int main(void)
{
    tap_start();
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    SYS(sigprocmask(SIG_BLOCK, &usr1, NULL));
    again_and_again();
    child_of_sender();
    gone_sender();
    if (geteuid() == 0) {
        uid_t user = 100000 + 2 * getpid();
        sender_changes(user);
        target_changes(user);
    }
    return tap_done();
}
