// SPDX-License-Identifier: MIT
//
// A file that grows by many small writes: everybody sees its size at once, through any descriptor
// and in any process; whoever else writes or cuts it takes part; nothing is there behind its end.
#include "tap.h"
#include <sys/mman.h>
#include <sys/stat.h>

enum { LENGTH = 100, RECORDS = 300 };

static char record[LENGTH], back[LENGTH * RECORDS];

static void append(int fd, char what, int times)
{
    memset(record, what, LENGTH);
    for (int i = 0; i < times; i++)
        EQ(write(fd, record, LENGTH), LENGTH);
}

static off_t size_of(int fd)
{
    struct stat st;
    SYS(fstat(fd, &st));
    return st.st_size;
}

static void through_another(void)
{
    int a = SYS(open("f", O_CREAT | O_WRONLY | O_APPEND, 0644)), b = SYS(open("f", O_RDONLY));
    struct stat st;
    for (int i = 1; i <= 20; i++) {
        append(a, 'a', 1);
        if (i % 3 == 0)
            EQ(lseek(b, 0, SEEK_END), i * LENGTH);
        if (i % 5 == 0)
            EQ(size_of(b), i * LENGTH);
        EQ(pread(b, back, LENGTH, (i - 1) * LENGTH), LENGTH);
        EQ(back[0] + back[LENGTH - 1], 2 * 'a');
        EQ(pread(b, back, LENGTH, i * LENGTH), 0);
    }
    append(a, 'b', 20);
    SYS(stat("f", &st));
    EQ(st.st_size, 40 * LENGTH);
    append(a, 'b', 5);
    SYS(truncate("f", 150));
    append(a, 'c', 5);
    EQ(size_of(a), 150 + 5 * LENGTH);
    EQ(pread(b, back, 2 * LENGTH, LENGTH), 2 * LENGTH);
    EQ(back[49] + back[50], 'a' + 'c');
    SYS(close(a));
    EQ(lseek(b, 0, SEEK_END), 150 + 5 * LENGTH);
    SYS(fstat(b, &st));
    OK(st.st_blocks <= 8);
    SYS(close(b));
    SYS(unlink("f"));
}

// What is told in memory to be written is there.
static void followed(void)
{
    volatile int *told =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    NEED(told != MAP_FAILED);
    int fd = SYS(open("log", O_CREAT | O_RDWR | O_TRUNC, 0644)), wrong = 0, got = 0;
    pid_t pid = tap_fork();
    if (pid == 0) {
        int own = SYS(open("log", O_WRONLY | O_APPEND));
        for (int i = 0; i < RECORDS; i++) {
            memset(record, 'A' + i % 26, LENGTH);
            NEED(write(own, record, LENGTH) == LENGTH);
            *told = i + 1;
        }
        _exit(0);
    }
    while (got < RECORDS * LENGTH) {
        int least = *told * LENGTH;
        int at = lseek(fd, 0, SEEK_END);
        wrong += at < least || at % LENGTH || size_of(fd) < at;
        int n = pread(fd, back + got, sizeof(back) - got, got);
        wrong += n < 0 || n % LENGTH || got + n < at;
        got += n;
        if (at % 700)
            tap_sleep(1);
    }
    EQ(tap_wait(pid), 0);
    EQ(wrong, 0);
    for (int i = 0; i < RECORDS; i++)
        wrong += back[i * LENGTH] != 'A' + i % 26 || back[i * LENGTH + LENGTH - 1] != 'A' + i % 26;
    EQ(wrong, 0);
    SYS(close(fd));
    SYS(unlink("log"));
}

static void shared_by_fork(void)
{
    int fd = SYS(open("s", O_CREAT | O_RDWR | O_APPEND, 0644));
    append(fd, 'p', 10);
    pid_t pid = tap_fork();
    if (pid == 0) {
        append(fd, 'c', 10);
        _exit(0);
    }
    EQ(tap_wait(pid), 0);
    EQ(size_of(fd), 20 * LENGTH);
    append(fd, 'p', 10);
    EQ(pread(fd, back, sizeof(back), 0), 30 * LENGTH);
    for (int i = 0; i < 30; i++)
        EQ(back[i * LENGTH], i / 10 == 1 ? 'c' : 'p');
    SYS(close(fd));
    SYS(unlink("s"));
}

static void behind_the_end(void)
{
    int fd = SYS(open("m", O_CREAT | O_RDWR, 0644)), status;
    append(fd, 'm', 10); // at the file's own position
    EQ(lseek(fd, 0, SEEK_CUR), 10 * LENGTH);
    pid_t pid = tap_fork();
    if (pid == 0) {
        append(fd, 'm', 10);
        volatile char *map = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, fd, 0);
        int zero = map[20 * LENGTH] | map[4095];
        _exit(zero ? 1 : map[4096]);
    }
    NEED(waitpid(pid, &status, 0) == pid);
    OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    append(fd, 'n', 10);
    EQ(pwrite(fd, "x", 1, 5000), 1);
    EQ(pread(fd, back, 2001, 3000), 2001);
    int rest = 0;
    for (int i = 0; i < 2000; i++)
        rest |= back[i];
    EQ(rest, 0);
    EQ(back[2000], 'x');
    SYS(close(fd));
    SYS(unlink("m"));
}

static void bad_addresses(void)
{
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(map != MAP_FAILED && munmap(map + 4096, 4096) == 0);
    int fd = SYS(open("e", O_CREAT | O_RDWR | O_APPEND, 0644));
    append(fd, 'e', 10);
    ERR(write(fd, map + 4096, 10), EFAULT);
    EQ(size_of(fd), 10 * LENGTH);
    append(fd, 'e', 10);
    ERR(write(fd, map + 4096, 10), EFAULT);
    EQ(lseek(fd, 0, SEEK_END), 20 * LENGTH);
    append(fd, 'f', 1);
    EQ(size_of(fd), 21 * LENGTH);
    SYS(close(fd));
    SYS(unlink("e"));
}

int main(void)
{
    tap_start();
    tap_tmp();
    through_another();
    followed();
    shared_by_fork();
    behind_the_end();
    bad_addresses();
    return tap_done();
}
