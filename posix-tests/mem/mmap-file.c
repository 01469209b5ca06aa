// SPDX-License-Identifier: MIT
//
// Mapping a file: private copies on write and never reaches the file, shared does; what write()
// puts into the file shows in the mapping; the mapping outlives close and unlink.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    char buf[8192];
    tap_start();
    tap_tmp();
    for (int i = 0; i < 8192; i++)
        buf[i] = i / 32;
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    NEED(write(fd, buf, 8192) == 8192);
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    char *s = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *second = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096);
    NEED(p != MAP_FAILED && s != MAP_FAILED && second != MAP_FAILED);
    OK(!memcmp(p, buf, 8192));
    OK(!memcmp(s, buf, 8192));
    p[5] = 'p';
    EQ(pread(fd, buf, 1, 5), 1);
    EQ(buf[0], 0);
    EQ(s[5], 0);
    s[4100] = 's';
    EQ(pread(fd, buf, 1, 4100), 1);
    EQ(buf[0], 's');
    EQ(second[4], 's');
    EQ(pwrite(fd, "W", 1, 4200), 1);
    EQ(second[104], 'W');
    EQ(s[4200], 'W');
    EQ(pwrite(fd, "Q", 1, 5), 1);
    EQ(p[5], 'p');
    EQ(s[5], 'Q');
    EQ(msync(s, 8192, MS_SYNC), 0);
    EQ(msync(s, 8192, MS_ASYNC), 0);
    SYS(close(fd));
    SYS(unlink("f"));
    s[6000] = 'z';
    EQ(second[6000 - 4096], 'z');
    EQ(munmap(s, 8192), 0);
    EQ(second[6000 - 4096], 'z');
    EQ(p[5], 'p');
    return tap_done();
}
