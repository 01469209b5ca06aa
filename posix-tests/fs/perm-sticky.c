// SPDX-License-Identifier: MIT
//
// S_ISVTX on a directory: only the owner of the entry, of the directory, or root removes or renames
// it, however writable the directory is.
#include "tap.h"

int main(void)
{
    tap_start();
    if (geteuid() != 0)
        tap_skip_all("needs root");
    tap_tmp();
    SYS(chmod(".", 0755));
    SYS(mkdir("t", 0755));
    SYS(chmod("t", 01777));
    tap_put("t/root", 0666, "x");
    tap_put("t/mine", 0644, "x");
    tap_put("t/theirs", 0666, "x");
    SYS(chown("t/mine", 1000, 1000));
    SYS(chown("t/theirs", 1001, 1001));
    SYS(mkdir("own", 0777));
    SYS(chmod("own", 01777));
    SYS(chown("own", 1000, 1000));
    tap_put("own/x", 0644, "");
    IN_CHILD("uid 1000") {
        tap_drop(1000);
        OK(unlink("t/root") == -1 && (errno == EPERM || errno == EACCES));
        OK(unlink("t/theirs") == -1 && (errno == EPERM || errno == EACCES));
        OK(rename("t/theirs", "t/x") == -1 && (errno == EPERM || errno == EACCES));
        OK(rename("t/mine", "t/theirs") == -1 && (errno == EPERM || errno == EACCES));
        EQ(rename("t/mine", "t/mine2"), 0);
        EQ(unlink("t/mine2"), 0);
        tap_put("t/new", 0600, "");
        EQ(unlink("t/new"), 0);
        EQ(unlink("own/x"), 0);
    }
    EQ(access("t/root", F_OK), 0);
    EQ(unlink("t/theirs"), 0);
    return tap_done();
}
