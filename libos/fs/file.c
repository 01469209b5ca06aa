// SPDX-License-Identifier: MIT
// Regular files: reading and writing are copies between the application and windows of the file's
// segments.
//
// The size comes from the node page (written by fsd); a part of 2 MiB is asked for and mapped at
// its first use, as one directory entry. A page that is not in the segment (a hole, or evicted)
// faults inside user_copy; the copy stops there, the page is filled (FS_OP_FILL) and the copy goes
// on. So the common read is: load the size, bound, advance the shared offset, copy.
//
// Writing below the size is in place. How files grow: grow.c.
#include <fs/file.h>
#include <lx/signal.h>
#include <lx/time.h>

#define PART_SHIFT    21
#define PART_SIZE     (1ull << PART_SHIFT)
#define SIZE_MAX_FILE INT64_MAX

static inline __attribute__((always_inline)) uint64_t size_of(struct file *file)
{
    uint64_t size = file->node->leased ? grow_size(file) : file->node->size;
    return size > SIZE_MAX_FILE ? SIZE_MAX_FILE : size;
}

uint64_t file_size(struct file *file)
{
    return size_of(file);
}

static int parts_reach(struct file *file, uint64_t part)
{
    if (part < file->reg.nparts)
        return 0;
    if (part >= SIZE_MAX_FILE >> PART_SHIFT)
        return -LX_EFBIG;
    uint32_t n = (uint32_t)part + 1;
    if (n < 2 * file->reg.nparts)
        n = 2 * file->reg.nparts;
    struct file_part *parts =
        heap_resize(file->reg.parts, file->reg.nparts * sizeof(*parts), n * sizeof(*parts));
    if (!parts)
        return -LX_ENOMEM;
    file->reg.parts = parts;
    file->reg.nparts = n;
    return 0;
}

static void part_drop(struct file_part *part)
{
    if (part->seg)
        window_close(part->window, 512, part->seg);
    *part = (struct file_part){0};
}

// Asks for the segment of a part, readable, or writable when the file is open for writing and
// `write`.
static int part_get(struct file *file, uint64_t index, bool write, struct file_part **out)
{
    int err = parts_reach(file, index);
    if (err < 0)
        return err;
    struct file_part *part = &file->reg.parts[index];
    *out = part;
    if (part->seg && (part->writable || !write))
        return 0;
    struct exo_msg m = {.w = {FS_OP_SEGMENT, index, write}};
    long done = server_call(file->endpoint, &m);
    exo_handle_t seg = ctx_self()->recv[0];
    if (done < 0)
        return (int)done;
    if (!seg)
        return -LX_ENOMEM;
    part_drop(part);
    part->seg = seg;
    part->writable = write;
    return 0;
}

static int part_window(struct file *file, uint64_t index, bool write, uint8_t **window)
{
    struct file_part *part;
    int err = part_get(file, index, write, &part);
    if (err < 0)
        return err;
    if (!part->window) {
        void *va;
        uint32_t rights = EXO_R_READ | (part->writable ? EXO_R_WRITE : 0);
        err = window_map(part->seg, 0, 512, rights, &va);
        if (err < 0)
            return err;
        part->window = va;
    }
    *window = part->window;
    return 0;
}

int file_segment(struct file *file, uint64_t index, bool write, exo_handle_t *seg)
{
    struct file_part *part;
    int err = part_get(file, index, write, &part);
    if (err == 0)
        *seg = part->seg;
    return err;
}

int file_fill(struct file *file, uint64_t page, bool write)
{
    struct exo_msg m = {.w = {FS_OP_FILL, page, write}};
    long done = server_call(file->endpoint, &m);
    return done < 0 ? (int)done : 0;
}

// A copy that stops makes the file's page present once; if it stops again at the same place, the
// fault is the application's.
static long transfer(struct file *file, uint8_t *mem, size_t n, uint64_t offset, bool write)
{
    size_t done = 0;
    uint64_t filled = UINT64_MAX;
    while (done < n) {
        uint64_t at = offset + done;
        size_t room = PART_SIZE - (at & (PART_SIZE - 1));
        size_t chunk = n - done < room ? n - done : room;
        uint8_t *window;
        long err = part_window(file, at >> PART_SHIFT, write, &window);
        if (err < 0)
            return done ? (long)done : err;
        uint8_t *data = window + (at & (PART_SIZE - 1));
        size_t left =
            write ? user_copy(data, mem + done, chunk) : user_copy(mem + done, data, chunk);
        done += chunk - left;
        if (!left)
            continue;
        uint64_t page = (offset + done) >> EXO_PAGE_SHIFT;
        if (page == filled)
            return done ? (long)done : -LX_EFAULT;
        err = file_fill(file, page, write);
        if (err < 0)
            return done ? (long)done : err;
        filled = page;
    }
    return (long)done;
}

long file_transfer(struct file *file, uint8_t *mem, size_t n, uint64_t offset, bool write)
{
    return transfer(file, mem, n, offset, write);
}

