// SPDX-License-Identifier: MIT
//
// A path can be longer than PATH_MAX when built by relative steps; getcwd, chdir("..") and rmdir
// work there.
#include "tap.h"

enum { DEPTH = 60 };

int main(void)
{
    char name[101], buf[PATH_MAX];
    tap_start();
    tap_tmp();
    memset(name, 'd', 100);
    name[100] = 0;
    int made = 0;
    for (; made < DEPTH; made++)
        if (mkdir(name, 0755) || chdir(name))
            break;
    EQ(made, DEPTH);
    errno = 0;
    char *cwd = getcwd(buf, sizeof buf);
    OK(!cwd && (errno == ENAMETOOLONG || errno == ERANGE));
    tap_put("f", 0644, "deep");
    STR(tap_get("f"), "deep");
    SYS(unlink("f"));
    int steps = 0;
    for (; steps < DEPTH; steps++)
        if (chdir("..") || rmdir(name))
            break;
    EQ(steps, DEPTH);
    STR(getcwd(buf, sizeof buf), tap_dir);
    return tap_done();
}
