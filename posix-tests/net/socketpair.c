// SPDX-License-Identifier: MIT
//
// socketpair() streams: both ways, partial reads, shutdown, EOF, EPIPE without SIGPIPE by
// MSG_NOSIGNAL, MSG_PEEK, MSG_DONTWAIT.
#include "tap.h"
#include <poll.h>
#include <sys/socket.h>

int main(void)
{
    int s[2];
    char buf[64];
    struct stat st;
    tap_start();
    EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    EQ(fcntl(s[0], F_GETFD), FD_CLOEXEC);
    SYS(fstat(s[0], &st));
    OK(S_ISSOCK(st.st_mode));
    EQ(write(s[0], "hello", 5), 5);
    EQ(send(s[1], "back", 4, 0), 4);
    EQ(recv(s[1], buf, 64, MSG_PEEK), 5);
    EQ(read(s[1], buf, 2), 2);
    EQ(read(s[1], buf, 64), 3);
    OK(!memcmp(buf, "llo", 3));
    EQ(read(s[0], buf, 64), 4);
    ERR(recv(s[0], buf, 64, MSG_DONTWAIT), EAGAIN);
    ERR(lseek(s[0], 0, SEEK_CUR), ESPIPE);
    struct pollfd f = {s[0], POLLIN | POLLOUT, 0};
    EQ(poll(&f, 1, 0), 1);
    EQ(f.revents, POLLOUT);
    EQ(shutdown(s[1], SHUT_WR), 0);
    EQ(read(s[0], buf, 64), 0);
    EQ(write(s[0], "still", 5), 5);
    EQ(recv(s[1], buf, 64, MSG_WAITALL | MSG_DONTWAIT), 5);
    ERR(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    SYS(close(s[1]));
    ERR(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
    EQ(poll(&f, 1, 0), 1);
    EQ(f.revents & POLLHUP, POLLHUP);
    ERR(send(1, "x", 1, 0), ENOTSOCK);
    ERR(socketpair(AF_UNIX, 99, 0, s), EINVAL);
    ERR(socketpair(9999, SOCK_STREAM, 0, s), EAFNOSUPPORT);
    return tap_done();
}
