// SPDX-License-Identifier: MIT
//
// link(): a second name of the same file; the count follows link and unlink; directories and
// existing targets are refused.
#include "tap.h"

int main(void)
{
    struct stat a, b;
    tap_start();
    tap_tmp();
    tap_put("a", 0644, "data");
    SYS(mkdir("d", 0755));
    EQ(link("a", "b"), 0);
    EQ(link("a", "d/c"), 0);
    SYS(stat("a", &a));
    SYS(stat("d/c", &b));
    EQ(a.st_nlink, 3);
    EQ(a.st_ino, b.st_ino);
    tap_put("b", 0644, "new");
    STR(tap_get("d/c"), "new");
    EQ(unlink("a"), 0);
    SYS(stat("b", &b));
    EQ(b.st_nlink, 2);
    ERR(link("b", "d/c"), EEXIST);
    ERR(link("none", "x"), ENOENT);
    ERR(link("b", "no/x"), ENOENT);
    ERR(link("b", "b/x"), ENOTDIR);
    ERR(link("d", "e"), EPERM);
    SYS(symlink("b", "s"));
    EQ(link("s", "s2"), 0);
    SYS(lstat("s2", &a));
    OK(S_ISLNK(a.st_mode));
    EQ(linkat(AT_FDCWD, "s", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW), 0);
    SYS(lstat("hard", &a));
    EQ(a.st_ino, b.st_ino);
    EQ(a.st_nlink, 3);
    return tap_done();
}
