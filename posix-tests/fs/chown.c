// SPDX-License-Identifier: MIT
//
// chown(): root gives away, an owner may only choose among its groups; -1 leaves an id; set-id bits
// of an executable file fall.
#include "tap.h"

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    SYS(chmod(".", 0777));
    tap_put("f", 06755, "x");
    EQ(chown("f", -1, -1), 0);
    ERR(chown("none", -1, -1), ENOENT);
    EQ(chown("f", geteuid(), getegid()), 0);
    if (geteuid() != 0) {
        ERR(chown("f", 0, -1), EPERM);
        ERR(chown("f", -1, 0), EPERM);
        return tap_done();
    }
    SYS(chmod("f", 06755));
    EQ(chown("f", 1000, 1001), 0);
    SYS(stat("f", &st));
    EQ(st.st_uid, 1000);
    EQ(st.st_gid, 1001);
    EQ(fchown(SYS(open("f", O_RDONLY)), -1, 1000), 0);
    SYS(stat("f", &st));
    EQ(st.st_uid, 1000);
    EQ(st.st_gid, 1000);
    SYS(symlink("f", "l"));
    EQ(lchown("l", 7, 8), 0);
    SYS(lstat("l", &st));
    EQ(st.st_uid, 7);
    SYS(stat("f", &st));
    EQ(st.st_uid, 1000);
    SYS(chmod("f", 06755));
    IN_CHILD("uid 1000 in group 1005") {
        NEED(setgroups(1, (gid_t[]){1005}) == 0 && setgid(1000) == 0 && setuid(1000) == 0);
        ERR(chown("f", 1001, -1), EPERM);
        ERR(chown("f", -1, 1006), EPERM);
        EQ(chown("f", -1, 1005), 0);
        SYS(stat("f", &st));
        EQ(st.st_gid, 1005);
        EQ(st.st_mode & 07777, 0755);
        EQ(chown("f", 1000, 1000), 0);
    }
    return tap_done();
}
