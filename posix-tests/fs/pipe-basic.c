// SPDX-License-Identifier: MIT
//
// pipe(): bytes in order, partial reads, EOF once every writer is gone, type and errors.
#include "tap.h"

int main(void)
{
    char buf[32];
    int p[2];
    struct stat st;
    tap_start();
    EQ(pipe(p), 0);
    EQ(write(p[1], "hello world", 11), 11);
    EQ(read(p[0], buf, 5), 5);
    OK(!memcmp(buf, "hello", 5));
    EQ(write(p[1], "!", 1), 1);
    EQ(read(p[0], buf, 32), 7);
    OK(!memcmp(buf, " world!", 7));
    EQ(write(p[1], buf, 0), 0);
    ERR(write(p[0], "x", 1), EBADF);
    ERR(read(p[1], buf, 1), EBADF);
    SYS(fstat(p[0], &st));
    OK(S_ISFIFO(st.st_mode));
    EQ(st.st_uid, geteuid());
    EQ(fcntl(p[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    EQ(fcntl(p[1], F_GETFL) & O_ACCMODE, O_WRONLY);
    int copy = SYS(dup(p[1]));
    EQ(write(copy, "end", 3), 3);
    SYS(close(p[1]));
    SYS(fcntl(p[0], F_SETFL, O_NONBLOCK));
    EQ(read(p[0], buf, 32), 3);
    ERR(read(p[0], buf, 32), EAGAIN);
    SYS(close(copy));
    EQ(read(p[0], buf, 32), 0);
    EQ(read(p[0], buf, 32), 0);
    return tap_done();
}
