// SPDX-License-Identifier: MIT
//
// fsync(), fdatasync(), sync(): succeed on files and directories, EINVAL on pipes; data is there.
#include "tap.h"

int main(void)
{
    int p[2];
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT | O_SYNC, 0644));
    EQ(write(fd, "data", 4), 4);
    EQ(fsync(fd), 0);
    EQ(fdatasync(fd), 0);
    int r = SYS(open("f", O_RDONLY)), d = SYS(open(".", O_RDONLY));
    EQ(fsync(r), 0);
    EQ(fsync(d), 0);
    SYS(pipe(p));
    ERR(fsync(p[1]), EINVAL);
    ERR(fsync(60), EBADF);
    STR(tap_get("f"), "data");
    return tap_done();
}
