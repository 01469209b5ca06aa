// SPDX-License-Identifier: MIT
//
// rename() of directories: only onto an empty directory, never below itself; ".." follows to the
// new parent and the link counts of both parents agree.
#include "tap.h"

int main(void)
{
    struct stat st, top;
    tap_start();
    tap_tmp();
    SYS(mkdir("a", 0755));
    SYS(mkdir("a/sub", 0755));
    tap_put("a/sub/f", 0644, "deep");
    SYS(mkdir("b", 0755));
    SYS(mkdir("full", 0755));
    tap_put("full/x", 0644, "");
    tap_put("file", 0644, "");
    EQ(rename("a/sub", "b/moved"), 0);
    STR(tap_get("b/moved/f"), "deep");
    SYS(stat("b", &top));
    SYS(stat("b/moved/..", &st));
    EQ(st.st_ino, top.st_ino);
    EQ(rename("b", "a"), 0);
    STR(tap_get("a/moved/f"), "deep");
    OK(rename("a", "full") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
    ERR(rename("a", "a/moved/loop"), EINVAL);
    ERR(rename("a", "a/x"), EINVAL);
    ERR(rename("a", "file"), ENOTDIR);
    ERR(rename("file", "a"), EISDIR);
    ERR(rename("none", "x"), ENOENT);
    ERR(rename("file", "none/x"), ENOENT);
    ERR(rename("file/x", "y"), ENOTDIR);
    OK(rename("a/.", "z") == -1 && (errno == EINVAL || errno == EBUSY));
    OK(rename("a/..", "z") == -1 && (errno == EINVAL || errno == EBUSY || errno == ENOTEMPTY));
    OK(rename("file", "new/") == -1 && (errno == ENOTDIR || errno == ENOENT));
    EQ(rename("a/", "new/"), 0);
    STR(tap_get("new/moved/f"), "deep");
    ERR(rename("file", ""), ENOENT);
    return tap_done();
}
