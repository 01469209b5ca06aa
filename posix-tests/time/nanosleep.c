// SPDX-License-Identifier: MIT
//
// nanosleep(): at least as long as asked, EINVAL, EINTR with the time left, ignored signals do not
// interrupt.
#include "tap.h"

static void note(int sig)
{
    (void)sig;
}

int main(void)
{
    struct timespec t = {0, 30000000}, left = {9, 9};
    tap_start();
    long long start = tap_ms();
    EQ(nanosleep(&t, &left), 0);
    OK(tap_ms() - start >= 29);
    EQ(left.tv_sec, 9);
    t.tv_nsec = 0;
    EQ(nanosleep(&t, NULL), 0);
    t.tv_nsec = 1000000000;
    ERR(nanosleep(&t, NULL), EINVAL);
    t.tv_nsec = -1;
    ERR(nanosleep(&t, NULL), EINVAL);
    t = (struct timespec){-1, 0};
    ERR(nanosleep(&t, NULL), EINVAL);
    signal(SIGUSR1, note);
    signal(SIGUSR2, SIG_IGN);
    int p[2];
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_await(p[0]);
        for (;;) {
            tap_sleep(10);
            kill(getppid(), SIGUSR1);
        }
    }
    tap_post(p[1]);
    t = (struct timespec){20, 0};
    ERR(nanosleep(&t, &left), EINTR);
    OK(left.tv_sec >= 10 && left.tv_sec < 20);
    EQ(t.tv_sec, 20);
    OK(sleep(20) >= 10);
    ERR(usleep(500000), EINTR);
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    pid = tap_fork();
    if (pid == 0) {
        kill(getppid(), SIGUSR2);
        _exit(0);
    }
    t = (struct timespec){0, 20000000};
    EQ(nanosleep(&t, NULL), 0);
    EQ(tap_wait(pid), 0);
    return tap_done();
}
