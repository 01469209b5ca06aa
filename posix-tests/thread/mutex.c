// SPDX-License-Identifier: MIT
//
// Mutexes: exclusion under contention, trylock, timedlock, recursive, error-checking.
#include "tap.h"
#include <pthread.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long count;

static void *add(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        pthread_mutex_lock(&m);
        long old = count;
        __asm__ volatile("" : : : "memory");
        count = old + 1;
        pthread_mutex_unlock(&m);
    }
    return arg;
}

static void *attempt(void *arg)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 20000000;
    if (t.tv_nsec >= 1000000000)
        t.tv_sec++, t.tv_nsec -= 1000000000;
    if (pthread_mutex_trylock(arg) != EBUSY)
        return (void *)1;
    return (void *)(intptr_t)(pthread_mutex_timedlock(arg, &t) != ETIMEDOUT);
}

static void *foreign_unlock(void *arg)
{
    return (void *)(intptr_t)pthread_mutex_unlock(arg);
}

int main(void)
{
    pthread_t t[4];
    void *value;
    pthread_mutexattr_t a;
    tap_start();
    for (int i = 0; i < 4; i++)
        NEED(pthread_create(&t[i], NULL, add, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    EQ(count, 80000);
    pthread_mutex_lock(&m);
    pthread_create(&t[0], NULL, attempt, &m);
    pthread_join(t[0], &value);
    EQ((intptr_t)value, 0);
    EQ(pthread_mutex_unlock(&m), 0);
    static pthread_mutex_t r, e;
    pthread_mutexattr_init(&a);
    EQ(pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE), 0);
    EQ(pthread_mutex_init(&r, &a), 0);
    for (int i = 0; i < 3; i++)
        EQ(pthread_mutex_lock(&r), 0);
    EQ(pthread_mutex_trylock(&r), 0);
    for (int i = 0; i < 4; i++)
        EQ(pthread_mutex_unlock(&r), 0);
    EQ(pthread_mutex_unlock(&r), EPERM);
    EQ(pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK), 0);
    EQ(pthread_mutex_init(&e, &a), 0);
    EQ(pthread_mutex_unlock(&e), EPERM);
    EQ(pthread_mutex_lock(&e), 0);
    EQ(pthread_mutex_lock(&e), EDEADLK);
    pthread_create(&t[0], NULL, foreign_unlock, &e);
    pthread_join(t[0], &value);
    EQ((intptr_t)value, EPERM);
    EQ(pthread_mutex_unlock(&e), 0);
    EQ(pthread_mutex_destroy(&e), 0);
    EQ(pthread_mutexattr_settype(&a, 99), EINVAL);
    return tap_done();
}
