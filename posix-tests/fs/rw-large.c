// SPDX-License-Identifier: MIT
//
// A file of 3 MB + 7 bytes written and read back in odd pieces: no byte lost at block and page
// borders.
#include "tap.h"

enum { SIZE = 3 * 1024 * 1024 + 7 };

static unsigned char pattern(long i)
{
    return (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff;
}

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    unsigned char *data = malloc(SIZE), *back = calloc(1, SIZE);
    for (long i = 0; i < SIZE; i++)
        data[i] = pattern(i);
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    for (long done = 0, step = 1; done < SIZE; step = step * 3 % 70001 + 1) {
        long n = SIZE - done < step ? SIZE - done : step;
        NEED(write(fd, data + done, n) == n);
        done += n;
    }
    SYS(fstat(fd, &st));
    EQ(st.st_size, SIZE);
    OK(st.st_blocks * 512LL >= SIZE);
    SYS(lseek(fd, 0, SEEK_SET));
    long total = 0;
    for (long n, step = 5; (n = read(fd, back + total, step)) > 0; step = step * 5 % 90001 + 1)
        total += n;
    EQ(total, SIZE);
    OK(!memcmp(data, back, SIZE));
    memset(back, 0, SIZE);
    EQ(pread(fd, back, SIZE, 0), SIZE);
    OK(!memcmp(data, back, SIZE));
    return tap_done();
}
