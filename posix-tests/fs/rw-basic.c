// SPDX-License-Identifier: MIT
//
// read(), write(): counts, offsets, short read at the end of file, 0 at and behind the end, a
// count of zero.
#include "tap.h"

int main(void)
{
    char buf[64];
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    EQ(write(fd, "hello world", 11), 11);
    EQ(lseek(fd, 0, SEEK_CUR), 11);
    EQ(read(fd, buf, sizeof buf), 0);
    EQ(lseek(fd, 6, SEEK_SET), 6);
    EQ(read(fd, buf, sizeof buf), 5);
    OK(!memcmp(buf, "world", 5));
    EQ(read(fd, buf, sizeof buf), 0);
    EQ(lseek(fd, 2, SEEK_SET), 2);
    EQ(write(fd, "LL", 2), 2);
    EQ(read(fd, buf, 1), 1);
    EQ(buf[0], 'o');
    EQ(write(fd, buf, 0), 0);
    EQ(read(fd, buf, 0), 0);
    EQ(lseek(fd, 0, SEEK_CUR), 5);
    EQ(lseek(fd, 100, SEEK_SET), 100);
    EQ(read(fd, buf, 1), 0);
    EQ(write(fd, buf, 0), 0);
    EQ(lseek(fd, 0, SEEK_END), 11);
    STR(tap_get("f"), "heLLo world");
    return tap_done();
}
