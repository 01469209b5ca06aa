// SPDX-License-Identifier: MIT
//
// POSIX 2.6.1: every call that makes a descriptor takes the lowest free number.
#include "tap.h"

int main(void)
{
    int p[2];
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "x");
    int base = SYS(open("f", O_RDONLY));
    for (int i = 1; i < 10; i++)
        EQ(open("f", O_RDONLY), base + i);
    SYS(close(base + 3));
    SYS(close(base + 7));
    EQ(dup(base), base + 3);
    SYS(close(base + 3));
    EQ(pipe(p), 0);
    EQ(p[0], base + 3);
    EQ(p[1], base + 7);
    EQ(open("f", O_RDONLY), base + 10);
    SYS(close(0));
    EQ(open("f", O_RDONLY), 0);
    return tap_done();
}
