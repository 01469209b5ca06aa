// SPDX-License-Identifier: MIT
//
// open(): O_TRUNC empties a regular file and keeps its identity; O_APPEND moves the offset to the
// end before each write, whatever lseek said.
#include "tap.h"

int main(void)
{
    struct stat before, after;
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "0123456789");
    SYS(stat("f", &before));
    int fd = SYS(open("f", O_RDWR | O_TRUNC));
    SYS(fstat(fd, &after));
    EQ(after.st_size, 0);
    EQ(after.st_ino, before.st_ino);
    EQ(after.st_mode, before.st_mode);
    SYS(close(fd));
    tap_put("f", 0644, "abc");
    fd = SYS(open("f", O_RDWR | O_APPEND));
    EQ(lseek(fd, 0, SEEK_CUR), 0);
    EQ(lseek(fd, 1, SEEK_SET), 1);
    EQ(write(fd, "de", 2), 2);
    EQ(lseek(fd, 0, SEEK_CUR), 5);
    STR(tap_get("f"), "abcde");
    int other = SYS(open("f", O_WRONLY | O_APPEND));
    EQ(write(other, "f", 1), 1);
    EQ(write(fd, "g", 1), 1);
    STR(tap_get("f"), "abcdefg");
    SYS(fcntl(fd, F_SETFL, 0));
    EQ(lseek(fd, 0, SEEK_SET), 0);
    EQ(write(fd, "A", 1), 1);
    STR(tap_get("f"), "Abcdefg");
    EQ(read(fd, (char[1]){0}, 1), 1);
    return tap_done();
}
