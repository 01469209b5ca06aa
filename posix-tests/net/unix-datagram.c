// SPDX-License-Identifier: MIT
//
// AF_UNIX datagrams and sequenced packets: borders are kept, excess is cut (MSG_TRUNC), zero length
// arrives, sender names.
#include "tap.h"
#include <sys/socket.h>
#include <sys/un.h>

int main(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "a"}, from;
    struct sockaddr_un b = {.sun_family = AF_UNIX, .sun_path = "b"};
    char buf[64];
    int s[2];
    tap_start();
    tap_tmp();
    int x = SYS(socket(AF_UNIX, SOCK_DGRAM, 0)), y = SYS(socket(AF_UNIX, SOCK_DGRAM, 0));
    SYS(bind(x, (void *)&a, sizeof a));
    SYS(bind(y, (void *)&b, sizeof b));
    EQ(sendto(x, "one", 3, 0, (void *)&b, sizeof b), 3);
    EQ(sendto(x, "", 0, 0, (void *)&b, sizeof b), 0);
    EQ(sendto(x, "three", 5, 0, (void *)&b, sizeof b), 5);
    socklen_t length = sizeof from;
    EQ(recvfrom(y, buf, 64, 0, (void *)&from, &length), 3);
    STR(from.sun_path, "a");
    EQ(recv(y, buf, 64, 0), 0);
    struct iovec v = {buf, 2};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    EQ(recvmsg(y, &m, 0), 2);
    EQ(m.msg_flags & MSG_TRUNC, MSG_TRUNC);
    ERR(recv(y, buf, 64, MSG_DONTWAIT), EAGAIN);
    ERR(send(x, "x", 1, 0), ENOTCONN);
    EQ(connect(x, (void *)&b, sizeof b), 0);
    EQ(send(x, "x", 1, 0), 1);
    SYS(close(y));
    ERR(send(x, "x", 1, 0), ECONNREFUSED);
    EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
    EQ(write(s[0], "ab", 2), 2);
    EQ(write(s[0], "cde", 3), 3);
    EQ(read(s[1], buf, 64), 2);
    EQ(read(s[1], buf, 64), 3);
    SYS(close(s[0]));
    EQ(read(s[1], buf, 64), 0);
    return tap_done();
}
