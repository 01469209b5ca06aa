// SPDX-License-Identifier: MIT
//
// fork(): the table is copied: closing on one side closes nothing on the other; close-on-exec flags
// are copied and then separate.
#include "tap.h"

int main(void)
{
    tap_start();
    tap_tmp();
    int a = SYS(open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600)), go[2], back[2];
    SYS(pipe(go));
    SYS(pipe(back));
    pid_t pid = tap_fork();
    if (pid == 0) {
        EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
        SYS(fcntl(a, F_SETFD, 0));
        int mine = SYS(open("g", O_RDWR | O_CREAT, 0600));
        tap_post(back[1]);
        tap_await(go[0]);
        EQ(write(a, "x", 1), 1);
        SYS(close(a));
        EQ(close(mine), 0);
        _exit(mine);
    }
    tap_await(back[0]);
    EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
    int copy = SYS(dup(a));
    SYS(close(a));
    tap_post(go[1]);
    int mine = tap_wait(pid);
    OK(mine > 2 && mine < 60);
    ERR(write(60, "x", 1), EBADF);
    EQ(lseek(copy, 0, SEEK_CUR), 1);
    return tap_done();
}
