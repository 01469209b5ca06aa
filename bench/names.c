// SPDX-License-Identifier: MIT
// The names of files.
#include "bench.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
    BENCH_END,
};
