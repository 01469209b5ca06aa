// SPDX-License-Identifier: MIT
//
// Path resolution: loops and chains longer than SYMLOOP_MAX end with ELOOP; 8 links
// (_POSIX_SYMLOOP_MAX) always work; operations on the link itself do not follow.
#include "tap.h"

int main(void)
{
    char name[16], target[16];
    struct stat st;
    tap_start();
    tap_tmp();
    SYS(symlink("b", "a"));
    SYS(symlink("a", "b"));
    SYS(symlink("self", "self"));
    ERR(open("a", O_RDONLY), ELOOP);
    ERR(stat("self", &st), ELOOP);
    ERR(chdir("self"), ELOOP);
    ERR(mkdir("self/x", 0755), ELOOP);
    ERR(access("a", F_OK), ELOOP);
    EQ(lstat("self", &st), 0);
    EQ(unlink("self"), 0);
    tap_put("n0", 0644, "end");
    for (int i = 1; i <= 100; i++) {
        snprintf(target, sizeof target, "n%d", i - 1);
        snprintf(name, sizeof name, "n%d", i);
        SYS(symlink(target, name));
    }
    STR(tap_get("n8"), "end");
    ERR(open("n100", O_RDONLY), ELOOP);
    SYS(mkdir("d", 0755));
    SYS(symlink(".", "d/dot"));
    EQ(stat("d/dot/dot/dot/dot/dot/dot/dot/dot", &st), 0);
    return tap_done();
}
