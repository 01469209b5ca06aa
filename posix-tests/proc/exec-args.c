// SPDX-License-Identifier: MIT
//
// exec: argv and envp arrive exactly, empty and long strings included; the environment given is the
// whole environment.
#include "tap.h"
extern char **environ;

static int child(int argc, char **argv)
{
    int n = 0;
    while (environ[n])
        n++;
    if (argc != 5 || strcmp(argv[1], "child") || *argv[2] || strcmp(argv[3], "two words \n\t'\"*"))
        return 1;
    if (strlen(argv[4]) != 30000 || argv[4][29999] != 'z' || argv[5])
        return 2;
    if (n != 2 || strcmp(environ[0], "A=1") || strcmp(environ[1], "=odd"))
        return 3;
    return strcmp(argv[0], "other name") ? 4 : 0;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return child(argc, argv);
    tap_start();
    const char *self = tap_self(argv);
    char *longest = malloc(30001);
    memset(longest, 'z', 30000);
    longest[30000] = 0;
    char *args[] = {"other name", "child", "", "two words \n\t'\"*", longest, NULL};
    char *env[] = {"A=1", "=odd", NULL};
    pid_t pid = tap_fork();
    if (pid == 0) {
        execve(self, args, env);
        _exit(98);
    }
    EQ(tap_wait(pid), 0);
    environ = env;
    pid = tap_fork();
    if (pid == 0) {
        execl(self, args[0], args[1], args[2], args[3], args[4], (char *)NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 0);
    pid = tap_fork();
    if (pid == 0) {
        execv(self, args);
        _exit(98);
    }
    EQ(tap_wait(pid), 0);
    return tap_done();
}
