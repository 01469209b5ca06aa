// SPDX-License-Identifier: MIT
//
// rewinddir() shows the directory as it is now; telldir() and seekdir() return to a place;
// fdopendir() takes over a descriptor; a removed open directory reads as empty.
#include "tap.h"

int main(void)
{
    char name[32], third[NAME_MAX + 1] = "";
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "d/f%d", i);
        tap_put(name, 0644, "");
    }
    DIR *dir = opendir("d");
    NEED(dir);
    NEED(readdir(dir) && readdir(dir));
    long place = telldir(dir);
    strcpy(third, readdir(dir)->d_name);
    int rest = 0;
    while (readdir(dir))
        rest++;
    EQ(rest, 49);
    seekdir(dir, place);
    STR(readdir(dir)->d_name, third);
    tap_put("d/late", 0644, "");
    rewinddir(dir);
    int all = 0, late = 0;
    for (struct dirent *e; (e = readdir(dir)); all++)
        late += !strcmp(e->d_name, "late");
    EQ(all, 53);
    EQ(late, 1);
    struct stat a, b;
    SYS(fstat(dirfd(dir), &a));
    SYS(stat("d", &b));
    EQ(a.st_ino, b.st_ino);
    EQ(fcntl(dirfd(dir), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    closedir(dir);
    SYS(mkdir("gone", 0755));
    int fd = SYS(open("gone", O_RDONLY | O_DIRECTORY));
    SYS(rmdir("gone"));
    dir = fdopendir(fd);
    OK(dir != NULL);
    EQ(dirfd(dir), fd);
    OK(readdir(dir) == NULL);
    closedir(dir);
    ERR(fcntl(fd, F_GETFD), EBADF);
    ERR_NULL(opendir("none"), ENOENT);
    ERR_NULL(opendir("d/f1"), ENOTDIR);
    ERR_NULL(fdopendir(SYS(open("d/f1", O_RDONLY))), ENOTDIR);
    ERR_NULL(fdopendir(-1), EBADF);
    return tap_done();
}
