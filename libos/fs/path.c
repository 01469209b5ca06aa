// SPDX-License-Identifier: MIT
// Names: every call that takes a path. The path is resolved by fsd from the directory the call goes
// to; the libOS only chooses the endpoint (root, working directory, or an open directory) and
// carries the string.
//
// A path that leads into another file system comes back as -FS_MOUNT with the rest: those are the
// libOS's own (mount.h).
#include <fs/handover.h>
#include <fs/mount.h>

// A mount's directory has no endpoint: nothing of another file system can be named from it.
static int dir_endpoint(struct file *file, exo_handle_t *endpoint)
{
    if (!LX_S_ISDIR(file->mode))
        return -LX_ENOTDIR;
    *endpoint = file->endpoint;
    return file->endpoint ? 0 : -LX_EXDEV;
}

struct file *path_start(int dirfd)
{
    return dirfd == LX_AT_FDCWD ? fd_current()->cwd : fd_file(dirfd);
}

int path_base(int dirfd, exo_handle_t *endpoint)
{
    struct file *file = path_start(dirfd);
    if (file)
        return dir_endpoint(file, endpoint);
    *endpoint = fd_root();
    return dirfd == LX_AT_FDCWD ? 0 : -LX_EBADF;
}

long path_copy(uint64_t upath, size_t at)
{
    size_t room = EXO_MSG_SIZE - at;
    long n = user_string((char *)msg_page() + at, upath, room < LX_PATH_MAX ? room : LX_PATH_MAX);
    return n < 0 ? n : n + 1;
}

// One call at fsd; but a mount's directory answers for itself.
static long call_fsd(int dirfd, size_t length, struct exo_msg *m, unsigned caps)
{
    char *path = (char *)msg_page();
    exo_handle_t endpoint = fd_root();
    if (path[0] != '/') { // an absolute path does not look at dirfd
        struct file *start = path_start(dirfd);
        unsigned kind = mount_kind(start);
        if (kind) {
            m->w[1] = kind;
            return mount_join(start, path, EXO_MSG_SIZE) ? -FS_MOUNT : -LX_ENAMETOOLONG;
        }
        int err = path_base(dirfd, &endpoint);
        if (err < 0)
            return err;
    }
    m->meta = EXO_META(length, caps);
    return server_call(endpoint, m);
}

// Of two paths, one that leads into a mount is refused by the caller; one path may lead out again.
long path_send(int dirfd, size_t length, struct exo_msg *m, unsigned caps)
{
    const struct exo_msg asked = *m;
    bool two = strlen((char *)msg_page()) + 1 != length;
    long err = call_fsd(dirfd, length, m, caps);
    for (unsigned crossings = 0; err == -FS_MOUNT && !two; crossings++) {
        exo_handle_t endpoint;
        unsigned kind = (unsigned)m->w[1];
        if (!mount_fs(kind))
            return -LX_ENOENT;
        int out = mount_resolve(kind, (char *)msg_page(), &endpoint);
        if (out <= 0)
            return out < 0 ? out : -FS_MOUNT;
        if (crossings == 8)
            return -LX_ELOOP;
        *m = asked;
        m->meta = EXO_META(strlen((char *)msg_page()) + 1, 0);
        err = server_call(endpoint, m);
    }
    return err;
}

long path_call(int dirfd, uint64_t upath, enum fs_op op, const uint64_t args[5], struct exo_msg *m)
{
    long length = path_copy(upath, 0);
    *m = (struct exo_msg){.w = {op, args[0], args[1], args[2], args[3], args[4]}};
    return length < 0 ? length : path_send(dirfd, (size_t)length, m, 0);
}

// --- opening -------------------------------------------------------------------------------------

static const struct file_ops *ops_for(uint32_t mode, uint32_t flags)
{
    if ((flags & LX_O_PATH) == LX_O_PATH)
        return &path_ops;
    if (LX_S_ISDIR(mode))
        return &dir_ops;
    if (LX_S_ISREG(mode))
        return &regular_ops;
    return NULL;
}

static void drop_received(void)
{
    for (unsigned i = 0; i < EXO_MSG_CAPS; i++) {
        if (ctx_self()->recv[i])
            exo_cap_delete(ctx_self()->recv[i]);
    }
}

