// SPDX-License-Identifier: MIT
//
// Blocking sockets between processes: a large transfer with a slow reader, EOF by the death of the
// peer, EPIPE for the writer.
#include "tap.h"
#include <sys/socket.h>

enum { TOTAL = 400000 };

int main(void)
{
    int s[2];
    static unsigned char data[TOTAL], buf[5000];
    tap_start();
    signal(SIGPIPE, SIG_IGN);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    for (int i = 0; i < TOTAL; i++)
        data[i] = i * 7 + i / 256;
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(close(s[1]));
        for (long done = 0; done < TOTAL;) {
            ssize_t n = SYS(write(s[0], data + done, TOTAL - done));
            done += n;
        }
        NEED(read(s[0], buf, 1) == 1);
        raise(SIGKILL);
    }
    SYS(close(s[0]));
    long total = 0, wrong = 0;
    while (total < TOTAL) {
        ssize_t n = SYS(read(s[1], buf, sizeof buf));
        wrong += n == 0 || memcmp(buf, data + total, n) != 0;
        NEED(n > 0);
        total += n;
    }
    EQ(total, TOTAL);
    EQ(wrong, 0);
    EQ(write(s[1], "x", 1), 1);
    EQ(read(s[1], buf, 1), 0);
    ERR(write(s[1], "x", 1), EPIPE);
    EQ(tap_wait(pid), 128 + SIGKILL);
    return tap_done();
}
