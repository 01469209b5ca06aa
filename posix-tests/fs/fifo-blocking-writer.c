// SPDX-License-Identifier: MIT
//
// A blocking open() for writing waits for a reader, and gives EINTR when a handler without
// SA_RESTART runs.
#include "tap.h"

static void nothing(int sig)
{
    (void)sig;
}

int main(void)
{
    char buf[16];
    tap_start();
    tap_tmp();
    SYS(mkfifo("p", 0644));
    pid_t reader = tap_fork();
    if (reader == 0) {
        tap_sleep(30);
        int fd = SYS(open("p", O_RDONLY));
        EQ(read(fd, buf, 16), 4);
        EQ(read(fd, buf, 16), 0);
        _exit(0);
    }
    int w = open("p", O_WRONLY);
    OK(w >= 0);
    EQ(write(w, "data", 4), 4);
    SYS(close(w));
    EQ(tap_wait(reader), 0);
    struct sigaction sa = {.sa_handler = nothing};
    SYS(sigaction(SIGUSR1, &sa, NULL));
    pid_t poker = tap_fork();
    if (poker == 0)
        for (;;) {
            tap_sleep(20);
            kill(getppid(), SIGUSR1);
        }
    ERR(open("p", O_WRONLY), EINTR);
    ERR(open("p", O_RDONLY), EINTR);
    SYS(kill(poker, SIGKILL));
    EQ(tap_wait(poker), 128 + SIGKILL);
    return tap_done();
}
