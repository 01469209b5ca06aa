// SPDX-License-Identifier: MIT
//
// Condition variables: a bounded queue between threads loses nothing, broadcast wakes all, timed
// waits end with ETIMEDOUT not too early, also on the monotonic clock.
#include "tap.h"
#include <pthread.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER, less = PTHREAD_COND_INITIALIZER;
static int queue[8], head, tail, woken, go;

static void *produce(void *arg)
{
    for (int i = 1; i <= 2000; i++) {
        pthread_mutex_lock(&m);
        while (head - tail == 8)
            pthread_cond_wait(&less, &m);
        queue[head++ % 8] = i;
        pthread_cond_signal(&more);
        pthread_mutex_unlock(&m);
    }
    return arg;
}

static void *sleeper(void *arg)
{
    pthread_mutex_lock(&m);
    while (!go)
        pthread_cond_wait(&more, &m);
    woken++;
    pthread_mutex_unlock(&m);
    return arg;
}

int main(void)
{
    pthread_t t[10];
    long sum = 0;
    tap_start();
    for (int i = 0; i < 2; i++)
        NEED(pthread_create(&t[i], NULL, produce, NULL) == 0);
    for (int i = 0; i < 4000; i++) {
        pthread_mutex_lock(&m);
        while (head == tail)
            pthread_cond_wait(&more, &m);
        sum += queue[tail++ % 8];
        pthread_cond_broadcast(&less);
        pthread_mutex_unlock(&m);
    }
    EQ(sum, 2L * 2000 * 2001 / 2);
    for (int i = 0; i < 2; i++)
        EQ(pthread_join(t[i], NULL), 0);
    for (int i = 0; i < 10; i++)
        NEED(pthread_create(&t[i], NULL, sleeper, NULL) == 0);
    tap_sleep(20);
    pthread_mutex_lock(&m);
    go = 1;
    EQ(pthread_cond_broadcast(&more), 0);
    pthread_mutex_unlock(&m);
    for (int i = 0; i < 10; i++)
        pthread_join(t[i], NULL);
    EQ(woken, 10);
    pthread_condattr_t a;
    pthread_cond_t c;
    struct timespec until;
    pthread_condattr_init(&a);
    EQ(pthread_condattr_setclock(&a, CLOCK_MONOTONIC), 0);
    EQ(pthread_cond_init(&c, &a), 0);
    clock_gettime(CLOCK_MONOTONIC, &until);
    long long start = tap_ms();
    until.tv_nsec += 30000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_mutex_lock(&m);
    EQ(pthread_cond_timedwait(&c, &m, &until), ETIMEDOUT);
    OK(tap_ms() - start >= 29);
    EQ(pthread_mutex_trylock(&m), EBUSY);
    EQ(pthread_cond_destroy(&c), 0);
    return tap_done();
}
