// SPDX-License-Identifier: MIT
//
// Changing ids takes the right to signal along at once: both ways.
#include "tap.h"

int main(void)
{
    int p[2], go[2];
    tap_start();
    if (geteuid() != 0)
        tap_skip_all("needs root");
    SYS(pipe(p));
    SYS(pipe(go));
    pid_t target = tap_fork();
    if (target == 0) {
        SYS(setresuid(54321, 54321, 0));
        tap_post(p[1]);
        tap_await(go[0]);
        SYS(setresuid(-1, 0, -1));
        SYS(setresuid(54322, 54322, 54322));
        tap_post(p[1]);
        for (;;)
            pause();
    }
    tap_await(p[0]);
    IN_CHILD("uid 54321: first allowed, later not") {
        SYS(setresuid(54321, 54321, 54321));
        EQ(kill(target, 0), 0);
        tap_post(go[1]);
        tap_await(p[0]);
        ERR(kill(target, SIGKILL), EPERM);
    }
    EQ(waitpid(target, NULL, WNOHANG), 0);
    EQ(kill(target, SIGKILL), 0);
    EQ(tap_wait(target), 128 + SIGKILL);
    return tap_done();
}
