// SPDX-License-Identifier: MIT
//
// O_NONBLOCK: EAGAIN on empty and on full; up to PIPE_BUF all or nothing, more may be partial; the
// capacity is at least PIPE_BUF and comes back entirely after reading.
#include "tap.h"

int main(void)
{
    static char buf[1 << 17];
    int p[2];
    tap_start();
    SYS(pipe2(p, O_NONBLOCK));
    ERR(read(p[0], buf, 1), EAGAIN);
    long capacity = 0, n;
    while ((n = write(p[1], buf, 512)) > 0)
        capacity += n;
    EQ(errno, EAGAIN);
    OK(capacity >= 4096);
    EQ(capacity % 512, 0);
    ERR(write(p[1], buf, PIPE_BUF), EAGAIN);
    long drained = 0;
    while ((n = read(p[0], buf, 1000)) > 0)
        drained += n;
    EQ(errno, EAGAIN);
    EQ(drained, capacity);
    n = write(p[1], buf, sizeof buf);
    OK(n >= 4096 && n <= (long)sizeof buf);
    if (n < (long)sizeof buf) {
        SYS(read(p[0], buf, 1));
        ERR(write(p[1], buf, PIPE_BUF), EAGAIN);
    }
    drained = 0;
    while ((n = read(p[0], buf, sizeof buf)) > 0)
        drained += n;
    OK(drained >= 4095);
    EQ(write(p[1], buf, PIPE_BUF), PIPE_BUF);
    EQ(write(p[1], buf, 0), 0);
    return tap_done();
}
