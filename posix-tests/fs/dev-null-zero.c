// SPDX-License-Identifier: MIT
//
// /dev/null swallows and is empty; /dev/zero gives zeros; /dev/full-like devices are not required.
#include "tap.h"

int main(void)
{
    char buf[5000];
    struct stat st;
    tap_start();
    int n = open("/dev/null", O_RDWR), z = open("/dev/zero", O_RDWR);
    OK(n >= 0);
    OK(z >= 0);
    EQ(read(n, buf, 10), 0);
    EQ(write(n, buf, sizeof buf), sizeof buf);
    EQ(lseek(n, 1000, SEEK_SET) >= 0, 1);
    EQ(read(n, buf, 10), 0);
    SYS(fstat(n, &st));
    OK(S_ISCHR(st.st_mode));
    EQ(st.st_size, 0);
    memset(buf, 'x', sizeof buf);
    EQ(read(z, buf, sizeof buf), sizeof buf);
    int bad = 0;
    for (size_t i = 0; i < sizeof buf; i++)
        bad += buf[i] != 0;
    EQ(bad, 0);
    EQ(write(z, buf, 100), 100);
    EQ(isatty(n), 0);
    EQ(open("/dev/null", O_WRONLY | O_TRUNC) >= 0, 1);
    EQ(open("/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0644) >= 0, 1);
    ERR(ftruncate(n, 0), EINVAL);
    ERR(open("/dev/null", O_RDONLY | O_DIRECTORY), ENOTDIR);
    return tap_done();
}
