// SPDX-License-Identifier: MIT
//
// The time stamps POSIX demands: write and truncate mark mtime and ctime, chmod, link, rename and
// unlink mark ctime, entries made or removed mark the directory, stat alone marks nothing.
#include "tap.h"
static struct stat st;

static int after(struct timespec a, struct timespec b)
{
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

// Bits: 1 mtime moved, 2 ctime moved since the last call for this path.
static int moved(const char *path)
{
    struct stat old = st;
    SYS(stat(path, &st));
    return after(st.st_mtim, old.st_mtim) | after(st.st_ctim, old.st_ctim) << 1;
}

static int since(const char *path)
{
    SYS(stat(path, &st));
    tap_sleep(12);
    return 0;
}

int main(void)
{
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    tap_put("d/f", 0644, "x");
    int fd = SYS(open("d/f", O_RDWR));
    since("d/f");
    EQ(moved("d/f"), 0);
    EQ(write(fd, "y", 1), 1);
    EQ(moved("d/f"), 3);
    since("d/f");
    EQ(ftruncate(fd, 100), 0);
    EQ(moved("d/f"), 3);
    since("d/f");
    EQ(chmod("d/f", 0600), 0);
    EQ(moved("d/f"), 2);
    since("d/f");
    EQ(link("d/f", "g"), 0);
    EQ(moved("d/f"), 2);
    since("d/f");
    EQ(unlink("g"), 0);
    EQ(moved("d/f"), 2);
    since("d");
    tap_put("d/new", 0644, "");
    EQ(moved("d"), 3);
    since("d");
    EQ(unlink("d/new"), 0);
    EQ(moved("d"), 3);
    since("d");
    EQ(rename("d/f", "d/g"), 0);
    EQ(moved("d"), 3);
    since("d");
    EQ(write(fd, "z", 1), 1);
    EQ(moved("d"), 0);
    SYS(stat("d/g", &st));
    OK(st.st_ctim.tv_sec >= time(NULL) - 60 && st.st_ctim.tv_sec <= time(NULL) + 1);
    return tap_done();
}
