// SPDX-License-Identifier: MIT
//
// File permissions: exactly one class applies. The owner is not helped by what others may do, nor
// a member of the group; needs root to become someone else.
#include "tap.h"

static int can(const char *path, int how)
{
    int fd = open(path, how);
    if (fd < 0)
        return errno == EACCES ? 0 : -1;
    close(fd);
    return 1;
}

int main(void)
{
    tap_start();
    if (geteuid() != 0)
        tap_skip_all("needs root");
    tap_tmp();
    SYS(chmod(".", 0755));
    tap_put("owner", 0477, "x");
    tap_put("group", 0727, "x");
    tap_put("other", 0770, "x");
    SYS(chown("owner", 1000, 1000));
    SYS(chown("group", 1, 1000));
    SYS(chown("other", 1, 1));
    IN_CHILD("uid 1000") {
        tap_drop(1000);
        EQ(can("owner", O_RDONLY), 1);
        EQ(can("owner", O_WRONLY), 0);
        EQ(can("group", O_RDONLY), 0);
        EQ(can("group", O_WRONLY), 1);
        EQ(can("other", O_RDONLY), 0);
        EQ(can("other", O_WRONLY), 0);
        ERR(execl("owner", "owner", NULL), EACCES);
        ERR(open("new", O_WRONLY | O_CREAT, 0600), EACCES);
        ERR(truncate("owner", 0), EACCES);
        ERR(unlink("owner"), EACCES);
        ERR(mkdir("d", 0700), EACCES);
        ERR(rename("owner", "x"), EACCES);
    }
    IN_CHILD("supplementary group") {
        NEED(setgroups(1, (gid_t[]){1000}) == 0 && setgid(2) == 0 && setuid(2) == 0);
        EQ(can("group", O_WRONLY), 1);
        EQ(can("group", O_RDONLY), 0);
        EQ(can("other", O_RDONLY), 0);
    }
    SYS(chmod("owner", 0));
    EQ(can("owner", O_RDWR), 1);
    return tap_done();
}