static long open_special(const struct exo_msg *m, uint32_t mode, uint32_t flags, struct file **out,
                         const exo_handle_t caps[EXO_MSG_CAPS])
{
    uint32_t rdev = (uint32_t)(m->w[3] >> 32);
    if (LX_S_ISCHR(mode)) {
        drop_received();
        long err = dev_open(rdev, mode, flags, out);
        if (err == 0)
            (*out)->ino = m->w[1];
        return err;
    }
    if (!LX_S_ISFIFO(mode)) { // sockets and block devices
        drop_received();
        return LX_S_ISSOCK(mode) ? -LX_ENXIO : -LX_ENODEV;
    }
    struct file *file = file_new(&pipe_ops, flags);
    if (!file)
        return -LX_ENOMEM;
    file->endpoint = caps[0];
    file->node_cap = caps[1];
    file->mode = mode;
    file->ino = m->w[1];
    long err = fifo_open(file, caps + 2, flags, m->w[5]);
    if (err < 0)
        file_put(file);
    else
        *out = file;
    return err;
}

// A file of fsd with these capabilities; takes them, also on failure.
static long node_file(const struct file_ops *ops, uint32_t flags, exo_handle_t endpoint,
                      exo_handle_t node, struct file **out)
{
    struct file *file = file_new(ops, flags);
    if (!file || !endpoint) {
        if (endpoint)
            exo_cap_delete(endpoint);
        if (node)
            exo_cap_delete(node);
        heap_free(file);
        return -LX_ENOMEM;
    }
    file->endpoint = endpoint;
    file->node_cap = node;
    if (ops == &regular_ops) {
        void *page;
        long err = node ? window_map(node, 0, 1, EXO_R_READ, &page) : -LX_ENOMEM;
        if (err < 0) {
            file_put(file);
            return err;
        }
        file->node = page;
    }
    *out = file;
    return 0;
}

long path_opened(const struct exo_msg *m, uint32_t flags, struct file **out)
{
    exo_handle_t caps[EXO_MSG_CAPS];
    memcpy(caps, ctx_self()->recv, sizeof(caps));
    uint32_t mode = (uint32_t)m->w[3];
    const struct file_ops *ops = ops_for(mode, flags);
    if (!ops)
        return open_special(m, mode, flags, out, caps);
    long err = node_file(ops, flags, caps[0], caps[1], out);
    if (err == 0) {
        (*out)->mode = mode;
        (*out)->ino = m->w[1];
        idle_may_keep(*out, (uint32_t)m->w[5]);
    }
    return err;
}

long node_rebuild(uint32_t kind, uint32_t flags, exo_handle_t endpoint, exo_handle_t node,
                  struct file **out)
{
    struct lx_stat st;
    const struct file_ops *ops = kind == FD_KIND_DIR    ? &dir_ops
                                 : kind == FD_KIND_PATH ? &path_ops
                                                        : &regular_ops;
    long err = node_file(ops, flags, endpoint, node, out);
    if (err == 0 && endpoint_stat(*out, &st) == 0) {
        (*out)->mode = st.st_mode;
        (*out)->ino = st.st_ino;
    }
    return err;
}

long path_open_at(int dirfd, size_t length, uint32_t flags, uint32_t mode, struct file **out)
{
    struct exo_msg m = {.w = {FS_OP_OPEN, flags, mode}};
    struct exo_ctx *ctx = ctx_self();
    if (!(flags & LX_O_CREAT) && lookup_missing(dirfd, (uint64_t)msg_page()))
        return -LX_ENOENT;
    bool asks = idle_ready();
    if (asks)
        lookup_asks(dirfd);
    memset(ctx->recv, 0, sizeof(ctx->recv));
    long err = path_send(dirfd, length, &m, 0);
    if (err == 0 && asks)
        lookup_told(&m);
    if (err == -FS_MOUNT)
        return mount_fs(m.w[1])->open((const char *)msg_page(), flags, out);
    return err < 0 ? err : path_opened(&m, flags, out);
}

struct file *file_open_path(uint64_t upath, const char *path, int flags, long *error)
{
    struct file *file = NULL;
    long length;
    if (path) {
        length = (long)strlen(path) + 1;
        if (length > LX_PATH_MAX)
            length = -LX_ENAMETOOLONG;
        else
            memcpy(msg_page(), path, (size_t)length);
    } else {
        length = path_copy(upath, 0);
    }
    *error =
        length < 0 ? length : path_open_at(LX_AT_FDCWD, (size_t)length, (uint32_t)flags, 0, &file);
    return *error < 0 ? NULL : file;
}

