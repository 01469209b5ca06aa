// SPDX-License-Identifier: MIT
//
// SA_RESTART: read and waits go on after the handler; without it they are EINTR; sleeps are EINTR
// always. A handler that runs many times loses no data.
#include "tap.h"
static volatile sig_atomic_t count;

static void note(int sig)
{
    (void)sig;
    count++;
}

static pid_t poker(int rounds, int fd)
{
    pid_t pid = tap_fork();
    if (pid)
        return pid;
    for (int i = 0; i < rounds; i++) {
        tap_sleep(10);
        kill(getppid(), SIGUSR1);
    }
    tap_sleep(10);
    if (fd >= 0)
        tap_post(fd);
    _exit(0);
}

int main(void)
{
    int p[2];
    char byte = 0;
    struct timespec t = {10, 0};
    struct sigaction sa = {.sa_handler = note, .sa_flags = SA_RESTART};
    tap_start();
    SYS(pipe(p));
    SYS(sigaction(SIGUSR1, &sa, NULL));
    pid_t pid = poker(3, p[1]);
    EQ(read(p[0], &byte, 1), 1);
    EQ(byte, '!');
    OK(count >= 1);
    EQ(tap_wait(pid), 0);
    pid = poker(1000, -1);
    ERR(nanosleep(&t, NULL), EINTR);
    sa.sa_flags = 0;
    SYS(sigaction(SIGUSR1, &sa, NULL));
    ERR(read(p[0], &byte, 1), EINTR);
    ERR(pause(), EINTR);
    OK(sleep(10) > 0);
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    return tap_done();
}
