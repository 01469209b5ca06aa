// SPDX-License-Identifier: MIT
// The names of files.
#include "bench.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ENTRIES 1000

static char path[512]; // of the file, from the root

static int setup_file(void)
{
    close(make_file("file", 100));
    must(getcwd(path, sizeof(path) - 8) != NULL, "getcwd");
    strcat(path, "/file");
    return 0;
}

// Where only the owner may look: nothing of it can be kept where others could read it.
static int setup_private(void)
{
    return setup_file() < 0 ? -1 : chmod(".", 0700);
}

static int setup_tree(void)
{
    must(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && mkdir("a/b/c", 0755) == 0, "mkdir");
    close(make_file("a/b/c/file", 100));
    must(getcwd(path, sizeof(path) - 16) != NULL, "getcwd");
    strcat(path, "/a/b/c/file");
    return 0;
}

static void run_open(long n)
{
    while (n--)
        must(close(open(path, O_RDONLY)) == 0, "open");
}

static void run_open_read(long n)
{
    char text[100];
    while (n--) {
        int fd = open(path, O_RDONLY);
        must(read(fd, text, sizeof(text)) == sizeof(text) && close(fd) == 0, "read");
    }
}

static void run_stat(long n)
{
    struct stat status;
    while (n--)
        must(stat(path, &status) == 0, "stat");
}

static void run_stat_none(long n)
{
    struct stat status;
    while (n--)
        must(stat("/tmp/nothing/there", &status) < 0, "stat");
}

static void run_access(long n)
{
    while (n--)
        must(access(path, R_OK) == 0, "access");
}

static void run_create(long n)
{
    while (n--) {
        must(close(open("new", O_WRONLY | O_CREAT | O_EXCL, 0644)) == 0, "create");
        must(unlink("new") == 0, "unlink");
    }
}

static void run_mkdir(long n)
{
    while (n--)
        must(mkdir("dir", 0755) == 0 && rmdir("dir") == 0, "mkdir");
}

static void run_rename(long n)
{
    while (n--)
        must(n & 1 ? rename("file", "name") == 0 || rename("name", "file") == 0
                   : rename("name", "file") == 0 || rename("file", "name") == 0,
             "rename");
}

static void run_link(long n)
{
    while (n--)
        must(link("file", "second") == 0 && unlink("second") == 0, "link");
}

static void run_symlink(long n)
{
    char text[64];
    while (n--)
        must(symlink("file", "soft") == 0 && readlink("soft", text, sizeof(text)) == 4 &&
                 unlink("soft") == 0,
             "symlink");
}

static void run_chmod(long n)
{
    while (n--)
        must(chmod(path, n & 1 ? 0644 : 0600) == 0, "chmod");
}

static void run_getcwd(long n)
{
    char text[512];
    while (n--)
        must(getcwd(text, sizeof(text)) != NULL, "getcwd");
}

static void run_chdir(long n)
{
    while (n--)
        must(chdir(".") == 0, "chdir");
}

static int setup_directory(void)
{
    char name[32];
    must(mkdir("many", 0755) == 0, "mkdir");
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(name, sizeof(name), "many/entry-%d", i);
        close(make_file(name, 0));
    }
    return 0;
}

static void run_readdir(long n)
{
    while (n--) {
        int seen = 0;
        DIR *directory = opendir("many");
        must(directory != NULL, "opendir");
        while (readdir(directory))
            seen++;
        must(seen == ENTRIES + 2 && closedir(directory) == 0, "readdir");
    }
}

static int setup_link(void)
{
    setup_file();
    must(symlink("file", "soft") == 0, "symlink");
    must(getcwd(path, sizeof(path) - 8) != NULL, "getcwd");
    strcat(path, "/soft");
    return 0;
}

static void run_readlink(long n)
{
    char text[64];
    while (n--)
        must(readlink(path, text, sizeof(text)) == 4, "readlink");
}

static void run_lstat(long n)
{
    struct stat status;
    while (n--)
        must(lstat(path, &status) == 0, "lstat");
}

static int setup_few(void)
{
    char name[32];
    must(mkdir("few", 0755) == 0, "mkdir");
    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof(name), "few/entry-%d", i);
        close(make_file(name, 0));
    }
    return 0;
}

