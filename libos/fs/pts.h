// SPDX-License-Identifier: MIT
// Numbers of pseudo-terminals, as /dev/pts and fstat of a terminal show them.
#ifndef FS_PTS_H
#define FS_PTS_H
#include <proto/tty.h>
#include <stdint.h>

#define PTS_DEV 5u // st_dev of /dev/pts

static inline uint32_t pts_number(uint32_t rdev)
{
    return ((rdev >> 8) - TTY_RDEV_PTS_MAJOR) * 256 + (rdev & 255);
}

// Inode number of /dev/pts/N; other terminals have that of their name on the root volume.
static inline uint64_t pts_ino(uint32_t rdev)
{
    return rdev >> 8 >= TTY_RDEV_PTS_MAJOR ? pts_number(rdev) + 3 : rdev;
}

struct lx_stat;
void tty_fill_stat(const struct tty_stat *ts,
                   struct lx_stat *st); // mode, owners, times, link count, block size

#endif
