// SPDX-License-Identifier: MIT
//
// MAP_FIXED replaces whatever was there, exactly; a hint is only a hint and never replaces; partial
// munmap leaves the rest, also in the middle of a file mapping.
#include "tap.h"
#include <setjmp.h>
#include <sys/mman.h>
static sigjmp_buf back;

static void leave(int sig)
{
    siglongjmp(back, sig);
}

static int at(volatile char *p)
{
    return sigsetjmp(back, 1) ? -1 : *p;
}

int main(void)
{
    tap_start();
    tap_tmp();
    signal(SIGSEGV, leave);
    const long page = 4096;
    const int rw = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    for (int i = 0; i < 5; i++) {
        char block[4096];
        memset(block, 'a' + i, page);
        NEED(write(fd, block, page) == page);
    }
    char *m = mmap(NULL, 5 * page, rw, MAP_PRIVATE, fd, 0);
    NEED(m != MAP_FAILED);
    OK(mmap(m + page, page, rw, anon | MAP_FIXED, -1, 0) == m + page);
    EQ(at(m), 'a');
    EQ(at(m + page), 0);
    EQ(at(m + 2 * page), 'c');
    EQ(munmap(m + 3 * page, page), 0);
    EQ(at(m + 3 * page - 1), 'c');
    EQ(at(m + 3 * page), -1);
    EQ(at(m + 4 * page - 1), -1);
    EQ(at(m + 4 * page), 'e');
    char *hint = mmap(m, page, rw, anon, -1, 0);
    OK(hint != MAP_FAILED && hint != m);
    SYS(munmap(hint, page));
    EQ(at(m), 'a');
    OK(mmap(m, page, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 4 * page) == m);
    EQ(at(m), 'e');
    IN_CHILD("the same after fork") {
        EQ(at(m), 'e');
        EQ(at(m + page), 0);
        EQ(at(m + 3 * page), -1);
        EQ(at(m + 4 * page), 'e');
    }
    EQ(munmap(m, 5 * page), 0);
    for (int i = 0; i < 5; i++)
        EQ(at(m + i * page), -1);
    return tap_done();
}