long px_openat(int dirfd, uint64_t upath, uint32_t flags, uint32_t mode)
{
    struct file *file = fd_room() ? idle_open(dirfd, upath, flags) : NULL;
    if (file)
        return fd_install(file, flags, 0);
    long length = path_copy(upath, 0);
    if (length < 0)
        return length;
    if ((flags & LX_O_ACCMODE) == LX_O_ACCMODE)
        return -LX_EINVAL;
    if ((flags & LX_O_TMPFILE) == LX_O_TMPFILE)
        return -LX_EOPNOTSUPP;
    if (!fd_room()) // before anything is created
        return -LX_EMFILE;
    long err =
        path_open_at(dirfd, (size_t)length, flags, mode & ~fd_current()->umask & 07777, &file);
    return err < 0 ? err : fd_install(file, flags, 0);
}

long px_open(uint64_t upath, uint32_t flags, uint32_t mode)
{
    return px_openat(LX_AT_FDCWD, upath, flags, mode);
}

long px_creat(uint64_t upath, uint32_t mode)
{
    return px_openat(LX_AT_FDCWD, upath, LX_O_CREAT | LX_O_WRONLY | LX_O_TRUNC, mode);
}

// --- status --------------------------------------------------------------------------------------

static long stat_file(struct file *file, struct lx_stat *st)
{
    memset(st, 0, sizeof(*st));
    return file->ops->stat ? file->ops->stat(file, st) : -LX_EBADF;
}

long path_stat(int dirfd, uint64_t upath, uint32_t flags, struct lx_stat *st)
{
    struct exo_msg m;
    long length = path_copy(upath, 0);
    if (length < 0)
        return length;
    if (length == 1 && (flags & LX_AT_EMPTY_PATH)) {
        struct file *file = path_start(dirfd);
        if (file)
            return stat_file(file, st);
        if (dirfd != LX_AT_FDCWD)
            return -LX_EBADF;
    }
    m = (struct exo_msg){.w = {FS_OP_STAT, flags}};
    lookup_asks(dirfd);
    long err = path_send(dirfd, (size_t)length, &m, 0);
    if (err == -FS_MOUNT)
        return mount_fs(m.w[1])->stat((const char *)msg_page(), !(flags & LX_AT_SYMLINK_NOFOLLOW),
                                      st);
    if (err == 0) {
        lookup_told(&m);
        memcpy(st, msg_page(), sizeof(*st));
    }
    return err;
}

long px_newfstatat(int dirfd, uint64_t upath, uint64_t ust, uint32_t flags)
{
    struct lx_stat st;
    if (flags & ~(LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT | LX_AT_EMPTY_PATH))
        return -LX_EINVAL;
    long err = lookup_stat(dirfd, upath, !(flags & LX_AT_SYMLINK_NOFOLLOW), ust);
    if (err != LOOKUP_ASK)
        return err;
    err = path_stat(dirfd, upath, flags, &st);
    return err < 0 ? err : user_write(ust, &st, sizeof(st));
}

long px_stat(uint64_t upath, uint64_t ust)
{
    return px_newfstatat(LX_AT_FDCWD, upath, ust, 0);
}

long px_lstat(uint64_t upath, uint64_t ust)
{
    return px_newfstatat(LX_AT_FDCWD, upath, ust, LX_AT_SYMLINK_NOFOLLOW);
}

long px_fstat(int fd, uint64_t ust)
{
    struct lx_stat st;
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    long err = stat_file(file, &st);
    return err < 0 ? err : user_write(ust, &st, sizeof(st));
}

