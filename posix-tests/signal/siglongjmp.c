// SPDX-License-Identifier: MIT
//
// Leaving handlers by siglongjmp(): the mask comes back when it was saved and stays when not; a
// blocked call may be left that way, hundreds of times.
#include "tap.h"
#include <setjmp.h>
#include <sys/time.h>
static sigjmp_buf back;

static void leave(int sig)
{
    siglongjmp(back, sig);
}

static int blocked(int sig)
{
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, sig);
}

int main(void)
{
    int p[2];
    sigset_t none;
    volatile int times = 0;
    tap_start();
    SYS(pipe(p));
    signal(SIGUSR1, leave);
    int value = sigsetjmp(back, 1);
    if (value == 0)
        raise(SIGUSR1);
    EQ(value, SIGUSR1);
    EQ(blocked(SIGUSR1), 0);
    value = sigsetjmp(back, 0);
    if (value == 0)
        raise(SIGUSR1);
    EQ(blocked(SIGUSR1), 1);
    sigemptyset(&none);
    SYS(sigprocmask(SIG_SETMASK, &none, NULL));
    signal(SIGALRM, leave);
    while (times < 20) {
        if (sigsetjmp(back, 1) == 0) {
            struct itimerval t = {{0, 0}, {0, 2000}};
            char byte;
            setitimer(ITIMER_REAL, &t, NULL);
            NEED(read(p[0], &byte, 1) == 1);
        }
        times++;
    }
    tap_alarm();
    EQ(blocked(SIGALRM), 0);
    tap_post(p[1]);
    tap_await(p[0]);
    times = 0;
    sigsetjmp(back, 1);
    if (times++ < 500)
        raise(SIGUSR1);
    EQ(times, 501);
    return tap_done();
}
