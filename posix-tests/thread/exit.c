// SPDX-License-Identifier: MIT
//
// The process lives until its last thread ends when main leaves by pthread_exit(); exit() in any
// thread ends all; a thread's crash kills the process.
#include "tap.h"
#include <pthread.h>

static void *later(void *arg)
{
    (void)arg;
    tap_sleep(20);
    exit(7);
}

static void *spin(void *arg)
{
    for (volatile int *p = arg;; ++*p)
        ;
    return NULL;
}

static void *crash(void *arg)
{
    (void)arg;
    tap_crash();
    return NULL;
}

int main(void)
{
    pthread_t t;
    static int count;
    tap_start();
    for (int how = 0; how < 4; how++) {
        pid_t pid = tap_fork();
        if (pid == 0) {
            pthread_create(&t, NULL, spin, &count);
            if (how == 0) {
                pthread_create(&t, NULL, later, NULL);
                pthread_exit(NULL);
            }
            if (how == 1)
                exit(8);
            if (how == 2)
                pthread_create(&t, NULL, crash, NULL);
            if (how == 3)
                kill(getpid(), SIGKILL);
            for (;;)
                pause();
        }
        static const int want[] = {7, 8, 128 + SIGSEGV, 128 + SIGKILL};
        EQ(tap_wait(pid), want[how]);
    }
    return tap_done();
}
