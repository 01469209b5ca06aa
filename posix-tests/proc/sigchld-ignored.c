// SPDX-License-Identifier: MIT
//
// SIGCHLD ignored or SA_NOCLDWAIT: children leave no zombies, and wait() blocks until the last has
// gone and then fails with ECHILD.
#include "tap.h"
static volatile sig_atomic_t count;

static void note(int sig)
{
    (void)sig;
    count++;
}

static void round_of_children(void)
{
    pid_t pid[3];
    for (int i = 0; i < 3; i++)
        if ((pid[i] = tap_fork()) == 0) {
            tap_sleep(5 * i);
            _exit(1);
        }
    pid_t got;
    do {
        got = wait(NULL);
    } while (got == -1 && errno == EINTR);
    EQ(got, -1);
    EQ(errno, ECHILD);
    for (int i = 0; i < 3; i++)
        ERR(kill(pid[i], 0), ESRCH);
}

int main(void)
{
    tap_start();
    signal(SIGCHLD, SIG_IGN);
    round_of_children();
    struct sigaction sa = {.sa_handler = note, .sa_flags = SA_NOCLDWAIT};
    SYS(sigaction(SIGCHLD, &sa, NULL));
    round_of_children();
    signal(SIGCHLD, SIG_DFL);
    pid_t pid = tap_fork();
    if (pid == 0)
        _exit(8);
    EQ(tap_wait(pid), 8);
    return tap_done();
}
