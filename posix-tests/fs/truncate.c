// SPDX-License-Identifier: MIT
//
// truncate(), ftruncate(): extension reads as zeros, shrinking and extending again shows zeros and
// not old data, also within one page; the offset stays.
#include "tap.h"

static int zeros(int fd, long from, long to)
{
    char byte;
    for (; from < to; from += 1 + (to - from) / 50)
        if (pread(fd, &byte, 1, from) != 1 || byte)
            return 0;
    return pread(fd, &byte, 1, to - 1) == 1 && byte == 0;
}

int main(void)
{
    char buf[8192];
    struct stat st;
    tap_start();
    tap_tmp();
    memset(buf, 'x', sizeof buf);
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    EQ(write(fd, buf, sizeof buf), 8192);
    EQ(ftruncate(fd, 100), 0);
    SYS(fstat(fd, &st));
    EQ(st.st_size, 100);
    EQ(lseek(fd, 0, SEEK_CUR), 8192);
    EQ(ftruncate(fd, 10000), 0);
    EQ(lseek(fd, 0, SEEK_END), 10000);
    OK(zeros(fd, 100, 10000));
    EQ(pread(fd, buf, 101, 0), 101);
    OK(buf[99] == 'x' && buf[100] == 0);
    EQ(truncate("f", 50), 0);
    EQ(pwrite(fd, "y", 1, 60), 1);
    OK(zeros(fd, 50, 60));
    EQ(truncate("f", 0), 0);
    EQ(pread(fd, buf, 10, 0), 0);
    EQ(truncate("f", 5 << 20), 0);
    SYS(fstat(fd, &st));
    EQ(st.st_size, 5 << 20);
    OK(st.st_blocks * 512LL < 5 << 20);
    OK(zeros(fd, 0, 5 << 20));
    ERR(truncate("f", -1), EINVAL);
    ERR(ftruncate(fd, -1), EINVAL);
    ERR(truncate("none", 0), ENOENT);
    ERR(truncate("f/x", 0), ENOTDIR);
    int p[2];
    SYS(pipe(p));
    ERR(ftruncate(p[1], 0), EINVAL);
    return tap_done();
}
