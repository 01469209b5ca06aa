// SPDX-License-Identifier: MIT
//
// stat(), fstat(), lstat(): types, link counts, sizes and identity.
#include "tap.h"

int main(void)
{
    struct stat a, b;
    int p[2];
    tap_start();
    tap_tmp();
    tap_put("f", 0640, "12345");
    SYS(symlink("f", "l"));
    SYS(mkdir("d", 0751));
    SYS(mkfifo("p", 0604));
    EQ(stat("f", &a), 0);
    EQ(a.st_mode, S_IFREG | 0640);
    EQ(a.st_size, 5);
    EQ(a.st_nlink, 1);
    EQ(a.st_uid, geteuid());
    OK(a.st_blksize > 0);
    EQ(stat("l", &b), 0);
    EQ(b.st_ino, a.st_ino);
    EQ(b.st_dev, a.st_dev);
    EQ(lstat("l", &b), 0);
    OK(S_ISLNK(b.st_mode));
    EQ(b.st_size, 1);
    OK(b.st_ino != a.st_ino);
    EQ(stat("d", &b), 0);
    EQ(b.st_mode, S_IFDIR | 0751);
    EQ(b.st_dev, a.st_dev);
    EQ(stat("p", &b), 0);
    OK(S_ISFIFO(b.st_mode));
    EQ(b.st_mode & 0777, 0604);
    SYS(pipe(p));
    EQ(fstat(p[0], &b), 0);
    OK(S_ISFIFO(b.st_mode));
    EQ(stat("/dev/null", &b), 0);
    OK(S_ISCHR(b.st_mode));
    ERR(stat("none", &b), ENOENT);
    ERR(stat("f/none", &b), ENOTDIR);
    ERR(stat("", &b), ENOENT);
    ERR(lstat("f/", &b), ENOTDIR);
    return tap_done();
}
