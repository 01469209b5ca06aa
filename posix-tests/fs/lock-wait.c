// SPDX-License-Identifier: MIT
//
// F_SETLKW: waits for the holder, is woken by unlock, gives EINTR on a signal and EDEADLK in a
// circle of two.
#include "tap.h"

static void nothing(int sig)
{
    (void)sig;
}

static struct flock at(int type, long start)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};
}

int main(void)
{
    int ready[2], go[2];
    struct flock l;
    tap_start();
    tap_tmp();
    SYS(pipe(ready));
    SYS(pipe(go));
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    l = at(F_WRLCK, 0);
    SYS(fcntl(fd, F_SETLK, &l));
    pid_t pid = tap_fork();
    if (pid == 0) {
        l = at(F_WRLCK, 1);
        EQ(fcntl(fd, F_SETLK, &l), 0);
        tap_post(ready[1]);
        l = at(F_WRLCK, 0);
        EQ(fcntl(fd, F_SETLKW, &l), 0);
        EQ(pread(fd, (char[1]){0}, 1, 0), 1);
        tap_await(go[0]);
        _exit(0);
    }
    tap_await(ready[0]);
    tap_sleep(40);
    l = at(F_WRLCK, 1);
    ERR(fcntl(fd, F_SETLKW, &l), EDEADLK);
    EQ(pwrite(fd, "x", 1, 0), 1);
    l = at(F_UNLCK, 0);
    EQ(fcntl(fd, F_SETLK, &l), 0);
    struct sigaction sa = {.sa_handler = nothing};
    SYS(sigaction(SIGUSR1, &sa, NULL));
    pid_t poker = tap_fork();
    if (poker == 0)
        for (;;) {
            tap_sleep(20);
            kill(getppid(), SIGUSR1);
        }
    l = at(F_WRLCK, 1);
    ERR(fcntl(fd, F_SETLKW, &l), EINTR);
    SYS(kill(poker, SIGKILL));
    EQ(tap_wait(poker), 128 + SIGKILL);
    tap_post(go[1]);
    EQ(tap_wait(pid), 0);
    EQ(fcntl(fd, F_SETLKW, &l), 0);
    return tap_done();
}
