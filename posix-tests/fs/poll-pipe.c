// SPDX-License-Identifier: MIT
//
// poll() on pipes: POLLIN with data, POLLOUT with room, POLLHUP for the reader when writers are
// gone (with POLLIN while data is left), POLLERR for the writer without readers.
#include "tap.h"
#include <poll.h>

static int events(int fd, int want)
{
    struct pollfd f = {fd, want, 0x7fff};
    return poll(&f, 1, 0) >= 0 ? f.revents : -1;
}

int main(void)
{
    static char buf[4096];
    int p[2];
    tap_start();
    SYS(pipe2(p, O_NONBLOCK));
    EQ(events(p[0], POLLIN), 0);
    EQ(events(p[1], POLLOUT), POLLOUT);
    EQ(events(p[1], POLLIN), 0);
    EQ(write(p[1], "x", 1), 1);
    EQ(events(p[0], POLLIN | POLLPRI), POLLIN);
    EQ(events(p[0], POLLRDNORM), POLLRDNORM);
    EQ(events(p[0], 0), 0);
    while (write(p[1], buf, sizeof buf) > 0)
        ;
    EQ(events(p[1], POLLOUT), 0);
    while (read(p[0], buf, sizeof buf) > 0)
        ;
    EQ(events(p[1], POLLOUT), POLLOUT);
    EQ(write(p[1], "x", 1), 1);
    SYS(close(p[1]));
    EQ(events(p[0], POLLIN), POLLIN | POLLHUP);
    EQ(read(p[0], buf, 10), 1);
    EQ(events(p[0], POLLIN) & ~POLLIN, POLLHUP);
    EQ(events(p[0], 0), POLLHUP);
    SYS(close(p[0]));
    SYS(pipe(p));
    SYS(close(p[0]));
    EQ(events(p[1], POLLOUT) & POLLERR, POLLERR);
    EQ(events(p[1], 0), POLLERR);
    return tap_done();
}
