// SPDX-License-Identifier: MIT
//
// When a group becomes orphaned and has a stopped member, its members get SIGHUP and SIGCONT.
#include "tap.h"
static volatile sig_atomic_t hup, cont;

static void note(int sig)
{
    hup |= sig == SIGHUP;
    cont |= sig == SIGCONT;
}

int main(void)
{
    int p[2];
    tap_start();
    SYS(pipe(p));
    pid_t leader = tap_fork();
    if (leader == 0) {
        int status;
        SYS(setsid());
        pid_t stopped = tap_fork();
        if (stopped == 0) {
            SYS(setpgid(0, 0));
            signal(SIGHUP, note);
            signal(SIGCONT, note);
            raise(SIGSTOP);
            for (int i = 0; i < 400 && !(hup && cont); i++)
                tap_sleep(5);
            char answer = hup && cont ? 'y' : 'n';
            NEED(write(p[1], &answer, 1) == 1);
            _exit(0);
        }
        NEED(waitpid(stopped, &status, WUNTRACED) == stopped && WIFSTOPPED(status));
        _exit(0);
    }
    SYS(close(p[1]));
    EQ(tap_wait(leader), 0);
    char answer = '-';
    EQ(read(p[0], &answer, 1), 1);
    EQ(answer, 'y');
    return tap_done();
}
