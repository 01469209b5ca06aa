// SPDX-License-Identifier: MIT
//
// open(): O_NOFOLLOW fails with ELOOP when the last component is a symbolic link; links earlier in
// the path are followed.
#include "tap.h"

int main(void)
{
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    tap_put("d/f", 0644, "x");
    SYS(symlink("d/f", "lf"));
    SYS(symlink("d", "ld"));
    ERR(open("lf", O_RDONLY | O_NOFOLLOW), ELOOP);
    OK(open("lf", O_RDONLY) >= 0);
    OK(open("d/f", O_RDONLY | O_NOFOLLOW) >= 0);
    OK(open("ld/f", O_RDONLY | O_NOFOLLOW) >= 0);
    ERR(open("lf", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600), ELOOP);
    return tap_done();
}
