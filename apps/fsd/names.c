// SPDX-License-Identifier: MIT
// Paths, and the calls that make, remove and rename names.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

uint32_t proc_ino;

static bool crosses(void *ctx, uint32_t ino)
{
    (void)ctx;
    return proc_ino && ino == proc_ino;
}

uint32_t start_ino(const struct request *r)
{
    return r->open ? r->open->node->ino : EXT_ROOT_INO;
}

// -FS_MOUNT: the rest of the path is in the message, the kind in w[1].
int walk(struct request *r, uint32_t start, const char *path, size_t len, uint32_t flags, struct ext_walk *out)
{
    struct ext_walk_env env = {&r->cred, EXT_ROOT_INO, start, crosses, NULL};
    size_t n = strnlen(path, len);
    if (n == len)
        return -LX_EINVAL; // not terminated
    if (n >= LX_PATH_MAX)
        return -LX_ENAMETOOLONG;
    if (!n)
        return -LX_ENOENT;
    if (path[0] != '/') {
        struct ext_inode dir;
        int err = ext_inode_load(&vol, start, &dir);
        if (err < 0)
            return err;
        if (!LX_S_ISDIR(dir.mode))
            return -LX_ENOTDIR;
    }
    int err = ext_walk(&vol, &env, path, (uint32_t)n, flags, out);
    if (err == 0 && out->crossed) {
        memcpy(MSG, out->rest, out->rest_len);
        MSG[out->rest_len] = 0;
        r->m->w[1] = FS_MOUNT_PROC;
        r->m->meta = EXO_META(out->rest_len + 1, 0);
        return -FS_MOUNT;
    }
    return err;
}

int target_ino(struct request *r, uint64_t at_flags, uint32_t *ino)
{
    static struct ext_walk w;
    if ((!r->bytes || !r->path[0]) && (at_flags & LX_AT_EMPTY_PATH)) {
        *ino = start_ino(r);
        return 0;
    }
    int err = walk(r, start_ino(r), r->path, r->bytes,
                   (at_flags & LX_AT_SYMLINK_NOFOLLOW) ? EXT_WALK_NOFOLLOW : 0, &w);
    *ino = w.ino;
    if (err == 0 && w.must_be_dir) {
        struct ext_inode inode;
        err = ext_inode_load(&vol, w.ino, &inode);
        if (err == 0 && !LX_S_ISDIR(inode.mode))
            err = -LX_ENOTDIR;
    }
    return err;
}

static int parent_of(struct request *r, uint32_t start, const char *path, size_t len, struct ext_walk *w)
{
    return walk(r, start, path, len, EXT_WALK_PARENT, w);
}

static void refresh(uint32_t ino)
{
    struct node *n = ino ? node_find(ino) : NULL;
    if (n)
        node_publish(n);
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
    err = ext_create(&vol, &r->cred, w.parent, w.name, w.name_len, args, &ino);
    refresh(w.parent);
    return err;
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
    struct ext_create_args args = {.mode = LX_S_IFLNK | 0777, .target = r->path, .target_len = (uint32_t)n};
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
        return w.last == EXT_LAST_ROOT ? -LX_EBUSY : w.last == EXT_LAST_DOT ? -LX_EINVAL : -LX_ENOTEMPTY;
    }
    if (!w.ino)
        return -LX_ENOENT;
    if (w.ino == proc_ino)
        return -LX_EBUSY;
    if (w.must_be_dir && !dir) {
        struct ext_inode inode;
        err = ext_inode_load(&vol, w.ino, &inode);
        return err < 0 ? err : LX_S_ISDIR(inode.mode) ? -LX_EISDIR : -LX_ENOTDIR;
    }
    err = dir ? ext_rmdir(&vol, &r->cred, w.parent, w.name, w.name_len, &orphan)
              : ext_unlink(&vol, &r->cred, w.parent, w.name, w.name_len, &orphan);
    if (err == 0 && orphan)
        node_orphaned(orphan);
    else if (err == 0)
        refresh(w.ino);
    if (err == 0)
        refresh(w.parent);
    return err;
}

// The directory a second path starts at: a capability of ours that came along, else the same as the first.
static int second_start(struct request *r, uint32_t *ino)
{
    struct exo_cap_info mine = {.size = sizeof(mine), .version = EXO_ABI_VERSION}, info = mine;
    *ino = start_ino(r);
    if (!r->received)
        return 0;
    if (exo_cap_identify(r->received, &info) < 0 || exo_cap_identify(endpoint, &mine) < 0 ||
        info.type != EXO_CAP_ENDPOINT || info.object != mine.object)
        return -LX_EBADF;
    struct open *o = info.badge ? open_by_badge(info.badge) : NULL;
    if (info.badge && !o)
        return -LX_EBADF;
    *ino = o ? o->node->ino : EXT_ROOT_INO;
    return 0;
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
    if (!r->path[0] && (r->arg[0] & LX_AT_EMPTY_PATH))
        from.ino = start_ino(r), from.must_be_dir = false;
    else
        err = walk(r, start_ino(r), r->path, r->bytes, flags, &from);
    if (err == 0)
        err = ext_inode_load(&vol, from.ino, &inode);
    if (err < 0)
        return err;
    if (from.must_be_dir && !LX_S_ISDIR(inode.mode))
        return -LX_ENOTDIR;
    err = parent_of(r, start2, path2, len2, &to);
    if (err < 0)
        return err;
    if (to.ino || to.last != EXT_LAST_NORM)
        return -LX_EEXIST;
    if (LX_S_ISDIR(inode.mode))
        return -LX_EPERM;
    if (to.must_be_dir)
        return -LX_ENOENT;
    err = ext_link(&vol, &r->cred, from.ino, to.parent, to.name, to.name_len);
    refresh(from.ino);
    refresh(to.parent);
    return err;
}

