// SPDX-License-Identifier: MIT
//
// Signals and threads: pthread_kill reaches its thread, masks are per thread, a process signal goes
// to a thread that lets it through, sigwait in one thread serves all, handlers are common.
#include "tap.h"
#include <pthread.h>
static __thread int mine;
static int hits, served;
static pthread_t where;

static void note(int sig)
{
    (void)sig;
    mine++;
    where = pthread_self();
    __sync_fetch_and_add(&hits, 1);
}

static void *wait_for_hit(void *arg)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    tap_post(*(int *)arg);
    while (!__atomic_load_n(&mine, __ATOMIC_RELAXED))
        tap_sleep(1);
    return (void *)(intptr_t)mine;
}

static void *serve(void *arg)
{
    int sig;
    for (int i = 0; i < 3; i++)
        if (sigwait(arg, &sig) == 0 && sig == SIGUSR2)
            served++;
    return NULL;
}

int main(void)
{
    pthread_t t;
    sigset_t set;
    void *value;
    int p[2];
    tap_start();
    SYS(pipe(p));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    signal(SIGUSR1, note);
    for (int how = 0; how < 2; how++) {
        NEED(pthread_create(&t, NULL, wait_for_hit, &p[1]) == 0);
        tap_await(p[0]);
        if (how)
            kill(getpid(), SIGUSR1);
        else
            EQ(pthread_kill(t, SIGUSR1), 0);
        pthread_join(t, &value);
        EQ((intptr_t)value, 1);
        EQ(hits, how + 1);
        EQ(mine, 0);
    }
    NEED(pthread_create(&t, NULL, serve, &set) == 0);
    for (int i = 1; i <= 3; i++) {
        kill(getpid(), SIGUSR2);
        while (__atomic_load_n(&served, __ATOMIC_ACQUIRE) < i)
            tap_sleep(1);
    }
    EQ(pthread_join(t, NULL), 0);
    EQ(served, 3);
    pthread_kill(pthread_self(), SIGUSR1);
    sigpending(&set);
    EQ(sigismember(&set, SIGUSR1), 1);
    EQ(pthread_kill(pthread_self(), 0), 0);
    EQ(pthread_kill(pthread_self(), 1000), EINVAL);
    return tap_done();
}
