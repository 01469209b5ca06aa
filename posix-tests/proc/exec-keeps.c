// SPDX-License-Identifier: MIT
//
// exec keeps pid, parent, group, directory, umask, mask, ignored signals, pending signals, the
// alarm; caught signals become default.
#include "tap.h"
static pid_t before;

static void handler(int sig)
{
    (void)sig;
}

static int child(char **argv)
{
    struct sigaction sa;
    sigset_t set;
    char cwd[PATH_MAX];
    int bad = getpid() != atoi(argv[2]);
    bad |= (getppid() != atoi(argv[3])) << 1;
    sigaction(SIGUSR1, NULL, &sa);
    bad |= (sa.sa_handler != SIG_DFL) << 2;
    sigaction(SIGUSR2, NULL, &sa);
    bad |= (sa.sa_handler != SIG_IGN) << 3;
    sigprocmask(SIG_BLOCK, NULL, &set);
    bad |= (sigismember(&set, SIGHUP) != 1 || sigismember(&set, SIGUSR1) != 0) << 4;
    sigpending(&set);
    bad |= (sigismember(&set, SIGHUP) != 1) << 5;
    bad |= (umask(0) != 0123 || !getcwd(cwd, sizeof cwd) || strcmp(cwd, "/")) << 6;
    bad |= (alarm(0) == 0) << 7;
    return bad;
}

int main(int argc, char **argv)
{
    char mine[16], parent[16];
    sigset_t set;
    if (argc > 1)
        return child(argv);
    tap_start();
    const char *self = tap_self(argv);
    before = getpid();
    pid_t pid = tap_fork();
    if (pid == 0) {
        signal(SIGUSR1, handler);
        signal(SIGUSR2, SIG_IGN);
        sigemptyset(&set);
        sigaddset(&set, SIGHUP);
        sigprocmask(SIG_SETMASK, &set, NULL);
        raise(SIGHUP);
        umask(0123);
        SYS(chdir("/"));
        snprintf(mine, sizeof mine, "%d", getpid());
        snprintf(parent, sizeof parent, "%d", before);
        execl(self, self, "child", mine, parent, NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 0);
    return tap_done();
}
