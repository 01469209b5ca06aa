// SPDX-License-Identifier: MIT
//
// A removed current directory: getcwd and every creation in it fail with ENOENT, absolute paths
// work, nothing crashes, and fork still does.
#include "tap.h"

int main(void)
{
    char buf[PATH_MAX];
    struct stat st;
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    SYS(chdir("d"));
    int fd = SYS(open(".", O_RDONLY));
    EQ(rmdir("../d"), 0);
    ERR_NULL(getcwd(buf, sizeof buf), ENOENT);
    ERR(open("new", O_WRONLY | O_CREAT, 0644), ENOENT);
    ERR(mkdir("sub", 0755), ENOENT);
    ERR(symlink("x", "l"), ENOENT);
    ERR(mkfifo("p", 0644), ENOENT);
    ERR(stat("x", &st), ENOENT);
    EQ(stat(".", &st), 0);
    EQ(st.st_nlink, 0);
    EQ(stat("/", &st), 0);
    ERR(openat(fd, "new", O_WRONLY | O_CREAT, 0644), ENOENT);
    IN_CHILD("a child lives there too") {
        ERR_NULL(getcwd(buf, sizeof buf), ENOENT);
        EQ(chdir("/"), 0);
        OK(getcwd(buf, sizeof buf) != NULL);
    }
    EQ(chdir(tap_dir), 0);
    OK(getcwd(buf, sizeof buf) != NULL);
    return tap_done();
}
