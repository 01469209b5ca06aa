// SPDX-License-Identifier: MIT
//
// unlink(): the name goes at once, the file when the last descriptor closes; the inode of a dead
// file reports zero links; directories and missing names are refused.
#include "tap.h"

int main(void)
{
    char buf[16] = "";
    struct stat st;
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "alive");
    int fd = SYS(open("f", O_RDWR));
    EQ(unlink("f"), 0);
    ERR(stat("f", &st), ENOENT);
    EQ(fstat(fd, &st), 0);
    EQ(st.st_nlink, 0);
    EQ(read(fd, buf, 5), 5);
    STR(buf, "alive");
    EQ(pwrite(fd, "still", 5, 5), 5);
    tap_put("f", 0644, "other");
    EQ(pread(fd, buf, 10, 0), 10);
    STR(buf, "alivestill");
    STR(tap_get("f"), "other");
    IN_CHILD("a child still reads the unlinked file") {
        EQ(pread(fd, buf, 5, 0), 5);
        OK(!memcmp(buf, "alive", 5));
    }
    SYS(close(fd));
    ERR(unlink("none"), ENOENT);
    SYS(mkdir("d", 0755));
    OK(unlink("d") == -1 && (errno == EPERM || errno == EISDIR));
    ERR(unlink("f/x"), ENOTDIR);
    OK(unlink("f/") == -1 && errno == ENOTDIR);
    EQ(remove("d"), 0);
    EQ(remove("f"), 0);
    ERR(remove("f"), ENOENT);
    return tap_done();
}
