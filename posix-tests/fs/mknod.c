// SPDX-License-Identifier: MIT
//
// mknod(): regular files and FIFOs for everyone, EPERM for device nodes without privilege.
#include "tap.h"
#include <sys/sysmacros.h>

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    SYS(chmod(".", 0777));
    IN_CHILD("as a user") {
        tap_drop(1000);
        EQ(mknod("f", S_IFREG | 0644, 0), 0);
        SYS(stat("f", &st));
        EQ(st.st_mode, S_IFREG | 0644);
        EQ(mknod("p", S_IFIFO | 0600, 0), 0);
        SYS(stat("p", &st));
        EQ(st.st_mode, S_IFIFO | 0600);
        ERR(mknod("f", S_IFREG | 0644, 0), EEXIST);
        ERR(mknod("dev", S_IFCHR | 0666, makedev(1, 3)), EPERM);
        ERR(mknod("none/f", S_IFREG, 0), ENOENT);
    }
    return tap_done();
}
