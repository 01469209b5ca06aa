// SPDX-License-Identifier: MIT
//
// rand(), random(), drand48() follow their seeds; getentropy() and /dev/urandom give bytes that
// differ each time and between processes.
#include "tap.h"

int main(void)
{
    unsigned char a[32], b[32], c[32];
    int p[2];
    tap_start();
    srand(7);
    int first = rand();
    srand(7);
    EQ(rand(), first);
    srandom(7);
    long second = random();
    srandom(7);
    EQ(random(), second);
    srand48(0x1234abcd);
    long bits = lrand48();
    srand48(0x1234abcd);
    EQ(lrand48(), bits);
    EQ(getentropy(a, 32), 0);
    EQ(getentropy(b, 32), 0);
    OK(memcmp(a, b, 32) != 0);
    ERR(getentropy(a, 1000), EIO);
    SYS(pipe(p));
    IN_CHILD("a child draws other bytes") {
        EQ(getentropy(c, 32), 0);
        EQ(write(p[1], c, 32), 32);
    }
    EQ(getentropy(a, 32), 0);
    EQ(read(p[0], c, 32), 32);
    OK(memcmp(a, c, 32) != 0);
    int fd = open("/dev/urandom", O_RDONLY);
    OK(fd >= 0);
    EQ(read(fd, a, 32), 32);
    EQ(read(fd, b, 32), 32);
    OK(memcmp(a, b, 32) != 0);
    return tap_done();
}
