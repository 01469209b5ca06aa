// SPDX-License-Identifier: MIT
// Names: every call that takes a path. The path is resolved by fsd from the directory the call goes to; the libOS
// only chooses the endpoint (root, working directory, or an open directory) and carries the string.
//
// A path that leads into another file system comes back as -FS_MOUNT with the rest: /proc is served here.
#include <fs/handover.h>

static int dir_endpoint(struct file *file, exo_handle_t *endpoint)
{
    if (!LX_S_ISDIR(file->mode))
        return -LX_ENOTDIR;
    *endpoint = file->endpoint;
    return 0;
}

int path_base(int dirfd, exo_handle_t *endpoint)
{
    if (dirfd == LX_AT_FDCWD) {
        *endpoint = fd_current()->cwd ? fd_current()->cwd->endpoint : H_FSD;
        return 0;
    }
    struct file *file = fd_file(dirfd);
    return file ? dir_endpoint(file, endpoint) : -LX_EBADF;
}

long path_copy(uint64_t upath, size_t at)
{
    size_t room = EXO_MSG_SIZE - at;
    long n = user_string((char *)msg_page() + at, upath, room < LX_PATH_MAX ? room : LX_PATH_MAX);
    return n < 0 ? n : n + 1;
}

// A directory of /proc has no endpoint: names relative to it are resolved here.
static bool proc_directory(int dirfd, const char *path)
{
    struct file *file = dirfd == LX_AT_FDCWD ? fd_current()->cwd : fd_file(dirfd);
    return file && file->ops == &proc_ops && path[0] != '/';
}

static void proc_join(int dirfd, char *path);

// `length` bytes of one or two paths are in the message page.
static long call_with_paths(int dirfd, size_t length, struct exo_msg *m, unsigned caps)
{
    exo_handle_t endpoint;
    const char *path = (const char *)msg_page();
    if (proc_directory(dirfd, path)) {
        proc_join(dirfd, (char *)msg_page());
        m->w[1] = FS_MOUNT_PROC;
        return -FS_MOUNT;
    }
    int err = path_base(dirfd, &endpoint);
    if (err < 0 && path[0] == '/') // an absolute path does not look at dirfd
        endpoint = H_FSD, err = 0;
    if (err < 0)
        return err;
    m->meta = EXO_META(length, caps);
    return server_call(endpoint, m);
}

long path_call(int dirfd, uint64_t upath, enum fs_op op, const uint64_t args[5], struct exo_msg *m)
{
    long length = path_copy(upath, 0);
    if (length < 0)
        return length;
    *m = (struct exo_msg){.w = {op, args[0], args[1], args[2], args[3], args[4]}};
    return call_with_paths(dirfd, (size_t)length, m, 0);
}

// A call that changes names: inside a mount nothing can be changed.
static long change(int dirfd, uint64_t upath, enum fs_op op, uint64_t a, uint64_t b, uint64_t c)
{
    struct exo_msg m;
    long err = path_call(dirfd, upath, op, (uint64_t[5]){a, b, c}, &m);
    return err == -FS_MOUNT ? -LX_EPERM : err;
}

// --- opening ----------------------------------------------------------------------------------------

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
        return dev_open(rdev, mode, flags, out);
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
static long node_file(const struct file_ops *ops, uint32_t flags, exo_handle_t endpoint, exo_handle_t node,
                      struct file **out)
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

static long open_reply(const struct exo_msg *m, uint32_t flags, struct file **out)
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
    }
    return err;
}

long node_rebuild(uint32_t kind, uint32_t flags, exo_handle_t endpoint, exo_handle_t node, struct file **out)
{
    struct lx_stat st;
    const struct file_ops *ops = kind == FD_KIND_DIR ? &dir_ops : kind == FD_KIND_PATH ? &path_ops : &regular_ops;
    long err = node_file(ops, flags, endpoint, node, out);
    if (err == 0 && endpoint_stat(*out, &st) == 0) {
        (*out)->mode = st.st_mode;
        (*out)->ino = st.st_ino;
    }
    return err;
}

