// SPDX-License-Identifier: MIT
//
// Copy on write through three generations: each process keeps its own picture of the same pages,
// whoever writes first, also when write() and read() touch them instead of the program.
#include "tap.h"
#include <sys/mman.h>

enum { PAGES = 64 };

static int all(const char *m, char want)
{
    for (int i = 0; i < PAGES; i++)
        if (m[i * 4096] != want || m[i * 4096 + 4095] != want)
            return 0;
    return 1;
}

int main(void)
{
    int p[2], go[2];
    tap_start();
    tap_tmp();
    char *m = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(m != MAP_FAILED);
    memset(m, 'a', PAGES * 4096);
    SYS(pipe(p));
    SYS(pipe(go));
    pid_t child = tap_fork();
    if (child == 0) {
        pid_t grandchild = tap_fork();
        if (grandchild == 0) {
            tap_await(go[0]);
            OK(all(m, 'a'));
            memset(m, 'c', PAGES * 4096);
            OK(all(m, 'c'));
            _exit(0);
        }
        OK(all(m, 'a'));
        memset(m, 'b', PAGES * 4096);
        tap_post(go[1]);
        EQ(tap_wait(grandchild), 0);
        OK(all(m, 'b'));
        _exit(0);
    }
    EQ(tap_wait(child), 0);
    OK(all(m, 'a'));
    memset(m, 'd', PAGES * 4096);
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    EQ(write(fd, m, PAGES * 4096), PAGES * 4096);
    memset(m, 'e', PAGES * 4096);
    IN_CHILD("read() into shared pages changes this process alone") {
        EQ(pread(fd, m, PAGES * 4096, 0), PAGES * 4096);
        OK(all(m, 'd'));
    }
    OK(all(m, 'e'));
    pid_t pid = tap_fork();
    if (pid == 0)
        for (;;)
            pause();
    EQ(pread(fd, m, PAGES * 4096, 0), PAGES * 4096);
    OK(all(m, 'd'));
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    OK(all(m, 'd'));
    return tap_done();
}
