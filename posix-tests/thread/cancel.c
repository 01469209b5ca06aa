// SPDX-License-Identifier: MIT
//
// Cancellation: at points only when deferred, inside blocking calls, cleanup handlers in reverse
// order, disabled and asynchronous; a completed call keeps its effect.
#include "tap.h"
#include <pthread.h>
static int order, p[2], reached;

static void clean(void *arg)
{
    order = order * 10 + (int)(intptr_t)arg;
}

static void *blocked(void *arg)
{
    char byte;
    pthread_cleanup_push(clean, (void *)1L);
    pthread_cleanup_push(clean, (void *)2L);
    if (read(p[0], &byte, 1) < 0)
        order = -1;
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return arg;
}

static void *deferred(void *arg)
{
    while (!__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE))
        ;
    reached = 1;
    pthread_testcancel();
    reached = 2;
    return NULL;
}

static void *disabled(void *arg)
{
    int old;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    while (!__atomic_load_n((int *)arg, __ATOMIC_ACQUIRE))
        tap_sleep(1);
    pthread_testcancel();
    reached = 3;
    pthread_setcancelstate(old, NULL);
    pthread_testcancel();
    reached = 4;
    return NULL;
}

static void *asynchronous(void *arg)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;)
        ++*(volatile int *)arg;
    return NULL;
}

static int cancelled(void *(*body)(void *))
{
    static int flag;
    pthread_t t;
    void *value;
    flag = 0;
    NEED(pthread_create(&t, NULL, body, &flag) == 0);
    tap_sleep(15);
    NEED(pthread_cancel(t) == 0);
    __atomic_store_n(&flag, 1, __ATOMIC_RELEASE);
    NEED(pthread_join(t, &value) == 0);
    return value == PTHREAD_CANCELED;
}

int main(void)
{
    tap_start();
    SYS(pipe(p));
    EQ(cancelled(blocked), 1);
    EQ(order, 21);
    EQ(cancelled(deferred), 1);
    EQ(reached, 1);
    EQ(cancelled(disabled), 1);
    EQ(reached, 3);
    EQ(cancelled(asynchronous), 1);
    tap_post(p[1]);
    tap_await(p[0]);
    return tap_done();
}
