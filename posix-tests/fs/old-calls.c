// SPDX-License-Identifier: MIT
//
// Calls that programs linked long ago, or for newer libraries, make where today's libc makes
// others: utime, utimes, futimesat, preadv2 and pwritev2.
#include "tap.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <utime.h>

static long times_of(const char *path, struct stat *st)
{
    return stat(path, st);
}

int main(void)
{
    struct stat st;
    char a[3] = "", b[8] = "";
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "0123456789");
    SYS(mkdir("d", 0755));
    tap_put("d/g", 0644, "");

    EQ(syscall(SYS_utime, "f", &(struct utimbuf){100, 200}), 0);
    EQ(times_of("f", &st), 0);
    OK(st.st_atime == 100 && st.st_mtime == 200 && st.st_mtim.tv_nsec == 0);
    EQ(syscall(SYS_utime, "f", NULL), 0);
    EQ(times_of("f", &st), 0);
    OK(st.st_atime > 1600000000 && st.st_mtime > 1600000000);
    ERR(syscall(SYS_utime, "none", NULL), ENOENT);

    struct timeval t[2] = {{300, 5}, {400, 999999}};
    EQ(syscall(SYS_utimes, "f", t), 0);
    EQ(times_of("f", &st), 0);
    OK(st.st_atime == 300 && st.st_atim.tv_nsec == 5000);
    OK(st.st_mtime == 400 && st.st_mtim.tv_nsec == 999999000);
    t[1].tv_usec = 1000000;
    ERR(syscall(SYS_utimes, "f", t), EINVAL);
    ERR(syscall(SYS_utimes, NULL, t), EINVAL);
    t[1].tv_usec = 0;
    ERR(syscall(SYS_utimes, NULL, t), EFAULT);
    ERR(syscall(SYS_utime, NULL, NULL), EFAULT);
    int d = SYS(open("d", O_RDONLY | O_DIRECTORY)), f = SYS(open("f", O_RDWR));
    EQ(syscall(SYS_futimesat, d, "g", t), 0);
    EQ(times_of("d/g", &st), 0);
    EQ(st.st_mtime, 400);
    EQ(syscall(SYS_futimesat, f, NULL, t), 0);
    EQ(times_of("f", &st), 0);
    EQ(st.st_mtime, 400);

    struct iovec v[2] = {{a, 2}, {b, 3}};
    EQ(syscall(SYS_preadv2, f, v, 2, 4l, 0l, 0), 5);
    OK(!memcmp(a, "45", 2) && !memcmp(b, "678", 3));
    EQ(lseek(f, 0, SEEK_CUR), 0);
    EQ(syscall(SYS_preadv2, f, v, 1, -1l, -1l, 0), 2);
    EQ(lseek(f, 0, SEEK_CUR), 2);
    EQ(syscall(SYS_pwritev2, f, v, 1, 8l, 0l, 2), 2); // RWF_DSYNC
    STR(tap_get("f"), "0123456701");
    ERR(syscall(SYS_preadv2, f, v, 1, 0l, 0l, 0x40000000), EOPNOTSUPP);
    ERR(syscall(SYS_preadv2, f, v, 1, -2l, -1l, 0), EINVAL);
    ERR(syscall(SYS_pwritev2, -1, v, 1, 0l, 0l, 0), EBADF);
    return tap_done();
}
