// SPDX-License-Identifier: MIT
//
// wait(), waitpid(): every way to end and what the status macros make of it.
#include "tap.h"
#include <sys/resource.h>

static int status_of(int how)
{
    int status = -1;
    pid_t pid = tap_fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        if (how >= 100)
            _exit(how - 500);
        kill(getpid(), how);
        _exit(77);
    }
    NEED(waitpid(pid, &status, 0) == pid);
    return status;
}

int main(void)
{
    static const int fatal[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGABRT, SIGBUS,
                                SIGFPE,  SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE,
                                SIGALRM, SIGTERM, SIGXCPU, SIGSYS,  SIGTRAP, SIGVTALRM};
    static const int harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT, 0};
    tap_start();
    static const int codes[] = {0, 1, 127, 255, 256, 0x1ff, -1};
    for (int i = 0; i < 7; i++) {
        int status = status_of(500 + codes[i]);
        OK(WIFEXITED(status) && !WIFSIGNALED(status) && !WIFSTOPPED(status));
        EQ(WEXITSTATUS(status), codes[i] & 0xff);
    }
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        int status = status_of(fatal[i]);
        OK(WIFSIGNALED(status) && !WIFEXITED(status) && !WIFSTOPPED(status));
        EQ(WTERMSIG(status), fatal[i]);
    }
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        EQ(WEXITSTATUS(status_of(harmless[i])), 77);
    EQ(WTERMSIG(status_of(SIGRTMIN)), SIGRTMIN);
    EQ(WTERMSIG(status_of(SIGRTMAX)), SIGRTMAX);
    return tap_done();
}
