// SPDX-License-Identifier: MIT
//
// posix_spawn(), posix_spawnp(): arguments, environment, errors returned as a number with no child
// left behind.
#include "tap.h"
#include <spawn.h>

int main(int argc, char **argv)
{
    pid_t pid;
    if (argc > 2)
        return atoi(argv[2]) + !!getenv("SPAWN_TEST");
    tap_start();
    const char *self = tap_self(argv);
    char *args[] = {(char *)self, "child", "40", NULL}, *env[] = {"SPAWN_TEST=1", NULL};
    EQ(posix_spawn(&pid, self, NULL, NULL, args, env), 0);
    EQ(tap_wait(pid), 41);
    EQ(posix_spawn(&pid, self, NULL, NULL, args, (char *[]){NULL}), 0);
    EQ(tap_wait(pid), 40);
    EQ(posix_spawn(&pid, "/no/such", NULL, NULL, args, env), ENOENT);
    EQ(posix_spawn(&pid, "/", NULL, NULL, args, env), EACCES);
    ERR(waitpid(-1, NULL, WNOHANG), ECHILD);
    char dir[PATH_MAX];
    snprintf(dir, sizeof dir, "%s", self);
    char *slash = strrchr(dir, '/');
    *slash = 0;
    setenv("PATH", dir, 1);
    EQ(posix_spawnp(&pid, slash + 1, NULL, NULL, args, env), 0);
    EQ(tap_wait(pid), 41);
    EQ(posix_spawnp(&pid, "no-such-program", NULL, NULL, args, env), ENOENT);
    return tap_done();
}
