// SPDX-License-Identifier: MIT
//
// fstat by who writes a file: it sees at once what itself and anybody else have done to it, however
// often it has asked before.
#include "tap.h"
#include <sys/mman.h>

static struct stat st;
static int fd;

static int after(struct timespec a, struct timespec b)
{
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

// Asks until nothing can be new any more, then lets the clock go on.
static void settle(void)
{
    for (int i = 0; i < 4; i++)
        SYS(fstat(fd, &st));
    tap_sleep(12);
}

// Bits: 1 mtime moved, 2 ctime moved.
static int moved(void)
{
    struct stat old = st;
    SYS(fstat(fd, &st));
    return after(st.st_mtim, old.st_mtim) | after(st.st_ctim, old.st_ctim) << 1;
}

static void other(void (*act)(void))
{
    pid_t pid = tap_fork();
    if (pid == 0) {
        act();
        _exit(0);
    }
    SYS(waitpid(pid, NULL, 0));
}

static void writes_by_name(void)
{
    int mine = open("f", O_WRONLY);
    if (pwrite(mine, "other", 5, 10) != 5)
        _exit(1);
    _exit(close(mine));
}

static void writes_the_same(void)
{
    _exit(pwrite(fd, "child", 5, 20) == 5 ? 0 : 1);
}

int main(void)
{
    char buffer[100000] = {0};
    tap_start();
    tap_tmp();
    fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    EQ(write(fd, buffer, sizeof(buffer)), sizeof(buffer));
    settle();
    EQ(st.st_size, sizeof(buffer));
    EQ(moved(), 0);
    EQ(pwrite(fd, "x", 1, 0), 1);
    EQ(moved(), 3);
    settle();
    EQ(write(fd, "x", 1), 1);
    EQ(moved(), 3);
    EQ(st.st_size, sizeof(buffer) + 1);
    settle();
    EQ(chmod("f", 0600), 0);
    EQ(moved(), 2);
    EQ(st.st_mode & 0777, 0600);
    settle();
    EQ(link("f", "g"), 0);
    EQ(moved(), 2);
    EQ(st.st_nlink, 2);
    settle();
    EQ(truncate("g", 5000), 0);
    EQ(moved(), 3);
    EQ(st.st_size, 5000);
    settle();
    int second = SYS(open("g", O_WRONLY));
    settle();
    EQ(pwrite(second, "y", 1, 100), 1);
    EQ(moved(), 3);
    close(second);
    settle();
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    OK(map != MAP_FAILED);
    settle();
    map[7] = 1;
    SYS(msync(map, 4096, MS_SYNC));
    EQ(moved() & 1, 1);
    SYS(munmap(map, 4096));
    close(fd);
    fd = SYS(open("f", O_RDWR));
    settle();
    other(writes_by_name);
    EQ(moved(), 3);
    settle();
    other(writes_the_same);
    EQ(moved(), 3);
    return tap_done();
}
