// SPDX-License-Identifier: MIT
// Threads.
#include "bench.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn; // 1: the other's

static void *nothing(void *argument)
{
    return argument;
}

static int setup_create(void)
{
    pthread_t thread;
    errno = pthread_create(&thread, NULL, nothing, NULL);
    return errno ? -1 : pthread_join(thread, NULL);
}

static void run_create(long n)
{
    pthread_t thread;
    while (n--)
        must((errno = pthread_create(&thread, NULL, nothing, NULL)) == 0 &&
                 pthread_join(thread, NULL) == 0,
             "thread");
}

static void take_turn(int mine)
{
    pthread_mutex_lock(&lock);
    while (turn != mine)
        pthread_cond_wait(&changed, &lock);
    turn = !mine;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void *take_turns(void *argument)
{
    for (;;)
        take_turn(1);
    return argument;
}

static int setup_condvar(void)
{
    pthread_t thread;
    errno = pthread_create(&thread, NULL, take_turns, NULL);
    return errno ? -1 : 0;
}

// Our turn, then the other's: a round trip.
static void run_condvar(long n)
{
    while (n--)
        take_turn(0);
}

static void run_mutex(long n)
{
    while (n--) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
}

const struct bench bench_threads[] = {
    {"pthread", "pthread create and join", 0, setup_create, NULL, run_create, NULL},
    {"condvar", "condvar ping-pong", 0, setup_condvar, NULL, run_condvar, NULL},
    {"mutex", "mutex lock and unlock, nobody waits", 0, setup_create, NULL, run_mutex, NULL},
    BENCH_END,
};
