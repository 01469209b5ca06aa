// SPDX-License-Identifier: MIT
//
// utimensat(), futimens(), utimes(): exact nanoseconds, UTIME_NOW, UTIME_OMIT, links themselves,
// and who may: only the owner sets a time, a writer may set "now".
#include "tap.h"
#include <sys/time.h>

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    SYS(chmod(".", 0755));
    tap_put("f", 0666, "x");
    struct timespec t[2] = {{1000, 123456789}, {2000, 987654321}};
    EQ(utimensat(AT_FDCWD, "f", t, 0), 0);
    SYS(stat("f", &st));
    EQ(st.st_atim.tv_sec, 1000);
    EQ(st.st_mtim.tv_sec, 2000);
    OK(st.st_mtim.tv_nsec == 987654321 || st.st_mtim.tv_nsec == 0);
    t[0].tv_nsec = UTIME_OMIT;
    t[1] = (struct timespec){3000, 0};
    EQ(futimens(SYS(open("f", O_RDONLY)), t), 0);
    SYS(stat("f", &st));
    EQ(st.st_atim.tv_sec, 1000);
    EQ(st.st_mtim.tv_sec, 3000);
    t[0].tv_nsec = UTIME_NOW;
    t[1].tv_nsec = UTIME_OMIT;
    EQ(utimensat(AT_FDCWD, "f", t, 0), 0);
    SYS(stat("f", &st));
    OK(st.st_atim.tv_sec >= time(NULL) - 60);
    EQ(st.st_mtim.tv_sec, 3000);
    EQ(utimensat(AT_FDCWD, "f", NULL, 0), 0);
    SYS(stat("f", &st));
    OK(st.st_mtim.tv_sec >= time(NULL) - 60);
    t[0].tv_nsec = 1000000000;
    ERR(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
    SYS(symlink("f", "l"));
    t[0] = t[1] = (struct timespec){5000, 0};
    EQ(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW), 0);
    SYS(lstat("l", &st));
    EQ(st.st_mtim.tv_sec, 5000);
    SYS(stat("f", &st));
    OK(st.st_mtim.tv_sec != 5000);
    struct timeval tv[2] = {{7000, 5}, {8000, 6}};
    EQ(utimes("f", tv), 0);
    SYS(stat("f", &st));
    EQ(st.st_mtim.tv_sec, 8000);
    ERR(utimensat(AT_FDCWD, "none", t, 0), ENOENT);
    if (geteuid() == 0)
        IN_CHILD("a writer that does not own the file") {
            tap_drop(1000);
            ERR(utimensat(AT_FDCWD, "f", t, 0), EPERM);
            EQ(utimensat(AT_FDCWD, "f", NULL, 0), 0);
        }
    return tap_done();
}
