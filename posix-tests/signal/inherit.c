// SPDX-License-Identifier: MIT
//
// Over exec: ignored signals stay ignored, caught ones become default, the mask stays, pending ones
// stay pending; the alternate stack is gone.
#include "tap.h"

static void handler(int sig)
{
    (void)sig;
}

static int child(void)
{
    sigset_t set;
    stack_t st;
    struct sigaction sa;
    int bad = 0;
    sigpending(&set);
    bad |= sigismember(&set, SIGTERM) != 1;
    sigprocmask(SIG_BLOCK, NULL, &set);
    bad |= (sigismember(&set, SIGTERM) != 1 || sigismember(&set, SIGHUP)) << 1;
    sigaltstack(NULL, &st);
    bad |= (st.ss_flags != SS_DISABLE) << 2;
    for (int sig = 1; sig <= 31; sig++) {
        sigaction(sig, NULL, &sa);
        void (*want)(int) = sig == SIGUSR2 || sig == SIGQUIT ? SIG_IGN : SIG_DFL;
        bad |= (sa.sa_handler != want && sig != SIGCHLD) << 3;
    }
    return bad;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return child();
    tap_start();
    const char *self = tap_self(argv);
    pid_t pid = tap_fork();
    if (pid == 0) {
        stack_t st = {.ss_sp = malloc(65536), .ss_size = 65536};
        sigset_t set;
        for (int sig = 1; sig <= 31; sig++)
            if (sig != SIGKILL && sig != SIGSTOP)
                signal(sig, handler);
        signal(SIGUSR2, SIG_IGN);
        signal(SIGQUIT, SIG_IGN);
        SYS(sigaltstack(&st, NULL));
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_SETMASK, &set, NULL);
        raise(SIGTERM);
        execl(self, self, "child", NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 0);
    return tap_done();
}
