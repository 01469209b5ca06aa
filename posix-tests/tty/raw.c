// SPDX-License-Identifier: MIT
//
// Raw input: bytes as they come, VMIN and VTIME, O_NONBLOCK, no echo, no translation, TCSAFLUSH
// drops what was not read.
#include "tap.h"
#include <poll.h>
#include <termios.h>

int main(void)
{
    struct termios t, back;
    char buf[64];
    tap_start();
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    if (m < 0)
        tap_skip_all("no pseudo terminals");
    NEED(grantpt(m) == 0 && unlockpt(m) == 0);
    int s = SYS(open(ptsname(m), O_RDWR | O_NOCTTY));
    SYS(tcgetattr(s, &t));
    cfmakeraw(&t);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    EQ(tcsetattr(s, TCSANOW, &t), 0);
    SYS(tcgetattr(s, &back));
    EQ(back.c_lflag, t.c_lflag);
    EQ(back.c_oflag, t.c_oflag);
    EQ(back.c_iflag, t.c_iflag);
    EQ(write(m, "\003\004\r\n\x7f", 5), 5);
    EQ(read(s, buf, 64), 5);
    OK(!memcmp(buf, "\003\004\r\n\x7f", 5));
    EQ(write(s, "a\nb", 3), 3);
    EQ(read(m, buf, 64), 3);
    OK(!memcmp(buf, "a\nb", 3));
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = 0;
    SYS(tcsetattr(s, TCSANOW, &t));
    EQ(read(s, buf, 64), 0);
    t.c_cc[VTIME] = 1;
    SYS(tcsetattr(s, TCSANOW, &t));
    long long start = tap_ms();
    EQ(read(s, buf, 64), 0);
    OK(tap_ms() - start >= 80);
    t.c_cc[VMIN] = 3;
    t.c_cc[VTIME] = 0;
    SYS(tcsetattr(s, TCSANOW, &t));
    pid_t pid = tap_fork();
    if (pid == 0) {
        for (int i = 0; i < 3; i++) {
            NEED(write(m, &"xyz"[i], 1) == 1);
            tap_sleep(10);
        }
        _exit(0);
    }
    EQ(read(s, buf, 64), 3);
    OK(!memcmp(buf, "xyz", 3));
    EQ(tap_wait(pid), 0);
    SYS(fcntl(s, F_SETFL, O_NONBLOCK));
    ERR(read(s, buf, 64), EAGAIN);
    EQ(write(m, "lost", 4), 4);
    EQ(poll(&(struct pollfd){s, POLLIN, 0}, 1, -1), 1);
    EQ(tcsetattr(s, TCSAFLUSH, &t), 0);
    ERR(read(s, buf, 64), EAGAIN);
    EQ(tcdrain(m) == 0 || errno == EINVAL, 1);
    return tap_done();
}
