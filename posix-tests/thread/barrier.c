// SPDX-License-Identifier: MIT
//
// Barriers and spin locks: rounds in step, one serial thread per round.
#include "tap.h"
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 100 };

static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static int arrived[ROUNDS], serial, early;
static long count;

static void *body(void *arg)
{
    for (int r = 0; r < ROUNDS; r++) {
        __sync_fetch_and_add(&arrived[r], 1);
        int result = pthread_barrier_wait(&barrier);
        if (result == PTHREAD_BARRIER_SERIAL_THREAD)
            __sync_fetch_and_add(&serial, 1);
        if (arrived[r] != THREADS)
            __sync_fetch_and_add(&early, 1);
        pthread_spin_lock(&spin);
        count++;
        pthread_spin_unlock(&spin);
    }
    return arg;
}

int main(void)
{
    pthread_t t[THREADS];
    tap_start();
    EQ(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    EQ(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE), 0);
    for (int i = 0; i < THREADS; i++)
        NEED(pthread_create(&t[i], NULL, body, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    EQ(early, 0);
    EQ(serial, ROUNDS);
    EQ(count, THREADS * ROUNDS);
    EQ(pthread_spin_lock(&spin), 0);
    EQ(pthread_spin_trylock(&spin), EBUSY);
    EQ(pthread_barrier_destroy(&barrier), 0);
    EQ(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
    return tap_done();
}
