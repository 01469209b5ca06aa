// SPDX-License-Identifier: MIT
//
// open(): O_CREAT makes a file with mode & ~umask; O_EXCL refuses anything that exists, a dangling
// symbolic link included; the mode given binds later opens, not the one that creates.
#include "tap.h"

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    umask(027);
    int fd = SYS(open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
    EQ(fstat(fd, &st), 0);
    EQ(st.st_mode, S_IFREG | 0640);
    EQ(st.st_size, 0);
    EQ(st.st_uid, geteuid());
    ERR(open("a", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
    int again = open("a", O_RDWR | O_CREAT, 0600);
    OK(again >= 0);
    EQ(fstat(again, &st), 0);
    EQ(st.st_mode & 0777, 0640);
    SYS(symlink("nowhere", "dangling"));
    ERR(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
    OK(open("dangling", O_RDWR | O_CREAT, 0600) >= 0);
    EQ(stat("nowhere", &st), 0);
    int locked = open("locked", O_RDWR | O_CREAT, 0);
    OK(locked >= 0);
    EQ(write(locked, "x", 1), 1);
    ERR(open("missing", O_RDWR), ENOENT);
    ERR(open("no/such", O_RDWR | O_CREAT, 0600), ENOENT);
    return tap_done();
}
