// SPDX-License-Identifier: MIT
// Character devices without a server: null, zero, full, random. Terminals go to ttyd (tty.c).
// Also the kernel log as a file: where servers print.
#include <fs/file.h>

#define RDEV(major, minor) ((major) << 8 | (minor))

static long read_nothing(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    (void)file, (void)buf, (void)n, (void)offset;
    return 0;
}

static long read_zeros(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    (void)file, (void)offset;
    size_t left = user_zero((void *)buf, n);
    if (__builtin_expect(left == 0, 1))
        return (long)n;
    return left == n ? -LX_EFAULT : (long)(n - left);
}

static long read_random(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    (void)file, (void)offset;
    return px_getrandom(buf, n, 0);
}

static long write_anything(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    (void)file, (void)buf, (void)offset;
    return (long)n;
}

static long write_full(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    (void)file, (void)buf, (void)offset;
    return n ? -LX_ENOSPC : 0;
}

static long dev_seek(struct file *file, int64_t offset, int whence)
{
    (void)file, (void)offset;
    return whence > LX_SEEK_END || whence < 0 ? -LX_EINVAL : 0;
}

static int dev_stat(struct file *file, struct lx_stat *st)
{
    st->st_mode = file->mode;
    st->st_rdev = file->rdev;
    st->st_dev = FS_ROOT_DEV;
    st->st_ino = file->ino;
    st->st_nlink = 1;
    st->st_blksize = (int64_t)EXO_PAGE_SIZE;
    return 0;
}

static unsigned dev_poll(struct file *file, unsigned events, struct poll_set *set)
{
    (void)file, (void)set;
    return events & (LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM);
}

#define DEVICE(minor, read_fn, write_fn)                                                           \
    {                                                                                              \
        RDEV(1, minor),                                                                            \
        {                                                                                          \
            .kind = FD_KIND_DEV, .read = read_fn, .write = write_fn, .seek = dev_seek,             \
            .stat = dev_stat, .poll = dev_poll                                                     \
        }                                                                                          \
    }
static const struct device {
    uint32_t rdev;
    struct file_ops ops;
} devices[] = {
    DEVICE(3, read_nothing, write_anything), // null
    DEVICE(5, read_zeros, write_anything),   // zero
    DEVICE(7, read_zeros, write_full),       // full
    DEVICE(8, read_random, write_anything),  // random
    DEVICE(9, read_random, write_anything),  // urandom
};

long dev_open(uint32_t rdev, uint32_t mode, uint32_t flags, struct file **out)
{
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (devices[i].rdev != rdev)
            continue;
        struct file *file = file_new(&devices[i].ops, flags);
        if (!file)
            return -LX_ENOMEM;
        file->mode = mode;
        file->rdev = rdev;
        *out = file;
        return 0;
    }
    return tty_open(rdev, flags, out);
}

// --- the kernel log ------------------------------------------------------------------------------

static exo_handle_t log_machine;

static long log_write(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    uint8_t line[512];
    size_t done = 0;
    (void)file, (void)offset;
    while (done < n) {
        size_t chunk = n - done < sizeof(line) ? n - done : sizeof(line);
        if (user_read(line, buf + done, chunk) < 0)
            return done ? (long)done : -LX_EFAULT;
        exo_machine_log(log_machine, line, chunk);
        done += chunk;
    }
    return (long)done;
}

static long log_read(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    (void)file, (void)buf, (void)n, (void)offset;
    return 0;
}

static int log_stat(struct file *file, struct lx_stat *st)
{
    (void)file;
    st->st_mode = LX_S_IFCHR | 0600;
    st->st_nlink = 1;
    return 0;
}

const struct file_ops log_ops = {
    .kind = FD_KIND_LOG,
    .read = log_read,
    .write = log_write,
    .stat = log_stat,
    .poll = dev_poll,
};

// Servers: descriptors 0, 1 and 2 are the log.
int log_install(exo_handle_t machine)
{
    log_machine = machine;
    struct file *file = file_new(&log_ops, LX_O_RDWR);
    if (!file)
        return -LX_ENOMEM;
    file_ref(file);
    file_ref(file);
    for (int fd = 0; fd < 3; fd++) {
        int got = fd_install(file, 0, 0);
        if (got < 0)
            return got;
    }
    return 0;
}
