// SPDX-License-Identifier: MIT
//
// vfork(): the parent goes on only after the child's exec or _exit, and gets the right statuses.
#include "tap.h"

int main(int argc, char **argv)
{
    if (argc > 1)
        return 42;
    tap_start();
    const char *self = tap_self(argv);
    pid_t pid = vfork();
    if (pid == 0)
        _exit(3);
    OK(pid > 0);
    EQ(tap_wait(pid), 3);
    pid = vfork();
    if (pid == 0) {
        execl(self, self, "child", NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 42);
    static int wrong, i;
    for (i = 0; i < 50; i++) {
        pid = vfork();
        if (pid == 0)
            _exit(i);
        wrong += tap_wait(pid) != i;
    }
    EQ(wrong, 0);
    pid = vfork();
    if (pid == 0) {
        execl("/no/such/program", "x", NULL);
        _exit(errno == ENOENT ? 5 : 6);
    }
    EQ(tap_wait(pid), 5);
    return tap_done();
}
