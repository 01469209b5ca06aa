// SPDX-License-Identifier: MIT
//
// Path resolution 4.13: doubled and trailing slashes, "." and ".."; a trailing slash demands a
// directory and follows a symbolic link.
#include "tap.h"

int main(void)
{
    struct stat a, b;
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    SYS(mkdir("d/e", 0755));
    tap_put("f", 0644, "x");
    SYS(symlink("d", "ld"));
    SYS(symlink("f", "lf"));
    SYS(stat("d/e", &a));
    static const char *const same[] = {"d//e",    "d/e/",        "d/e//",
                                       "./d/./e", "d/../d/e",    "d/e/../e",
                                       "ld/e",    ".//ld///e/.", "d/e/../../d/e"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        OK(stat(same[i], &b) == 0 && a.st_ino == b.st_ino);
    }
    EQ(lstat("ld/", &b), 0);
    OK(S_ISDIR(b.st_mode));
    EQ(lstat("ld", &b), 0);
    OK(S_ISLNK(b.st_mode));
    ERR(stat("f/", &b), ENOTDIR);
    ERR(stat("lf/", &b), ENOTDIR);
    ERR(stat("f/.", &b), ENOTDIR);
    ERR(stat("f/..", &b), ENOTDIR);
    ERR(stat("none/..", &b), ENOENT);
    SYS(stat("/", &a));
    SYS(stat("/..", &b));
    EQ(a.st_ino, b.st_ino);
    SYS(stat("/../..//.", &b));
    EQ(a.st_ino, b.st_ino);
    EQ(stat("//", &b), 0);
    return tap_done();
}
