// SPDX-License-Identifier: MIT
//
// read(), write(): a buffer outside the address space, in part or as a whole, is EFAULT (or a
// short count), never a signal and never a crash of anything.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    tap_start();
    tap_tmp();
    long page = sysconf(_SC_PAGESIZE);
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600)), p[2];
    SYS(pipe(p));
    char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(map != MAP_FAILED);
    memset(map, 'x', 2 * page);
    SYS(munmap(map + page, page));
    char *hole = map + page, *kernel = (char *)0xffff800000000000,
         *odd = (char *)0x8000000000000000;
    EQ(write(fd, map, page), page);
    ERR(write(fd, hole, 10), EFAULT);
    ERR(write(p[1], hole, 10), EFAULT);
    ERR(write(fd, kernel, 10), EFAULT);
    ERR(write(p[1], odd, 10), EFAULT);
    SYS(lseek(fd, 0, SEEK_SET));
    ERR(read(fd, hole, 10), EFAULT);
    ERR(read(fd, kernel, 10), EFAULT);
    EQ(write(p[1], "abcdefgh", 8), 8);
    ERR(read(p[0], hole, 4), EFAULT);
    ERR(read(p[0], odd, 4), EFAULT);
    SYS(mprotect(map, page, PROT_READ));
    SYS(lseek(fd, 0, SEEK_SET));
    ERR(read(fd, map, 10), EFAULT);
    EQ(write(fd, map, 10), 10);
    ssize_t n = pread(fd, hole - 4, 0, 0);
    EQ(n, 0);
    n = pwrite(fd, hole - 4, 8, 0);
    OK((n >= 0 && n <= 4) || errno == EFAULT);
    ERR(pipe((int *)hole), EFAULT);
    return tap_done();
}
