// SPDX-License-Identifier: MIT
//
// Record locks go when their process closes any descriptor of the file, and when it ends, also by
// SIGKILL; a forked child inherits none.
#include "tap.h"

static int locked(const char *path)
{
    int fd = SYS(open(path, O_RDWR));
    pid_t pid = tap_fork();
    if (pid == 0) {
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        _exit(fcntl(fd, F_SETLK, &l) == -1);
    }
    int answer = tap_wait(pid);
    return answer;
}

int main(void)
{
    int ready[2];
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "");
    tap_put("g", 0644, "");
    SYS(pipe(ready));
    int fd = SYS(open("f", O_RDWR));
    EQ(fcntl(fd, F_SETLK, &l), 0);
    int other = SYS(open("f", O_RDONLY));
    EQ(locked("f"), 1);
    SYS(close(other));
    EQ(locked("f"), 0);
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(fcntl(SYS(open("g", O_RDWR)), F_SETLK, &l));
        tap_post(ready[1]);
        for (;;)
            pause();
    }
    tap_await(ready[0]);
    EQ(locked("g"), 1);
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    EQ(locked("g"), 0);
    fd = SYS(open("f", O_RDWR));
    EQ(fcntl(fd, F_SETLK, &l), 0);
    IN_CHILD("the child holds no lock of its parent and closing frees nothing") {
        struct flock ask = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        SYS(fcntl(fd, F_GETLK, &ask));
        EQ(ask.l_pid, getppid());
        SYS(close(fd));
    }
    EQ(locked("f"), 1);
    return tap_done();
}