// Takes [offset, offset + n) of the shared position, n bounded by the bytes up to `end`. Two
// sharers never get the same bytes.
static size_t advance(struct file *file, size_t n, uint64_t end, uint64_t *offset)
{
    uint64_t at = file->state->offset;
    size_t take;
    do {
        take = at >= end ? 0 : (end - at < n ? (size_t)(end - at) : n);
        if (!take)
            break;
    } while (!__atomic_compare_exchange_n(&file->state->offset, &at, at + take, false,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    *offset = at;
    return take;
}

// A transfer that stopped early gives the rest back, if nobody moved the position since.
static void give_back(struct file *file, uint64_t offset, size_t taken, long done)
{
    uint64_t after = offset + taken;
    __atomic_compare_exchange_n(&file->state->offset, &after,
                                offset + (done > 0 ? (size_t)done : 0), false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
}

static long regular_read(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    uint64_t size = size_of(file), at;
    if (offset) {
        at = *offset;
        n = at >= size ? 0 : (size - at < n ? (size_t)(size - at) : n);
    } else {
        n = advance(file, n, size, &at);
    }
    if (!n)
        return 0;
    long done = transfer(file, (uint8_t *)buf, n, at, false);
    if (!offset && (done < 0 || (size_t)done < n))
        give_back(file, at, n, done);
    return done;
}

long file_within_limit(size_t n, uint64_t at)
{
    uint64_t limit = rlimit_cur(LX_RLIMIT_FSIZE);
    if (limit > SIZE_MAX_FILE)
        limit = SIZE_MAX_FILE;
    if (at < limit)
        return (long)(n < limit - at ? n : limit - at);
    if (limit < SIZE_MAX_FILE)
        sig_raise_self(LX_SIGXFSZ);
    return -LX_EFBIG;
}

static long write_at(struct file *file, uint64_t buf, size_t n, uint64_t at)
{
    long may = file_within_limit(n, at);
    if (may < 0)
        return may;
    n = (size_t)may;
    uint64_t size = size_of(file);
    size_t inside = at >= size ? 0 : (size - at < n ? (size_t)(size - at) : n);
    long done = 0;
    if (inside) {
        done = transfer(file, (uint8_t *)buf, inside, at, true);
        if (done == -LX_EACCES)
            inside = 0, done = 0;
        else if (done < 0 || (size_t)done < inside)
            return done;
    }
    if (inside == n)
        return done;
    uint64_t rest = at + inside;
    long more = file_extend(file, buf + inside, n - inside, &rest);
    if (more < 0)
        return done ? done : more;
    return done + more;
}

static long regular_write(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    if (!n)
        return 0;
    file->told_seq = TOLD_NOTHING;
    if (file_flags(file) & LX_O_APPEND) { // also pwrite, as on Linux
        uint64_t at = UINT64_MAX;
        long may = file_within_limit(n, file_size(file));
        long done = may < 0 ? may : file_extend(file, buf, (size_t)may, &at);
        if (done > 0 && !offset)
            file->state->offset = at + (uint64_t)done;
        return done;
    }
    if (offset)
        return write_at(file, buf, n, *offset);
    uint64_t at;
    size_t take = advance(file, n, SIZE_MAX_FILE, &at);
    if (!take)
        return -LX_EFBIG;
    long done = write_at(file, buf, take, at);
    if (done < 0 || (size_t)done < take)
        give_back(file, at, take, done);
    return done;
}

static long regular_seek(struct file *file, int64_t offset, int whence)
{
    int64_t base, size = (int64_t)file_size(file);
    switch (whence) {
    case LX_SEEK_SET:
        base = 0;
        break;
    case LX_SEEK_CUR:
        base = (int64_t)file->state->offset;
        break;
    case LX_SEEK_END:
        base = size;
        break;
    case LX_SEEK_DATA: // the whole file is data: POSIX allows holes not to be told apart
    case LX_SEEK_HOLE:
        if (offset < 0 || offset >= size)
            return -LX_ENXIO;
        base = whence == LX_SEEK_HOLE ? size - offset : 0;
        break;
    default:
        return -LX_EINVAL;
    }
    int64_t at;
    if (__builtin_add_overflow(base, offset, &at))
        return -LX_EOVERFLOW;
    if (at < 0)
        return -LX_EINVAL;
    file->state->offset = (uint64_t)at;
    return at;
}

static long regular_truncate(struct file *file, uint64_t size)
{
    if (size > file_size(file) && file_within_limit(1, size - 1) < 0)
        return -LX_EFBIG;
    file->reg.grow.calls = 0; // it does not grow and grow
    struct exo_msg m = {.w = {FS_OP_FTRUNCATE, size}};
    return server_call(file->endpoint, &m);
}

static unsigned regular_poll(struct file *file, unsigned events, struct poll_set *set)
{
    (void)file, (void)set;
    return events & (LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM);
}

static long regular_ioctl(struct file *file, uint64_t request, uint64_t arg)
{
    if (request != LX_FIONREAD)
        return -LX_ENOTTY;
    uint64_t size = file_size(file), at = file->state->offset;
    return user_store32(arg, at >= size ? 0 : (uint32_t)(size - at));
}

static void regular_close(struct file *file)
{
    grow_close(file);
    for (uint32_t i = 0; i < file->reg.nparts; i++)
        part_drop(&file->reg.parts[i]);
    heap_free(file->reg.parts);
    heap_free(file->told);
}

const struct file_ops regular_ops = {
    .kind = FD_KIND_REGULAR,
    .read = regular_read,
    .write = regular_write,
    .seek = regular_seek,
    .ioctl = regular_ioctl,
    .stat = endpoint_stat,
    .truncate = regular_truncate,
    .poll = regular_poll,
    .close = regular_close,
};

// For exec and for faults: like pread, into memory of any kind.
long file_pread(struct file *file, void *dst, size_t n, uint64_t offset)
{
    return file->ops->read ? file->ops->read(file, (uint64_t)dst, n, &offset) : -LX_EINVAL;
}

int file_stat(struct file *file, struct lx_stat *st)
{
    return file->ops->stat(file, st);
}
