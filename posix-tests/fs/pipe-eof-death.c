// SPDX-License-Identifier: MIT
//
// EOF reaches the reader when the last writer dies, however it dies, and not before; the reader
// was already blocked.
#include "tap.h"

static int ended(int how)
{
    int p[2], ready[2];
    char byte;
    SYS(pipe(p));
    SYS(pipe(ready));
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(close(p[0]));
        tap_post(ready[1]);
        tap_sleep(20);
        if (how == 0)
            _exit(0);
        if (how == 1)
            raise(SIGTERM);
        if (how == 2)
            tap_crash();
        for (;;)
            pause();
    }
    SYS(close(p[1]));
    tap_await(ready[0]);
    pid_t killer = how == 3 ? tap_fork() : -1;
    if (killer == 0) {
        SYS(close(p[0]));
        tap_sleep(20);
        kill(pid, SIGKILL);
        _exit(0);
    }
    int n = read(p[0], &byte, 1);
    int status = tap_wait(pid);
    if (killer > 0)
        EQ(tap_wait(killer), 0);
    EQ(n, 0);
    SYS(close(p[0]));
    return status;
}

int main(void)
{
    tap_start();
    EQ(ended(0), 0);
    EQ(ended(1), 128 + SIGTERM);
    EQ(ended(2), 128 + SIGSEGV);
    EQ(ended(3), 128 + SIGKILL);
    return tap_done();
}
