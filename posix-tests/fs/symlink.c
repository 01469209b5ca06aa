// SPDX-License-Identifier: MIT
//
// symlink(), readlink(): any text is a target; readlink truncates without a terminator; links are
// resolved relative to their own directory.
#include "tap.h"

int main(void)
{
    char buf[32];
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    tap_put("d/f", 0644, "in d");
    tap_put("f", 0644, "on top");
    EQ(symlink("f", "d/l"), 0);
    STR(tap_get("d/l"), "in d");
    EQ(symlink("../f", "d/up"), 0);
    STR(tap_get("d/up"), "on top");
    EQ(symlink("d", "ld"), 0);
    STR(tap_get("ld/f"), "in d");
    STR(tap_get("ld/../f"), "on top");
    memset(buf, '#', sizeof buf);
    EQ(readlink("d/up", buf, sizeof buf), 4);
    OK(!memcmp(buf, "../f#", 5));
    EQ(readlink("d/up", buf, 2), 2);
    EQ(symlink("any text, even // this", "odd"), 0);
    EQ(readlink("odd", buf, sizeof buf), 22);
    ERR(symlink("x", "f"), EEXIST);
    ERR(symlink("x", "odd"), EEXIST);
    ERR(symlink("", "empty"), ENOENT);
    ERR(symlink("x", "none/y"), ENOENT);
    ERR(readlink("f", buf, sizeof buf), EINVAL);
    ERR(readlink("none", buf, sizeof buf), ENOENT);
    ERR(readlink("f/x", buf, sizeof buf), ENOTDIR);
    EQ(unlink("ld"), 0);
    EQ(access("d/f", F_OK), 0);
    int fd = SYS(open("d/up", O_WRONLY | O_TRUNC));
    EQ(write(fd, "via", 3), 3);
    STR(tap_get("f"), "via");
    return tap_done();
}
