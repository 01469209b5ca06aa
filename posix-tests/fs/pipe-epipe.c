// SPDX-License-Identifier: MIT
//
// Writing without a reader: SIGPIPE ends the process; ignored or handled it is EPIPE; a writer that
// is already blocked is woken when the last reader dies.
#include "tap.h"
static volatile sig_atomic_t got;

static void note(int sig)
{
    got = sig;
}

int main(void)
{
    int p[2];
    static char big[200000];
    tap_start();
    SYS(pipe(p));
    SYS(close(p[0]));
    pid_t pid = tap_fork();
    if (pid == 0) {
        write(p[1], "x", 1) > 0 ? _exit(1) : _exit(2);
    }
    EQ(tap_wait(pid), 128 + SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    ERR(write(p[1], "x", 1), EPIPE);
    signal(SIGPIPE, note);
    ERR(write(p[1], "x", 1), EPIPE);
    EQ(got, SIGPIPE);
    SYS(close(p[1]));
    SYS(pipe(p));
    pid = tap_fork();
    if (pid == 0) {
        char byte;
        SYS(close(p[1]));
        NEED(read(p[0], &byte, 1) == 1);
        tap_sleep(20);
        raise(SIGKILL);
    }
    SYS(close(p[0]));
    got = 0;
    ssize_t n = write(p[1], big, sizeof big);
    OK((n > 0 && n < (ssize_t)sizeof big) || (n == -1 && errno == EPIPE));
    ERR(write(p[1], big, 1), EPIPE);
    EQ(got, SIGPIPE);
    EQ(tap_wait(pid), 128 + SIGKILL);
    return tap_done();
}
