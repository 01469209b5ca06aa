// SPDX-License-Identifier: MIT
//
// exec: E2BIG beyond the limit, which sysconf(_SC_ARG_MAX) states; a megabyte of environment works.
#include "tap.h"
extern char **environ;

int main(int argc, char **argv)
{
    if (argc > 1) {
        long total = 0;
        for (char **e = environ; *e; e++)
            total += strlen(*e);
        return total == 30 * 3999 ? 21 : 22;
    }
    tap_start();
    const char *self = tap_self(argv);
    OK(sysconf(_SC_ARG_MAX) >= _POSIX_ARG_MAX);
    char *text = malloc(4000), *env[31], **huge = calloc(20001, sizeof *huge);
    memset(text, 'e', 3999);
    text[1] = '=';
    text[3999] = 0;
    for (int i = 0; i < 30; i++)
        env[i] = text;
    env[30] = NULL;
    pid_t pid = tap_fork();
    if (pid == 0) {
        execle(self, self, "child", (char *)NULL, env);
        _exit(98);
    }
    EQ(tap_wait(pid), 21);
    for (int i = 0; i < 20000; i++)
        huge[i] = text;
    char *args[] = {(char *)self, "child", NULL};
    ERR(execve(self, args, huge), E2BIG);
    ERR(execve(self, huge, env), E2BIG);
    ERR(execve(self, (char **)8, env), EFAULT);
    return tap_done();
}
