// SPDX-License-Identifier: MIT
//
// chdir(), fchdir(), getcwd(): physical path, ERANGE and EINVAL, per process, through links.
#include "tap.h"

int main(void)
{
    char want[PATH_MAX * 2], got[PATH_MAX];
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    SYS(mkdir("d/e", 0755));
    SYS(symlink("d/e", "l"));
    tap_put("f", 0644, "");
    int top = SYS(open(".", O_RDONLY));
    snprintf(want, sizeof want, "%s/d/e", tap_dir);
    EQ(chdir("l"), 0);
    STR(getcwd(got, sizeof got), want);
    ERR_NULL(getcwd(got, 3), ERANGE);
    ERR_NULL(getcwd(got, strlen(want)), ERANGE);
    STR(getcwd(got, strlen(want) + 1), want);
    ERR_NULL(getcwd(got, 0), EINVAL);
    char *fresh = getcwd(NULL, 0);
    STR(fresh, want);
    free(fresh);
    IN_CHILD("a child's chdir is its own") {
        STR(getcwd(got, sizeof got), want);
        EQ(chdir("/"), 0);
        STR(getcwd(got, sizeof got), "/");
    }
    STR(getcwd(got, sizeof got), want);
    EQ(fchdir(top), 0);
    STR(getcwd(got, sizeof got), tap_dir);
    ERR(chdir("f"), ENOTDIR);
    ERR(chdir("none"), ENOENT);
    ERR(chdir(""), ENOENT);
    ERR(fchdir(SYS(open("f", O_RDONLY))), ENOTDIR);
    SYS(rename("d", "moved"));
    SYS(chdir("moved/e"));
    SYS(rename("../../moved", "../../again"));
    snprintf(want, sizeof want, "%s/again/e", tap_dir);
    STR(getcwd(got, sizeof got), want);
    return tap_done();
}
