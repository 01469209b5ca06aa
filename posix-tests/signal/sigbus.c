// SPDX-License-Identifier: MIT
//
// SIGBUS: touching a file mapping wholly beyond the end of the file, also after the file shrank;
// the last partial page reads as zeros behind the end.
#include "tap.h"
#include <setjmp.h>
#include <sys/mman.h>
static siginfo_t seen;
static sigjmp_buf back;

static void leave(int sig, siginfo_t *si, void *context)
{
    (void)sig, (void)context;
    seen = *si;
    siglongjmp(back, 1);
}

static int touch(volatile char *at)
{
    memset(&seen, 0, sizeof seen);
    if (sigsetjmp(back, 1) == 0)
        return *at;
    return -seen.si_signo;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = leave, .sa_flags = SA_SIGINFO};
    tap_start();
    tap_tmp();
    SYS(sigaction(SIGBUS, &sa, NULL));
    SYS(sigaction(SIGSEGV, &sa, NULL));
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    NEED(write(fd, "abc", 3) == 3);
    char *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(map != MAP_FAILED);
    EQ(touch(map), 'a');
    EQ(touch(map + 3), 0);
    EQ(touch(map + 4095), 0);
    EQ(touch(map + 4096), -SIGBUS);
    OK(seen.si_addr == map + 4096);
    EQ(seen.si_code, BUS_ADRERR);
    SYS(ftruncate(fd, 3 * 4096));
    EQ(touch(map + 4096), 0);
    map[8192] = 'z';
    EQ(touch(map + 8192), 'z');
    SYS(ftruncate(fd, 4097));
    EQ(touch(map + 4096), 0);
    EQ(touch(map + 8192), -SIGBUS);
    SYS(ftruncate(fd, 3 * 4096));
    EQ(touch(map + 8192), 0);
    pid_t pid = tap_fork();
    if (pid == 0) {
        SYS(ftruncate(fd, 0));
        signal(SIGBUS, SIG_DFL);
        touch(map);
        _exit(0);
    }
    EQ(tap_wait(pid), 128 + SIGBUS);
    EQ(touch(map), -SIGBUS);
    return tap_done();
}
