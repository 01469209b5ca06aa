// SPDX-License-Identifier: MIT
//
// AF_UNIX stream servers: bind, listen, accept, connect, names, peers, ECONNREFUSED, EADDRINUSE.
#include "tap.h"
#include <sys/socket.h>
#include <sys/un.h>

int main(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "sock"}, got;
    struct stat st;
    char buf[16] = "";
    tap_start();
    tap_tmp();
    int l = socket(AF_UNIX, SOCK_STREAM, 0), type = 0;
    OK(l >= 0);
    EQ(bind(l, (void *)&a, sizeof a), 0);
    SYS(stat("sock", &st));
    OK(S_ISSOCK(st.st_mode));
    int c = SYS(socket(AF_UNIX, SOCK_STREAM, 0));
    ERR(connect(c, (void *)&a, sizeof a), ECONNREFUSED);
    EQ(listen(l, 5), 0);
    ERR(bind(SYS(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&a, sizeof a), EADDRINUSE);
    ERR(open("sock", O_RDWR), ENXIO);
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(connect(c, (void *)&a, sizeof a));
        EQ(write(c, "ping", 4), 4);
        EQ(read(c, buf, 16), 4);
        OK(!memcmp(buf, "pong", 4));
        _exit(0);
    }
    SYS(close(c));
    socklen_t length = sizeof got;
    int s = accept(l, (void *)&got, &length);
    OK(s >= 0);
    EQ(got.sun_family, AF_UNIX);
    EQ(read(s, buf, 16), 4);
    EQ(write(s, "pong", 4), 4);
    EQ(tap_wait(pid), 0);
    EQ(read(s, buf, 16), 0);
    length = sizeof got;
    EQ(getsockname(l, (void *)&got, &length), 0);
    STR(got.sun_path, "sock");
    length = sizeof type;
    EQ(getsockopt(l, SOL_SOCKET, SO_TYPE, &type, &length), 0);
    EQ(type, SOCK_STREAM);
    ERR(getpeername(l, (void *)&got, &length), ENOTCONN);
    SYS(fcntl(l, F_SETFL, O_NONBLOCK));
    ERR(accept(l, NULL, NULL), EAGAIN);
    ERR(accept(s, NULL, NULL), EINVAL);
    SYS(close(l));
    ERR(connect(SYS(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&a, sizeof a), ECONNREFUSED);
    SYS(unlink("sock"));
    ERR(connect(SYS(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&a, sizeof a), ENOENT);
    return tap_done();
}
