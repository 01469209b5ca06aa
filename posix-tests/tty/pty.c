// SPDX-License-Identifier: MIT
//
// posix_openpt(), grantpt(), unlockpt(), ptsname(): a pair passes bytes both ways, output newlines
// become CR NL, input is echoed.
#include "tap.h"
#include <termios.h>

int main(void)
{
    char buf[64] = "";
    struct termios t;
    tap_start();
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    if (m < 0)
        tap_skip_all("no pseudo terminals");
    EQ(grantpt(m), 0);
    EQ(unlockpt(m), 0);
    char *name = ptsname(m);
    OK(name != NULL);
    int s = open(name, O_RDWR | O_NOCTTY);
    OK(s >= 0);
    EQ(isatty(s), 1);
    EQ(isatty(m), 1);
    STR(ttyname(s), name);
    EQ(tcgetattr(s, &t), 0);
    OK(t.c_lflag & ICANON && t.c_lflag & ECHO && t.c_lflag & ISIG);
    OK(t.c_oflag & OPOST);
    EQ(t.c_cc[VINTR], 3);
    EQ(t.c_cc[VEOF], 4);
    EQ(write(s, "hi\n", 3), 3);
    EQ(read(m, buf, sizeof buf), 4);
    OK(!memcmp(buf, "hi\r\n", 4));
    EQ(write(m, "line\n", 5), 5);
    EQ(read(s, buf, sizeof buf), 5);
    OK(!memcmp(buf, "line\n", 5));
    EQ(read(m, buf, sizeof buf), 6);
    OK(!memcmp(buf, "line\r\n", 6));
    SYS(close(s));
    ssize_t n = read(m, buf, sizeof buf);
    OK(n == 0 || (n == -1 && errno == EIO));
    s = SYS(open(name, O_RDWR | O_NOCTTY));
    SYS(close(m));
    EQ(read(s, buf, sizeof buf), 0);
    ERR(write(s, "x", 1), EIO);
    return tap_done();
}
