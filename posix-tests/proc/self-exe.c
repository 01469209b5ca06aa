// SPDX-License-Identifier: MIT
//
// /proc/self/exe (proc(5)): the file of the running program, by an absolute name without symbolic
// links, whatever name exec was given: a relative one, a link's, or /proc/self/exe itself, again
// and again.
#include "tap.h"

// "level N": executes itself by the link N times; then says what the link is.
static int level(int left)
{
    char digits[12], name[PATH_MAX];
    snprintf(digits, sizeof digits, "%d", left - 1);
    if (left > 0) {
        execl("/proc/self/exe", "level", digits, (char *)NULL);
        return 90;
    }
    ssize_t n = readlink("/proc/self/exe", name, sizeof name - 1);
    if (n < 0)
        return 91;
    name[n] = 0;
    struct stat link, file;
    if (stat("/proc/self/exe", &link) || stat(name, &file))
        return 92;
    if (*name != '/' || link.st_ino != file.st_ino || link.st_dev != file.st_dev)
        return 93;
    return strcmp(name, getenv("WANT")) ? 94 : 0;
}

static void copy(const char *from, const char *to)
{
    static char bytes[65536];
    int in = SYS(open(from, O_RDONLY)), out = SYS(open(to, O_WRONLY | O_CREAT, 0755));
    for (ssize_t n; (n = read(in, bytes, sizeof bytes)) > 0;)
        SYS(write(out, bytes, n));
    SYS(close(in));
    SYS(close(out));
}

static int run(const char *path, const char *levels)
{
    pid_t pid = tap_fork();
    if (pid == 0) {
        execl(path, "level", levels, (char *)NULL);
        _exit(95);
    }
    return tap_wait(pid);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        SYS(chdir("/"));
        return level(atoi(argv[1]));
    }
    tap_start();
    char self[PATH_MAX], want[PATH_MAX];
    SYS(realpath(tap_self(argv), self) ? 0 : -1);
    tap_tmp();
    SYS(mkdir("d", 0755));
    copy(self, "d/program");
    SYS(symlink("d/program", "link"));
    SYS(symlink("d", "e"));
    SYS(symlink("/proc/self/exe", "magic"));
    snprintf(want, sizeof want, "%s/d/program", tap_dir);
    setenv("WANT", want, 1);

    EQ(run(want, "0"), 0);
    EQ(run(want, "3"), 0);
    EQ(run("d/program", "0"), 0);
    EQ(run("./d/../d/program", "2"), 0);
    EQ(run("link", "0"), 0);
    EQ(run("e/program", "1"), 0);
    setenv("WANT", self, 1);
    EQ(run("magic", "2"), 0);
    return tap_done();
}
