// SPDX-License-Identifier: MIT
//
// poll(): negative descriptors are skipped, closed ones are POLLNVAL and count, files and
// directories are always ready, the result counts entries.
#include "tap.h"
#include <poll.h>

int main(void)
{
    int p[2];
    tap_start();
    tap_tmp();
    SYS(pipe(p));
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644)), null = SYS(open("/dev/null", O_RDWR));
    struct pollfd f[] = {{-1, POLLIN, 99},   {60, POLLIN, 0},    {fd, POLLIN | POLLOUT, 0},
                         {p[0], POLLIN, 99}, {p[1], POLLOUT, 0}, {null, POLLIN | POLLOUT, 0},
                         {p[1], POLLOUT, 0}};
    EQ(poll(f, 7, 1000), 5);
    EQ(f[0].revents, 0);
    EQ(f[1].revents, POLLNVAL);
    EQ(f[2].revents, POLLIN | POLLOUT);
    EQ(f[3].revents, 0);
    EQ(f[4].revents, POLLOUT);
    EQ(f[5].revents, POLLIN | POLLOUT);
    EQ(f[6].revents, POLLOUT);
    EQ(f[1].events, POLLIN);
    EQ(poll(NULL, 0, 0), 0);
    struct pollfd neg = {-5, POLLIN, 99};
    EQ(poll(&neg, 1, 10), 0);
    EQ(neg.revents, 0);
    ERR(poll((struct pollfd *)8, 1, 0), EFAULT);
    return tap_done();
}
