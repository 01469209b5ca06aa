// SPDX-License-Identifier: MIT
//
// chroot(): root only; ".." stops at the new root; the current directory and open descriptors
// stay as they were.
#include "tap.h"

int main(void)
{
    struct stat a, b;
    tap_start();
    tap_tmp();
    SYS(chmod(".", 0755));
    SYS(mkdir("jail", 0755));
    SYS(mkdir("jail/d", 0755));
    tap_put("jail/f", 0644, "inside");
    SYS(symlink("/f", "jail/l"));
    IN_CHILD("not for users") {
        tap_drop(1000);
        ERR(chroot("."), EPERM);
    }
    if (geteuid() != 0)
        return tap_done();
    ERR(chroot("none"), ENOENT);
    ERR(chroot("jail/f"), ENOTDIR);
    IN_CHILD("in the jail") {
        SYS(stat("jail", &a));
        EQ(chroot("jail"), 0);
        EQ(chdir("/"), 0);
        STR(tap_get("/f"), "inside");
        STR(tap_get("/l"), "inside");
        STR(tap_get("/d/../../../f"), "inside");
        SYS(stat("/..", &b));
        EQ(a.st_ino, b.st_ino);
        char buf[64];
        STR(getcwd(buf, sizeof buf), "/");
        ERR(stat("/dev/null", &b), ENOENT);
    }
    EQ(stat("/dev/null", &b), 0);
    return tap_done();
}
