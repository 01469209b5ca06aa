// SPDX-License-Identifier: MIT
// The bytes of files: reading, writing and mapping what is cached.
#include "bench.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define KIB 1024

static int fd;
static char buffer[64 * KIB];

static int setup_file(void)
{
    fd = make_file("file", 256 * KIB);
    return 0;
}

static void run_pread_4k(long n)
{
    while (n--)
        must(pread(fd, buffer, 4 * KIB, (n & 15) * 4 * KIB) == 4 * KIB, "pread");
}

static void run_pread_64k(long n)
{
    while (n--)
        must(pread(fd, buffer, 64 * KIB, (n & 3) * 64 * KIB) == 64 * KIB, "pread");
}

static void run_read_byte(long n)
{
    char byte;
    for (; n--;) {
        ssize_t got = read(fd, &byte, 1);
        must(got >= 0, "read");
        if (got == 0)
            must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
    }
}

static void run_readv(long n)
{
    struct iovec v[4] = {
        {buffer, 100}, {buffer + 100, 100}, {buffer + 200, 100}, {buffer + 300, 100}};
    while (n--)
        must(preadv(fd, v, 4, 0) == 400, "preadv");
}

static void run_write_4k(long n)
{
    while (n--)
        must(pwrite(fd, buffer, 4 * KIB, (n & 15) * 4 * KIB) == 4 * KIB, "pwrite");
}

static int setup_append(void)
{
    fd = open("file", O_WRONLY | O_CREAT | O_APPEND, 0644);
    return fd;
}
static void run_append(long n)
{
    while (n--)
        must(write(fd, buffer, 4 * KIB) == 4 * KIB, "write");
}
static void run_append_line(long n)
{
    while (n--)
        must(write(fd, buffer, 80) == 80, "write");
}
static void empty_file(long n)
{
    (void)n;
    must(ftruncate(fd, 0) == 0, "ftruncate");
}

static void run_lseek(long n)
{
    while (n--)
        must(lseek(fd, n & 4095, SEEK_SET) >= 0, "lseek");
}

static void run_fstat(long n)
{
    struct stat status;
    while (n--)
        must(fstat(fd, &status) == 0, "fstat");
}

static void run_dup(long n)
{
    while (n--)
        must(close(dup(fd)) == 0, "dup");
}

static void run_lock(long n)
{
    struct flock lock = {.l_whence = SEEK_SET, .l_len = 1};
    while (n--) {
        lock.l_type = n & 1 ? F_WRLCK : F_UNLCK;
        must(fcntl(fd, F_SETLK, &lock) == 0, "fcntl");
    }
}

static void run_truncate(long n)
{
    while (n--) {
        must(ftruncate(fd, 0) == 0, "ftruncate");
        must(ftruncate(fd, 64 * KIB) == 0, "ftruncate");
    }
}

static void run_fsync(long n)
{
    while (n--)
        must(fsync(fd) == 0, "fsync");
}

static void run_map(long n)
{
    volatile char *sink = buffer;
    while (n--) {
        char *map = mmap(NULL, 256 * KIB, PROT_READ, MAP_SHARED, fd, 0);
        must(map != MAP_FAILED, "mmap");
        for (size_t at = 0; at < 256 * KIB; at += 4 * KIB)
            *sink = map[at];
        must(munmap(map, 256 * KIB) == 0, "munmap");
    }
}

