// SPDX-License-Identifier: MIT
//
// abort(): ends with SIGABRT even when that is ignored, blocked, or caught by a handler that
// returns; the handler does run.
#include "tap.h"

static void note(int sig)
{
    (void)sig;
    tap_post(7);
}

int main(void)
{
    int p[2];
    tap_start();
    SYS(pipe(p));
    SYS(dup2(p[1], 7));
    for (int how = 0; how < 4; how++) {
        pid_t pid = tap_fork();
        if (pid == 0) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGABRT);
            if (how == 1)
                signal(SIGABRT, SIG_IGN);
            if (how == 2)
                signal(SIGABRT, note);
            if (how == 3)
                sigprocmask(SIG_BLOCK, &set, NULL);
            abort();
        }
        EQ(tap_wait(pid), 128 + SIGABRT);
    }
    SYS(fcntl(p[0], F_SETFL, O_NONBLOCK));
    EQ(read(p[0], (char[4]){0}, 4), 1);
    return tap_done();
}