static int op_rename(struct request *r)
{
    static struct ext_walk from, to;
    const char *path2;
    size_t len2;
    uint32_t start2, orphan = 0;
    struct ext_inode inode;
    int err = two_paths(r, &path2, &len2, &start2);
    if (err == 0)
        err = parent_of(r, start_ino(r), r->path, r->bytes, &from);
    if (err == 0)
        err = parent_of(r, start2, path2, len2, &to);
    if (err < 0)
        return err;
    if (from.last != EXT_LAST_NORM || to.last != EXT_LAST_NORM)
        return -LX_EBUSY;
    if (!from.ino)
        return -LX_ENOENT;
    if (from.ino == proc_ino || (to.ino && to.ino == proc_ino))
        return -LX_EBUSY;
    err = ext_inode_load(&vol, from.ino, &inode);
    if (err < 0)
        return err;
    if ((from.must_be_dir || to.must_be_dir) && !LX_S_ISDIR(inode.mode))
        return -LX_ENOTDIR;
    err = ext_rename(&vol, &r->cred, from.parent, from.name, from.name_len, to.parent, to.name, to.name_len,
                     (uint32_t)r->arg[0], &orphan);
    if (err < 0)
        return err;
    if (orphan)
        node_orphaned(orphan);
    else
        refresh(to.ino);
    refresh(from.ino);
    refresh(from.parent);
    refresh(to.parent);
    return 0;
}

static int op_readlink(struct request *r)
{
    uint32_t ino;
    struct ext_inode inode;
    int err = target_ino(r, LX_AT_SYMLINK_NOFOLLOW | (r->path[0] ? 0 : LX_AT_EMPTY_PATH), &ino);
    if (err == 0)
        err = ext_inode_load(&vol, ino, &inode);
    if (err < 0)
        return err;
    if (!LX_S_ISLNK(inode.mode))
        return -LX_EINVAL;
    int n = ext_readlink(&vol, ino, MSG, EXO_MSG_SIZE);
    if (n > 0)
        r->m->meta = EXO_META(n, 0);
    return n;
}

// --- getcwd: up to the root, each time looking for the name of the child in its parent ------------------------

struct seek {
    uint32_t ino;
    char name[LX_NAME_MAX + 1];
    uint32_t len;
};

static bool look_for(void *ctx, const struct ext_dirent *e)
{
    struct seek *s = ctx;
    if (e->ino != s->ino || (e->name_len == 1 && e->name[0] == '.') ||
        (e->name_len == 2 && e->name[0] == '.' && e->name[1] == '.'))
        return true;
    memcpy(s->name, e->name, e->name_len);
    s->len = e->name_len;
    return false;
}

static int op_getcwd(struct request *r)
{
    static char path[LX_PATH_MAX];
    size_t at = sizeof(path) - 1;
    uint32_t ino = start_ino(r);
    struct ext_inode inode;
    int err = ext_inode_load(&vol, ino, &inode);
    path[at] = 0;
    if (err < 0)
        return err;
    if (!LX_S_ISDIR(inode.mode))
        return -LX_ENOTDIR;
    if (!inode.nlink)
        return -LX_ENOENT;
    while (ino != EXT_ROOT_INO) {
        uint32_t parent;
        struct seek s = {.ino = ino};
        uint64_t cookie = 0;
        err = ext_lookup(&vol, ino, "..", 2, &parent);
        if (err == 0)
            err = ext_dir_iterate(&vol, parent, &cookie, look_for, &s);
        if (err < 0)
            return err;
        if (!s.len)
            return -LX_ENOENT;
        if (at < s.len + 1)
            return -LX_ERANGE;
        at -= s.len;
        memcpy(path + at, s.name, s.len);
        path[--at] = '/';
        ino = parent;
    }
    if (!path[at])
        path[--at] = '/';
    size_t n = sizeof(path) - at;
    memcpy(MSG, path + at, n);
    r->m->meta = EXO_META(n, 0);
    return 0;
}

long op_name(struct request *r)
{
    switch (r->m->w[0]) {
    case FS_OP_MKDIR: {
        struct ext_create_args args = {.mode = LX_S_IFDIR | (r->arg[0] & 07777)};
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
    case FS_OP_RENAME:
        return op_rename(r);
    case FS_OP_READLINK:
        return op_readlink(r);
    default:
        return op_getcwd(r);
    }
}