static void run_readdir_few(long n)
{
    while (n--) {
        DIR *directory = opendir("few");
        must(directory != NULL, "opendir");
        while (readdir(directory))
            ;
        must(closedir(directory) == 0, "readdir");
    }
}

static void run_open_none(long n)
{
    while (n--)
        must(open("none", O_RDONLY) < 0, "open");
}

static void run_open_existing(long n)
{
    while (n--)
        must(close(open("file", O_RDWR | O_CREAT, 0644)) == 0, "open");
}

// The way editors and package managers replace a file.
static void run_replace(long n)
{
    while (n--) {
        int fd = open("new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        must(write(fd, path, 100) == 100 && close(fd) == 0, "write");
        must(rename("new", "file") == 0, "rename");
    }
}

static void run_statvfs(long n)
{
    struct statvfs status;
    while (n--)
        must(statvfs(path, &status) == 0, "statvfs");
}

static void run_utimes(long n)
{
    while (n--)
        must(utimensat(AT_FDCWD, path, NULL, 0) == 0, "utimensat");
}

static void run_mkfifo(long n)
{
    while (n--)
        must(mkfifo("queue", 0644) == 0 && unlink("queue") == 0, "mkfifo");
}

static void run_realpath(long n)
{
    char text[4096];
    while (n--)
        must(realpath(path, text) != NULL, "realpath");
}

const struct bench bench_names[] = {
    {"open-close", "open and close", 0, setup_file, NULL, run_open, NULL},
    {"stat", "stat", 0, setup_file, NULL, run_stat, NULL},
    {"create-unlink", "create and unlink", 0, setup_file, NULL, run_create, NULL},
    {"readdir-1000", "readdir of 1,000", 0, setup_directory, NULL, run_readdir, NULL},
    {"open-deep", "open and close, 6 levels deep", 0, setup_tree, NULL, run_open, NULL},
    {"open-read-close", "open, read 100 B, close", 0, setup_file, NULL, run_open_read, NULL},
    {"stat-deep", "stat, 6 levels deep", 0, setup_tree, NULL, run_stat, NULL},
    {"stat-none", "stat of nothing", 0, NULL, NULL, run_stat_none, NULL},
    {"stat-private", "stat in a directory of mode 0700", 0, setup_private, NULL, run_stat, NULL},
    {"open-private", "open and close in a directory of mode 0700", 0, setup_private, NULL, run_open,
     NULL},
    {"access", "access", 0, setup_file, NULL, run_access, NULL},
    {"mkdir-rmdir", "mkdir and rmdir", 0, NULL, NULL, run_mkdir, NULL},
    {"rename", "rename", 0, setup_file, NULL, run_rename, NULL},
    {"link-unlink", "link and unlink", 0, setup_file, NULL, run_link, NULL},
    {"symlink", "symlink, readlink, unlink", 0, setup_file, NULL, run_symlink, NULL},
    {"chmod", "chmod", 0, setup_file, NULL, run_chmod, NULL},
    {"getcwd", "getcwd", 0, NULL, NULL, run_getcwd, NULL},
    {"chdir", "chdir", 0, NULL, NULL, run_chdir, NULL},
    {"readlink", "readlink", 0, setup_link, NULL, run_readlink, NULL},
    {"lstat-link", "lstat of a symbolic link", 0, setup_link, NULL, run_lstat, NULL},
    {"stat-link", "stat by a symbolic link", 0, setup_link, NULL, run_stat, NULL},
    {"open-link", "open and close by a symbolic link", 0, setup_link, NULL, run_open, NULL},
    {"readdir-10", "readdir of 10", 0, setup_few, NULL, run_readdir_few, NULL},
    {"open-none", "open of nothing", 0, NULL, NULL, run_open_none, NULL},
    {"open-existing", "open with O_CREAT what exists, close", 0, setup_file, NULL,
     run_open_existing, NULL},
    {"replace", "write a new file of 100 B, rename over the old", 0, setup_file, NULL, run_replace,
     NULL},
    {"statvfs", "statvfs", 0, setup_file, NULL, run_statvfs, NULL},
    {"utimensat", "utimensat, now", 0, setup_file, NULL, run_utimes, NULL},
    {"mkfifo", "mkfifo and unlink", 0, NULL, NULL, run_mkfifo, NULL},
    {"realpath", "realpath", 0, setup_tree, NULL, run_realpath, NULL},
    BENCH_END,
};
