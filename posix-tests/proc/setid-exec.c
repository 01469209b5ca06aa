// SPDX-License-Identifier: MIT
//
// Executing a set-user-id or set-group-id file changes the effective and saved ids, not the real
// ones; scripts and mode bits without x do not.
#include "tap.h"
#include <sys/statvfs.h>
#include <sys/auxv.h>

static int child(void)
{
    uid_t r, e, s;
    getresuid(&r, &e, &s);
    printf("%d %d %d %d %d %lu\n", (int)r, (int)e, (int)s, (int)getgid(), (int)getegid(),
           getauxval(AT_SECURE));
    return 0;
}

static void copy_to(const char *from, const char *to)
{
    static char buf[65536];
    int in = SYS(open(from, O_RDONLY)), out = SYS(open(to, O_WRONLY | O_CREAT, 0755));
    for (ssize_t n; (n = SYS(read(in, buf, sizeof buf))) > 0;)
        NEED(write(out, buf, n) == n);
    NEED(close(in) == 0 && close(out) == 0);
}

static const char *run(const char *path)
{
    static char buf[128];
    int p[2];
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(dup2(p[1], 1));
        tap_drop(1000);
        execl(path, path, "child", NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 0);
    ssize_t n = SYS(read(p[0], buf, sizeof buf - 1));
    buf[n] = 0;
    return close(p[0]), close(p[1]), buf;
}

int main(int argc, char **argv)
{
    struct statvfs v;
    if (argc > 1)
        return child();
    tap_start();
    const char *self = tap_self(argv);
    if (geteuid() != 0)
        tap_skip_all("needs root");
    tap_tmp();
    SYS(statvfs(".", &v));
    if (v.f_flag & ST_NOSUID)
        tap_skip_all("file system mounted nosuid");
    SYS(chmod(".", 0755));
    copy_to(self, "prog");
    STR(run("./prog"), "1000 1000 1000 1000 1000 0\n");
    SYS(chown("prog", 1234, 1235));
    SYS(chmod("prog", 04755));
    STR(run("./prog"), "1000 1234 1234 1000 1000 1\n");
    SYS(chmod("prog", 02755));
    STR(run("./prog"), "1000 1000 1000 1000 1235 1\n");
    SYS(chmod("prog", 06755));
    STR(run("./prog"), "1000 1234 1234 1000 1235 1\n");
    SYS(chmod("prog", 02745));
    STR(run("./prog"), "1000 1000 1000 1000 1000 0\n");
    SYS(chown("prog", 0, 0));
    SYS(chmod("prog", 04755));
    STR(run("./prog"), "1000 0 0 1000 1000 1\n");
    return tap_done();
}
