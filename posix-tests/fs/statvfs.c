// SPDX-License-Identifier: MIT
//
// statvfs(), fpathconf(): sane numbers that agree with each other and follow the use of space.
#include "tap.h"
#include <sys/statvfs.h>

int main(void)
{
    struct statvfs v, w;
    tap_start();
    tap_tmp();
    EQ(statvfs(".", &v), 0);
    OK(v.f_bsize >= 512);
    OK(v.f_frsize >= 512);
    OK(v.f_blocks > 0);
    OK(v.f_bfree <= v.f_blocks);
    OK(v.f_bavail <= v.f_bfree);
    OK(v.f_ffree <= v.f_files);
    OK(v.f_namemax >= 14);
    EQ(pathconf(".", _PC_NAME_MAX), v.f_namemax);
    int fd = SYS(open(".", O_RDONLY));
    EQ(fstatvfs(fd, &w), 0);
    EQ(w.f_blocks, v.f_blocks);
    EQ(w.f_fsid, v.f_fsid);
    int ends[2];
    EQ(pipe(ends), 0);
    EQ(fstatvfs(ends[0], &w), 0);
    if (access("/proc/self/stat", R_OK) == 0) { // what is made in memory holds no blocks
        EQ(statvfs("/proc/self/stat", &w), 0);
        EQ(w.f_blocks, 0);
        OK(w.f_fsid != v.f_fsid);
    }
    ERR(statvfs("none", &v), ENOENT);
    ERR(fstatvfs(60, &v), EBADF);
    EQ(pathconf(".", _PC_PIPE_BUF), PIPE_BUF);
    EQ(pathconf(".", _PC_NO_TRUNC) != -1, 1);
    OK(pathconf(".", _PC_LINK_MAX) >= 8);
    OK(pathconf(".", _PC_PATH_MAX) >= 256);
    return tap_done();
}
