// SPDX-License-Identifier: MIT
//
// mremap(): growing keeps contents and adds zeros, shrinking unmaps the tail, moving leaves nothing
// behind.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    tap_start();
    const size_t page = 4096;
    const int rw = PROT_READ | PROT_WRITE, anon = MAP_PRIVATE | MAP_ANONYMOUS;
    char *m = mmap(NULL, 4 * page, rw, anon, -1, 0);
    NEED(m != MAP_FAILED);
    for (int i = 0; i < 4; i++)
        m[i * page] = 'a' + i;
    char *n = mremap(m, 4 * page, 64 * page, MREMAP_MAYMOVE);
    NEED(n != MAP_FAILED);
    for (int i = 0; i < 4; i++)
        EQ(n[i * page], 'a' + i);
    EQ(n[4 * page], 0);
    n[63 * page] = 'z';
    OK(mremap(n, 64 * page, 2 * page, 0) == n);
    EQ(n[page], 'b');
    pid_t pid = tap_fork();
    if (pid == 0) {
        n[2 * page] = 1;
        _exit(0);
    }
    EQ(tap_wait(pid), 128 + SIGSEGV);
    char *block = mmap(NULL, 8 * page, rw, anon, -1, 0);
    NEED(block != MAP_FAILED);
    block[0] = 'q';
    SYS(mprotect(block + page, page, PROT_READ));
    ERR(mremap(block, page, 9 * page, 0), ENOMEM);
    char *moved = mremap(block, page, 9 * page, MREMAP_MAYMOVE);
    OK(moved != MAP_FAILED && moved != block);
    EQ(moved[0], 'q');
    EQ(moved[8 * page], 0);
    ERR(mremap(moved + 1, page, page, MREMAP_MAYMOVE), EINVAL);
    ERR(mremap(moved, page, 0, MREMAP_MAYMOVE), EINVAL);
    return tap_done();
}
