// SPDX-License-Identifier: MIT
//
// TCP and UDP on 127.0.0.1: an own port by bind 0, connect, accept, half close, ECONNREFUSED.
#include "tap.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static struct sockaddr_in local(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int main(void)
{
    char buf[64], text[INET_ADDRSTRLEN];
    int one = 1;
    tap_start();
    int l = socket(AF_INET, SOCK_STREAM, 0);
    if (l < 0)
        tap_skip_all("no internet sockets");
    struct sockaddr_in a = local(0), peer;
    socklen_t length = sizeof a;
    EQ(bind(l, (void *)&a, sizeof a), 0);
    EQ(listen(l, 3), 0);
    EQ(getsockname(l, (void *)&a, &length), 0);
    OK(a.sin_port != 0);
    int c = SYS(socket(AF_INET, SOCK_STREAM, 0));
    EQ(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
    EQ(connect(c, (void *)&a, sizeof a), 0);
    length = sizeof peer;
    int s = accept(l, (void *)&peer, &length);
    OK(s >= 0);
    STR(inet_ntop(AF_INET, &peer.sin_addr, text, sizeof text), "127.0.0.1");
    EQ(write(c, "request", 7), 7);
    EQ(recv(s, buf, 7, MSG_WAITALL), 7);
    EQ(shutdown(c, SHUT_WR), 0);
    EQ(read(s, buf, 64), 0);
    EQ(write(s, "answer", 6), 6);
    SYS(close(s));
    EQ(recv(c, buf, 64, MSG_WAITALL), 6);
    EQ(read(c, buf, 64), 0);
    SYS(close(l));
    ERR(connect(SYS(socket(AF_INET, SOCK_STREAM, 0)), (void *)&a, sizeof a), ECONNREFUSED);
    int u = SYS(socket(AF_INET, SOCK_DGRAM, 0)), v = SYS(socket(AF_INET, SOCK_DGRAM, 0));
    a = local(0);
    length = sizeof a;
    EQ(bind(u, (void *)&a, sizeof a), 0);
    SYS(getsockname(u, (void *)&a, &length));
    EQ(sendto(v, "datagram", 8, 0, (void *)&a, sizeof a), 8);
    length = sizeof peer;
    EQ(recvfrom(u, buf, 64, 0, (void *)&peer, &length), 8);
    EQ(sendto(u, "re", 2, 0, (void *)&peer, length), 2);
    EQ(recv(v, buf, 64, 0), 2);
    ERR(recv(v, buf, 64, MSG_DONTWAIT), EAGAIN);
    return tap_done();
}
