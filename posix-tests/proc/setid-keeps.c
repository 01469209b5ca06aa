// SPDX-License-Identifier: MIT
//
// What a process keeps when it executes a set-user-id file: its pid and parent, descriptors with
// their offsets and locks on them, but not those to be closed; working directory, umask, signal
// mask, ignored and pending signals, alarm, limits. Descriptors 0 to 2 may stay closed or not.
#include "tap.h"
#include <sys/resource.h>
#include <sys/statvfs.h>

enum { HIGH = 200, CLOSED = 201 };

static int child(char **argv)
{
    char buf[8] = "", cwd[PATH_MAX];
    sigset_t mask, pending;
    struct sigaction sa;
    struct rlimit l;
    tap_in_child = 1;
    EQ(geteuid(), 1234);
    EQ(getpid(), atoi(argv[2]));
    EQ(getppid(), atoi(argv[3]));
    STR(getcwd(cwd, sizeof cwd), argv[4]);
    EQ(umask(0), 0123);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    OK(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGCHLD) && !sigismember(&mask, SIGUSR2));
    sigpending(&pending);
    OK(sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGCHLD));
    sigaction(SIGHUP, NULL, &sa);
    OK(sa.sa_handler == SIG_IGN);
    sigaction(SIGTERM, NULL, &sa);
    OK(sa.sa_handler == SIG_DFL);
    int left = alarm(0);
    OK(left > 10 && left <= 40);
    getrlimit(RLIMIT_NOFILE, &l);
    OK(l.rlim_cur == 300 && l.rlim_max == 400);
    EQ(read(HIGH, buf, 3), 3);
    STR(buf, "def");
    EQ(fcntl(CLOSED, F_GETFD), -1);
    EQ(write(5, "x", 1), 1);
    for (int fd = 10; fd < 60; fd++)
        EQ(write(fd, "y", 1), 1);
    return 0;
}

static void on_term(int sig)
{
    (void)sig;
}

static void prepare(const char *self, int p)
{
    char pid[16], ppid[16], cwd[PATH_MAX];
    struct rlimit l = {300, 400};
    sigset_t mask;
    SYS(setrlimit(RLIMIT_NOFILE, &l));
    SYS(dup2(p, 5));
    for (int fd = 10; fd < 60; fd++)
        SYS(dup2(p, fd));
    int file = SYS(open("file", O_RDONLY));
    NEED(read(file, pid, 3) == 3);
    SYS(dup2(file, HIGH));
    NEED(fcntl(file, F_DUPFD_CLOEXEC, CLOSED) == CLOSED);
    close(file);
    umask(0123);
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, on_term);
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    raise(SIGUSR1);
    alarm(40);
    tap_drop(1000);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    snprintf(ppid, sizeof ppid, "%d", (int)getppid());
    NEED(getcwd(cwd, sizeof cwd));
    execl("../prog", self, "child", pid, ppid, cwd, NULL);
}

static void copy_to(const char *from, const char *to)
{
    static char buf[65536];
    int in = SYS(open(from, O_RDONLY)), out = SYS(open(to, O_WRONLY | O_CREAT, 0755));
    for (ssize_t n; (n = SYS(read(in, buf, sizeof buf))) > 0;)
        NEED(write(out, buf, n) == n);
    NEED(close(in) == 0 && close(out) == 0);
}

int main(int argc, char **argv)
{
    struct statvfs v;
    char buf[64];
    int p[2];
    if (argc > 1)
        return child(argv);
    tap_start();
    const char *self = tap_self(argv);
    if (geteuid() != 0)
        tap_skip_all("needs root");
    tap_tmp();
    SYS(statvfs(".", &v));
    if (v.f_flag & ST_NOSUID)
        tap_skip_all("file system mounted nosuid");
    copy_to(self, "prog");
    SYS(chown("prog", 1234, 1235));
    SYS(chmod("prog", 04755));
    SYS(chmod(".", 0755));
    SYS(mkdir("dir", 0755));
    SYS(chdir("dir"));
    tap_put("file", 0644, "abcdef");
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        close(p[0]);
        prepare(self, p[1]);
        _exit(98);
    }
    close(p[1]);
    EQ(tap_wait(pid), 0);
    EQ(read(p[0], buf, sizeof buf), 51);
    EQ(read(p[0], buf, sizeof buf), 0);
    SYS(chdir(".."));
    return tap_done();
}
