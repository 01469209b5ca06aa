// SPDX-License-Identifier: MIT
//
// Read-write locks: readers together, writers alone, try variants.
#include "tap.h"
#include <pthread.h>
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int a, b, torn;

static void *writer(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        pthread_rwlock_wrlock(&lock);
        a++;
        sched_yield();
        b++;
        pthread_rwlock_unlock(&lock);
    }
    return arg;
}

static void *reader(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        pthread_rwlock_rdlock(&lock);
        if (a != b)
            __sync_fetch_and_add(&torn, 1);
        pthread_rwlock_unlock(&lock);
    }
    return arg;
}

static void *attempt(void *arg)
{
    int r = pthread_rwlock_tryrdlock(&lock), w;
    if (r == 0)
        pthread_rwlock_unlock(&lock);
    w = pthread_rwlock_trywrlock(&lock);
    if (w == 0)
        pthread_rwlock_unlock(&lock);
    (void)arg;
    return (void *)(intptr_t)((r == 0) | (w == 0) << 1);
}

static long asked(void)
{
    pthread_t t;
    void *value;
    NEED(pthread_create(&t, NULL, attempt, NULL) == 0);
    pthread_join(t, &value);
    return (intptr_t)value;
}

int main(void)
{
    pthread_t t[4];
    tap_start();
    for (int i = 0; i < 4; i++)
        NEED(pthread_create(&t[i], NULL, i < 2 ? writer : reader, NULL) == 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    EQ(torn, 0);
    EQ(a, 4000);
    EQ(b, 4000);
    EQ(asked(), 3);
    EQ(pthread_rwlock_rdlock(&lock), 0);
    EQ(pthread_rwlock_tryrdlock(&lock), 0);
    EQ(asked(), 1);
    EQ(pthread_rwlock_unlock(&lock), 0);
    EQ(pthread_rwlock_unlock(&lock), 0);
    EQ(pthread_rwlock_wrlock(&lock), 0);
    EQ(asked(), 0);
    EQ(pthread_rwlock_unlock(&lock), 0);
    EQ(asked(), 3);
    return tap_done();
}
