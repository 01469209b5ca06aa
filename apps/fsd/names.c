// SPDX-License-Identifier: MIT
// The calls that make, remove and rename names.
#include "fsd.h"
#include <string.h>

static int parent_of(struct request *r, uint32_t start, const char *path, size_t len,
                     struct ext_walk *w)
{
    return walk(r, start, path, len, EXT_WALK_PARENT | WALK_NAME, w);
}

// Whether the name is that of a mount point.
static bool busy(const struct ext_walk *w)
{
    uint32_t ino = w->ino;
    if (!holds_mount(w->parent))
        return false;
    return ino ? is_mount(ino)
               : ext_lookup(&vol, w->parent, w->name, w->name_len, &ino) == 0 && is_mount(ino);
}

static int make(struct request *r, const char *path, size_t len, const struct ext_create_args *args)
{
    static struct ext_walk w;
    uint32_t ino;
    int err = parent_of(r, start_ino(r), path, len, &w);
    if (err < 0)
        return err;
    if (w.ino || w.last != EXT_LAST_NORM)
        return -LX_EEXIST;
    if (w.must_be_dir && !LX_S_ISDIR(args->mode))
        return -LX_ENOENT;
    return ext_create(&vol, &r->cred, w.parent, w.name, w.name_len, args, &ino);
}

static int op_mknod(struct request *r)
{
    uint32_t mode = (uint32_t)r->arg[0], type = mode & LX_S_IFMT;
    struct ext_create_args args = {.mode = type | (mode & 07777), .rdev = (uint32_t)r->arg[1]};
    if (type == LX_S_IFCHR || type == LX_S_IFBLK) {
        if (r->cred.uid != 0)
            return -LX_EPERM;
    } else if (type != LX_S_IFREG && type != LX_S_IFIFO && type != LX_S_IFSOCK) {
        return type == LX_S_IFDIR ? -LX_EPERM : -LX_EINVAL;
    }
    return make(r, r->path, r->bytes, &args);
}

static int op_symlink(struct request *r)
{
    size_t n = strnlen(r->path, r->bytes);
    if (n + 1 >= r->bytes)
        return n ? -LX_ENOENT : -LX_EINVAL;
    if (!n)
        return -LX_ENOENT;
    struct ext_create_args args = {
        .mode = LX_S_IFLNK | 0777, .target = r->path, .target_len = (uint32_t)n};
    return make(r, r->path + n + 1, r->bytes - n - 1, &args);
}

static int op_unlink(struct request *r)
{
    static struct ext_walk w;
    uint32_t orphan = 0;
    bool dir = r->arg[0] & LX_AT_REMOVEDIR;
    int err = parent_of(r, start_ino(r), r->path, r->bytes, &w);
    if (err < 0)
        return err;
    if (w.last != EXT_LAST_NORM) {
        if (!dir)
            return -LX_EISDIR;
        return w.last == EXT_LAST_ROOT  ? -LX_EBUSY
               : w.last == EXT_LAST_DOT ? -LX_EINVAL
                                        : -LX_ENOTEMPTY;
    }
    if (busy(&w))
        return -LX_EBUSY;
    if (w.must_be_dir && !dir) {
        struct ext_inode inode;
        err = w.ino ? ext_inode_load(&vol, w.ino, &inode) : -LX_ENOENT;
        return err < 0 ? err : LX_S_ISDIR(inode.mode) ? -LX_EISDIR : -LX_ENOTDIR;
    }
    err = dir ? ext_rmdir(&vol, &r->cred, w.parent, w.name, w.name_len, &orphan)
              : ext_unlink(&vol, &r->cred, w.parent, w.name, w.name_len, &orphan);
    if (dir && orphan) // it may be a working directory
        publish_moved();
    if (orphan)
        node_orphaned(orphan);
    return err;
}

// The directory a second path starts at: a capability of ours that came along, else the same as the
// first.
static int second_start(struct request *r, uint32_t *ino)
{
    struct open *o;
    *ino = start_ino(r);
    if (!r->received)
        return 0;
    int err = open_by_cap(r->received, &o);
    if (err == 0)
        *ino = o ? o->node->ino : EXT_ROOT_INO;
    return err;
}

