// SPDX-License-Identifier: MIT
//
// A pipe across fork and exec: the program's standard output arrives, close-on-exec ends do not
// keep the pipe open.
#include "tap.h"

int main(int argc, char **argv)
{
    char buf[64];
    int p[2], total = 0;
    if (argc > 1) {
        printf("hello from %s\n", argv[1]);
        return 7;
    }
    tap_start();
    const char *self = tap_self(argv);
    SYS(pipe2(p, O_CLOEXEC));
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(dup2(p[1], 1));
        execl(self, self, "child", NULL);
        _exit(98);
    }
    SYS(close(p[1]));
    for (int n; (n = read(p[0], buf + total, sizeof buf - 1 - total)) > 0;)
        total += n;
    buf[total] = 0;
    STR(buf, "hello from child\n");
    EQ(tap_wait(pid), 7);
    return tap_done();
}
