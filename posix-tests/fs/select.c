// SPDX-License-Identifier: MIT
//
// select(): sets are rewritten to what is ready, the result counts bits, EBADF for a closed
// descriptor, EINVAL for a bad count or timeout, EOF and errors count as ready.
#include "tap.h"
#include <sys/select.h>

int main(void)
{
    int p[2], q[2];
    fd_set r, w;
    struct timeval now = {0, 0};
    tap_start();
    SYS(pipe(p));
    SYS(pipe(q));
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(p[0], &r);
    FD_SET(q[0], &r);
    FD_SET(p[1], &w);
    FD_SET(q[1], &w);
    tap_post(q[1]);
    EQ(select(q[1] + 1, &r, &w, NULL, &now), 3);
    EQ(!!FD_ISSET(p[0], &r), 0);
    EQ(!!FD_ISSET(q[0], &r), 1);
    EQ(!!FD_ISSET(p[1], &w), 1);
    EQ(!!FD_ISSET(q[1], &w), 1);
    FD_ZERO(&r);
    FD_SET(q[0], &r);
    EQ(select(q[0], &r, NULL, NULL, &now), 0);
    EQ(!!FD_ISSET(q[0], &r), 0);
    SYS(close(p[1]));
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    EQ(select(p[0] + 1, &r, NULL, NULL, NULL), 1);
    SYS(close(p[0]));
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    ERR(select(p[0] + 1, &r, NULL, NULL, &now), EBADF);
    ERR(select(-1, NULL, NULL, NULL, &now), EINVAL);
    struct timespec bad = {0, 1000000000};
    ERR(pselect(0, NULL, NULL, NULL, &bad, NULL), EINVAL);
    SYS(close(q[0]));
    FD_ZERO(&w);
    FD_SET(q[1], &w);
    EQ(select(q[1] + 1, NULL, &w, NULL, NULL), 1);
    return tap_done();
}
