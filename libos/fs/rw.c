// SPDX-License-Identifier: MIT
// read, write and their relatives: argument checks and vectors; the work is done by the file's
// operations. POSIX: read(), write(), pread(), pwrite(), readv(), writev(), lseek().
#include <fs/file.h>

static size_t clamp(size_t n)
{
    return __builtin_expect(n > LX_RW_MAX, 0) ? LX_RW_MAX : n;
}

// Without a function for it: O_PATH opens are no open files, directories are read by getdents.
static long __attribute__((noinline)) cannot(const struct file *file, bool read)
{
    if (file->ops == &path_ops)
        return -LX_EBADF;
    return read && file->ops == &dir_ops ? -LX_EISDIR : -LX_EINVAL;
}

long px_read(int fd, uint64_t buf, size_t n)
{
    struct file *file = fd_file(fd);
    if (!file || file->access == LX_O_WRONLY)
        return -LX_EBADF;
    if (!file->ops->read)
        return cannot(file, true);
    return file->ops->read(file, buf, clamp(n), NULL);
}

long px_write(int fd, uint64_t buf, size_t n)
{
    struct file *file = fd_file(fd);
    if (!file || file->access == LX_O_RDONLY)
        return -LX_EBADF;
    if (!file->ops->write)
        return cannot(file, false);
    return file->ops->write(file, buf, clamp(n), NULL);
}

// Reads and writes at an offset are for files that have offsets.
static long check_positioned(struct file *file, int64_t offset)
{
    if (!file->ops->seek)
        return -LX_ESPIPE;
    return offset < 0 ? -LX_EINVAL : 0;
}

long px_pread64(int fd, uint64_t buf, size_t n, int64_t offset)
{
    struct file *file = fd_file(fd);
    if (!file || !file_readable(file))
        return -LX_EBADF;
    long err = check_positioned(file, offset);
    if (err < 0)
        return err;
    if (!file->ops->read)
        return file->ops == &dir_ops ? -LX_EISDIR : -LX_EINVAL;
    uint64_t at = (uint64_t)offset;
    return file->ops->read(file, buf, clamp(n), &at);
}

long px_pwrite64(int fd, uint64_t buf, size_t n, int64_t offset)
{
    struct file *file = fd_file(fd);
    if (!file || !file_writable(file))
        return -LX_EBADF;
    long err = check_positioned(file, offset);
    if (err < 0)
        return err;
    if (!file->ops->write)
        return -LX_EINVAL;
    uint64_t at = (uint64_t)offset;
    return file->ops->write(file, buf, clamp(n), &at);
}

typedef long (*transfer_fn)(struct file *, uint64_t, size_t, const uint64_t *);

// Copies a vector in and checks that its total fits ssize_t. On success *vec must be freed unless
// it is `small`.
#define VEC_SMALL 8
static long vector_copy(uint64_t uvec, int count, struct lx_iovec small[VEC_SMALL],
                        struct lx_iovec **vec)
{
    if (count < 0 || count > LX_IOV_MAX)
        return -LX_EINVAL;
    *vec = small;
    if (count > VEC_SMALL) {
        *vec = heap_alloc((size_t)count * sizeof(**vec));
        if (!*vec)
            return -LX_ENOMEM;
    }
    long err = user_read(*vec, uvec, (size_t)count * sizeof(**vec));
    uint64_t total = 0;
    for (int i = 0; err == 0 && i < count; i++) {
        total += (*vec)[i].len;
        if ((*vec)[i].len > INT64_MAX || total > INT64_MAX)
            err = -LX_EINVAL;
    }
    if (err < 0 && *vec != small)
        heap_free(*vec);
    return err;
}

