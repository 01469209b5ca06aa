// SPDX-License-Identifier: MIT
//
// realpath(): absolute, without links, dots and doubled slashes; errors of every component.
#include "tap.h"

int main(void)
{
    char want[PATH_MAX * 2], got[PATH_MAX];
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    tap_put("d/f", 0644, "");
    SYS(symlink("d/f", "l"));
    SYS(symlink("..", "d/up"));
    SYS(symlink("loop", "loop"));
    snprintf(want, sizeof want, "%s/d/f", tap_dir);
    STR(realpath("d/f", got), want);
    STR(realpath("l", got), want);
    STR(realpath(".//d/.././d///f", got), want);
    STR(realpath("d/up/d/up/l", got), want);
    char *fresh = realpath("l", NULL);
    STR(fresh, want);
    free(fresh);
    STR(realpath("d/up", got), tap_dir);
    STR(realpath(".", got), tap_dir);
    STR(realpath("/", got), "/");
    STR(realpath("/..", got), "/");
    ERR_NULL(realpath("none", got), ENOENT);
    ERR_NULL(realpath("", got), ENOENT);
    ERR_NULL(realpath("d/f/x", got), ENOTDIR);
    ERR_NULL(realpath("loop", got), ELOOP);
    ERR_NULL(realpath(NULL, got), EINVAL);
    return tap_done();
}
