// SPDX-License-Identifier: MIT
//
// execvp(), execlp(): search PATH in order, skip what may not be executed, remember EACCES, empty
// elements are the current directory, names with a slash are not searched.
#include "tap.h"

int main(int argc, char **argv)
{
    if (argc > 1)
        return strcmp(argv[1], "child") ? 1 : 33;
    tap_start();
    const char *self = tap_self(argv);
    tap_tmp();
    SYS(mkdir("one", 0755));
    SYS(mkdir("two", 0755));
    SYS(mkdir("two/adir", 0755));
    tap_put("one/prog", 0644, "not executable");
    SYS(symlink(self, "two/prog"));
    SYS(symlink(self, "here"));
    setenv("PATH", "none:one:two", 1);
    char *args[] = {"x", "child", NULL};
    pid_t pid = tap_fork();
    if (pid == 0) {
        execvp("prog", args);
        _exit(98);
    }
    EQ(tap_wait(pid), 33);
    ERR(execvp("here", args), ENOENT);
    ERR(execvp("./one/prog", args), EACCES);
    setenv("PATH", "one:none", 1);
    ERR(execlp("prog", "x", NULL), EACCES);
    ERR(execvp("", args), ENOENT);
    setenv("PATH", "one:", 1);
    pid = tap_fork();
    if (pid == 0) {
        execlp("here", "x", "child", NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 33);
    return tap_done();
}
