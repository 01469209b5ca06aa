// SPDX-License-Identifier: MIT
//
// Directories: search without read opens known names, read without search lists but opens none,
// write permits making and removing.
#include "tap.h"

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    umask(0);
    SYS(chmod(".", 0755));
    SYS(mkdir("x", 0711));
    SYS(mkdir("r", 0744));
    SYS(mkdir("w", 0733));
    SYS(mkdir("none", 0700));
    tap_put("x/f", 0644, "known");
    tap_put("r/f", 0644, "seen");
    tap_put("w/f", 0600, "mine");
    SYS(mkdir("none/sub", 0777));
    if (geteuid() != 0)
        tap_skip_all("needs root");
    IN_CHILD("uid 1000") {
        tap_drop(1000);
        STR(tap_get("x/f"), "known");
        ERR_NULL(opendir("x"), EACCES);
        DIR *dir = opendir("r");
        OK(dir != NULL);
        int found = 0;
        for (struct dirent *e; (e = readdir(dir));)
            found += !strcmp(e->d_name, "f");
        EQ(found, 1);
        ERR(open("r/f", O_RDONLY), EACCES);
        ERR(stat("r/f", &st), EACCES);
        ERR(stat("none/sub/x", &st), EACCES);
        ERR(chdir("none"), EACCES);
        ERR(chdir("r"), EACCES);
        EQ(chdir("x"), 0);
        EQ(chdir(".."), 0);
        tap_put("w/new", 0600, "made");
        EQ(rename("w/new", "w/newer"), 0);
        EQ(unlink("w/f"), 0);
        EQ(unlink("w/newer"), 0);
        ERR(open("x/new", O_WRONLY | O_CREAT, 0600), EACCES);
        ERR(unlink("x/f"), EACCES);
    }
    return tap_done();
}
