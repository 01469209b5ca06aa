// SPDX-License-Identifier: MIT
// The calls that change names and attributes, and what concerns whole file systems. Each is one
// call to fsd, which decides; inside another mount only attributes can be changed.
#include <fs/handover.h>
#include <fs/mount.h>
#include <fs/text.h>
#include <proto/tty.h>
#include <lx/time.h>

// A call that changes names: inside a mount nothing can be changed.
static long change(int dirfd, uint64_t upath, enum fs_op op, uint64_t a, uint64_t b, uint64_t c)
{
    struct exo_msg m;
    long err = path_call(dirfd, upath, op, (uint64_t[5]){a, b, c}, &m);
    return err == -FS_MOUNT ? -LX_EPERM : err;
}

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

// Two names. The directory the second starts at is sent along as a capability, which only fsd can
// make sense of.
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
    long err = path_send(dirfd1, (size_t)(n1 + n2), &m, caps);
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
    int err = 0;
    if (msg_page()[n1] == '/')
        endpoint = fd_root();
    else
        err = path_base(dirfd, &endpoint);
    if (err < 0)
        return err == -LX_EXDEV ? -LX_EPERM : err;
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
    struct exo_msg m;
    mode &= 07777;
    long err = path_call(dirfd, upath, FS_OP_CHMOD, (uint64_t[5]){mode}, &m);
    if (err != -FS_MOUNT)
        return err;
    const struct mount_fs *fs = mount_fs(m.w[1]);
    return fs->chmod ? fs->chmod((const char *)msg_page(), mode) : -LX_EPERM;
}

long px_chmod(uint64_t upath, uint32_t mode)
{
    return px_fchmodat(LX_AT_FDCWD, upath, mode);
}

// Whether the file's endpoint is one of fsd's.
static bool of_fsd(const struct file *file)
{
    return file->endpoint && file->ops != &tty_ops;
}

