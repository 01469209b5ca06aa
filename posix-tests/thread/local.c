// SPDX-License-Identifier: MIT
//
// Thread-local storage: __thread variables with initial values and alignment, keys with destructors
// run in rounds, once-only initialisation.
#include "tap.h"
#include <pthread.h>
static __thread int counter = 5;

static __thread struct {
    char c;
    _Alignas(64) double d;
} aligned = {'x', 2.5};

static __thread char zero[5000];
static pthread_key_t key, again;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int destroyed, rounds, runs;

static void destroy(void *value)
{
    __sync_fetch_and_add(&destroyed, (int)(intptr_t)value);
}

static void set_again(void *value)
{
    if (__sync_add_and_fetch(&rounds, 1) < 3)
        pthread_setspecific(again, value);
}

static void init(void)
{
    tap_sleep(10);
    runs++;
}

static void *body(void *arg)
{
    long bad = counter != 5 || aligned.c != 'x' || aligned.d != 2.5 || zero[4999];
    bad |= (uintptr_t)&aligned.d % 64 != 0;
    bad |= pthread_getspecific(key) != NULL;
    counter += (int)(intptr_t)arg;
    errno = (int)(intptr_t)arg;
    pthread_setspecific(key, arg);
    pthread_once(&once, init);
    bad |= runs != 1;
    sched_yield();
    bad |= counter != 5 + (int)(intptr_t)arg || errno != (int)(intptr_t)arg;
    return (void *)bad;
}

static void *looping(void *arg)
{
    pthread_setspecific(again, arg);
    return NULL;
}

int main(void)
{
    pthread_t t[8];
    void *bad;
    tap_start();
    EQ(pthread_key_create(&key, destroy), 0);
    EQ(pthread_key_create(&again, set_again), 0);
    for (intptr_t i = 0; i < 8; i++)
        NEED(pthread_create(&t[i], NULL, body, (void *)(i + 1)) == 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], &bad);
        EQ((intptr_t)bad, 0);
    }
    EQ(destroyed, 36);
    EQ(runs, 1);
    EQ(counter, 5);
    pthread_create(&t[0], NULL, looping, &t);
    pthread_join(t[0], NULL);
    EQ(rounds, 3);
    EQ(pthread_key_delete(key), 0);
    return tap_done();
}
