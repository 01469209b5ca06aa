// SPDX-License-Identifier: MIT
// Directories: reading entries. fsd answers with a message full of struct lx_dirent64; the position
// is its cookie, so that telldir and seekdir work and entries removed meanwhile do no harm.
#include <fs/file.h>

static long dir_readdir(struct file *file, uint64_t buf, size_t n)
{
    size_t done = 0;
    while (n - done >= sizeof(struct lx_dirent64) + 8) {
        size_t room = n - done < EXO_MSG_SIZE ? n - done : EXO_MSG_SIZE;
        struct exo_msg m = {.w = {FS_OP_READDIR, file->state->offset, room}};
        long got = server_call(file->endpoint, &m);
        if (got < 0)
            return done ? (long)done : got;
        if (!got)
            break;
        if (user_write(buf + done, msg_page(), (size_t)got) < 0)
            return done ? (long)done : -LX_EFAULT;
        done += (size_t)got;
        file->state->offset = m.w[1];
    }
    return (long)done;
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
    return offset;
}

int endpoint_stat(struct file *file, struct lx_stat *st)
{
    struct exo_msg m = {.meta = EXO_META(1, 0), .w = {FS_OP_STAT, LX_AT_EMPTY_PATH}};
    msg_page()[0] = 0;
    long err = server_call(file->endpoint, &m);
    if (err == 0)
        memcpy(st, msg_page(), sizeof(*st));
    return (int)err;
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
