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
    IN_CHILD("what was open stays; a link begins at the new root; a jail in the jail") {
        int fd = SYS(open("jail/d", O_RDONLY | O_DIRECTORY));
        SYS(mkdir("jail/d/inner", 0755));
        SYS(chdir("jail/d"));
        EQ(chroot(".."), 0);
        STR(tap_get("../f"), "inside");
        STR(tap_get("../../../l"), "inside");
        EQ(fstatat(fd, "inner", &b, 0), 0);
        EQ(chroot("inner"), 0);
        ERR(stat("/f", &b), ENOENT);
        char buf[64];
        ERR_NULL(getcwd(buf, sizeof buf), ENOENT);
        SYS(mkdir("/new", 0755));
        EQ(chdir("/new"), 0);
        STR(getcwd(buf, sizeof buf), "/new");
        pid_t pid = tap_fork();
        if (pid == 0) {
            ERR(stat("/f", &b), ENOENT);
            tap_drop(1000);
            ERR(chroot("/"), EPERM);
            _exit(stat("/new", &b) != 0);
        }
        EQ(tap_wait(pid), 0);
    }
    EQ(stat("jail/d/inner/new", &b), 0);
    EQ(stat("/dev/null", &b), 0);
    return tap_done();
}
