// SPDX-License-Identifier: MIT
//
// A set-user-id file executed by posix_spawn and after vfork: a child of its own, while the parent
// goes on as it was; and one that cannot be executed leaves the parent unharmed.
#include "tap.h"
#include <spawn.h>
#include <sys/statvfs.h>

extern char **environ;

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
    if (argc > 1)
        return geteuid() == 1234 && getuid() == 1000 && getppid() == atoi(argv[1]) ? 7 : 8;
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
    tap_put("broken", 0755, "no program");
    SYS(chown("prog", 1234, 1235));
    SYS(chmod("prog", 04755));
    SYS(chown("broken", 1234, 1235));
    SYS(chmod("broken", 04755));
    IN_CHILD("as a user") {
        tap_drop(1000);
        char me[16], *args[] = {"prog", me, NULL};
        pid_t pid;
        snprintf(me, sizeof me, "%d", (int)getpid());
        for (int i = 0; i < 3; i++) {
            EQ(posix_spawn(&pid, "./prog", NULL, NULL, args, environ), 0);
            EQ(tap_wait(pid), 7);
            OK(pid != getpid());
        }
        EQ(posix_spawn(&pid, "./broken", NULL, NULL, args, environ), ENOEXEC);
        pid = vfork();
        if (pid == 0) {
            execve("./prog", args, environ);
            _exit(98);
        }
        EQ(tap_wait(pid), 7);
        EQ(getuid(), 1000);
        EQ(geteuid(), 1000);
        ERR(wait(NULL), ECHILD);
    }
    return tap_done();
}
