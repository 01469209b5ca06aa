// SPDX-License-Identifier: MIT
//
// POSIX 2.9.7: read() and write() on a shared description are atomic with respect to each other:
// four processes that read one byte each time through one offset read every byte exactly once, and
// their writes neither overlap nor leave gaps.
#include "tap.h"

enum { CHILDREN = 4, SIZE = 2000 };

int main(void)
{
    tap_start();
    tap_tmp();
    int in = SYS(open("in", O_RDWR | O_CREAT, 0600)),
        out = SYS(open("out", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < SIZE; i++)
        NEED(write(in, &(unsigned short){i}, 2) == 2);
    SYS(lseek(in, 0, SEEK_SET));
    pid_t pid[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        if ((pid[i] = tap_fork()) == 0) {
            unsigned short value;
            while (SYS(read(in, &value, 2)) == 2)
                NEED(write(out, &value, 2) == 2);
            _exit(0);
        }
    for (int i = 0; i < CHILDREN; i++)
        EQ(tap_wait(pid[i]), 0);
    static unsigned char seen[SIZE];
    unsigned short value;
    int count = 0, twice = 0;
    SYS(lseek(out, 0, SEEK_SET));
    while (read(out, &value, 2) == 2) {
        NEED(value < SIZE);
        count++;
        twice += seen[value]++;
    }
    EQ(count, SIZE);
    EQ(twice, 0);
    return tap_done();
}
