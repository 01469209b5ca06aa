// SPDX-License-Identifier: MIT
//
// ITIMER_VIRTUAL and ITIMER_PROF count CPU time: they fire in a busy loop, not in a sleep.
#include "tap.h"
#include <sys/time.h>
static volatile sig_atomic_t count;

static void note(int sig)
{
    (void)sig;
    count++;
}

int main(void)
{
    static const int which[] = {ITIMER_VIRTUAL, ITIMER_PROF}, sigs[] = {SIGVTALRM, SIGPROF};
    tap_start();
    for (int i = 0; i < 2; i++) {
        struct itimerval t = {{0, 0}, {0, 400000}}, old;
        signal(sigs[i], note);
        count = 0;
        EQ(setitimer(which[i], &t, NULL), 0);
        tap_sleep(60);
        EQ(count, 0);
        while (!count)
            ;
        EQ(count, 1);
        EQ(getitimer(which[i], &old), 0);
        EQ(old.it_value.tv_usec, 0);
    }
    return tap_done();
}
