// SPDX-License-Identifier: MIT
// Signals, to oneself and between processes.
#include "bench.h"
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static pid_t other;
static sigset_t unblocked, chosen;

static void handler(int number)
{
    (void)number;
    caught++;
}

static int setup_raise(void)
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGUSR1, &action, NULL);
}

static void run_raise(long n)
{
    sig_atomic_t before = caught;
    for (long i = 0; i < n; i++)
        raise(SIGUSR1);
    must(caught - before == n, "every signal caught");
}

static void wait_signal(void)
{
    sig_atomic_t before = caught;
    while (caught == before)
        sigsuspend(&unblocked);
}

static void answer_signals(void)
{
    for (;;) {
        wait_signal();
        must(kill(getppid(), SIGUSR1) == 0, "kill");
    }
}

static int block(void)
{
    sigemptyset(&chosen);
    sigaddset(&chosen, SIGUSR1);
    return sigprocmask(SIG_BLOCK, &chosen, &unblocked);
}

static int setup_ping_pong(void)
{
    if (setup_raise() < 0 || block() < 0)
        return -1;
    other = helper(answer_signals);
    return 0;
}

static void run_ping_pong(long n)
{
    while (n--) {
        must(kill(other, SIGUSR1) == 0, "kill");
        wait_signal();
    }
}

static void answer_waits(void)
{
    int number;
    for (;;)
        must(sigwait(&chosen, &number) == 0 && kill(getppid(), SIGUSR1) == 0, "sigwait");
}

static int setup_sigwait(void)
{
    if (block() < 0)
        return -1;
    other = helper(answer_waits);
    return 0;
}

static void run_sigwait(long n)
{
    int number;
    while (n--)
        must(kill(other, SIGUSR1) == 0 && sigwait(&chosen, &number) == 0, "sigwait");
}

static void run_kill_none(long n)
{
    while (n--)
        must(kill(getpid(), 0) == 0, "kill");
}

static int setup_pending(void)
{
    return block();
}
static void run_pending(long n)
{
    struct timespec none = {0, 0};
    while (n--)
        must(raise(SIGUSR1) == 0 && sigtimedwait(&chosen, NULL, &none) == SIGUSR1, "sigtimedwait");
}

static void run_queue(long n)
{
    siginfo_t info;
    while (n--)
        must(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 1}) == 0 &&
                 sigwaitinfo(&chosen, &info) == SIGUSR1,
             "sigqueue");
}

static void run_alternate(long n)
{
    static char stack[16384];
    stack_t other_stack = {.ss_sp = stack, .ss_size = sizeof(stack)};
    while (n--)
        must(sigaltstack(&other_stack, NULL) == 0, "sigaltstack");
}

static void run_jump(long n)
{
    static sigjmp_buf point;
    while (n--)
        if (sigsetjmp(point, 1) == 0)
            siglongjmp(point, 1);
}

static timer_t timer;
static int setup_timer(void)
{
    return timer_create(CLOCK_MONOTONIC, NULL, &timer);
}
static void run_timer(long n)
{
    struct itimerspec t = {.it_value = {1000, 0}};
    while (n--)
        must(timer_settime(timer, 0, &t, NULL) == 0, "timer_settime");
}

const struct bench bench_signals[] = {
    {"raise", "raise", 0, setup_raise, NULL, run_raise, NULL},
    {"signal", "signal ping-pong", 0, setup_ping_pong, NULL, run_ping_pong, NULL},
    {"sigwait", "signal ping-pong with sigwait", 0, setup_sigwait, NULL, run_sigwait, NULL},
    {"kill-0", "kill of oneself with signal 0", 0, NULL, NULL, run_kill_none, NULL},
    {"sig-pending", "raise blocked, take by sigtimedwait", 0, setup_pending, NULL, run_pending,
     NULL},
    {"sigqueue", "sigqueue to oneself, sigwaitinfo", 0, setup_pending, NULL, run_queue, NULL},
    {"sigaltstack", "sigaltstack", 0, NULL, NULL, run_alternate, NULL},
    {"siglongjmp", "sigsetjmp and siglongjmp", 0, NULL, NULL, run_jump, NULL},
    {"timer", "timer_settime", 0, setup_timer, NULL, run_timer, NULL},
    BENCH_END,
};
