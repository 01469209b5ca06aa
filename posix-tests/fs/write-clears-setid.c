// SPDX-License-Identifier: MIT
//
// A write by someone without privilege to a set-user-id executable clears the set-id bits, or
// anyone could change what runs as another user.
#include "tap.h"

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    SYS(chmod(".", 0777));
    tap_put("f", 0777, "x");
    if (geteuid() == 0)
        SYS(chown("f", 1000, 1000));
    SYS(chmod("f", 06777));
    IN_CHILD("write as the owner") {
        tap_drop(1000);
        int fd = SYS(open("f", O_WRONLY));
        EQ(write(fd, "y", 1), 1);
        SYS(stat("f", &st));
        EQ(st.st_mode & 07777, 0777);
    }
    SYS(chmod("f", 06777));
    IN_CHILD("truncate as the owner") {
        tap_drop(1000);
        EQ(truncate("f", 0), 0);
        SYS(stat("f", &st));
        EQ(st.st_mode & 07777, 0777);
    }
    return tap_done();
}