// A small vector for a pipe must be one write for PIPE_BUF atomicity: it is gathered first.
static long gather(struct file *file, transfer_fn write, const struct lx_iovec *vec, int count,
                   const uint64_t *offset)
{
    uint8_t bytes[512];
    size_t n = 0;
    for (int i = 0; i < count; i++) {
        if (vec[i].len > sizeof(bytes) - n)
            return -LX_E2BIG;
        if (user_read(bytes + n, vec[i].base, vec[i].len) < 0)
            return -LX_EFAULT;
        n += vec[i].len;
    }
    return write(file, (uint64_t)bytes, n, offset);
}

static long gather_large(struct file *file, transfer_fn write, const struct lx_iovec *vec,
                         int count, size_t total)
{
    uint8_t *bytes = heap_alloc(total);
    size_t n = 0;
    long done = -LX_ENOMEM;
    if (!bytes)
        return done;
    for (int i = 0; i < count; i++) {
        if (user_read(bytes + n, vec[i].base, vec[i].len) < 0) {
            done = -LX_EFAULT;
            goto out;
        }
        n += vec[i].len;
    }
    done = write(file, (uint64_t)bytes, n, NULL);
out:
    heap_free(bytes);
    return done;
}

static long vector_each(struct file *file, transfer_fn fn, const struct lx_iovec *vec, int count,
                        uint64_t *offset)
{
    long total = 0;
    for (int i = 0; i < count; i++) {
        if (!vec[i].len)
            continue;
        size_t n = clamp(vec[i].len);
        long done = fn(file, vec[i].base, n, offset);
        if (done < 0)
            return total ? total : done;
        total += done;
        if (offset)
            *offset += (uint64_t)done;
        if ((size_t)done < n || total >= (long)LX_RW_MAX)
            break;
    }
    return total;
}

static long vector_write(struct file *file, const struct lx_iovec *vec, int count, uint64_t *offset)
{
    transfer_fn write = file->ops->write;
    size_t total = 0;
    for (int i = 0; i < count && total <= LX_PIPE_BUF; i++)
        total += vec[i].len;
    if (count > 1 && total <= 512) {
        long done = gather(file, write, vec, count, offset);
        if (done != -LX_E2BIG)
            return done;
    }
    if (count > 1 && total <= LX_PIPE_BUF && !offset)
        return gather_large(file, write, vec, count, total);
    return vector_each(file, write, vec, count, offset);
}

static long vector_io(int fd, uint64_t uvec, int count, uint64_t *offset, bool writing)
{
    struct file *file = fd_file(fd);
    if (!file || !(writing ? file_writable(file) : file_readable(file)))
        return -LX_EBADF;
    if (!(writing ? file->ops->write : file->ops->read))
        return file->ops == &dir_ops ? -LX_EISDIR : -LX_EINVAL;
    struct lx_iovec small[VEC_SMALL], *vec;
    long done = vector_copy(uvec, count, small, &vec);
    if (done < 0)
        return done;
    done = writing ? vector_write(file, vec, count, offset)
                   : vector_each(file, file->ops->read, vec, count, offset);
    if (vec != small)
        heap_free(vec);
    return done;
}

long px_readv(int fd, uint64_t uvec, int count)
{
    return vector_io(fd, uvec, count, NULL, false);
}

long px_writev(int fd, uint64_t uvec, int count)
{
    return vector_io(fd, uvec, count, NULL, true);
}

static long vector_positioned(int fd, uint64_t uvec, int count, int64_t offset, bool writing)
{
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    long err = check_positioned(file, offset);
    if (err < 0)
        return err;
    uint64_t at = (uint64_t)offset;
    return vector_io(fd, uvec, count, &at, writing);
}

long px_preadv(int fd, uint64_t uvec, int count, int64_t offset)
{
    return vector_positioned(fd, uvec, count, offset, false);
}

long px_pwritev(int fd, uint64_t uvec, int count, int64_t offset)
{
    return vector_positioned(fd, uvec, count, offset, true);
}

