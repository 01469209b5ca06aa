// SPDX-License-Identifier: MIT
//
// fork(): the child's descriptors refer to the same open file descriptions: offset and status
// flags are shared both ways, the descriptor table is not.
#include "tap.h"

int main(void)
{
    char byte;
    int go[2], back[2];
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "0123456789");
    int fd = SYS(open("f", O_RDWR));
    SYS(pipe(go));
    SYS(pipe(back));
    pid_t pid = tap_fork();
    if (pid == 0) {
        EQ(read(fd, &byte, 1), 1);
        EQ(byte, '0');
        tap_post(back[1]);
        tap_await(go[0]);
        EQ(lseek(fd, 0, SEEK_CUR), 5);
        SYS(fcntl(fd, F_SETFL, O_APPEND));
        SYS(lseek(fd, 8, SEEK_SET));
        SYS(close(fd));
        _exit(0);
    }
    tap_await(back[0]);
    EQ(read(fd, &byte, 1), 1);
    EQ(byte, '1');
    EQ(lseek(fd, 3, SEEK_CUR), 5);
    tap_post(go[1]);
    EQ(tap_wait(pid), 0);
    EQ(lseek(fd, 0, SEEK_CUR), 8);
    EQ(fcntl(fd, F_GETFL) & O_APPEND, O_APPEND);
    EQ(read(fd, &byte, 1), 1);
    EQ(byte, '8');
    return tap_done();
}
