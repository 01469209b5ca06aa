// SPDX-License-Identifier: MIT
//
// rename(): moves a name, replaces an existing file at once while its open descriptors live on,
// does nothing between two links of one file, renames symbolic links themselves.
#include "tap.h"

int main(void)
{
    char buf[8] = "";
    struct stat st;
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    tap_put("a", 0644, "A");
    tap_put("b", 0600, "B");
    int old = SYS(open("b", O_RDONLY));
    EQ(rename("a", "b"), 0);
    STR(tap_get("b"), "A");
    ERR(stat("a", &st), ENOENT);
    SYS(fstat(old, &st));
    EQ(st.st_nlink, 0);
    EQ(read(old, buf, 8), 1);
    STR(buf, "B");
    EQ(rename("b", "d/c"), 0);
    STR(tap_get("d/c"), "A");
    SYS(link("d/c", "d/e"));
    EQ(rename("d/c", "d/e"), 0);
    EQ(stat("d/c", &st), 0);
    EQ(st.st_nlink, 2);
    EQ(rename("d/c", "d/c"), 0);
    EQ(stat("d/c", &st), 0);
    SYS(symlink("nowhere", "s"));
    EQ(rename("s", "s2"), 0);
    EQ(lstat("s2", &st), 0);
    OK(S_ISLNK(st.st_mode));
    EQ(rename("d/c", "s2"), 0);
    EQ(lstat("s2", &st), 0);
    OK(S_ISREG(st.st_mode));
    return tap_done();
}