static void statx_from(const struct lx_stat *st, struct lx_statx *x)
{
    *x = (struct lx_statx){
        .stx_mask = LX_STATX_BASIC_STATS,
        .stx_blksize = (uint32_t)st->st_blksize,
        .stx_nlink = (uint32_t)st->st_nlink,
        .stx_uid = st->st_uid,
        .stx_gid = st->st_gid,
        .stx_mode = (uint16_t)st->st_mode,
        .stx_ino = st->st_ino,
        .stx_size = (uint64_t)st->st_size,
        .stx_blocks = (uint64_t)st->st_blocks,
        .stx_atime = {.tv_sec = st->st_atime_sec, .tv_nsec = (uint32_t)st->st_atime_nsec},
        .stx_mtime = {.tv_sec = st->st_mtime_sec, .tv_nsec = (uint32_t)st->st_mtime_nsec},
        .stx_ctime = {.tv_sec = st->st_ctime_sec, .tv_nsec = (uint32_t)st->st_ctime_nsec},
        .stx_rdev_major = (uint32_t)(st->st_rdev >> 8 & 0xfff),
        .stx_rdev_minor = (uint32_t)((st->st_rdev & 0xff) | (st->st_rdev >> 12 & 0xfff00)),
        .stx_dev_major = (uint32_t)(st->st_dev >> 8 & 0xfff),
        .stx_dev_minor = (uint32_t)(st->st_dev & 0xff),
    };
}

long px_statx(int dirfd, uint64_t upath, uint32_t flags, uint32_t mask, uint64_t ux)
{
    struct lx_stat st;
    struct lx_statx x;
    (void)mask;
    flags &= LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT | LX_AT_EMPTY_PATH;
    long err = lookup_stat(dirfd, upath, !(flags & LX_AT_SYMLINK_NOFOLLOW), (uint64_t)&st);
    if (err == LOOKUP_ASK)
        err = path_stat(dirfd, upath, flags, &st);
    if (err < 0)
        return err;
    statx_from(&st, &x);
    return user_write(ux, &x, sizeof(x));
}

long px_faccessat2(int dirfd, uint64_t upath, uint32_t mode, uint32_t flags)
{
    struct lx_stat st;
    bool follow = !(flags & LX_AT_SYMLINK_NOFOLLOW);
    if ((mode & ~7u) || (flags & ~(LX_AT_EACCESS | LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH)))
        return -LX_EINVAL;
    long err = lookup_stat(dirfd, upath, follow, (uint64_t)&st);
    if (err == LOOKUP_ASK) {
        struct exo_msg m;
        err = path_call(dirfd, upath, FS_OP_ACCESS, (uint64_t[5]){mode, flags}, &m);
        if (err != -FS_MOUNT)
            return err;
        err = mount_fs(m.w[1])->stat((const char *)msg_page(), follow, &st);
    }
    return err < 0 ? err : lookup_access(&st, mode, (flags & LX_AT_EACCESS) != 0);
}

long px_faccessat(int dirfd, uint64_t upath, uint32_t mode)
{
    return px_faccessat2(dirfd, upath, mode, 0);
}

long px_access(uint64_t upath, uint32_t mode)
{
    return px_faccessat2(LX_AT_FDCWD, upath, mode, 0);
}

// The answer to FS_OP_READLINK; a mount's link is read by the mount.
static long link_target(long n, const struct exo_msg *m, char *target, size_t max)
{
    if (n == -FS_MOUNT)
        return mount_fs(m->w[1])->readlink((const char *)msg_page(), target, max);
    if (n >= 0)
        memcpy(target, msg_page(), (size_t)n < max ? (size_t)n : max);
    return n;
}

long path_readlink(const char *path, char *target, size_t max)
{
    struct exo_msg m = {.w = {FS_OP_READLINK}};
    size_t length = strlen(path) + 1;
    memcpy(msg_page(), path, length);
    return link_target(path_send(LX_AT_FDCWD, length, &m, 0), &m, target, max);
}

long px_readlinkat(int dirfd, uint64_t upath, uint64_t ubuf, int64_t size)
{
    struct exo_msg m;
    char target[LX_PATH_MAX];
    if (size <= 0)
        return -LX_EINVAL;
    long n = path_call(dirfd, upath, FS_OP_READLINK, (uint64_t[5]){0}, &m);
    n = link_target(n, &m, target, sizeof(target));
    if (n < 0)
        return n;
    if (n > size)
        n = size;
    return user_write(ubuf, target, (size_t)n) < 0 ? -LX_EFAULT : n;
}

long px_readlink(uint64_t upath, uint64_t ubuf, int64_t size)
{
    return px_readlinkat(LX_AT_FDCWD, upath, ubuf, size);
}
