// SPDX-License-Identifier: MIT
//
// mkdir(), rmdir(): modes, the errors, ENOTEMPTY, "." and "..", link counts.
#include "tap.h"

int main(void)
{
    struct stat st, sub;
    tap_start();
    tap_tmp();
    umask(022);
    EQ(mkdir("d", 0777), 0);
    SYS(stat("d", &st));
    EQ(st.st_mode & 07777 & ~S_ISGID, 0755);
    EQ(mkdir("d/e", 0700), 0);
    SYS(stat("d/e/..", &sub));
    EQ(sub.st_ino, st.st_ino);
    SYS(stat("d/e/.", &sub));
    SYS(stat("d/e", &st));
    EQ(sub.st_ino, st.st_ino);
    ERR(mkdir("d", 0755), EEXIST);
    ERR(mkdir("none/x", 0755), ENOENT);
    ERR(mkdir("", 0755), ENOENT);
    ERR(mkdir(".", 0755), EEXIST);
    EQ(mkdir("slash/", 0755), 0);
    EQ(rmdir("slash/"), 0);
    tap_put("f", 0644, "");
    SYS(symlink("gone", "l"));
    ERR(mkdir("f", 0755), EEXIST);
    ERR(mkdir("l", 0755), EEXIST);
    ERR(mkdir("f/x", 0755), ENOTDIR);
    OK(rmdir("d") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
    ERR(rmdir("f"), ENOTDIR);
    ERR(rmdir("none"), ENOENT);
    ERR(rmdir("d/e/."), EINVAL);
    OK(rmdir("d/e/..") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
    EQ(rmdir("d/e"), 0);
    EQ(rmdir("d"), 0);
    ERR(stat("d", &st), ENOENT);
    return tap_done();
}
