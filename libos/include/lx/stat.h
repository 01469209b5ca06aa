// SPDX-License-Identifier: MIT
//
// File modes and the stat family of structures, byte for byte as Linux x86-64 lays them out.
//
// They cross into application memory unchanged (musl and raw-SYSCALL binaries read them), so the
// sizes are checked at compile time. Times are flat second and nanosecond fields instead of
// timespecs: host tests include the host's <sys/stat.h> beside this file, where st_atime is a
// macro. The "x_" bits of statx name which fields were filled in.
#ifndef LX_STAT_H
#define LX_STAT_H

#include <stdint.h>

#define LX_S_IFMT   0170000
#define LX_S_IFSOCK 0140000
#define LX_S_IFLNK  0120000
#define LX_S_IFREG  0100000
#define LX_S_IFBLK  0060000
#define LX_S_IFDIR  0040000
#define LX_S_IFCHR  0020000
#define LX_S_IFIFO  0010000
#define LX_S_ISUID  0004000
#define LX_S_ISGID  0002000
#define LX_S_ISVTX  0001000
#define LX_S_IRWXU  0000700
#define LX_S_IRUSR  0000400
#define LX_S_IWUSR  0000200
#define LX_S_IXUSR  0000100
#define LX_S_IRWXG  0000070
#define LX_S_IRGRP  0000040
#define LX_S_IWGRP  0000020
#define LX_S_IXGRP  0000010
#define LX_S_IRWXO  0000007
#define LX_S_IROTH  0000004
#define LX_S_IWOTH  0000002
#define LX_S_IXOTH  0000001

#define LX_S_ISLNK(m)  (((m)&LX_S_IFMT) == LX_S_IFLNK)
#define LX_S_ISREG(m)  (((m)&LX_S_IFMT) == LX_S_IFREG)
#define LX_S_ISDIR(m)  (((m)&LX_S_IFMT) == LX_S_IFDIR)
#define LX_S_ISCHR(m)  (((m)&LX_S_IFMT) == LX_S_IFCHR)
#define LX_S_ISBLK(m)  (((m)&LX_S_IFMT) == LX_S_IFBLK)
#define LX_S_ISFIFO(m) (((m)&LX_S_IFMT) == LX_S_IFIFO)
#define LX_S_ISSOCK(m) (((m)&LX_S_IFMT) == LX_S_IFSOCK)

#define LX_NAME_MAX 255
#define LX_PATH_MAX 4096 // with the terminating NUL

// Type of a directory entry: the file type bits of the mode, shifted down.
#define LX_DT_UNKNOWN   0
#define LX_DT_FIFO      1
#define LX_DT_CHR       2
#define LX_DT_DIR       4
#define LX_DT_BLK       6
#define LX_DT_REG       8
#define LX_DT_LNK       10
#define LX_DT_SOCK      12
#define LX_IFTODT(mode) (((mode)&LX_S_IFMT) >> 12)

// rename flags (renameat2)
#define LX_RENAME_NOREPLACE 1u
#define LX_RENAME_EXCHANGE  2u
#define LX_RENAME_WHITEOUT  4u

struct lx_stat {
    uint64_t st_dev;
    uint64_t st_ino;
    uint64_t st_nlink;
    uint32_t st_mode;
    uint32_t st_uid;
    uint32_t st_gid;
    uint32_t st_pad0;
    uint64_t st_rdev;
    int64_t st_size;
    int64_t st_blksize;
    int64_t st_blocks; // of 512 bytes
    int64_t st_atime_sec;
    int64_t st_atime_nsec;
    int64_t st_mtime_sec;
    int64_t st_mtime_nsec;
    int64_t st_ctime_sec;
    int64_t st_ctime_nsec;
    int64_t st_unused[3];
};

#define LX_STATX_TYPE        0x0001u
#define LX_STATX_MODE        0x0002u
#define LX_STATX_NLINK       0x0004u
#define LX_STATX_UID         0x0008u
#define LX_STATX_GID         0x0010u
#define LX_STATX_ATIME       0x0020u
#define LX_STATX_MTIME       0x0040u
#define LX_STATX_CTIME       0x0080u
#define LX_STATX_INO         0x0100u
#define LX_STATX_SIZE        0x0200u
#define LX_STATX_BLOCKS      0x0400u
#define LX_STATX_BASIC_STATS 0x07ffu
#define LX_STATX_BTIME       0x0800u
#define LX_STATX_MNT_ID      0x1000u

#define LX_STATX_ATTR_IMMUTABLE  0x0010u
#define LX_STATX_ATTR_APPEND     0x0020u
#define LX_STATX_ATTR_MOUNT_ROOT 0x2000u

struct lx_statx_time {
    int64_t tv_sec;
    uint32_t tv_nsec;
    int32_t pad;
};

struct lx_statx {
    uint32_t stx_mask;
    uint32_t stx_blksize;
    uint64_t stx_attributes;
    uint32_t stx_nlink;
    uint32_t stx_uid;
    uint32_t stx_gid;
    uint16_t stx_mode;
    uint16_t stx_pad0;
    uint64_t stx_ino;
    uint64_t stx_size;
    uint64_t stx_blocks;
    uint64_t stx_attributes_mask;
    struct lx_statx_time stx_atime;
    struct lx_statx_time stx_btime;
    struct lx_statx_time stx_ctime;
    struct lx_statx_time stx_mtime;
    uint32_t stx_rdev_major;
    uint32_t stx_rdev_minor;
    uint32_t stx_dev_major;
    uint32_t stx_dev_minor;
    uint64_t stx_mnt_id;
    uint32_t stx_dio_mem_align;
    uint32_t stx_dio_offset_align;
    uint64_t stx_spare[12];
};

#define LX_ST_RDONLY   0x0001
#define LX_ST_NOSUID   0x0002
#define LX_ST_NODEV    0x0004
#define LX_ST_NOEXEC   0x0008
#define LX_ST_VALID    0x0020
#define LX_ST_NOATIME  0x0400
#define LX_ST_RELATIME 0x1000

#define LX_MAGIC_EXT2   0xef53
#define LX_MAGIC_PROC   0x9fa0
#define LX_MAGIC_DEVPTS 0x1cd1
#define LX_MAGIC_PROC   0x9fa0
#define LX_MAGIC_PIPE   0x50495045
#define LX_MAGIC_TMPFS  0x01021994

struct lx_statfs {
    int64_t f_type;
    int64_t f_bsize;
    uint64_t f_blocks;
    uint64_t f_bfree;
    uint64_t f_bavail;
    uint64_t f_files;
    uint64_t f_ffree;
    int32_t f_fsid[2];
    int64_t f_namelen;
    int64_t f_frsize;
    int64_t f_flags;
    int64_t f_spare[4];
};

struct lx_dirent64 {
    uint64_t d_ino;
    int64_t d_off; // position of the entry after this one
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[]; // with NUL, padded so that d_reclen is a multiple of 8
};

_Static_assert(sizeof(struct lx_stat) == 144, "Linux x86-64 struct stat");
_Static_assert(sizeof(struct lx_statx) == 256, "Linux struct statx");
_Static_assert(sizeof(struct lx_statfs) == 120, "Linux x86-64 struct statfs");
_Static_assert(__builtin_offsetof(struct lx_dirent64, d_name) == 19, "Linux struct dirent64");

#endif
