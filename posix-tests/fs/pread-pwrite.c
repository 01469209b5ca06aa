// SPDX-License-Identifier: MIT
//
// pread(), pwrite(): leave the offset alone; a write beyond the end extends with zeros.
#include "tap.h"

int main(void)
{
    char buf[32];
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    EQ(write(fd, "abcdef", 6), 6);
    EQ(pread(fd, buf, 3, 1), 3);
    OK(!memcmp(buf, "bcd", 3));
    EQ(lseek(fd, 0, SEEK_CUR), 6);
    EQ(pwrite(fd, "XY", 2, 2), 2);
    EQ(lseek(fd, 0, SEEK_CUR), 6);
    STR(tap_get("f"), "abXYef");
    EQ(pwrite(fd, "Z", 1, 10), 1);
    EQ(lseek(fd, 0, SEEK_END), 11);
    EQ(pread(fd, buf, 32, 5), 6);
    OK(!memcmp(buf, "f\0\0\0\0Z", 6));
    EQ(pread(fd, buf, 32, 11), 0);
    EQ(pread(fd, buf, 32, 1000), 0);
    EQ(pread(fd, buf, 32, 1LL << 40), 0);
    return tap_done();
}