// preadv2, pwritev2: the volume is memory, so what is written is where it will stay, and nothing is
// polled for.
#define RWF_HIPRI    1
#define RWF_DSYNC    2
#define RWF_SYNC     4
#define RWF_HARMLESS (RWF_HIPRI | RWF_DSYNC | RWF_SYNC)

static long vector_flagged(int fd, uint64_t uvec, int count, int64_t offset, uint32_t flags,
                           bool writing)
{
    if (flags & ~(uint32_t)RWF_HARMLESS)
        return -LX_EOPNOTSUPP;
    if (offset == -1)
        return vector_io(fd, uvec, count, NULL, writing);
    return vector_positioned(fd, uvec, count, offset, writing);
}

long px_preadv2(int fd, uint64_t uvec, int count, int64_t offset, uint64_t high, uint32_t flags)
{
    (void)high; // of the offset, where long is 32 bits
    return vector_flagged(fd, uvec, count, offset, flags, false);
}

long px_pwritev2(int fd, uint64_t uvec, int count, int64_t offset, uint64_t high, uint32_t flags)
{
    (void)high;
    return vector_flagged(fd, uvec, count, offset, flags, true);
}

long px_lseek(int fd, int64_t offset, int whence)
{
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    if (!file->ops->seek)
        return -LX_ESPIPE;
    return file->ops->seek(file, offset, whence);
}

long px_ioctl(int fd, uint32_t request, uint64_t arg)
{
    struct file *file = fd_file(fd);
    uint32_t on;
    if (!file || file->ops == &path_ops)
        return -LX_EBADF;
    switch (request) {
    case LX_FIOCLEX:
    case LX_FIONCLEX:
        fd_current()->entry[fd].cloexec = request == LX_FIOCLEX;
        return 0;
    case LX_FIONBIO:
        if (user_load32(arg, &on) < 0)
            return -LX_EFAULT;
        if (on)
            __atomic_or_fetch(&file->state->flags, LX_O_NONBLOCK, __ATOMIC_RELAXED);
        else
            __atomic_and_fetch(&file->state->flags, ~(uint32_t)LX_O_NONBLOCK, __ATOMIC_RELAXED);
        return 0;
    default:
        return file->ops->ioctl ? file->ops->ioctl(file, request, arg) : -LX_ENOTTY;
    }
}

// sendfile: through a bounded buffer of the libOS; a direct copy between windows is not worth a
// special case.
long px_sendfile(int out_fd, int in_fd, uint64_t uoffset, size_t n)
{
    struct file *in = fd_file(in_fd), *out = fd_file(out_fd);
    uint64_t offset = 0;
    long total = 0;
    if (!in || !out || !file_readable(in) || !file_writable(out))
        return -LX_EBADF;
    if (!in->ops->read || !in->ops->seek || !out->ops->write)
        return -LX_EINVAL;
    if (uoffset && user_read(&offset, uoffset, sizeof(offset)) < 0)
        return -LX_EFAULT;
    uint8_t *bytes = heap_alloc(16384);
    if (!bytes)
        return -LX_ENOMEM;
    n = clamp(n);
    while (n) {
        size_t chunk = n < 16384 ? n : 16384;
        long got = in->ops->read(in, (uint64_t)bytes, chunk, uoffset ? &offset : NULL);
        long put = got > 0 ? out->ops->write(out, (uint64_t)bytes, (size_t)got, NULL) : got;
        if (put > 0) {
            total += put;
            offset += (uint64_t)put;
            n -= (size_t)put;
        }
        if (got > 0 && put < got && !uoffset)
            in->ops->seek(in, (put > 0 ? put : 0) - got, LX_SEEK_CUR);
        if (put <= 0 || put < (long)chunk) {
            if (put < 0 && !total)
                total = put;
            break;
        }
    }
    heap_free(bytes);
    if (uoffset && total > 0 && user_write(uoffset, &offset, sizeof(offset)) < 0)
        return -LX_EFAULT;
    return total;
}
