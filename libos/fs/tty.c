// SPDX-License-Identifier: MIT
// Terminals, as a client of ttyd (proto/tty.h). Bytes go by call, because a shared input page would
// let every holder of the terminal read what is typed to another. What may be known without asking
// (settings, size, foreground group, readiness) stands in a read-only page.
#include <fs/handover.h>
#include <fs/pts.h>
#include <proc/signal.h>
#include <proto/tty.h>

struct tty_file {
    exo_handle_t page_cap;
    const volatile struct tty_page *page;
    uint32_t side;
    uint32_t hangups; // of the page when this was opened
    bool no_ctty;     // TIOCNOTTY was done here
};

static bool off(int signo)
{
    return (thread_self()->sigmask & LX_SIGBIT(signo)) ||
           sig.action[signo - 1].handler == LX_SIG_IGN;
}

static uint32_t call_flags(struct file *file)
{
    const struct tty_file *t = file->private;
    return ((file_flags(file) & LX_O_NONBLOCK) ? TTY_F_NONBLOCK : 0) |
           (off(LX_SIGTTIN) ? TTY_F_TTIN_OFF : 0) | (off(LX_SIGTTOU) ? TTY_F_TTOU_OFF : 0) |
           (t->no_ctty ? TTY_F_NOCTTY : 0);
}

// "Not yet": sleeps until the event word moves or the deadline ttyd gave has come. Other verdicts
// become results.
static long not_yet(struct file *file, long verdict, const struct exo_msg *m,
                    const volatile uint32_t *event)
{
    if (verdict == -TTY_RESTART) {
        sys_work_set();
        return -ERESTARTSYS;
    }
    if (verdict != -LX_EAGAIN || (file_flags(file) & LX_O_NONBLOCK))
        return verdict;
    struct exo_cond same = {EXO_COND_WORD, (uint32_t)m->w[1], (uint64_t)event};
    int err = block_wait(&same, 1, m->w[2] ? m->w[2] : EXO_NEVER);
    return err == -LX_ETIMEDOUT ? 0 : err;
}

static long tty_read(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    const struct tty_file *t = file->private;
    exo_ns_t start = clock_now();
    (void)offset;
    if (n > EXO_MSG_SIZE)
        n = EXO_MSG_SIZE;
    for (;;) {
        struct exo_msg m = {.w = {TTY_OP_READ, n, call_flags(file), start}};
        long got = server_call(file->endpoint, &m);
        if (got >= 0) {
            if ((size_t)got > n)
                return -LX_EIO;
            return user_write(buf, msg_page(), (size_t)got) < 0 ? -LX_EFAULT : got;
        }
        got = not_yet(file, got, &m, &t->page->side[t->side].in_event);
        if (got < 0)
            return got;
    }
}

static long tty_write(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    const struct tty_file *t = file->private;
    size_t done = 0;
    (void)offset;
    while (done < n) {
        size_t chunk = n - done < EXO_MSG_SIZE ? n - done : EXO_MSG_SIZE;
        if (user_read(msg_page(), buf + done, chunk) < 0)
            return done ? (long)done : -LX_EFAULT;
        struct exo_msg m = {.meta = EXO_META(chunk, 0),
                            .w = {TTY_OP_WRITE, chunk, call_flags(file)}};
        long put = server_call(file->endpoint, &m);
        if (put > 0) {
            done += (size_t)put < chunk ? (size_t)put : chunk;
            continue;
        }
        put = not_yet(file, put, &m, &t->page->side[t->side].out_event);
        if (put < 0)
            return done ? (long)done : put;
    }
    return (long)done;
}

static long ioctl_peer(struct file *file, struct exo_msg *m);

static long tty_ioctl(struct file *file, uint64_t request, uint64_t arg)
{
    struct tty_file *t = file->private;
    uint32_t in = tty_ioctl_in((uint32_t)request), out = tty_ioctl_out((uint32_t)request);
    for (;;) {
        struct exo_msg m = {.meta = EXO_META(in, 0),
                            .w = {TTY_OP_IOCTL, request, arg, call_flags(file)}};
        if (in && user_read(msg_page(), arg, in) < 0)
            return -LX_EFAULT;
        if (request == LX_TIOCGPTPEER)
            return ioctl_peer(file, &m);
        long done = server_call(file->endpoint, &m);
        if (done >= 0) {
            if (request == LX_TIOCNOTTY)
                t->no_ctty = done == 0;
            if (out && user_write(arg, msg_page(), out) < 0)
                return -LX_EFAULT;
            return request == LX_TIOCNOTTY ? 0 : done;
        }
        done = not_yet(file, done, &m, &t->page->side[t->side].out_event);
        if (done < 0)
            return done;
    }
}

