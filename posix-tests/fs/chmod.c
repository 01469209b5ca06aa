// SPDX-License-Identifier: MIT
//
// chmod(), fchmod(): all twelve bits for the owner; EPERM for others; a change binds later opens
// only; set-group-id is dropped when the caller is not in the group.
#include "tap.h"

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    SYS(chmod(".", 0755));
    tap_put("f", 0644, "x");
    int fd = SYS(open("f", O_RDONLY));
    EQ(chmod("f", 07755), 0);
    SYS(stat("f", &st));
    EQ(st.st_mode, S_IFREG | 07755);
    EQ(fchmod(fd, 0), 0);
    SYS(stat("f", &st));
    EQ(st.st_mode, S_IFREG);
    EQ(read(fd, (char[1]){0}, 1), 1);
    SYS(symlink("f", "l"));
    EQ(chmod("l", 0600), 0);
    SYS(stat("f", &st));
    EQ(st.st_mode & 07777, 0600);
    ERR(chmod("none", 0600), ENOENT);
    ERR(chmod("f/x", 0600), ENOTDIR);
    SYS(mkdir("d", 0755));
    EQ(chmod("d", 01777), 0);
    SYS(stat("d", &st));
    EQ(st.st_mode & 07777 & ~S_ISGID, 01777);
    if (geteuid() != 0) {
        tap_skip("other users", "needs root");
        return tap_done();
    }
    tap_put("g", 0644, "");
    SYS(chown("g", 1000, 5));
    IN_CHILD("uid 1000") {
        tap_drop(1000);
        ERR(chmod("f", 0777), EPERM);
        ERR(fchmod(fd, 0777), EPERM);
        EQ(chmod("g", 02755), 0);
        SYS(stat("g", &st));
        EQ(st.st_mode & 07777, 0755);
    }
    return tap_done();
}