// A call on the file itself: an empty path.
static long change_file(int fd, enum fs_op op, uint64_t a, uint64_t b, uint64_t c)
{
    struct file *file = fd_file(fd);
    if (!file || file->ops == &path_ops)
        return -LX_EBADF;
    if (file->ops == &tty_ops)
        return tty_change(file, op == FS_OP_CHMOD ? TTY_OP_CHMOD : TTY_OP_CHOWN, a, b);
    if (!of_fsd(file))
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
    struct exo_msg m;
    long err = path_call(dirfd, upath, FS_OP_CHOWN, (uint64_t[5]){uid, gid, flags}, &m);
    if (err != -FS_MOUNT)
        return err;
    const struct mount_fs *fs = mount_fs(m.w[1]);
    return fs->chown ? fs->chown((const char *)msg_page(), uid, gid) : -LX_EPERM;
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

// No path: the file of the descriptor.
static long set_times(int dirfd, uint64_t upath, const struct lx_timespec t[2], uint32_t flags)
{
    if (bad_nsec(t[0].nsec) || bad_nsec(t[1].nsec) ||
        (flags & ~(LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH)))
        return -LX_EINVAL;
    uint64_t args[5] = {flags, (uint64_t)t[0].sec, (uint64_t)t[0].nsec, (uint64_t)t[1].sec,
                        (uint64_t)t[1].nsec};
    struct exo_msg m = {.w = {FS_OP_UTIMENS, args[0], args[1], args[2], args[3], args[4]}};
    if (!upath && dirfd != LX_AT_FDCWD) { // futimens
        struct file *file = fd_file(dirfd);
        if (!file || !of_fsd(file))
            return file ? -LX_EPERM : -LX_EBADF;
        m.w[1] |= LX_AT_EMPTY_PATH;
        m.meta = EXO_META(1, 0);
        msg_page()[0] = 0;
        return server_call(file->endpoint, &m);
    }
    long err = path_call(dirfd, upath, FS_OP_UTIMENS, args, &m);
    return err == -FS_MOUNT ? -LX_EPERM : err;
}

static const struct lx_timespec both_now[2] = {{0, LX_UTIME_NOW}, {0, LX_UTIME_NOW}};

long px_utimensat(int dirfd, uint64_t upath, uint64_t utimes, uint32_t flags)
{
    struct lx_timespec t[2];
    if (utimes && user_read(t, utimes, sizeof(t)) < 0)
        return -LX_EFAULT;
    return set_times(dirfd, upath, utimes ? t : both_now, flags);
}

// The older calls, for programs linked long ago: utime, utimes, and the latter beside a directory.
long px_futimesat(int dirfd, uint64_t upath, uint64_t utimes)
{
    struct lx_timeval us[2];
    struct lx_timespec t[2];
    if (!utimes)
        return set_times(dirfd, upath, both_now, 0);
    if (user_read(us, utimes, sizeof(us)) < 0)
        return -LX_EFAULT;
    for (int i = 0; i < 2; i++) {
        if (us[i].usec < 0 || us[i].usec > 999999)
            return -LX_EINVAL;
        t[i] = (struct lx_timespec){us[i].sec, us[i].usec * 1000};
    }
    return set_times(dirfd, upath, t, 0);
}

long px_utimes(uint64_t upath, uint64_t utimes)
{
    return px_futimesat(LX_AT_FDCWD, upath, utimes);
}

long px_utime(uint64_t upath, uint64_t utimes)
{
    int64_t seconds[2];
    if (utimes && user_read(seconds, utimes, sizeof(seconds)) < 0)
        return -LX_EFAULT;
    const struct lx_timespec t[2] = {{utimes ? seconds[0] : 0, 0}, {utimes ? seconds[1] : 0, 0}};
    return set_times(LX_AT_FDCWD, upath, utimes ? t : both_now, 0);
}

long px_truncate(uint64_t upath, int64_t size)
{
    if (size < 0)
        return -LX_EINVAL;
    struct lx_stat st;
    if ((uint64_t)size > rlimit_cur(LX_RLIMIT_FSIZE)) { // it may shrink to beyond the limit
        long err = path_stat(LX_AT_FDCWD, upath, 0, &st);
        if (err == 0 && size > st.st_size)
            err = file_within_limit(1, (uint64_t)size - 1);
        if (err < 0)
            return err;
    }
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

// --- umask, file systems
// ---------------------------------------------------------------------------

long px_umask(uint32_t mask)
{
    uint32_t old = fd_current()->umask;
    fd_current()->umask = mask & 0777;
    return old;
}

// What is made in memory has no blocks, so that df passes it over.
static long statfs_of(uint64_t dev, uint64_t ubuf)
{
    const struct mount_fs *mount = mount_of_dev(dev);
    struct lx_statfs sf = {.f_bsize = EXO_PAGE_SIZE,
                           .f_frsize = EXO_PAGE_SIZE,
                           .f_namelen = LX_NAME_MAX,
                           .f_flags = LX_ST_VALID};
    if (mount) {
        sf.f_type = mount->statfs_type;
        sf.f_fsid[0] = (int32_t)dev;
    } else {
        struct exo_msg m = {.w = {FS_OP_STATFS}};
        long err = server_call(fd_root(), &m);
        if (err < 0)
            return err;
        memcpy(&sf, msg_page(), sizeof(sf));
    }
    return user_write(ubuf, &sf, sizeof(sf));
}

long px_statfs(uint64_t upath, uint64_t ubuf)
{
    struct lx_stat st;
    long err = path_stat(LX_AT_FDCWD, upath, 0, &st);
    return err < 0 ? err : statfs_of(st.st_dev, ubuf);
}

long px_fstatfs(int fd, uint64_t ubuf)
{
    struct file *file = fd_file(fd);
    struct lx_stat st = {0};
    if (!file)
        return -LX_EBADF;
    int err = file->ops->stat ? file->ops->stat(file, &st) : 0;
    return err < 0 ? err : statfs_of(st.st_dev, ubuf);
}

long px_sync(void)
{
    struct exo_msg m = {.w = {FS_OP_SYNC}};
    server_call(fd_root(), &m);
    return 0;
}

static long sync_file(int fd, bool data_only)
{
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    if (file->ops != &regular_ops && file->ops != &dir_ops)
        return -LX_EINVAL;
    if (file->node && file->node->durable)
        return 0;
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
    uint64_t last = (uint64_t)offset + (uint64_t)length - 1;
    if (last > INT64_MAX || (last >= file_size(file) && file_within_limit(1, last) < 0))
        return -LX_EFBIG;
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
