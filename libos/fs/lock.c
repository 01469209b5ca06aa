// SPDX-License-Identifier: MIT
// Record locks and flock: kept by fsd, who waits is told by the node page's lock_event. POSIX:
// fcntl().
//
// fsd holds no caller: a request that conflicts is answered EAGAIN, and the caller sleeps until
// some lock of the file went, then asks again. fsd notes who waits, to find deadlocks; so who gives
// up tells it by another lock call.
#include <fs/file.h>

static int to_absolute(struct file *file, struct lx_flock *l)
{
    int64_t base = 0;
    if (l->l_whence == LX_SEEK_CUR)
        base = (int64_t)file->state->offset;
    else if (l->l_whence == LX_SEEK_END)
        base = (int64_t)file_size(file);
    else if (l->l_whence != LX_SEEK_SET)
        return -LX_EINVAL;
    if (__builtin_add_overflow(base, l->l_start, &l->l_start))
        return -LX_EOVERFLOW;
    if (l->l_len < 0) {
        if (__builtin_add_overflow(l->l_start, l->l_len, &l->l_start))
            return -LX_EINVAL;
        l->l_len = -l->l_len;
    }
    return l->l_start < 0 ? -LX_EINVAL : 0;
}

static int check_access(struct file *file, const struct lx_flock *l)
{
    switch (l->l_type) {
    case LX_F_RDLCK:
        return file_readable(file) ? 0 : -LX_EBADF;
    case LX_F_WRLCK:
        return file_writable(file) ? 0 : -LX_EBADF;
    case LX_F_UNLCK:
        return 0;
    default:
        return -LX_EINVAL;
    }
}

static long lock_call(struct file *file, int cmd, struct lx_flock *l)
{
    struct exo_msg m = {.w = {FS_OP_LOCK, (uint64_t)cmd, (uint64_t)l->l_type, (uint64_t)l->l_start,
                              (uint64_t)l->l_len, (uint64_t)l->l_pid}};
    long err = server_call(file->endpoint, &m);
    if (err == 0 && (cmd == LX_F_GETLK || cmd == LX_F_OFD_GETLK)) {
        l->l_type = (int16_t)m.w[1];
        l->l_start = (int64_t)m.w[2];
        l->l_len = (int64_t)m.w[3];
        l->l_pid = (int32_t)m.w[4];
        l->l_whence = LX_SEEK_SET;
    }
    return err;
}

// Interrupted: fsd is told that nobody waits any more.
static void lock_give_up(struct file *file)
{
    struct lx_flock l = {.l_type = LX_F_UNLCK};
    lock_call(file, LX_F_GETLK, &l);
}

static long lock_wait(struct file *file, uint32_t event)
{
    struct exo_cond same = {EXO_COND_WORD, event, (uint64_t)&file->node->lock_event};
    return block_wait(&same, 1, EXO_NEVER);
}

long fcntl_lock(struct file *file, int cmd, uint64_t arg)
{
    struct lx_flock l;
    if (file->ops != &regular_ops)
        return file->ops == &path_ops ? -LX_EBADF : -LX_EINVAL;
    if (user_read(&l, arg, sizeof(l)) < 0)
        return -LX_EFAULT;
    bool get = cmd == LX_F_GETLK || cmd == LX_F_OFD_GETLK;
    bool wait = cmd == LX_F_SETLKW || cmd == LX_F_OFD_SETLKW;
    long err = to_absolute(file, &l);
    if (err == 0)
        err = get ? (l.l_type == LX_F_UNLCK && cmd == LX_F_GETLK ? -LX_EINVAL : 0)
                  : check_access(file, &l);
    if (err < 0)
        return err;
    file->locked = true;
    for (;;) {
        uint32_t event = file->node->lock_event;
        err = lock_call(file, cmd, &l);
        if (err == 0 && !get && cmd <= LX_F_SETLKW)
            fd_locks_used = true;
        if (err != -LX_EAGAIN || !wait)
            break;
        err = lock_wait(file, event);
        if (err < 0) {
            lock_give_up(file);
            return err;
        }
    }
    if (err == 0 && get)
        err = user_write(arg, &l, sizeof(l));
    return err;
}

long px_flock(int fd, int operation)
{
    struct file *file = fd_file(fd);
    int op = operation & ~LX_LOCK_NB;
    if (!file || file->ops == &path_ops)
        return -LX_EBADF;
    if (op != LX_LOCK_SH && op != LX_LOCK_EX && op != LX_LOCK_UN)
        return -LX_EINVAL;
    if (!file->endpoint || !file->node)
        return -LX_EINVAL;
    file->locked = true;
    for (;;) {
        uint32_t event = file->node->lock_event;
        struct exo_msg m = {.w = {FS_OP_FLOCK, (uint64_t)op}};
        long err = server_call(file->endpoint, &m);
        if (err != -LX_EAGAIN || (operation & LX_LOCK_NB))
            return err;
        err = lock_wait(file, event);
        if (err < 0)
            return err;
    }
}
