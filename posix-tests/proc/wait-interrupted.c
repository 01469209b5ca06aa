// SPDX-License-Identifier: MIT
//
// A blocked waitpid() is EINTR when a handler without SA_RESTART runs, and goes on with it.
#include "tap.h"
static volatile sig_atomic_t count;

static void note(int sig)
{
    (void)sig;
    count++;
}

int main(void)
{
    tap_start();
    for (int restart = 0; restart < 2; restart++) {
        struct sigaction sa = {.sa_handler = note, .sa_flags = restart ? SA_RESTART : 0};
        SYS(sigaction(SIGUSR1, &sa, NULL));
        int go[2];
        count = 0;
        SYS(pipe(go));
        pid_t sleeper = tap_fork();
        if (sleeper == 0) {
            tap_await(go[0]);
            _exit(4);
        }
        pid_t poker = tap_fork();
        if (poker == 0) {
            for (int i = 0; i < 3 || !restart; i++) {
                tap_sleep(15);
                kill(getppid(), SIGUSR1);
            }
            tap_post(go[1]);
            _exit(0);
        }
        int status;
        if (restart) {
            EQ(waitpid(sleeper, &status, 0), sleeper);
            EQ(WEXITSTATUS(status), 4);
            OK(count >= 1);
            EQ(tap_wait(poker), 0);
            continue;
        }
        ERR(waitpid(sleeper, &status, 0), EINTR);
        SYS(kill(poker, SIGKILL));
        EQ(tap_wait(poker), 128 + SIGKILL);
        tap_post(go[1]);
        EQ(tap_wait(sleeper), 4);
    }
    return tap_done();
}
