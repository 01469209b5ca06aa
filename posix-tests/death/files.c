// SPDX-License-Identifier: MIT
// Files: each call to the file server happens or does not, what the dead held open or locked is
// free, and no block is lost.
#include "death.h"
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static int64_t blocks_before;

static int64_t blocks_free(void)
{
    struct statvfs s;

    if (statvfs("/tmp", &s))
        return -1;
    return (int64_t)((s.f_blocks - s.f_bfree) << 32 | s.f_ffree);
}

static void make(const char *name, const char *text)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

    HOLDS(fd >= 0);
    IS(write(fd, text, strlen(text)), strlen(text));
    IS(close(fd), 0);
}

static bool there(const char *name)
{
    struct stat st;

    return stat(name, &st) == 0;
}

static void blocks_same(void)
{
    SOON(blocks_free() == blocks_before);
}

// --- open, lock, read, close

static void set_file(void)
{
    blocks_before = blocks_free();
    make("f", "0123456789");
}

static void play_open(void)
{
    char text[10];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open("f", O_RDWR);

    MUST(fd >= 0);
    stage->count++;
    MUST(fcntl(fd, F_SETLK, &lock) == 0);
    MUST(read(fd, text, sizeof(text)) == sizeof(text) && !memcmp(text, "0123456789", 10));
    MUST(close(fd) == 0);
}

static void after_open(bool whole)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open("f", O_RDWR);

    (void)whole;
    HOLDS(fd >= 0);
    SOON(fcntl(fd, F_SETLK, &lock) == 0);
    close(fd);
    IS(unlink("f"), 0);
    blocks_same();
}

// --- create, write, unlink

static void set_none(void)
{
    blocks_before = blocks_free();
}

static void play_create(void)
{
    char block[5000];
    int fd = open("n", O_CREAT | O_EXCL | O_RDWR, 0600);

    memset(block, 'x', sizeof(block));
    MUST(fd >= 0);
    stage->count++;
    MUST(write(fd, block, sizeof(block)) == sizeof(block));
    stage->count++;
    MUST(close(fd) == 0);
}

static void after_create(bool whole)
{
    struct stat st;
    char block[5000];
    int fd = open("n", O_RDONLY);

    HOLDS(fd >= 0 || !stage->count);
    if (fd >= 0) {
        IS(fstat(fd, &st), 0);
        HOLDS(st.st_size >= 0 && st.st_size <= 5000);
        if (whole || stage->count > 1)
            IS(st.st_size, 5000);
        IS(read(fd, block, sizeof(block)), st.st_size);
        for (int64_t i = 0; i < st.st_size; i++)
            if (block[i] != 'x' && whole)
                IS(block[i], 'x');
        close(fd);
        IS(unlink("n"), 0);
    }
    blocks_same();
}

static void play_unlink(void)
{
    int fd = open("f", O_RDWR);

    MUST(fd >= 0);
    MUST(unlink("f") == 0);
    stage->count++;
    MUST(write(fd, "abc", 3) == 3);
    MUST(ftruncate(fd, 100000) == 0);
    MUST(pwrite(fd, "abc", 3, 90000) == 3);
    MUST(close(fd) == 0);
}

static void after_unlink(bool whole)
{
    HOLDS(!whole || !there("f"));
    HOLDS(!stage->count || !there("f"));
    unlink("f");
    blocks_same();
}

// --- names: both before or both after

static void play_rename(void)
{
    MUST(rename("f", "g") == 0);
    stage->count++;
    MUST(mkdir("d", 0700) == 0);
    MUST(link("g", "d/h") == 0);
    MUST(unlink("d/h") == 0);
    MUST(rmdir("d") == 0);
}

static void after_rename(bool whole)
{
    IS(there("f") + there("g"), 1);
    HOLDS(!stage->count || there("g"));
    HOLDS(!whole || !there("d"));
    unlink("f");
    unlink("g");
    unlink("d/h");
    rmdir("d");
    blocks_same();
}

// --- appending, also through a shared description: by call at first, then under a lease

#define RECORD  100
#define RECORDS 5
static int shared_fd;

static void set_shared(void)
{
    set_file();
    shared_fd = open("f", O_RDWR | O_APPEND);
    HOLDS(shared_fd >= 0);
}

static void play_append(void)
{
    char record[RECORD];

    memset(record, 'r', sizeof(record));
    for (int i = 0; i < RECORDS; i++) {
        MUST(write(shared_fd, record, RECORD) == RECORD);
        stage->count++;
    }
}

