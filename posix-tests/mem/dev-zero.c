// SPDX-License-Identifier: MIT
//
// A private mapping of /dev/zero is anonymous memory.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    tap_start();
    int fd = SYS(open("/dev/zero", O_RDWR));
    char *m = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    OK(m != MAP_FAILED);
    SYS(close(fd));
    EQ(m[0] | m[65535], 0);
    m[5] = 1;
    IN_CHILD("copied by fork") {
        EQ(m[5], 1);
        m[5] = 2;
    }
    EQ(m[5], 1);
    fd = SYS(open("/dev/zero", O_RDWR));
    char *n = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    OK(n != MAP_FAILED);
    EQ(n[5], 0);
    EQ(munmap(m, 65536), 0);
    return tap_done();
}
