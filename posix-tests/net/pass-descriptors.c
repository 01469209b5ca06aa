// SPDX-License-Identifier: MIT
//
// SCM_RIGHTS: a passed descriptor is the same open file description with a number of its own, alive
// while in flight; credentials of the peer by SO_PEERCRED.
#include "tap.h"
#include <sys/socket.h>

static int transfer(int s, int fd)
{
    char byte = 'f';

    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } u;
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u};
    memset(&u, 0, sizeof u);
    if (fd < 0) {
        NEED(recvmsg(s, &m, 0) == 1);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        NEED(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS);
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
        return fd;
    }
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(s, &m, 0);
}

int main(void)
{
    int s[2], p[2];
    char byte;
    struct ucred cred;
    socklen_t length = sizeof cred;
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "0123456789");
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    int fd = SYS(open("f", O_RDONLY));
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(close(fd));
        int got = transfer(s[1], -1);
        EQ(read(got, &byte, 1), 1);
        EQ(byte, '0');
        SYS(lseek(got, 7, SEEK_SET));
        _exit(0);
    }
    EQ(transfer(s[0], fd), 1);
    EQ(tap_wait(pid), 0);
    EQ(lseek(fd, 0, SEEK_CUR), 7);
    SYS(pipe(p));
    EQ(transfer(s[0], p[1]), 1);
    SYS(close(p[1]));
    SYS(fcntl(p[0], F_SETFL, O_NONBLOCK));
    ERR(read(p[0], &byte, 1), EAGAIN);
    int w = transfer(s[1], -1);
    EQ(write(w, "x", 1), 1);
    EQ(read(p[0], &byte, 1), 1);
    EQ(transfer(s[0], w), 1);
    SYS(close(w));
    SYS(close(s[0]));
    SYS(close(s[1]));
    EQ(read(p[0], &byte, 1), 0);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    EQ(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &length), 0);
    EQ(cred.pid, getpid());
    EQ(cred.uid, geteuid());
    return tap_done();
}
