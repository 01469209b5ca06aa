// SPDX-License-Identifier: MIT
//
// system(): the shell's status, signals of the caller during the wait, NULL asks for a shell.
#include "tap.h"
static volatile sig_atomic_t ints;

static void note(int sig)
{
    (void)sig;
    ints++;
}

int main(void)
{
    struct sigaction sa;
    sigset_t set;
    tap_start();
    if (access("/bin/sh", X_OK))
        tap_skip_all("no /bin/sh");
    tap_tmp();
    OK(system(NULL) != 0);
    int status = system("exit 7");
    OK(WIFEXITED(status));
    EQ(WEXITSTATUS(status), 7);
    status = system("/no/such/program 2>/dev/null");
    EQ(WEXITSTATUS(status), 127);
    EQ(system("echo hello >f"), 0);
    STR(tap_get("f"), "hello\n");
    signal(SIGINT, note);
    status = system("kill -2 $PPID");
    EQ(WEXITSTATUS(status), 0);
    EQ(ints, 0);
    SYS(sigaction(SIGINT, NULL, &sa));
    OK(sa.sa_handler == note);
    sigprocmask(SIG_BLOCK, NULL, &set);
    EQ(sigismember(&set, SIGCHLD), 0);
    status = system("kill -9 $$");
    OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ERR(wait(NULL), ECHILD);
    return tap_done();
}
