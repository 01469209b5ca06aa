// SPDX-License-Identifier: MIT
//
// fork() in a threaded process: the child has the calling thread alone, atfork handlers run, memory
// and malloc work while other threads keep allocating.
#include "tap.h"
#include <pthread.h>
static int stop, trace;

static void *churn(void *arg)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        free(malloc(100 + ((uintptr_t)arg & 1000))), sched_yield();
    return NULL;
}

static void prepare(void)
{
    trace = 1;
}

static void parent(void)
{
    trace = trace * 10 + 2;
}

static void child(void)
{
    trace = trace * 10 + 3;
}

static void *forker(void *arg)
{
    int wrong = 0;
    for (int i = 0; i < 12; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            char *p = malloc(1000 + i);
            memset(p, 1, 1000);
            free(p);
            _exit(trace == 13 ? i : 99);
        }
        wrong += trace != 12;
        wrong += tap_wait(pid) != i;
    }
    (void)arg;
    return (void *)(intptr_t)wrong;
}

int main(void)
{
    pthread_t t[2], f;
    void *wrong;
    tap_start();
    EQ(pthread_atfork(prepare, parent, child), 0);
    for (intptr_t i = 0; i < 2; i++)
        NEED(pthread_create(&t[i], NULL, churn, (void *)(i * 500)) == 0);
    NEED(pthread_create(&f, NULL, forker, NULL) == 0);
    EQ(pthread_join(f, &wrong), 0);
    EQ((intptr_t)wrong, 0);
    stop = 1;
    for (int i = 0; i < 2; i++)
        EQ(pthread_join(t[i], NULL), 0);
    return tap_done();
}
