// SPDX-License-Identifier: MIT
//
// One thread blocked in a call does not stop the others; descriptors are common; each thread's
// blocked call gets its own wake-up.
#include "tap.h"
#include <poll.h>
#include <pthread.h>

enum { THREADS = 6 };

static int p[THREADS][2];

static void *reader(void *arg)
{
    int *pair = arg;
    char byte = 0;
    if ((pair - p[0]) / 2 % 2) {
        struct pollfd f = {pair[0], POLLIN, 0};
        if (poll(&f, 1, -1) != 1)
            return (void *)-1L;
    }
    return read(pair[0], &byte, 1) == 1 ? (void *)(intptr_t)byte : (void *)-2L;
}

int main(void)
{
    pthread_t t[THREADS];
    void *value;
    volatile long work = 0;
    tap_start();
    for (int i = 0; i < THREADS; i++) {
        SYS(pipe(p[i]));
        NEED(pthread_create(&t[i], NULL, reader, p[i]) == 0);
    }
    tap_sleep(20);
    while (work < 100000)
        work++;
    for (int i = THREADS - 1; i >= 0; i--) {
        char byte = 'a' + i;
        EQ(write(p[i][1], &byte, 1), 1);
        EQ(pthread_join(t[i], &value), 0);
        EQ((intptr_t)value, 'a' + i);
    }
    return tap_done();
}