static void run_write_file(long n)
{
    while (n--) {
        int out = open("copy", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        for (int i = 0; i < 16; i++)
            must(write(out, buffer, 64 * KIB) == 64 * KIB, "write");
        must(close(out) == 0 && unlink("copy") == 0, "close and unlink");
    }
}

static void run_write_byte(long n)
{
    while (n--)
        must(pwrite(fd, buffer, 1, n & 4095) == 1, "pwrite");
}

// From beginning to end: the cost of 4 KiB.
static void run_read_through(long n)
{
    while (n--) {
        ssize_t got = read(fd, buffer, 4 * KIB);
        must(got >= 0, "read");
        if (got == 0)
            must(lseek(fd, 0, SEEK_SET) == 0, "lseek");
    }
}

static void run_writev(long n)
{
    struct iovec v[4] = {
        {buffer, 100}, {buffer + 100, 100}, {buffer + 200, 100}, {buffer + 300, 100}};
    while (n--)
        must(pwritev(fd, v, 4, 0) == 400, "pwritev");
}

// One block behind the end, with a hole before it, and the file is empty again.
static void run_write_hole(long n)
{
    while (n--)
        must(pwrite(fd, buffer, 1, 64 * KIB) == 1 && ftruncate(fd, 0) == 0, "pwrite");
}

static void run_sync(long n)
{
    while (n--)
        must(pwrite(fd, buffer, 4 * KIB, 0) == 4 * KIB && fdatasync(fd) == 0, "fdatasync");
}

static void run_flock(long n)
{
    while (n--)
        must(flock(fd, n & 1 ? LOCK_EX : LOCK_UN) == 0, "flock");
}

static void run_utime(long n)
{
    struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    while (n--)
        must(futimens(fd, times) == 0, "futimens");
}

static void run_fchmod(long n)
{
    while (n--)
        must(fchmod(fd, n & 1 ? 0600 : 0644) == 0, "fchmod");
}

static void run_fallocate(long n)
{
    while (n--)
        must(posix_fallocate(fd, 0, 64 * KIB) == 0 && ftruncate(fd, 0) == 0, "posix_fallocate");
}

static void run_store(long n)
{
    while (n--) {
        volatile char *map = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        must(map != MAP_FAILED, "mmap");
        for (size_t at = 0; at < 64 * KIB; at += 4 * KIB)
            map[at] = 1;
        must(munmap((void *)map, 64 * KIB) == 0, "munmap");
    }
}

static void run_private(long n)
{
    while (n--) {
        volatile char *map = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        must(map != MAP_FAILED, "mmap");
        for (size_t at = 0; at < 64 * KIB; at += 4 * KIB)
            map[at] = 1;
        must(munmap((void *)map, 64 * KIB) == 0, "munmap");
    }
}

static void run_open_truncate(long n)
{
    while (n--) {
        int out = open("copy", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        must(write(out, buffer, 100) == 100 && close(out) == 0, "write");
    }
}

const struct bench bench_files[] = {
    {"pread-4k", "pread 4 KiB cached", 0, setup_file, NULL, run_pread_4k, NULL},
    {"pread-64k", "pread 64 KiB cached", 0, setup_file, NULL, run_pread_64k, NULL},
    {"write-4k", "write 4 KiB", 0, setup_file, NULL, run_write_4k, NULL},
    {"append-4k", "append 4 KiB", 1024, setup_append, NULL, run_append, empty_file},
    {"append-80", "append 80 B", 4096, setup_append, NULL, run_append_line, empty_file},
    {"read-1", "read 1 B of a file", 0, setup_file, NULL, run_read_byte, NULL},
    {"readv", "preadv, 4 x 100 B", 0, setup_file, NULL, run_readv, NULL},
    {"lseek", "lseek", 0, setup_file, NULL, run_lseek, NULL},
    {"fstat", "fstat", 0, setup_file, NULL, run_fstat, NULL},
    {"dup-close", "dup and close", 0, setup_file, NULL, run_dup, NULL},
    {"lock", "lock or unlock 1 B (fcntl)", 0, setup_file, NULL, run_lock, NULL},
    {"truncate", "ftruncate to 0 and to 64 KiB", 0, setup_file, NULL, run_truncate, NULL},
    {"fsync", "fsync of a clean file", 0, setup_file, NULL, run_fsync, NULL},
    {"map-file", "mmap, read and munmap 256 KiB of a file", 0, setup_file, NULL, run_map, NULL},
    {"write-1m", "create, write 1 MiB, unlink", 0, setup_file, NULL, run_write_file, NULL},
    {"write-1", "write 1 B of a file", 0, setup_file, NULL, run_write_byte, NULL},
    {"read-through", "read a file from end to end, per 4 KiB", 0, setup_file, NULL,
     run_read_through, NULL},
    {"writev", "pwritev, 4 x 100 B", 0, setup_file, NULL, run_writev, NULL},
    {"write-hole", "write behind a hole, ftruncate", 0, setup_append, NULL, run_write_hole, NULL},
    {"fdatasync", "write 4 KiB and fdatasync", 0, setup_file, NULL, run_sync, NULL},
    {"flock", "flock or unlock", 0, setup_file, NULL, run_flock, NULL},
    {"futimens", "futimens", 0, setup_file, NULL, run_utime, NULL},
    {"fchmod", "fchmod", 0, setup_file, NULL, run_fchmod, NULL},
    {"fallocate", "posix_fallocate 64 KiB, ftruncate", 0, setup_append, NULL, run_fallocate, NULL},
    {"map-store", "mmap a file, store to 64 KiB, munmap", 0, setup_file, NULL, run_store, NULL},
    {"map-private", "mmap a file privately, store to 64 KiB, munmap", 0, setup_file, NULL,
     run_private, NULL},
    {"open-truncate", "open with O_TRUNC, write 100 B, close", 0, NULL, NULL, run_open_truncate,
     NULL},
    BENCH_END,
};