static void after_append(bool whole)
{
    char text[RECORD];
    int64_t size = lseek(shared_fd, 0, SEEK_END) - 10;

    IS(size % RECORD, 0);
    HOLDS(size >= RECORD * stage->count && size <= RECORD * (stage->count + 1));
    if (whole)
        IS(size, RECORDS * RECORD);
    for (int64_t at = 10; at < size + 10; at += RECORD) {
        IS(pread(shared_fd, text, RECORD, at), RECORD);
        HOLDS(text[0] == 'r' && text[RECORD - 1] == 'r');
    }
    memset(text, 's', RECORD);
    IS(write(shared_fd, text, RECORD), RECORD); // the survivor goes on
    IS(lseek(shared_fd, 0, SEEK_CUR), size + 10 + RECORD);
    IS(close(shared_fd), 0);
    IS(unlink("f"), 0);
    blocks_same();
}

// --- a lock that is waited for

static int lock_fd;

static void set_lock(void)
{
    set_file();
    lock_fd = open("f", O_RDWR);
    IS(flock(lock_fd, LOCK_EX), 0);
}

static void play_lock(void)
{
    int fd = open("f", O_RDWR);

    MUST(flock(fd, LOCK_EX) == 0);
    stage->count++;
    MUST(flock(fd, LOCK_UN) == 0);
    MUST(close(fd) == 0);
}

static bool wake_lock(void)
{
    return flock(lock_fd, LOCK_UN) == 0 && !stage->count;
}

static void after_lock(bool whole)
{
    (void)whole;
    close(lock_fd); // the victim's copy is gone with it
    lock_fd = open("f", O_RDWR);
    SOON(flock(lock_fd, LOCK_EX | LOCK_NB) == 0);
    close(lock_fd);
    IS(unlink("f"), 0);
    blocks_same();
}

// --- a mapping

static void play_map(void)
{
    int fd = open("f", O_RDWR);
    char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *own = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    MUST(at != MAP_FAILED && own != MAP_FAILED);
    own[5000] = at[5];
    at[3] = 'X';
    stage->count++;
    MUST(munmap(own, 4096) == 0);
    MUST(munmap(at, 4096) == 0);
    MUST(close(fd) == 0);
}

static void after_map(bool whole)
{
    char text[10];
    int fd = open("f", O_RDONLY);

    IS(read(fd, text, sizeof(text)), 10);
    HOLDS(!memcmp(text, "012", 3) && !memcmp(text + 4, "456789", 6));
    HOLDS(text[3] == 'X' || (!whole && !stage->count));
    close(fd);
    IS(unlink("f"), 0);
    blocks_same();
}

// --- a FIFO whose other side is waited for

static void set_fifo(void)
{
    blocks_before = blocks_free();
    IS(mkfifo("q", 0600), 0);
}

static int fifo_fd;

static void play_fifo(void)
{
    int fd = open("q", O_WRONLY);

    MUST(fd >= 0);
    stage->count++;
    MUST(write(fd, "fifo", 4) == 4);
    MUST(close(fd) == 0);
}

static bool wake_fifo(void)
{
    if (fifo_fd)
        return false;
    fifo_fd = open("q", O_RDONLY | O_NONBLOCK);
    return fifo_fd > 0;
}

static void after_fifo(bool whole)
{
    char text[8];
    ssize_t n = 0;

    if (fifo_fd) {
        n = read(fifo_fd, text, sizeof(text));
        HOLDS(n == 0 || n == 4);
        IS(read(fifo_fd, text, 1), 0);
        close(fifo_fd);
    }
    if (whole)
        IS(n, 4);
    fifo_fd = 0;
    IS(open("q", O_WRONLY | O_NONBLOCK), -1); // nobody reads, the dead does not count
    IS(errno, ENXIO);
    IS(unlink("q"), 0);
    blocks_same();
}

const struct scene file_scenes[] = {
    {.name = "file-open", .set = set_file, .play = play_open, .after = after_open},
    {.name = "file-create", .set = set_none, .play = play_create, .after = after_create},
    {.name = "file-unlink", .set = set_file, .play = play_unlink, .after = after_unlink},
    {.name = "file-rename", .set = set_file, .play = play_rename, .after = after_rename},
    {.name = "file-append", .set = set_shared, .play = play_append, .after = after_append},
    {.name = "file-lock",
     .set = set_lock,
     .play = play_lock,
     .wake = wake_lock,
     .after = after_lock},
    {.name = "file-map", .set = set_file, .play = play_map, .after = after_map},
    {.name = "fifo-open",
     .set = set_fifo,
     .play = play_fifo,
     .wake = wake_fifo,
     .after = after_fifo},
    {0},
};
