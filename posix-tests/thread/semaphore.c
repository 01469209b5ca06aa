// SPDX-License-Identifier: MIT
//
// Unnamed semaphores between threads and, in shared memory, between processes; trywait, timedwait.
#include "tap.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
static sem_t items;

static void *post(void *arg)
{
    for (int i = 0; i < 1000; i++)
        sem_post(&items);
    return arg;
}

int main(void)
{
    pthread_t t[2];
    int value;
    struct timespec until;
    tap_start();
    EQ(sem_init(&items, 0, 0), 0);
    for (int i = 0; i < 2; i++)
        NEED(pthread_create(&t[i], NULL, post, NULL) == 0);
    for (int i = 0; i < 2000; i++)
        NEED(sem_wait(&items) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    EQ(sem_getvalue(&items, &value), 0);
    EQ(value, 0);
    ERR(sem_trywait(&items), EAGAIN);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    ERR(sem_timedwait(&items, &until), ETIMEDOUT);
    sem_t *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(s != MAP_FAILED);
    EQ(sem_init(&s[0], 1, 0), 0);
    EQ(sem_init(&s[1], 1, 0), 0);
    pid_t pid = tap_fork();
    if (pid == 0) {
        for (int i = 0; i < 100; i++) {
            NEED(sem_wait(&s[0]) == 0);
            NEED(sem_post(&s[1]) == 0);
        }
        _exit(0);
    }
    for (int i = 0; i < 100; i++) {
        NEED(sem_post(&s[0]) == 0);
        NEED(sem_wait(&s[1]) == 0);
    }
    EQ(tap_wait(pid), 0);
    ERR(sem_init(&items, 0, (unsigned)INT_MAX + 1), EINVAL);
    EQ(sem_destroy(&items), 0);
    return tap_done();
}
