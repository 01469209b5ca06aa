// SPDX-License-Identifier: MIT
//
// Process-shared and robust mutexes in shared memory: exclusion between processes, EOWNERDEAD when
// the holder dies, consistent again afterwards.
#include "tap.h"
#include <pthread.h>
#include <sys/mman.h>

struct shared {
    pthread_mutex_t plain, robust;
    long count;
};

int main(void)
{
    pthread_mutexattr_t a;
    tap_start();
    struct shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(s != MAP_FAILED);
    pthread_mutexattr_init(&a);
    EQ(pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED), 0);
    EQ(pthread_mutex_init(&s->plain, &a), 0);
    EQ(pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST), 0);
    EQ(pthread_mutex_init(&s->robust, &a), 0);
    pid_t pid[2];
    for (int i = 0; i < 2; i++)
        if ((pid[i] = tap_fork()) == 0) {
            for (int n = 0; n < 5000; n++) {
                pthread_mutex_lock(&s->plain);
                long old = s->count;
                __asm__ volatile("" : : : "memory");
                s->count = old + 1;
                pthread_mutex_unlock(&s->plain);
            }
            _exit(0);
        }
    for (int i = 0; i < 2; i++)
        EQ(tap_wait(pid[i]), 0);
    EQ(s->count, 10000);
    for (int how = 0; how < 2; how++) {
        pid_t holder = tap_fork();
        if (holder == 0) {
            NEED(pthread_mutex_lock(&s->robust) == 0);
            if (how)
                raise(SIGKILL);
            _exit(0);
        }
        EQ(tap_wait(holder), how ? 128 + SIGKILL : 0);
        EQ(pthread_mutex_lock(&s->robust), EOWNERDEAD);
        EQ(pthread_mutex_consistent(&s->robust), 0);
        EQ(pthread_mutex_unlock(&s->robust), 0);
        EQ(pthread_mutex_lock(&s->robust), 0);
        EQ(pthread_mutex_unlock(&s->robust), 0);
    }
    return tap_done();
}
