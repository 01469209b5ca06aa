// SPDX-License-Identifier: MIT
//
// pthread_create(), join, detach, exit values, self, attributes, many threads in turn and at once.
#include "tap.h"
#include <pthread.h>

static void *twice(void *arg)
{
    return (void *)((intptr_t)arg * 2);
}

static void *leave(void *arg)
{
    pthread_exit(arg);
}

static void *self(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return NULL;
}

int main(void)
{
    pthread_t t, seen, many[30];
    void *value;
    int wrong = 0;
    tap_start();
    for (intptr_t i = 0; i < 200; i++) {
        NEED(pthread_create(&t, NULL, twice, (void *)i) == 0);
        wrong += pthread_join(t, &value) != 0 || (intptr_t)value != 2 * i;
    }
    EQ(wrong, 0);
    for (intptr_t i = 0; i < 30; i++)
        NEED(pthread_create(&many[i], NULL, twice, (void *)i) == 0);
    for (intptr_t i = 0; i < 30; i++)
        wrong += pthread_join(many[i], &value) != 0 || (intptr_t)value != 2 * i;
    EQ(wrong, 0);
    EQ(pthread_create(&t, NULL, leave, (void *)77L), 0);
    EQ(pthread_join(t, &value), 0);
    EQ((intptr_t)value, 77);
    EQ(pthread_create(&t, NULL, self, &seen), 0);
    EQ(pthread_join(t, NULL), 0);
    OK(pthread_equal(t, seen) && !pthread_equal(seen, pthread_self()));
    pthread_attr_t a;
    size_t size;
    EQ(pthread_attr_init(&a), 0);
    EQ(pthread_attr_setstacksize(&a, 1 << 20), 0);
    EQ(pthread_attr_getstacksize(&a, &size), 0);
    EQ(size, 1 << 20);
    EQ(pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED), 0);
    EQ(pthread_create(&t, &a, twice, NULL), 0);
    EQ(pthread_attr_destroy(&a), 0);
    EQ(pthread_create(&t, NULL, twice, NULL), 0);
    EQ(pthread_detach(t), 0);
    return tap_done();
}
