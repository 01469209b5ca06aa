// SPDX-License-Identifier: MIT
//
// kill(), killpg(), raise(): targets, signal 0, ESRCH, EINVAL, groups.
#include "tap.h"

int main(void)
{
    pid_t pid[3];
    tap_start();
    EQ(kill(getpid(), 0), 0);
    ERR(kill(getpid(), -1), EINVAL);
    ERR(kill(getpid(), 65), EINVAL);
    ERR(kill(999999, 0), ESRCH);
    ERR(kill(-999999, SIGTERM), ESRCH);
    ERR(kill(INT_MIN, SIGTERM), ESRCH);
    OK(killpg(999999, 0) == -1 && errno == ESRCH);
    OK(raise(1000) != 0);
    for (int i = 0; i < 3; i++) {
        if ((pid[i] = tap_fork()) == 0)
            for (;;)
                pause();
        SYS(setpgid(pid[i], pid[0]));
    }
    EQ(killpg(pid[0], 0), 0);
    EQ(kill(-pid[0], SIGUSR1), 0);
    for (int i = 0; i < 3; i++)
        EQ(tap_wait(pid[i]), 128 + SIGUSR1);
    ERR(kill(-pid[0], 0), ESRCH);
    IN_CHILD("kill(0) reaches the own group alone") {
        SYS(setpgid(0, 0));
        signal(SIGUSR2, SIG_IGN);
        pid_t other = tap_fork();
        if (other == 0) {
            signal(SIGUSR2, SIG_DFL);
            for (;;)
                pause();
        }
        tap_sleep(20);
        EQ(kill(0, SIGUSR2), 0);
        for (int i = 0; i < 200 && waitpid(other, NULL, WNOHANG) == 0; i++) {
            kill(0, SIGUSR2);
            tap_sleep(5);
        }
        ERR(kill(other, 0), ESRCH);
    }
    return tap_done();
}
