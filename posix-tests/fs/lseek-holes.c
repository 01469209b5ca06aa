// SPDX-License-Identifier: MIT
//
// lseek(): beyond the end makes no file larger until a write, which then leaves a hole of zeros.
// SEEK_DATA and SEEK_HOLE find the border or treat all as data.
#include "tap.h"

int main(void)
{
    char buf[4096];
    struct stat st;
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    EQ(write(fd, "start", 5), 5);
    EQ(lseek(fd, 1 << 20, SEEK_SET), 1 << 20);
    SYS(fstat(fd, &st));
    EQ(st.st_size, 5);
    EQ(write(fd, "end", 3), 3);
    EQ(lseek(fd, 0, SEEK_END), (1 << 20) + 3);
    EQ(lseek(fd, -3, SEEK_END), 1 << 20);
    EQ(read(fd, buf, 10), 3);
    OK(!memcmp(buf, "end", 3));
    int zeros = 1;
    SYS(lseek(fd, 5, SEEK_SET));
    for (long at = 5; at < 1 << 20;) {
        long want = (1 << 20) - at < 4096 ? (1 << 20) - at : 4096;
        NEED(read(fd, buf, want) == want);
        for (long i = 0; i < want; i++)
            zeros &= buf[i] == 0;
        at += want;
    }
    OK(zeros);
    EQ(lseek(fd, 0, SEEK_DATA), 0);
    off_t hole = lseek(fd, 0, SEEK_HOLE);
    OK(hole >= 5 && hole <= (1 << 20) + 3);
    ERR(lseek(fd, (1 << 20) + 3, SEEK_DATA), ENXIO);
    return tap_done();
}