static int two_paths(struct request *r, const char **second, size_t *second_len, uint32_t *start)
{
    size_t n = strnlen(r->path, r->bytes);
    if (n + 1 >= r->bytes)
        return -LX_EINVAL;
    *second = r->path + n + 1;
    *second_len = r->bytes - n - 1;
    return second_start(r, start);
}

static int op_link(struct request *r)
{
    static struct ext_walk from, to;
    const char *path2;
    size_t len2;
    uint32_t start2;
    struct ext_inode inode;
    uint32_t flags = (r->arg[0] & LX_AT_SYMLINK_FOLLOW) ? 0 : EXT_WALK_NOFOLLOW;
    int err = two_paths(r, &path2, &len2, &start2);
    if (err < 0)
        return err;
    if (!r->path[0] && (r->arg[0] & LX_AT_EMPTY_PATH)) {
        if (r->cred.uid != 0) // who was handed a descriptor may not give the file a name
            return -LX_ENOENT;
        from.ino = start_ino(r);
        from.must_be_dir = false;
    } else {
        err = walk(r, start_ino(r), r->path, r->bytes, flags, &from);
    }
    if (err == 0 && from.must_be_dir)
        err = ext_inode_load(&vol, from.ino, &inode);
    if (err)
        return err;
    if (from.must_be_dir && !LX_S_ISDIR(inode.mode))
        return -LX_ENOTDIR;
    err = parent_of(r, start2, path2, len2, &to);
    if (err < 0)
        return err;
    if (to.ino || to.last != EXT_LAST_NORM)
        return -LX_EEXIST;
    if (to.must_be_dir)
        return -LX_ENOENT;
    return ext_link(&vol, &r->cred, from.ino, to.parent, to.name, to.name_len);
}

static int check_dir(uint32_t ino)
{
    struct ext_inode inode;
    int err = ext_inode_load(&vol, ino, &inode);
    return err < 0 ? err : LX_S_ISDIR(inode.mode) ? 0 : -LX_ENOTDIR;
}

// A path that ends in a slash names a directory.
static int rename_slashes(struct ext_walk *from, const struct ext_walk *to, bool exchange)
{
    int err = 0;
    if (!from->must_be_dir && !to->must_be_dir)
        return 0;
    if (!from->ino)
        err = ext_lookup(&vol, from->parent, from->name, from->name_len, &from->ino);
    if (err == 0 && (from->must_be_dir || !exchange))
        err = check_dir(from->ino);
    if (err == 0 && to->must_be_dir && exchange && to->ino)
        err = check_dir(to->ino);
    return err;
}

static int op_rename(struct request *r)
{
    static struct ext_walk from, to;
    const char *path2;
    size_t len2;
    uint32_t start2, orphan = 0;
    bool exchange = r->arg[0] & LX_RENAME_EXCHANGE;
    int err = two_paths(r, &path2, &len2, &start2);
    if (err == 0)
        err = parent_of(r, start_ino(r), r->path, r->bytes, &from);
    if (err == 0)
        err = parent_of(r, start2, path2, len2, &to);
    if (err < 0)
        return err;
    if (from.last != EXT_LAST_NORM || to.last != EXT_LAST_NORM)
        return -LX_EBUSY;
    if (busy(&from) || busy(&to))
        return -LX_EBUSY;
    err = rename_slashes(&from, &to, exchange);
    if (err == 0)
        err = ext_rename(&vol, &r->cred, from.parent, from.name, from.name_len, to.parent, to.name,
                         to.name_len, r->arg[0] > UINT32_MAX ? UINT32_MAX : (uint32_t)r->arg[0],
                         &orphan);
    dirs_moved();
    if (orphan)
        node_orphaned(orphan);
    return err;
}

long op_name(struct request *r)
{
    switch (r->m->w[0]) {
    case FS_OP_MKDIR: {
        struct ext_create_args args = {.mode = LX_S_IFDIR | (r->arg[0] & 01777)};
        return make(r, r->path, r->bytes, &args);
    }
    case FS_OP_MKNOD:
        return op_mknod(r);
    case FS_OP_SYMLINK:
        return op_symlink(r);
    case FS_OP_UNLINK:
        return op_unlink(r);
    case FS_OP_LINK:
        return op_link(r);
    default:
        return op_rename(r);
    }
}
