// SPDX-License-Identifier: MIT
//
// posix_spawn file actions run in order: open onto a number, dup2, close; a failing action fails
// the spawn; dup2 of a descriptor onto itself clears close-on-exec.
#include "tap.h"
#include <spawn.h>

static int child(void)
{
    char buf[8] = "";
    if (read(0, buf, 5) != 5 || strcmp(buf, "input"))
        return 1;
    if (write(1, "out", 3) != 3 || write(7, "dup", 3) != 3)
        return 2;
    if (fcntl(9, F_GETFD) != -1 || fcntl(8, F_GETFD) != 0)
        return 3;
    return 0;
}

int main(int argc, char **argv)
{
    pid_t pid;
    posix_spawn_file_actions_t a;
    if (argc > 1)
        return child();
    tap_start();
    const char *self = tap_self(argv);
    tap_tmp();
    tap_put("in", 0600, "input");
    char *args[] = {(char *)self, "child", NULL};
    int keep = SYS(open("in", O_RDONLY));
    SYS(dup2(keep, 9));
    SYS(dup3(keep, 8, O_CLOEXEC));
    EQ(posix_spawn_file_actions_init(&a), 0);
    EQ(posix_spawn_file_actions_addopen(&a, 0, "in", O_RDONLY, 0), 0);
    EQ(posix_spawn_file_actions_addopen(&a, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0600), 0);
    EQ(posix_spawn_file_actions_adddup2(&a, 1, 7), 0);
    EQ(posix_spawn_file_actions_adddup2(&a, 8, 8), 0);
    EQ(posix_spawn_file_actions_addclose(&a, 9), 0);
    EQ(posix_spawn(&pid, self, &a, NULL, args, NULL), 0);
    EQ(tap_wait(pid), 0);
    STR(tap_get("out"), "outdup");
    EQ(fcntl(8, F_GETFD), FD_CLOEXEC);
    EQ(fcntl(9, F_GETFD), 0);
    EQ(posix_spawn_file_actions_addopen(&a, 5, "missing", O_RDONLY, 0), 0);
    EQ(posix_spawn(&pid, self, &a, NULL, args, NULL), ENOENT);
    EQ(posix_spawn_file_actions_destroy(&a), 0);
    ERR(waitpid(-1, NULL, WNOHANG), ECHILD);
    return tap_done();
}