static unsigned tty_poll(struct file *file, unsigned events, struct poll_set *set)
{
    const struct tty_file *t = file->private;
    const volatile struct tty_side *side = &t->page->side[t->side];
    uint32_t in = side->in_event, out = side->out_event;
    uint32_t ready = side->poll;
    if (t->page->hangups != t->hangups) { // the bits may be a newer session's
        struct exo_msg m = {.w = {TTY_OP_POLL}};
        long bits = server_call(file->endpoint, &m);
        ready = bits < 0 ? LX_POLLHUP | LX_POLLERR : (uint32_t)bits;
    }
    if (ready & LX_POLLIN)
        ready |= LX_POLLRDNORM;
    if (ready & LX_POLLOUT)
        ready |= LX_POLLWRNORM;
    poll_word(set, &side->in_event, in);
    poll_word(set, &side->out_event, out);
    return ready & (events | LX_POLLHUP | LX_POLLERR);
}

void tty_fill_stat(const struct tty_stat *ts, struct lx_stat *st)
{
    int64_t wall = EXO_INFO->wall_ns;
    st->st_mode = ts->mode;
    st->st_uid = ts->uid;
    st->st_gid = ts->gid;
    st->st_nlink = 1;
    st->st_blksize = 1024;
    st->st_atime_sec = (ts->atime_ns + wall) / 1000000000;
    st->st_mtime_sec = (ts->mtime_ns + wall) / 1000000000;
    st->st_ctime_sec = (ts->ctime_ns + wall) / 1000000000;
}

static int tty_fstat(struct file *file, struct lx_stat *st)
{
    struct exo_msg m = {.w = {TTY_OP_STAT}};
    struct tty_stat ts;
    long err = server_call(file->endpoint, &m);
    if (err < 0)
        return (int)err;
    memcpy(&ts, msg_page(), sizeof(ts));
    tty_fill_stat(&ts, st);
    st->st_rdev = file->rdev;
    st->st_dev = file->rdev >> 8 >= TTY_RDEV_PTS_MAJOR ? PTS_DEV : FS_ROOT_DEV;
    st->st_ino = file->ino;
    return 0;
}

static void tty_close(struct file *file)
{
    struct tty_file *t = file->private;
    if (!t)
        return;
    if (t->page_cap)
        window_close((void *)(uintptr_t)t->page, 1, t->page_cap);
    heap_free(t);
}

const struct file_ops tty_ops = {
    .kind = FD_KIND_TTY,
    .read = tty_read,
    .write = tty_write,
    .ioctl = tty_ioctl,
    .stat = tty_fstat,
    .poll = tty_poll,
    .close = tty_close,
};

// Makes a file of an answer to OPEN; takes the two capabilities.
static long opened(const struct exo_msg *m, const exo_handle_t caps[2], uint32_t flags,
                   struct file **out)
{
    struct file *file = file_new(&tty_ops, flags);
    struct tty_file *t = heap_alloc(sizeof(*t));
    if (!file || !t || !caps[0] || !caps[1]) {
        for (int i = 0; i < 2; i++) {
            if (caps[i])
                exo_cap_delete(caps[i]);
        }
        heap_free(file);
        heap_free(t);
        return -LX_ENOMEM;
    }
    file->private = t;
    file->endpoint = caps[0];
    file->rdev = (uint32_t)m->w[1];
    file->ino = pts_ino(file->rdev);
    file->mode = LX_S_IFCHR;
    t->page_cap = caps[1];
    t->side = m->w[2] & 1;
    void *page;
    int err = window_map(caps[1], 0, 1, EXO_R_READ, &page);
    if (err < 0) {
        file_put(file);
        return err;
    }
    t->page = page;
    t->hangups = t->page->hangups;
    *out = file;
    return 0;
}

static long open_call(exo_handle_t endpoint, struct exo_msg *m, uint32_t flags, struct file **out)
{
    struct exo_ctx *ctx = ctx_self();
    memset(ctx->recv, 0, sizeof(ctx->recv));
    long err = server_call(endpoint, m);
    exo_handle_t caps[2] = {ctx->recv[0], ctx->recv[1]};
    return err < 0 ? err : opened(m, caps, flags, out);
}

long tty_open(uint32_t rdev, uint32_t flags, struct file **out)
{
    struct exo_msg m = {.w = {TTY_OP_OPEN, rdev, flags}};
    long err = open_call(H_TTYD, &m, flags, out);
    if (err == 0)
        (*out)->rdev = rdev; // the name it was opened by: /dev/tty stays /dev/tty
    return err;
}

long tty_change(struct file *file, int op, uint64_t a, uint64_t b)
{
    struct exo_msg m = {.w = {(uint64_t)op, 0, a, b}};
    return server_call(file->endpoint, &m);
}

static long ioctl_peer(struct file *file, struct exo_msg *m)
{
    struct file *peer;
    uint32_t flags = (uint32_t)m->w[2];
    long err = open_call(file->endpoint, m, flags, &peer);
    return err < 0 ? err : fd_install(peer, flags, 0);
}

exo_handle_t tty_page_cap(const struct file *file)
{
    return ((const struct tty_file *)file->private)->page_cap;
}

// The side is not told by the capabilities; a master is the multiplexer's number.
long tty_rebuild(uint32_t rdev, uint32_t flags, exo_handle_t endpoint, exo_handle_t page,
                 struct file **out)
{
    struct exo_msg m = {.w = {0, rdev, rdev == TTY_RDEV_PTMX}};
    return opened(&m, (exo_handle_t[2]){endpoint, page}, flags, out);
}
