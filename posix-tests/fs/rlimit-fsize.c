// SPDX-License-Identifier: MIT
//
// RLIMIT_FSIZE: a write beyond it is short, the next fails with EFBIG and SIGXFSZ.
#include "tap.h"
#include <sys/resource.h>
static volatile sig_atomic_t signals;

static void count(int sig)
{
    signals += sig == SIGXFSZ;
}

int main(void)
{
    char buf[100] = "";
    struct rlimit limit;
    const off_t base = 1 << 20;
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    SYS(ftruncate(fd, base));
    SYS(lseek(fd, 0, SEEK_END));
    SYS(getrlimit(RLIMIT_FSIZE, &limit));
    limit.rlim_cur = base + 150;
    SYS(setrlimit(RLIMIT_FSIZE, &limit));
    signal(SIGXFSZ, count);
    EQ(write(fd, buf, 100), 100);
    EQ(write(fd, buf, 100), 50);
    EQ(signals, 0);
    ERR(write(fd, buf, 1), EFBIG);
    EQ(signals, 1);
    ERR(ftruncate(fd, base + 151), EFBIG);
    EQ(signals, 2);
    ERR(truncate("f", base + 151), EFBIG);
    EQ(signals, 3);
    EQ(posix_fallocate(fd, base + 149, 2), EFBIG);
    EQ(posix_fallocate(fd, base + 149, 1), 0);
    EQ(pwrite(fd, "x", 1, base + 149), 1);
    EQ(lseek(fd, 0, SEEK_END), base + 150);
    pid_t pid = tap_fork();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_DFL);
        SYS(write(fd, buf, 1));
        _exit(0);
    }
    EQ(tap_wait(pid), 128 + SIGXFSZ);
    return tap_done();
}
