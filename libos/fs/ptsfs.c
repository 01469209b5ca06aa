// SPDX-License-Identifier: MIT
// /dev/pts: the pseudo-terminals there are, as ttyd lists them. Their modes and owners are ttyd's
// to keep and to check.
#include <fs/mount.h>
#include <fs/pts.h>
#include <fs/text.h>

static const struct file_ops pts_directory_ops;

// The number a name means, or -1: digits without leading zeros.
static int64_t number(const char *s)
{
    int64_t value = 0;
    if (!*s || (s[0] == '0' && s[1]))
        return -1;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || value > 4095)
            return -1;
        value = value * 10 + (*s - '0');
    }
    return value < 4096 ? value : -1;
}

static long ask(enum tty_op op, int64_t n, uint64_t a, uint64_t b)
{
    if (n < 0)
        return -LX_ENOENT;
    struct exo_msg m = {.w = {op, TTY_RDEV_PTS((uint32_t)n), a, b}};
    long err = server_call(H_TTYD, &m);
    return err == -LX_ENXIO ? -LX_ENOENT : err;
}

static void fill_directory(struct lx_stat *st)
{
    memset(st, 0, sizeof(*st));
    st->st_dev = PTS_DEV;
    st->st_ino = 1;
    st->st_mode = LX_S_IFDIR | 0755;
    st->st_nlink = 2;
    st->st_blksize = 1024;
}

static int pts_stat(const char *rest, bool follow, struct lx_stat *st)
{
    struct tty_stat ts;
    (void)follow;
    fill_directory(st);
    if (!rest[0])
        return 0;
    long err = ask(TTY_OP_STAT, number(rest), 0, 0);
    if (err < 0)
        return (int)err;
    memcpy(&ts, msg_page(), sizeof(ts));
    tty_fill_stat(&ts, st);
    st->st_rdev = ts.rdev;
    st->st_ino = pts_ino(ts.rdev);
    return 0;
}

static long pts_open(const char *rest, uint32_t flags, struct file **out)
{
    struct lx_stat st;
    long err = pts_stat(rest, true, &st);
    if (err < 0)
        return err == -LX_ENOENT && (flags & LX_O_CREAT) ? -LX_EACCES : err;
    if ((flags & LX_O_CREAT) && (flags & LX_O_EXCL))
        return -LX_EEXIST;
    if (!LX_S_ISDIR(st.st_mode))
        return (flags & LX_O_DIRECTORY) ? -LX_ENOTDIR : tty_open((uint32_t)st.st_rdev, flags, out);
    if ((flags & LX_O_ACCMODE) != LX_O_RDONLY || (flags & LX_O_CREAT))
        return -LX_EISDIR;
    struct file *file = file_new(&pts_directory_ops, flags);
    if (!file)
        return -LX_ENOMEM;
    file->mode = st.st_mode;
    *out = file;
    return 0;
}

static long pts_readlink(const char *rest, char *target, size_t max)
{
    struct lx_stat st;
    (void)target, (void)max;
    int err = pts_stat(rest, false, &st);
    return err < 0 ? err : -LX_EINVAL;
}

static long pts_chmod(const char *rest, uint32_t mode)
{
    return rest[0] ? ask(TTY_OP_CHMOD, number(rest), mode, 0) : -LX_EPERM;
}

static long pts_chown(const char *rest, uint32_t uid, uint32_t gid)
{
    return rest[0] ? ask(TTY_OP_CHOWN, number(rest), uid, gid) : -LX_EPERM;
}

const struct mount_fs pts_fs = {
    .at = "/dev/pts",
    .dev = PTS_DEV,
    .statfs_type = LX_MAGIC_DEVPTS,
    .directory = &pts_directory_ops,
    .open = pts_open,
    .stat = pts_stat,
    .readlink = pts_readlink,
    .chmod = pts_chmod,
    .chown = pts_chown,
};

// --- the directory: position 0 is ".", 1 "..", 2 + N terminal N
// ------------------------------------------------

struct listing {
    uint64_t buf;
    size_t room, done;
};

// 0, or 1 if there is no room for it, or -LX_EFAULT.
static int list(struct listing *l, const char *name, uint64_t ino, uint32_t type, uint64_t next)
{
    uint64_t bytes[8] = {0};
    struct lx_dirent64 *d = (void *)bytes;
    size_t n = strlen(name), length = (offsetof(struct lx_dirent64, d_name) + n + 1 + 7) & ~7ull;
    if (length > l->room - l->done)
        return 1;
    d->d_ino = ino;
    d->d_off = (int64_t)next;
    d->d_reclen = (uint16_t)length;
    d->d_type = (uint8_t)LX_IFTODT(type);
    memcpy(d->d_name, name, n);
    if (user_write(l->buf + l->done, bytes, length) < 0)
        return -LX_EFAULT;
    l->done += length;
    return 0;
}

static int list_number(struct listing *l, uint32_t n, uint64_t *position)
{
    char name[16];
    struct text t = {.at = name, .room = sizeof(name)};
    text_printf(&t, "%u", n);
    text_add(&t, "", 1);
    int err = list(l, name, pts_ino(TTY_RDEV_PTS(n)), LX_S_IFCHR, n + 3);
    if (!err)
        *position = n + 3;
    return err;
}

static int list_terminals(struct listing *l, uint64_t *position)
{
    for (;;) {
        struct exo_msg m = {.w = {TTY_OP_LIST, *position - 2}};
        long count = server_call(H_TTYD, &m);
        uint32_t numbers[64];
        if (count <= 0)
            return (int)count;
        if (count > 64)
            count = 64; // the rest is asked for again
        memcpy(numbers, msg_page(), (size_t)count * sizeof(numbers[0]));
        for (long i = 0; i < count; i++) {
            int err = list_number(l, numbers[i], position);
            if (err)
                return err;
        }
    }
}

static long pts_readdir(struct file *file, uint64_t buf, size_t n)
{
    struct listing l = {.buf = buf, .room = n};
    uint64_t position = file->state->offset;
    int err = 0;
    for (; !err && position < 2; position += !err)
        err = list(&l, position ? ".." : ".", 1, LX_S_IFDIR, position + 1);
    if (!err)
        err = list_terminals(&l, &position);
    file->state->offset = position;
    if (!l.done && err)
        return err > 0 ? -LX_EINVAL : err;
    return (long)l.done;
}

static long pts_seek(struct file *file, int64_t offset, int whence)
{
    if (whence == LX_SEEK_CUR)
        offset += (int64_t)file->state->offset;
    if (offset < 0 || (whence != LX_SEEK_SET && whence != LX_SEEK_CUR))
        return -LX_EINVAL;
    file->state->offset = (uint64_t)offset;
    return offset;
}

static int pts_directory_stat(struct file *file, struct lx_stat *st)
{
    (void)file;
    fill_directory(st);
    return 0;
}

static const struct file_ops pts_directory_ops = {
    .kind = FD_KIND_PROC,
    .seek = pts_seek,
    .readdir = pts_readdir,
    .stat = pts_directory_stat,
};
