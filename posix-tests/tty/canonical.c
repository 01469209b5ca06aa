// SPDX-License-Identifier: MIT
//
// Canonical input: nothing before the newline, erase and kill edit, EOF ends a line without a byte,
// a short read leaves the rest of the line.
#include "tap.h"
#include <poll.h>
#include <termios.h>
static int m, s;

static void type(const char *text)
{
    NEED(write(m, text, strlen(text)) == (ssize_t)strlen(text));
}

static const char *line(size_t size)
{
    static char buf[256];
    ssize_t n = SYS(read(s, buf, size));
    buf[n] = 0;
    return buf;
}

static int ready(void)
{
    struct pollfd f = {s, POLLIN, 0};
    return poll(&f, 1, 20);
}

int main(void)
{
    struct termios t;
    tap_start();
    m = posix_openpt(O_RDWR | O_NOCTTY);
    if (m < 0)
        tap_skip_all("no pseudo terminals");
    NEED(grantpt(m) == 0 && unlockpt(m) == 0);
    s = SYS(open(ptsname(m), O_RDWR | O_NOCTTY));
    SYS(tcgetattr(s, &t));
    t.c_lflag &= ~ECHO;
    t.c_cc[VERASE] = 0x7f;
    t.c_cc[VKILL] = 0x15;
    EQ(tcsetattr(s, TCSANOW, &t), 0);
    type("abc");
    EQ(ready(), 0);
    type("\n");
    EQ(ready(), 1);
    STR(line(100), "abc\n");
    type("abx\x7f"
         "c\x7f\x7f\x7f\x7f\x7fok\n");
    STR(line(100), "ok\n");
    type("wrong\x15right\n");
    STR(line(100), "right\n");
    type("one\ntwo\n");
    STR(line(100), "one\n");
    STR(line(100), "two\n");
    type("long line\n");
    STR(line(4), "long");
    STR(line(100), " line\n");
    type("part\004");
    STR(line(100), "part");
    type("\004");
    STR(line(100), "");
    type("cr\r");
    STR(line(100), "cr\n");
    type("q\026\004\n");
    STR(line(100), "q\004\n");
    EQ(ready(), 0);
    return tap_done();
}
