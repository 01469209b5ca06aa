// SPDX-License-Identifier: MIT
//
// Files larger than 4 GB (sparse): offsets and sizes are 64 bits wide everywhere.
#include "tap.h"

enum { MARKS = 5 };

int main(void)
{
    static const off_t at[MARKS] = {0, (1LL << 31) - 2, 1LL << 31, (1LL << 32) - 1,
                                    (1LL << 32) + 5000};
    char byte;
    struct stat st;
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    for (int i = 0; i < MARKS; i++) {
        byte = 'a' + i;
        if (pwrite(fd, &byte, 1, at[i]) == -1 && errno == EFBIG)
            tap_skip_all("this file system has a smaller limit");
    }
    SYS(fstat(fd, &st));
    EQ(st.st_size, (1LL << 32) + 5001);
    OK(st.st_blocks < 1000);
    for (int i = 0; i < MARKS; i++) {
        EQ(pread(fd, &byte, 1, at[i]), 1);
        EQ(byte, 'a' + i);
        EQ(pread(fd, &byte, 1, at[i] + 1), i < MARKS - 1);
        EQ(lseek(fd, at[i], SEEK_SET), at[i]);
        EQ(read(fd, &byte, 1), 1);
        EQ(byte, 'a' + i);
    }
    EQ(ftruncate(fd, 1LL << 32), 0);
    EQ(lseek(fd, 0, SEEK_END), 1LL << 32);
    return tap_done();
}
