// SPDX-License-Identifier: MIT
//
// Names in /proc and /dev/pts: relative ones, "..", links that lead out, no endless trees, and the
// same node by name and by descriptor.
#include "tap.h"
#include <ftw.h>
#include <pty.h>

static int entries;

static int count(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)path, (void)st, (void)flag;
    entries++;
    return ftw->level > 8 || entries > 100000;
}

static int can_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY);
    int got = fd >= 0 && read(fd, &byte, 1) == 1;
    close(fd);
    return got;
}

int main(void)
{
    char path[PATH_MAX], want[64];
    struct stat by_name, by_fd;
    int master, slave;
    tap_start();
    tap_tmp();
    tap_put("here", 0644, "x");
    snprintf(want, sizeof want, "/proc/%d", getpid());

    OK(can_read("/proc/self/cwd/here"));
    OK(can_read("/proc/self/root/proc/uptime"));
    OK(can_read("/proc/../proc/self/../uptime"));
    ERR(open("/proc/uptime/../uptime", O_RDONLY), ENOTDIR);
    ERR(open("/proc/none/../uptime", O_RDONLY), ENOENT);
    ssize_t n = readlink("/proc/self/cwd", path, sizeof path - 1);
    path[n < 0 ? 0 : n] = 0;
    STR(path, tap_dir);
    EQ(nftw("/proc/self", count, 8, FTW_PHYS), 0);

    EQ(chdir("/proc"), 0);
    OK(can_read("uptime"));
    OK(can_read("/proc/uptime"));
    STR(getcwd(path, sizeof path), "/proc");
    EQ(chdir(want + 6), 0);
    STR(getcwd(path, sizeof path), want);
    OK(can_read("../uptime"));
    EQ(chdir("../.."), 0);
    STR(getcwd(path, sizeof path), "/");

    SYS(openpty(&master, &slave, NULL, NULL, NULL));
    EQ(ttyname_r(slave, path, sizeof path), 0);
    EQ(strncmp(path, "/dev/pts/", 9), 0);
    EQ(stat(path, &by_name), 0);
    EQ(fstat(slave, &by_fd), 0);
    OK(by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev);
    OK(by_name.st_rdev == by_fd.st_rdev && S_ISCHR(by_name.st_mode));
    EQ(fchmod(slave, 0600), 0);
    EQ(stat(path, &by_name), 0);
    EQ(by_name.st_mode & 07777, 0600);
    EQ(chmod(path, 0620), 0);
    EQ(fstat(slave, &by_fd), 0);
    EQ(by_fd.st_mode & 07777, 0620);
    ERR(open("/dev/pts/4095", O_RDWR), ENOENT);
    SYS(close(slave));
    SYS(close(master));
    ERR(stat(path, &by_name), ENOENT);

    EQ(stat("/dev/null", &by_name), 0);
    EQ(fstat(SYS(open("/dev/null", O_RDONLY)), &by_fd), 0);
    OK(by_name.st_ino == by_fd.st_ino && by_name.st_dev == by_fd.st_dev);
    return tap_done();
}
