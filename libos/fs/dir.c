// SPDX-License-Identifier: MIT
// Directories: reading entries. fsd answers with a message full of struct lx_dirent64; the position
// is its cookie, so that telldir and seekdir work and entries removed meanwhile do no harm.
#include <fs/file.h>

// fsd's answer, of up to a message, to the entries from the current position on.
static long fetch(struct file *file, size_t room, uint64_t *after)
{
    struct exo_msg m = {.w = {FS_OP_READDIR, file->state->offset, room}};
    long got = server_call(file->endpoint, &m);
    *after = m.w[1];
    return got;
}

// Gives out what was read ahead, as many whole records as fit, if it is what follows the position.
// Bytes, or -LX_EFAULT.
static long from_ahead(struct file *file, uint64_t buf, size_t n)
{
    struct dir_ahead *a = file->dir.ahead;
    const struct lx_dirent64 *last = NULL;
    if (!a || a->cookie != file->state->offset)
        return 0;
    uint32_t at = a->at, size;
    for (; at < a->length; at += size) {
        const struct lx_dirent64 *d = (const void *)(a->bytes + at);
        size = d->d_reclen;
        if (size < sizeof(*d) || size > a->length - at || at + size - a->at > n)
            break;
        last = d;
    }
    if (!last)
        return 0;
    size = at - a->at;
    if (user_write(buf, a->bytes + a->at, size) < 0)
        return -LX_EFAULT;
    a->at = at;
    a->cookie = at < a->length ? (uint64_t)last->d_off : a->after;
    file->state->offset = a->cookie;
    return size;
}

// A caller with a small buffer gets a message's worth in pieces.
static long read_ahead(struct file *file)
{
    struct dir_ahead *a = file->dir.ahead;
    if (!a)
        a = file->dir.ahead = heap_alloc(sizeof(*a));
    if (!a)
        return -LX_ENOMEM;
    a->cookie = file->state->offset;
    a->at = a->length = 0;
    long got = fetch(file, sizeof(a->bytes), &a->after);
    if (got > 0 && got <= (long)sizeof(a->bytes)) {
        memcpy(a->bytes, msg_page(), (size_t)got);
        a->length = (uint32_t)got;
    }
    return got;
}

// Who shares the position may move it at any moment; then the next piece is read from there.
static long dir_readdir(struct file *file, uint64_t buf, size_t n)
{
    long first = from_ahead(file, buf, n);
    if (first < 0)
        return first;
    size_t done = (size_t)first;
    while (n - done >= EXO_MSG_SIZE) {
        uint64_t after;
        long got = fetch(file, EXO_MSG_SIZE, &after);
        if (got <= 0)
            return done ? (long)done : got;
        if (user_write(buf + done, msg_page(), (size_t)got) < 0)
            return done ? (long)done : -LX_EFAULT;
        done += (size_t)got;
        file->state->offset = after;
    }
    for (int tries = 0; !done && tries < 8; tries++) {
        long got = read_ahead(file);
        if (got > 0)
            got = from_ahead(file, buf, n);
        if (got < 0 || !file->dir.ahead->length)
            return got;
        done = (size_t)got;
        if (file->dir.ahead->cookie == file->state->offset)
            break;
    }
    return done ? (long)done : -LX_EINVAL; // not one fits
}

static void dir_close(struct file *file)
{
    heap_free(file->dir.ahead);
}

void dir_begin(struct file *file)
{
    if (file->dir.ahead)
        file->dir.ahead->length = 0;
}

static long dir_seek(struct file *file, int64_t offset, int whence)
{
    if (whence == LX_SEEK_CUR)
        offset += (int64_t)file->state->offset;
    else if (whence != LX_SEEK_SET)
        return -LX_EINVAL;
    if (offset < 0)
        return -LX_EINVAL;
    file->state->offset = (uint64_t)offset;
    dir_begin(file);
    return offset;
}

// What the node page tells, if it tells it now.
static bool page_stat(const struct file *file, struct lx_stat *st)
{
    const volatile struct fs_node *node = file->node;
    uint32_t before, attr, after;
    return node && user_peek32(&node->seq, &before) && !(before & 1) &&
           user_peek32(&node->attr, &attr) && attr &&
           !user_copy(st, (const void *)(uintptr_t)&node->st, sizeof(*st)) &&
           user_peek32(&node->seq, &after) && after == before;
}

// What fsd told us as the only ones who may write the file, if nothing has happened to it since.
// Once the open is shared with another process, or mapped, we cannot know.
static bool own_stat(const struct file *file, struct lx_stat *st)
{
    uint32_t seq;
    if (!file->told || file->state_cap || file->mapped || !user_peek32(&file->node->seq, &seq) ||
        seq != file->told_seq)
        return false;
    memcpy(st, file->told, sizeof(*st));
    return true;
}

// `before` is the node page's seq from before the call, which may have changed something itself.
static void told_note(struct file *file, const struct fs_told *told, uint32_t before)
{
    uint32_t after;
    if (!told->alone || before & 1 || !user_peek32(&file->node->seq, &after) || after != before)
        return;
    if (!file->told)
        file->told = heap_alloc(sizeof(*file->told));
    if (!file->told)
        return;
    memcpy(file->told, &told->st, sizeof(told->st));
    file->told_seq = before;
}

int endpoint_stat(struct file *file, struct lx_stat *st)
{
    uint32_t before = TOLD_NOTHING;
    if (own_stat(file, st) || page_stat(file, st) || lookup_ino(file->ino, st))
        return 0;
    struct exo_msg m = {.meta = EXO_META(1, 0), .w = {FS_OP_STAT, LX_AT_EMPTY_PATH}};
    if (file->ops == &regular_ops && file->node && !user_peek32(&file->node->seq, &before))
        before = TOLD_NOTHING;
    msg_page()[0] = 0;
    long err = server_call(file->endpoint, &m);
    if (err < 0)
        return (int)err;
    memcpy(st, msg_page(), sizeof(*st));
    told_note(file, (const struct fs_told *)msg_page(), before);
    return 0;
}

static unsigned dir_poll(struct file *file, unsigned events, struct poll_set *set)
{
    (void)file, (void)set;
    return events & (LX_POLLIN | LX_POLLOUT | LX_POLLRDNORM | LX_POLLWRNORM);
}

const struct file_ops dir_ops = {
    .kind = FD_KIND_DIR,
    .seek = dir_seek,
    .readdir = dir_readdir,
    .stat = endpoint_stat,
    .poll = dir_poll,
    .close = dir_close,
};

// O_PATH: a name, not an open file.
const struct file_ops path_ops = {
    .kind = FD_KIND_PATH,
    .stat = endpoint_stat,
};

long px_getdents64(int fd, uint64_t buf, size_t n)
{
    struct file *file = fd_file(fd);
    if (!file || file->ops == &path_ops)
        return -LX_EBADF;
    if (!file->ops->readdir)
        return -LX_ENOTDIR;
    return file->ops->readdir(file, buf, n);
}
