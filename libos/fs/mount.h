// SPDX-License-Identifier: MIT
// File systems of the libOS's own, mounted in fsd's tree: /proc and /dev/pts.
//
// fsd answers a path that leads into one with -FS_MOUNT, its kind, and the rest of the path. A rest
// is "" for the mount itself, and after mount_resolve has no empty, "." or ".." components and no
// slash at either end.
#ifndef FS_MOUNT_H
#define FS_MOUNT_H
#include <fs/file.h>

struct text;

struct mount_fs {
    const char *at;      // where it is mounted
    uint64_t dev;        // st_dev of all in it
    int64_t statfs_type; // f_type, as on Linux
    const struct file_ops
        *directory; // operations of its open directories, whose name is file_mount_name()
    long (*open)(const char *rest, uint32_t flags, struct file **out);
    int (*stat)(const char *rest, bool follow, struct lx_stat *st);
    long (*readlink)(const char *rest, char *target, size_t max);
    long (*chmod)(const char *rest, uint32_t mode);              // NULL: EPERM
    long (*chown)(const char *rest, uint32_t uid, uint32_t gid); // likewise
    exo_handle_t (*link)(
        const char *rest); // endpoint of the directory a symbolic link leads to; 0: no such link
};

extern const struct mount_fs proc_fs, pts_fs;

// By kind: FS_MOUNT_*. NULL: none such.
const struct mount_fs *mount_fs(uint64_t kind);
// By st_dev of something in it. NULL: that is not in one.
const struct mount_fs *mount_of_dev(uint64_t dev);
// Kind of the mount that an open directory lies in; 0: one of fsd's, or no directory.
unsigned mount_kind(const struct file *file);
const char *mount_name(const struct file *file); // of such a directory, below the mount
// The absolute name of an open directory without links; NULL: of the root.
long directory_name(struct text *t, const struct file *file);
// Puts the directory's name in front of the relative path at `path`; false: too long.
bool mount_join(const struct file *directory, char *path, size_t room);
// Carries out ".." and links to directories. 0: the path stays in the mount, 1: it leads out and
// goes on from *endpoint with what `path` now holds; -LX_E.
int mount_resolve(unsigned kind, char *path, exo_handle_t *endpoint);

#endif
