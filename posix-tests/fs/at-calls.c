// SPDX-License-Identifier: MIT
//
// The *at() calls: relative to a directory descriptor wherever the current directory is; absolute
// paths ignore it; EBADF and ENOTDIR; the descriptor follows a renamed directory.
#include "tap.h"

int main(void)
{
    struct stat st;
    char buf[64] = "";
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    tap_put("f", 0644, "top");
    int d = SYS(open("d", O_RDONLY | O_DIRECTORY)), f = SYS(open("f", O_RDONLY));
    SYS(chdir("/"));
    int fd = openat(d, "a", O_RDWR | O_CREAT, 0644);
    OK(fd >= 0);
    EQ(write(fd, "A", 1), 1);
    EQ(mkdirat(d, "sub", 0755), 0);
    EQ(fstatat(d, "../f", &st, 0), 0);
    EQ(st.st_size, 3);
    EQ(symlinkat("a", d, "l"), 0);
    EQ(readlinkat(d, "l", buf, sizeof buf), 1);
    EQ(fstatat(d, "l", &st, AT_SYMLINK_NOFOLLOW), 0);
    OK(S_ISLNK(st.st_mode));
    EQ(linkat(d, "a", d, "b", 0), 0);
    EQ(renameat(d, "b", d, "sub/c"), 0);
    EQ(faccessat(d, "sub/c", R_OK, 0), 0);
    EQ(fchmodat(d, "a", 0600, 0), 0);
    EQ(fchownat(d, "a", -1, -1, 0), 0);
    EQ(mkfifoat(d, "p", 0644), 0);
    SYS(renameat(d, "../d", d, "../moved"));
    EQ(fstatat(d, "a", &st, 0), 0);
    EQ(st.st_mode & 0777, 0600);
    EQ(unlinkat(d, "sub/c", 0), 0);
    ERR(unlinkat(d, "sub", 0), EISDIR);
    EQ(unlinkat(d, "sub", AT_REMOVEDIR), 0);
    ERR(unlinkat(d, "a", AT_REMOVEDIR), ENOTDIR);
    ERR(openat(f, "x", O_RDONLY), ENOTDIR);
    ERR(openat(99, "x", O_RDONLY), EBADF);
    OK(openat(99, "/", O_RDONLY) >= 0);
    ERR(fstatat(d, "a", &st, 0x40000000), EINVAL);
    SYS(chdir(tap_dir));
    OK(openat(AT_FDCWD, "f", O_RDONLY) >= 0);
    return tap_done();
}
