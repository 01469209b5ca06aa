// SPDX-License-Identifier: MIT
//
// open(): O_DIRECTORY accepts directories alone; a directory opens for reading alone; read(2) and
// write(2) on it fail.
#include "tap.h"

int main(void)
{
    char byte;
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    tap_put("f", 0644, "x");
    int fd = SYS(open("d", O_RDONLY | O_DIRECTORY));
    ERR(read(fd, &byte, 1), EISDIR);
    ERR(write(fd, &byte, 1), EBADF);
    ERR(ftruncate(fd, 0), EINVAL);
    EQ(close(fd), 0);
    ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    ERR(open("d", O_RDWR), EISDIR);
    ERR(open("d", O_WRONLY), EISDIR);
    ERR(open("d", O_WRONLY | O_CREAT, 0600), EISDIR);
    ERR(truncate("d", 0), EISDIR);
    ERR(open("none", O_RDONLY | O_DIRECTORY), ENOENT);
    SYS(symlink("d", "ld"));
    OK(open("ld", O_RDONLY | O_DIRECTORY) >= 0);
    ERR(open("ld", O_RDONLY | O_DIRECTORY | O_NOFOLLOW), ENOTDIR);
    return tap_done();
}
