// SPDX-License-Identifier: MIT
//
// Thread stacks: as large as asked, with a guard page below, given back after many threads.
#include "tap.h"
#include <pthread.h>

__attribute__((noinline)) static long use(long bytes)
{
    volatile char room[4096];
    room[0] = bytes;
    return bytes > 0 ? use(bytes - 4096) + room[0] - room[0] + 1 : 0;
}

static void *body(void *arg)
{
    return (void *)use((intptr_t)arg);
}

int main(void)
{
    pthread_attr_t a;
    pthread_t t;
    void *value;
    tap_start();
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 2 << 20);
    EQ(pthread_create(&t, &a, body, (void *)(1L << 20)), 0);
    EQ(pthread_join(t, &value), 0);
    EQ((intptr_t)value, 256);
    pid_t pid = tap_fork();
    if (pid == 0) {
        pthread_create(&t, &a, body, (void *)(64L << 20));
        pthread_join(t, NULL);
        _exit(0);
    }
    EQ(tap_wait(pid), 128 + SIGSEGV);
    int wrong = 0;
    for (int i = 0; i < 100; i++) {
        wrong += pthread_create(&t, &a, body, (void *)65536L) != 0;
        wrong += pthread_join(t, &value) != 0;
    }
    EQ(wrong, 0);
    EQ(pthread_attr_setstacksize(&a, 1), EINVAL);
    return tap_done();
}
