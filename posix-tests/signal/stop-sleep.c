// SPDX-License-Identifier: MIT
//
// A process that is stopped and continued in a sleep sleeps on: nanosleep, clock_nanosleep, poll
// and select end when their time is over, reckoned from the beginning, and not with EINTR; so it is
// with signals that are ignored. A handler ends the sleep, and the next one has its whole time.
#include "tap.h"
#include <poll.h>
#include <sys/select.h>

enum { TIME_MS = 1200 };

static int by_nanosleep(void)
{
    struct timespec t = {TIME_MS / 1000, TIME_MS % 1000 * 1000000};
    return nanosleep(&t, NULL);
}

static int by_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += 1;
    return clock_nanosleep(CLOCK_REALTIME, 0, &(struct timespec){1, 200000000}, NULL) ||
           clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int by_poll(void)
{
    return poll(NULL, 0, TIME_MS);
}

static int by_select(void)
{
    return select(0, NULL, NULL, NULL, &(struct timeval){TIME_MS / 1000, TIME_MS % 1000 * 1000});
}

static void note(int signal)
{
    (void)signal;
}

// A busy host may let the sleep end before the last stop: then the child has ended, as it should.
static void stopped(int (*sleep_it)(void))
{
    int status = 0, done = 0;
    pid_t pid = tap_fork();
    if (pid == 0) {
        long long start = tap_ms();
        if (sleep_it() != 0)
            _exit(1);
        _exit(tap_ms() - start < TIME_MS ? 2 : 0);
    }
    for (int i = 0; i < 3 && !done; i++) {
        tap_sleep(100);
        SYS(kill(pid, SIGSTOP));
        SYS(waitpid(pid, &status, WUNTRACED));
        done = !WIFSTOPPED(status);
        if (!done) {
            SYS(kill(pid, SIGCONT));
            SYS(kill(pid, SIGWINCH)); // ignored by default
        }
    }
    if (!done)
        SYS(waitpid(pid, &status, 0));
    EQ(status, 0);
}

int main(void)
{
    tap_start();
    stopped(by_nanosleep);
    stopped(by_clock);
    stopped(by_poll);
    stopped(by_select);

    struct sigaction action = {.sa_handler = note};
    SYS(sigaction(SIGALRM, &action, NULL));
    ualarm(50000, 0);
    ERR(poll(NULL, 0, 20000), EINTR);
    long long start = tap_ms();
    EQ(poll(NULL, 0, 100), 0);
    OK(tap_ms() - start >= 100);
    ualarm(50000, 0);
    struct timespec rest = {0, 0};
    ERR(nanosleep(&(struct timespec){20, 0}, &rest), EINTR);
    OK(rest.tv_sec >= 1 && rest.tv_sec < 20);
    tap_alarm();
    return tap_done();
}