static long open_call(int dirfd, size_t length, uint32_t flags, uint32_t mode, struct file **out)
{
    struct exo_msg m = {.w = {FS_OP_OPEN, flags, mode}};
    struct exo_ctx *ctx = ctx_self();
    memset(ctx->recv, 0, sizeof(ctx->recv));
    long err = call_with_paths(dirfd, length, &m, 0);
    if (err == -FS_MOUNT && m.w[1] == FS_MOUNT_PROC)
        return proc_open((const char *)msg_page(), flags, out);
    if (err < 0)
        return err == -FS_MOUNT ? -LX_ENOENT : err;
    return open_reply(&m, flags, out);
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
    *error = length < 0 ? length : open_call(LX_AT_FDCWD, (size_t)length, (uint32_t)flags, 0, &file);
    return *error < 0 ? NULL : file;
}

long px_openat(int dirfd, uint64_t upath, uint32_t flags, uint32_t mode)
{
    struct file *file;
    long length = path_copy(upath, 0);
    if (length < 0)
        return length;
    if ((flags & LX_O_ACCMODE) == LX_O_ACCMODE)
        return -LX_EINVAL;
    if ((flags & LX_O_TMPFILE) == LX_O_TMPFILE)
        return -LX_EOPNOTSUPP;
    long err = open_call(dirfd, (size_t)length, flags, mode & ~fd_current()->umask & 07777, &file);
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

// --- status ---------------------------------------------------------------------------------------------

static long stat_file(struct file *file, struct lx_stat *st)
{
    memset(st, 0, sizeof(*st));
    return file->ops->stat ? file->ops->stat(file, st) : -LX_EBADF;
}

static long stat_at(int dirfd, uint64_t upath, uint32_t flags, struct lx_stat *st)
{
    struct exo_msg m;
    long length = path_copy(upath, 0);
    if (length < 0)
        return length;
    if (length == 1 && (flags & LX_AT_EMPTY_PATH)) {
        struct file *file = dirfd == LX_AT_FDCWD ? fd_current()->cwd : fd_file(dirfd);
        if (file)
            return stat_file(file, st);
        if (dirfd != LX_AT_FDCWD)
            return -LX_EBADF;
    }
    m = (struct exo_msg){.w = {FS_OP_STAT, flags}};
    long err = call_with_paths(dirfd, (size_t)length, &m, 0);
    if (err == -FS_MOUNT && m.w[1] == FS_MOUNT_PROC)
        return proc_stat((const char *)msg_page(), !(flags & LX_AT_SYMLINK_NOFOLLOW), st);
    if (err == 0)
        memcpy(st, msg_page(), sizeof(*st));
    return err == -FS_MOUNT ? -LX_ENOENT : err;
}

long px_newfstatat(int dirfd, uint64_t upath, uint64_t ust, uint32_t flags)
{
    struct lx_stat st;
    if (flags & ~(LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT | LX_AT_EMPTY_PATH))
        return -LX_EINVAL;
    long err = stat_at(dirfd, upath, flags, &st);
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
    long err = stat_at(dirfd, upath,
                       flags & (LX_AT_SYMLINK_NOFOLLOW | LX_AT_NO_AUTOMOUNT | LX_AT_EMPTY_PATH), &st);
    if (err < 0)
        return err;
    statx_from(&st, &x);
    return user_write(ux, &x, sizeof(x));
}

long px_faccessat2(int dirfd, uint64_t upath, uint32_t mode, uint32_t flags)
{
    struct exo_msg m;
    if ((mode & ~7u) || (flags & ~(LX_AT_EACCESS | LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH)))
        return -LX_EINVAL;
    long err = path_call(dirfd, upath, FS_OP_ACCESS, (uint64_t[5]){mode, flags}, &m);
    if (err == -FS_MOUNT && m.w[1] == FS_MOUNT_PROC) {
        struct lx_stat st;
        err = proc_stat((const char *)msg_page(), true, &st);
        if (err == 0 && (mode & 2))
            err = -LX_EACCES;
    }
    return err == -FS_MOUNT ? -LX_ENOENT : err;
}

long px_faccessat(int dirfd, uint64_t upath, uint32_t mode)
{
    return px_faccessat2(dirfd, upath, mode, 0);
}

long px_access(uint64_t upath, uint32_t mode)
{
    return px_faccessat2(LX_AT_FDCWD, upath, mode, 0);
}

long px_readlinkat(int dirfd, uint64_t upath, uint64_t ubuf, int64_t size)
{
    struct exo_msg m;
    char target[LX_PATH_MAX];
    if (size <= 0)
        return -LX_EINVAL;
    long n = path_call(dirfd, upath, FS_OP_READLINK, (uint64_t[5]){0}, &m);
    if (n == -FS_MOUNT && m.w[1] == FS_MOUNT_PROC)
        n = proc_readlink((const char *)msg_page(), target, sizeof(target));
    else if (n >= 0)
        memcpy(target, msg_page(), (size_t)n < sizeof(target) ? (size_t)n : sizeof(target));
    if (n < 0)
        return n == -FS_MOUNT ? -LX_EINVAL : n;
    if (n > size)
        n = size;
    return user_write(ubuf, target, (size_t)n) < 0 ? -LX_EFAULT : n;
}

long px_readlink(uint64_t upath, uint64_t ubuf, int64_t size)
{
    return px_readlinkat(LX_AT_FDCWD, upath, ubuf, size);
}

// --- changing names and attributes ------------------------------------------------------------------

long px_mkdirat(int dirfd, uint64_t upath, uint32_t mode)
{
    return change(dirfd, upath, FS_OP_MKDIR, mode & ~fd_current()->umask & 07777, 0, 0);
}

long px_mkdir(uint64_t upath, uint32_t mode)
{
    return px_mkdirat(LX_AT_FDCWD, upath, mode);
}

long px_mknodat(int dirfd, uint64_t upath, uint32_t mode, uint32_t dev)
{
    uint32_t type = mode & LX_S_IFMT;
    uint32_t bits = mode & ~fd_current()->umask & 07777;
    return change(dirfd, upath, FS_OP_MKNOD, (type ? type : LX_S_IFREG) | bits, dev, 0);
}

long px_mknod(uint64_t upath, uint32_t mode, uint32_t dev)
{
    return px_mknodat(LX_AT_FDCWD, upath, mode, dev);
}

long px_unlinkat(int dirfd, uint64_t upath, uint32_t flags)
{
    if (flags & ~LX_AT_REMOVEDIR)
        return -LX_EINVAL;
    return change(dirfd, upath, FS_OP_UNLINK, flags, 0, 0);
}

long px_unlink(uint64_t upath)
{
    return px_unlinkat(LX_AT_FDCWD, upath, 0);
}

long px_rmdir(uint64_t upath)
{
    return px_unlinkat(LX_AT_FDCWD, upath, LX_AT_REMOVEDIR);
}

// Two names. The directory the second starts at is sent along as a capability, which only fsd can make sense of.
static long change_two(int dirfd1, uint64_t path1, int dirfd2, uint64_t path2, enum fs_op op,
                       uint64_t flags)
{
    long n1 = path_copy(path1, 0);
    if (n1 < 0)
        return n1;
    long n2 = path_copy(path2, (size_t)n1);
    if (n2 < 0)
        return n2;
    unsigned caps = 0;
    exo_handle_t base;
    const char *second = (const char *)msg_page() + n1;
    if (second[0] != '/' && dirfd2 != dirfd1) {
        int err = path_base(dirfd2, &base);
        if (err < 0)
            return err;
        ctx_self()->send[0] = (struct exo_send){base, EXO_R_CALL, EXO_SEND_COPY};
        caps = 1;
    }
    struct exo_msg m = {.w = {op, flags}};
    long err = call_with_paths(dirfd1, (size_t)(n1 + n2), &m, caps);
    return err == -FS_MOUNT ? -LX_EXDEV : err;
}

long px_linkat(int dirfd1, uint64_t path1, int dirfd2, uint64_t path2, uint32_t flags)
{
    if (flags & ~(LX_AT_SYMLINK_FOLLOW | LX_AT_EMPTY_PATH))
        return -LX_EINVAL;
    return change_two(dirfd1, path1, dirfd2, path2, FS_OP_LINK, flags);
}

long px_link(uint64_t path1, uint64_t path2)
{
    return px_linkat(LX_AT_FDCWD, path1, LX_AT_FDCWD, path2, 0);
}

long px_renameat2(int dirfd1, uint64_t path1, int dirfd2, uint64_t path2, uint32_t flags)
{
    if (flags & ~(LX_RENAME_NOREPLACE | LX_RENAME_EXCHANGE))
        return -LX_EINVAL;
    return change_two(dirfd1, path1, dirfd2, path2, FS_OP_RENAME, flags);
}

long px_renameat(int dirfd1, uint64_t path1, int dirfd2, uint64_t path2)
{
    return px_renameat2(dirfd1, path1, dirfd2, path2, 0);
}

long px_rename(uint64_t path1, uint64_t path2)
{
    return px_renameat2(LX_AT_FDCWD, path1, LX_AT_FDCWD, path2, 0);
}

// symlink: the message is target NUL path; the call starts at the directory of the path.
long px_symlinkat(uint64_t target, int dirfd, uint64_t path)
{
    exo_handle_t endpoint;
    long n1 = path_copy(target, 0);
    if (n1 < 0)
        return n1;
    long n2 = path_copy(path, (size_t)n1);
    if (n2 < 0)
        return n2;
    int err = path_base(dirfd, &endpoint);
    if (err < 0 && msg_page()[n1] == '/')
        endpoint = H_FSD, err = 0;
    if (err < 0)
        return err;
    struct exo_msg m = {.meta = EXO_META(n1 + n2, 0), .w = {FS_OP_SYMLINK}};
    long done = server_call(endpoint, &m);
    return done == -FS_MOUNT ? -LX_EPERM : done;
}

long px_symlink(uint64_t target, uint64_t path)
{
    return px_symlinkat(target, LX_AT_FDCWD, path);
}

long px_fchmodat(int dirfd, uint64_t upath, uint32_t mode)
{
    return change(dirfd, upath, FS_OP_CHMOD, mode & 07777, 0, 0);
}

long px_chmod(uint64_t upath, uint32_t mode)
{
    return px_fchmodat(LX_AT_FDCWD, upath, mode);
}

// A call on the file itself: an empty path.
static long change_file(int fd, enum fs_op op, uint64_t a, uint64_t b, uint64_t c)
{
    struct file *file = fd_file(fd);
    if (!file || file->ops == &path_ops)
        return -LX_EBADF;
    if (!file->endpoint)
        return -LX_EPERM;
    msg_page()[0] = 0;
    struct exo_msg m = {.meta = EXO_META(1, 0), .w = {op, a, b, c}};
    return server_call(file->endpoint, &m);
}

long px_fchmod(int fd, uint32_t mode)
{
    return change_file(fd, FS_OP_CHMOD, mode & 07777, LX_AT_EMPTY_PATH, 0);
}

long px_fchownat(int dirfd, uint64_t upath, uint32_t uid, uint32_t gid, uint32_t flags)
{
    if (flags & ~(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH))
        return -LX_EINVAL;
    return change(dirfd, upath, FS_OP_CHOWN, uid, gid, flags);
}

long px_chown(uint64_t upath, uint32_t uid, uint32_t gid)
{
    return px_fchownat(LX_AT_FDCWD, upath, uid, gid, 0);
}

long px_lchown(uint64_t upath, uint32_t uid, uint32_t gid)
{
    return px_fchownat(LX_AT_FDCWD, upath, uid, gid, LX_AT_SYMLINK_NOFOLLOW);
}

long px_fchown(int fd, uint32_t uid, uint32_t gid)
{
    return change_file(fd, FS_OP_CHOWN, uid, gid, LX_AT_EMPTY_PATH);
}

static bool bad_nsec(int64_t nsec)
{
    return (nsec < 0 || nsec > 999999999) && nsec != LX_UTIME_NOW && nsec != LX_UTIME_OMIT;
}

long px_utimensat(int dirfd, uint64_t upath, uint64_t utimes, uint32_t flags)
{
    struct lx_timespec t[2] = {{0, LX_UTIME_NOW}, {0, LX_UTIME_NOW}};
    if (utimes && user_read(t, utimes, sizeof(t)) < 0)
        return -LX_EFAULT;
    if (bad_nsec(t[0].nsec) || bad_nsec(t[1].nsec) ||
        (flags & ~(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH)))
        return -LX_EINVAL;
    uint64_t args[5] = {flags, (uint64_t)t[0].sec, (uint64_t)t[0].nsec, (uint64_t)t[1].sec,
                        (uint64_t)t[1].nsec};
    struct exo_msg m = {.w = {FS_OP_UTIMENS, args[0], args[1], args[2], args[3], args[4]}};
    if (!upath) { // futimens
        struct file *file = fd_file(dirfd);
        if (!file || !file->endpoint)
            return file ? -LX_EPERM : -LX_EBADF;
        m.w[1] |= LX_AT_EMPTY_PATH;
        m.meta = EXO_META(1, 0);
        msg_page()[0] = 0;
        return server_call(file->endpoint, &m);
    }
    long err = path_call(dirfd, upath, FS_OP_UTIMENS, args, &m);
    return err == -FS_MOUNT ? -LX_EPERM : err;
}

long px_truncate(uint64_t upath, int64_t size)
{
    if (size < 0)
        return -LX_EINVAL;
    return change(LX_AT_FDCWD, upath, FS_OP_TRUNCATE, (uint64_t)size, 0, 0);
}

long px_ftruncate(int fd, int64_t size)
{
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    if (size < 0 || !file_writable(file) || !file->ops->truncate)
        return -LX_EINVAL;
    return file->ops->truncate(file, (uint64_t)size);
}

// --- working directory, umask, file systems ---------------------------------------------------------

static void set_cwd(struct file *file)
{
    if (fd_current()->cwd)
        file_put(fd_current()->cwd);
    fd_current()->cwd = file;
}

long px_chdir(uint64_t upath)
{
    struct file *file;
    long length = path_copy(upath, 0);
    if (length < 0)
        return length;
    long err = open_call(LX_AT_FDCWD, (size_t)length, LX_O_PATH | LX_O_DIRECTORY, 0, &file);
    if (err < 0)
        return err;
    if (file->ops == &path_ops) { // opened by name alone: search permission is asked for here
        msg_page()[0] = 0;
        struct exo_msg m = {.meta = EXO_META(1, 0),
                            .w = {FS_OP_ACCESS, 1, LX_AT_EACCESS | LX_AT_EMPTY_PATH}};
        err = server_call(file->endpoint, &m);
        if (err < 0) {
            file_put(file);
            return err;
        }
    }
    set_cwd(file);
    return 0;
}

long px_fchdir(int fd)
{
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    if (!LX_S_ISDIR(file->mode))
        return -LX_ENOTDIR;
    msg_page()[0] = 0;
    struct exo_msg m = {.meta = EXO_META(1, 0),
                        .w = {FS_OP_ACCESS, 1, LX_AT_EACCESS | LX_AT_EMPTY_PATH}};
    long err = file->endpoint ? server_call(file->endpoint, &m) : 0;
    if (err < 0)
        return err;
    set_cwd(file_ref(file));
    return 0;
}

static long cwd_path(char *path, size_t max)
{
    if (fd_current()->cwd && fd_current()->cwd->ops == &proc_ops) {
        memcpy(path, "/proc/", 6);
        path[6] = 0;
        proc_join(LX_AT_FDCWD, path + 6);
        return (long)strlen(path);
    }
    struct exo_msg m = {.w = {FS_OP_GETCWD}};
    long err = server_call(fd_current()->cwd ? fd_current()->cwd->endpoint : H_FSD, &m);
    if (err < 0)
        return err;
    size_t n = strlen((char *)msg_page());
    if (n + 1 > max)
        return -LX_ERANGE;
    memcpy(path, msg_page(), n + 1);
    return (long)n;
}

long px_getcwd(uint64_t ubuf, size_t size)
{
    char path[LX_PATH_MAX];
    long n = cwd_path(path, sizeof(path));
    if (n < 0)
        return n;
    if ((size_t)n + 1 > size)
        return -LX_ERANGE;
    return user_write(ubuf, path, (size_t)n + 1) < 0 ? -LX_EFAULT : n + 1;
}

long px_umask(uint32_t mask)
{
    uint32_t old = fd_current()->umask;
    fd_current()->umask = mask & 0777;
    return old;
}

static long statfs_call(exo_handle_t endpoint, uint64_t ubuf)
{
    struct exo_msg m = {.w = {FS_OP_STATFS}};
    struct lx_statfs sf;
    long err = server_call(endpoint, &m);
    if (err < 0)
        return err;
    memcpy(&sf, msg_page(), sizeof(sf));
    return user_write(ubuf, &sf, sizeof(sf));
}

long px_statfs(uint64_t upath, uint64_t ubuf)
{
    struct lx_stat st;
    long err = stat_at(LX_AT_FDCWD, upath, 0, &st);
    return err < 0 ? err : statfs_call(H_FSD, ubuf);
}

long px_fstatfs(int fd, uint64_t ubuf)
{
    return fd_file(fd) ? statfs_call(H_FSD, ubuf) : -LX_EBADF;
}

long px_sync(void)
{
    struct exo_msg m = {.w = {FS_OP_SYNC}};
    server_call(H_FSD, &m);
    return 0;
}

static long sync_file(int fd, bool data_only)
{
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    if (file->ops != &regular_ops && file->ops != &dir_ops)
        return -LX_EINVAL;
    struct exo_msg m = {.w = {FS_OP_FSYNC, data_only}};
    return server_call(file->endpoint, &m);
}

long px_fsync(int fd)
{
    return sync_file(fd, false);
}

long px_fdatasync(int fd)
{
    return sync_file(fd, true);
}

long px_syncfs(int fd)
{
    return fd_file(fd) ? px_sync() : -LX_EBADF;
}

long px_fallocate(int fd, uint32_t mode, int64_t offset, int64_t length)
{
    struct file *file = fd_file(fd);
    if (!file || !file_writable(file))
        return -LX_EBADF;
    if (offset < 0 || length <= 0)
        return -LX_EINVAL;
    if (file->ops != &regular_ops)
        return file->ops == &pipe_ops ? -LX_ESPIPE : -LX_ENODEV;
    struct exo_msg m = {.w = {FS_OP_FALLOCATE, mode, (uint64_t)offset, (uint64_t)length}};
    return server_call(file->endpoint, &m);
}

// Reading ahead is advice; everything cached is mapped already.
long px_fadvise64(int fd, int64_t offset, int64_t length, int advice)
{
    struct file *file = fd_file(fd);
    (void)offset;
    if (!file)
        return -LX_EBADF;
    if (file->ops == &pipe_ops)
        return -LX_ESPIPE;
    return length < 0 || advice < 0 || advice > 5 ? -LX_EINVAL : 0;
}

// Names below /proc relative to a directory there: the directory's own name is kept in its private string.
static void proc_join(int dirfd, char *path)
{
    struct file *file = dirfd == LX_AT_FDCWD ? fd_current()->cwd : fd_file(dirfd);
    const char *base = proc_name(file);
    size_t b = strlen(base), n = strlen(path);
    if (b + 1 + n + 1 > EXO_MSG_SIZE)
        return;
    memmove(path + b + 1, path, n + 1);
    memcpy(path, base, b);
    path[b] = '/';
}
