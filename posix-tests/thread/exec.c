// SPDX-License-Identifier: MIT
//
// exec in a thread replaces the whole process: other threads end, the pid stays.
#include "tap.h"
#include <pthread.h>
static char **args;

static void *spin(void *arg)
{
    for (;;)
        ++*(volatile int *)arg;
    return NULL;
}

static void *replace(void *arg)
{
    execv(arg, args);
    _exit(98);
}

int main(int argc, char **argv)
{
    static int count;
    pthread_t t;
    if (argc > 1)
        return getpid() == atoi(argv[1]) ? 21 : 22;
    tap_start();
    char *self = (char *)tap_self(argv), text[16];
    pid_t pid = tap_fork();
    if (pid == 0) {
        snprintf(text, sizeof text, "%d", getpid());
        args = (char *[]){self, text, NULL};
        pthread_create(&t, NULL, spin, &count);
        pthread_create(&t, NULL, replace, self);
        for (;;)
            pause();
    }
    EQ(tap_wait(pid), 21);
    return tap_done();
}
