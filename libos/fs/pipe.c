// SPDX-License-Identifier: MIT
// Pipes and FIFOs: distrustful rings between processes. Layout and rules: pipe.h. POSIX: pipe(),
// read(), write().
//
// Nothing here makes a kernel entry unless somebody has to sleep or to be woken. An end is mapped
// when it is first used: most are closed after a fork without having been.
// A lock is never held across a sleep.
#include <fs/handover.h>
#include <fs/pipe.h>

struct pipe_end {            // one open end in this process (a FIFO opened read-write is both)
    exo_handle_t wcap, rcap; // writers' and readers' half, with the rights of this end
    struct pipe_writers *w;  // windows; NULL: not used yet
    struct pipe_readers *r;
    uint8_t *ring;
    uint32_t shown;                                     // bytes of the ring that are mapped
    uint32_t wrights;                                   // of the window of the writers' half
    const volatile struct exo_frame *wcounts, *rcounts; // exposed: of either half
    uint32_t base; // capabilities with the write right that fsd keeps (FIFO), not counted as ends
    uint64_t drained; // where the writers' cursor stood when the readers had got as far
};

// --- the exposed counts --------------------------------------------------------------------------

static bool writers_gone(const struct pipe_end *p)
{
    return __builtin_expect(p->wcounts->wcaps <= p->base, 0);
}

static bool readers_gone(const struct pipe_end *p)
{
    return __builtin_expect(p->rcounts->wcaps <= p->base, 0);
}

static void wake_if_sleeping(const volatile struct exo_frame *counts, const volatile void *word)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (counts->sleepers)
        exo_wake((uint64_t)word, UINT64_MAX);
}

// --- mapping an end ------------------------------------------------------------------------------

// Most pipes carry little: the ring is mapped as far as it was ever filled, in growing parts.
#define RING_FIRST ((uint32_t)EXO_PAGE_SIZE)

// Maps an end that is used for the first time. Who may write a half heads it.
static int __attribute__((noinline)) end_map(struct pipe_end *p)
{
    struct exo_cap_info wi = {0}, ri = {0};
    const uint32_t rw = EXO_R_READ | EXO_R_WRITE;
    if (exo_cap_identify(p->wcap, &wi) < 0 || exo_cap_identify(p->rcap, &ri) < 0 ||
        wi.length != 1 + PIPE_PAGES || ri.length != 1)
        return -LX_EIO;
    void *w, *r;
    int err = window_map_part(p->wcap, 0, 1 + RING_FIRST / EXO_PAGE_SIZE, 1 + PIPE_PAGES,
                              wi.rights & rw, &w);
    if (err < 0)
        return err;
    err = window_map(p->rcap, 0, 1, ri.rights & rw, &r);
    if (err < 0) {
        window_unmap(w, 1 + PIPE_PAGES);
        return err;
    }
    p->w = w;
    p->r = r;
    p->ring = (uint8_t *)w + EXO_PAGE_SIZE;
    p->shown = RING_FIRST;
    p->wrights = wi.rights & rw;
    p->wcounts = &EXO_FRAMES[wi.first_frame];
    p->rcounts = &EXO_FRAMES[ri.first_frame];
    if (wi.rights & EXO_R_WRITE) {
        p->w->size = sizeof(struct pipe_writers);
        p->w->version = 1;
    }
    if (ri.rights & EXO_R_WRITE) {
        p->r->size = sizeof(struct pipe_readers);
        p->r->version = 1;
    }
    return 0;
}

static inline int end_ready(struct pipe_end *p)
{
    return __builtin_expect(p->r != NULL, 1) ? 0 : end_map(p);
}

// --- the lock of a half --------------------------------------------------------------------------

// Nothing tells when a dying owner is gone, and nobody wakes lock waiters of a crashed one: look
// again after this long.
#define LOCK_PATIENCE_NS 2000000ull

static bool lock_swap(volatile uint64_t *lock, uint64_t *from, uint64_t to)
{
    return __atomic_compare_exchange_n(lock, from, to, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static int __attribute__((noinline)) half_lock_slow(volatile uint64_t *lock, uint64_t owner)
{
    uint64_t me = ctx_self()->env;
    for (;; owner = 0) {
        if (!owner && lock_swap(lock, &owner, me))
            return 0;
        uint64_t waited = owner & PIPE_LOCK_WAITED, env = owner & ~PIPE_LOCK_WAITED;
        if (env == me || !env_is_alive(env)) {
            if (lock_swap(lock, &owner, me | waited))
                return 0;
            continue;
        }
        if (!waited && !lock_swap(lock, &owner, owner | PIPE_LOCK_WAITED))
            continue;
        struct exo_cond held = {EXO_COND_WORD, (uint32_t)env, (uint64_t)lock};
        int err = block_wait(&held, 1, clock_now() + LOCK_PATIENCE_NS);
        if (err < 0 && err != -LX_ETIMEDOUT)
            return err;
    }
}

static inline int half_lock(volatile uint64_t *lock)
{
    uint64_t owner = 0;
    if (__builtin_expect(lock_swap(lock, &owner, ctx_self()->env), 1))
        return 0;
    return half_lock_slow(lock, owner);
}

static void __attribute__((noinline)) lock_wake(const volatile uint64_t *lock)
{
    exo_wake((uint64_t)lock, UINT64_MAX);
}

static inline void half_unlock(volatile uint64_t *lock)
{
    if (__builtin_expect((__atomic_exchange_n(lock, 0, __ATOMIC_SEQ_CST) & PIPE_LOCK_WAITED) != 0,
                         0))
        lock_wake(lock);
}

// --- the ring ------------------------------------------------------------------------------------

// Bytes in the ring, or an error when a cursor lies.
static int64_t ring_fill(uint32_t head, uint32_t tail)
{
    uint32_t fill = head - tail;
    return fill > PIPE_SIZE ? -LX_EIO : (int64_t)fill;
}

static bool ring_show(struct pipe_end *p, size_t end)
{
    if (end <= p->shown)
        return true;
    uint32_t to = p->shown * 4;
    while (to < end)
        to *= 4;
    to = to < PIPE_SIZE ? to : PIPE_SIZE;
    if (window_extend(p->wcap, p->w, 1 + p->shown / EXO_PAGE_SIZE, (to - p->shown) / EXO_PAGE_SIZE,
                      p->wrights) < 0)
        return false;
    p->shown = to;
    return true;
}

static size_t ring_part(struct pipe_end *p, uint32_t at, uint64_t buf, size_t n, bool put)
{
    return n - (put ? user_copy(p->ring + at, (void *)buf, n)
                    : user_copy((void *)buf, p->ring + at, n));
}

// In two parts where the ring ends.
static long __attribute__((noinline))
ring_copy_slow(struct pipe_end *p, uint32_t at, uint64_t buf, size_t n, bool put)
{
    size_t first = PIPE_SIZE - at < n ? PIPE_SIZE - at : n;
    if (!ring_show(p, at + first))
        return -LX_ENOMEM;
    size_t done = ring_part(p, at, buf, first, put);
    if (done == first && first < n)
        done += ring_part(p, 0, buf + first, n - first, put);
    return done ? (long)done : -LX_EFAULT;
}

// Copies n > 0 bytes between the ring and memory: how many, or -LX_E. `from` is the cursor less
// `start`, of which somebody else may have made anything.
static inline long ring_copy(struct pipe_end *p, uint32_t from, uint64_t buf, size_t n, bool put)
{
    uint32_t at = from % PIPE_SIZE;
    if (__builtin_expect(at + n > p->shown, 0))
        return ring_copy_slow(p, at, buf, n, put);
    size_t done = ring_part(p, at, buf, n, put);
    return done ? (long)done : -LX_EFAULT;
}

// --- reading -------------------------------------------------------------------------------------

// The writers' cursor as the ring counts.
static inline uint32_t cursor(const struct pipe_end *p)
{
    return (uint32_t)__atomic_load_n(&p->w->head, __ATOMIC_ACQUIRE);
}

// Takes what is there. 0 = empty.
static long read_now(struct pipe_end *p, uint64_t buf, size_t n)
{
    if (cursor(p) == p->r->tail)
        return 0;
    long err = half_lock(&p->r->lock);
    if (err < 0)
        return err;
    uint32_t tail = p->r->tail;
    int64_t fill = ring_fill(cursor(p), tail);
    long done = fill;
    if (fill > 0) {
        done = ring_copy(p, tail - p->w->start, buf, (size_t)fill < n ? (size_t)fill : n, false);
        if (done > 0)
            __atomic_store_n(&p->r->tail, tail + (uint32_t)done, __ATOMIC_RELEASE);
    }
    half_unlock(&p->r->lock);
    if (done > 0)
        wake_if_sleeping(p->rcounts, &p->r->tail);
    return done;
}

static long pipe_read(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    struct pipe_end *p = file->pipe;
    (void)offset;
    if (!n)
        return 0;
    int err = end_ready(p);
    if (err < 0)
        return err;
    for (;;) {
        uint32_t head = cursor(p);
        bool gone = writers_gone(p); // before looking for bytes: a writer writes, then goes
        long done = read_now(p, buf, n);
        if (done)
            return done;
        if (gone)
            return 0;
        if (file_flags(file) & LX_O_NONBLOCK)
            return -LX_EAGAIN;
        struct exo_cond same[2] = {{EXO_COND_WORD, head, (uint64_t)&p->w->head},
                                   {EXO_COND_WCAPS, p->base + 1, p->wcap}};
        err = block_wait(same, 2, EXO_NEVER);
        if (err < 0)
            return err;
    }
}

// --- writing -------------------------------------------------------------------------------------

// Puts up to n bytes, or nothing when fewer than `least` fit. 0 = no room.
static long write_now(struct pipe_end *p, uint64_t buf, size_t n, size_t least)
{
    long err = half_lock(&p->w->lock);
    if (err < 0)
        return err;
    uint64_t cursor64 = p->w->head;
    uint32_t head = (uint32_t)cursor64;
    int64_t fill = ring_fill(head, __atomic_load_n(&p->r->tail, __ATOMIC_ACQUIRE));
    long done = fill < 0 ? fill : 0;
    size_t room = fill < 0 ? 0 : PIPE_SIZE - (size_t)fill;
    if (fill >= 0 && room >= least) {
        if (!fill)
            p->w->start = head;
        done = ring_copy(p, head - p->w->start, buf, room < n ? room : n, true);
        // A write of up to PIPE_BUF is all or nothing, also when its buffer ends in nowhere.
        if (done >= 0 && (size_t)done < n && n <= LX_PIPE_BUF)
            done = -LX_EFAULT;
        if (done > 0)
            __atomic_store_n(&p->w->head, cursor64 + (uint64_t)done, __ATOMIC_RELEASE);
    }
    half_unlock(&p->w->lock);
    if (done > 0)
        wake_if_sleeping(p->wcounts, &p->w->head);
    return done;
}

static long broken_pipe(void)
{
    sig_raise_self(13 /* SIGPIPE */);
    return -LX_EPIPE;
}

static long pipe_write(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    struct pipe_end *p = file->pipe;
    size_t total = 0;
    (void)offset;
    if (!n)
        return 0;
    int err = end_ready(p);
    if (err < 0)
        return err;
    while (total < n) {
        if (readers_gone(p))
            return total ? (long)total : broken_pipe();
        uint32_t tail = __atomic_load_n(&p->r->tail, __ATOMIC_ACQUIRE);
        size_t rest = n - total;
        long done = write_now(p, buf + total, rest, n <= LX_PIPE_BUF ? n : 1);
        if (done > 0) {
            total += (size_t)done;
            continue;
        }
        if (done == 0 && (file_flags(file) & LX_O_NONBLOCK))
            done = -LX_EAGAIN;
        if (done < 0)
            return total ? (long)total : done;
        struct exo_cond same[2] = {{EXO_COND_WORD, tail, (uint64_t)&p->r->tail},
                                   {EXO_COND_WCAPS, p->base + 1, p->rcap}};
        err = block_wait(same, 2, EXO_NEVER);
        if (err < 0)
            return total ? (long)total : err;
    }
    return (long)total;
}

// --- the rest of the operations ------------------------------------------------------------------

// Polling many empty pipes touches one page of each: the readers cannot be further than the
// writers.
static inline unsigned poll_in(struct pipe_end *p, unsigned events, struct poll_set *set)
{
    bool gone = writers_gone(p); // before the cursor: a writer writes, then goes
    uint64_t head = __atomic_load_n(&p->w->head, __ATOMIC_ACQUIRE);
    unsigned ready = gone ? LX_POLLHUP : 0;
    if (head != p->drained) {
        if ((uint32_t)head != p->r->tail)
            ready |= events & (LX_POLLIN | LX_POLLRDNORM);
        else
            p->drained = head;
    }
    if (set) {
        poll_word(set, (const volatile uint32_t *)&p->w->head, (uint32_t)head);
        poll_cap(set, EXO_COND_WCAPS, p->wcap, p->base + 1);
    }
    return ready;
}

static unsigned poll_out(struct pipe_end *p, unsigned events, struct poll_set *set)
{
    uint32_t tail = __atomic_load_n(&p->r->tail, __ATOMIC_ACQUIRE);
    unsigned ready = 0;
    if (readers_gone(p))
        ready = LX_POLLERR | (events & (LX_POLLOUT | LX_POLLWRNORM));
    else if (PIPE_SIZE - (cursor(p) - tail) >= LX_PIPE_BUF)
        ready = events & (LX_POLLOUT | LX_POLLWRNORM);
    if (set) {
        poll_word(set, &p->r->tail, tail);
        poll_cap(set, EXO_COND_WCAPS, p->rcap, p->base + 1);
    }
    return ready;
}

// An end that is written. Out of line, like the first use below: most that are polled are read.
static unsigned __attribute__((noinline))
poll_writer(struct file *file, unsigned events, struct poll_set *set)
{
    unsigned ready = poll_out(file->pipe, events, set);
    return file->access == LX_O_WRONLY ? ready : ready | poll_in(file->pipe, events, set);
}

static unsigned __attribute__((noinline))
poll_first(struct file *file, unsigned events, struct poll_set *set)
{
    if (end_map(file->pipe) < 0)
        return LX_POLLERR;
    return file->access == LX_O_RDONLY ? poll_in(file->pipe, events, set)
                                       : poll_writer(file, events, set);
}

static unsigned pipe_poll(struct file *file, unsigned events, struct poll_set *set)
{
    struct pipe_end *p = file->pipe;
    if (__builtin_expect(!p->r, 0))
        return poll_first(file, events, set);
    return file->access == LX_O_RDONLY ? poll_in(p, events, set) : poll_writer(file, events, set);
}

// The first frame of the writers' half, 0 if the end cannot be mapped.
uint64_t pipe_number(const struct file *file)
{
    struct pipe_end *p = file->pipe;
    return end_ready(p) < 0 ? 0 : (uint64_t)(p->wcounts - EXO_FRAMES);
}

static int pipe_stat(struct file *file, struct lx_stat *st)
{
    if (file->endpoint)
        return endpoint_stat(file, st);
    st->st_mode = LX_S_IFIFO | 0600;
    st->st_ino = pipe_number(file);
    st->st_nlink = 1;
    st->st_blksize = (int64_t)EXO_PAGE_SIZE;
    st->st_uid = proc_self()->euid;
    st->st_gid = proc_self()->egid;
    return 0;
}

static long pipe_ioctl(struct file *file, uint64_t request, uint64_t arg)
{
    struct pipe_end *p = file->pipe;
    if (request != LX_FIONREAD)
        return -LX_ENOTTY;
    int err = end_ready(p);
    if (err < 0)
        return err;
    int64_t fill = ring_fill(cursor(p), p->r->tail);
    return fill < 0 ? (long)fill : user_store32(arg, (uint32_t)fill);
}

static void pipe_close(struct file *file)
{
    struct pipe_end *p = file->pipe;
    if (!p)
        return;
    if (p->wcap)
        window_close(p->w, 1 + PIPE_PAGES, p->wcap);
    if (p->rcap)
        window_close(p->r, 1, p->rcap);
    heap_free(p);
}

const struct file_ops pipe_ops = {
    .kind = FD_KIND_PIPE,
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .stat = pipe_stat,
    .poll = pipe_poll,
    .close = pipe_close,
};

// --- making --------------------------------------------------------------------------------------

// Takes the two capabilities, also on failure.
static int end_hold(struct file *file, exo_handle_t wcap, exo_handle_t rcap, uint32_t base)
{
    struct pipe_end *p = heap_alloc(sizeof(*p));
    if (!p) {
        exo_cap_delete(wcap);
        exo_cap_delete(rcap);
        return -LX_ENOMEM;
    }
    file->pipe = p; // from here on pipe_close undoes
    p->wcap = wcap;
    p->rcap = rcap;
    p->base = base;
    return 0;
}

static struct file *end_new(uint32_t access, uint32_t flags, exo_handle_t wcap, exo_handle_t rcap,
                            int *err)
{
    struct file *file = file_new(&pipe_ops, access | (flags & LX_O_NONBLOCK));
    *err = -LX_ENOMEM;
    if (!file) {
        exo_cap_delete(wcap);
        exo_cap_delete(rcap);
        return NULL;
    }
    file->mode = LX_S_IFIFO | 0600;
    *err = end_hold(file, wcap, rcap, 0);
    if (*err == 0)
        return file;
    file_put(file);
    return NULL;
}

// A weaker capability to hand to the other end; the strong one stays with this end.
static int64_t weaker(int64_t cap)
{
    return cap < 0 ? cap : exo_cap_copy((exo_handle_t)cap, EXO_R_READ, 0, 0);
}

static int pipe_make(uint32_t flags, struct file *ends[2])
{
    int err;
    int64_t w = frames_buy(1 + PIPE_PAGES);
    int64_t r = w < 0 ? w : frames_buy(1);
    int64_t w_weak = r < 0 ? r : weaker(w);
    int64_t r_weak = w_weak < 0 ? w_weak : weaker(r);
    if (r_weak < 0) {
        if (w_weak > 0 && r > 0)
            exo_cap_delete((exo_handle_t)w_weak);
        if (r > 0)
            exo_cap_delete((exo_handle_t)r);
        if (w > 0)
            exo_cap_delete((exo_handle_t)w);
        return r_weak == -EXO_ENOMEM ? -LX_ENFILE : lx_error(r_weak);
    }
    ends[0] = end_new(LX_O_RDONLY, flags, (exo_handle_t)w_weak, (exo_handle_t)r, &err);
    if (!ends[0]) {
        exo_cap_delete((exo_handle_t)w);
        exo_cap_delete((exo_handle_t)r_weak);
        return err;
    }
    ends[1] = end_new(LX_O_WRONLY, flags, (exo_handle_t)w, (exo_handle_t)r_weak, &err);
    if (!ends[1]) {
        file_put(ends[0]);
        return err;
    }
    return 0;
}

long px_pipe2(uint64_t ufds, uint32_t flags)
{
    struct file *ends[2] = {0};
    int32_t fds[2];
    if (flags & ~(LX_O_CLOEXEC | LX_O_NONBLOCK | LX_O_DIRECT))
        return -LX_EINVAL;
    if (user_write(ufds, (int32_t[2]){-1, -1}, sizeof(fds)) < 0)
        return -LX_EFAULT;
    int err = pipe_make(flags, ends);
    if (err < 0)
        return err;
    fds[0] = fd_install(ends[0], flags, 0);
    if (fds[0] < 0) {
        file_put(ends[1]);
        return fds[0];
    }
    fds[1] = fd_install(ends[1], flags, 0);
    if (fds[1] < 0) {
        px_close(fds[0]);
        return fds[1];
    }
    return user_write(ufds, fds, sizeof(fds));
}

long px_pipe(uint64_t ufds)
{
    return px_pipe2(ufds, 0);
}

long pipe_get_size(struct file *file)
{
    return file->ops == &pipe_ops ? (long)PIPE_SIZE : -LX_EBADF;
}

// The ring has one size; asking for no more than that is granted, as Linux rounds up too.
long pipe_set_size(struct file *file, uint64_t size)
{
    if (file->ops != &pipe_ops)
        return -LX_EBADF;
    return size > PIPE_SIZE ? -LX_EPERM : (long)PIPE_SIZE;
}

// --- FIFOs ---------------------------------------------------------------------------------------
// fsd keeps both halves of an open FIFO, each capability with the write right once; it hands out
// capabilities with the rights of the opening. POSIX open(): wait for the other side, unless
// O_NONBLOCK or read-write.

#define FIFO_BASE 1

static long fifo_wait_peer(struct file *file, uint32_t flags, uint64_t opens)
{
    struct pipe_end *p = file->pipe;
    bool reader = file_readable(file);
    if (reader && file_writable(file))
        return 0;
    if (flags & LX_O_NONBLOCK)
        return !reader && readers_gone(p) ? -LX_ENXIO : 0;
    // The counter, not the count: a peer that opened and closed again since we did has let us in
    // all the same.
    const volatile uint32_t *word = reader ? &file->node->fifo_writers : &file->node->fifo_readers;
    uint32_t event = (uint32_t)(reader ? opens >> 32 : opens);
    while ((reader ? writers_gone(p) : readers_gone(p)) && *word == event) {
        struct exo_cond same = {EXO_COND_WORD, event, (uint64_t)word};
        int err = block_wait(&same, 1, EXO_NEVER);
        if (err < 0)
            return err;
    }
    return 0;
}

// `opens` is w[5] of the open's answer.
long fifo_open(struct file *file, const exo_handle_t caps[2], uint32_t flags, uint64_t opens)
{
    void *node;
    int err;
    if (!caps[0] || !caps[1] || !file->node_cap) {
        for (int i = 0; i < 2; i++) {
            if (caps[i])
                exo_cap_delete(caps[i]);
        }
        return -LX_ENOMEM;
    }
    err = end_hold(file, caps[0], caps[1], FIFO_BASE);
    if (err == 0)
        err = end_map(file->pipe);
    if (err < 0)
        return err;
    err = window_map(file->node_cap, 0, 1, EXO_R_READ, &node);
    if (err < 0)
        return err;
    file->node = node;
    return fifo_wait_peer(file, flags, opens);
}

// --- from another environment --------------------------------------------------------------------

void pipe_caps(const struct file *file, uint64_t *writers, uint64_t *readers)
{
    *writers = file->pipe->wcap;
    *readers = file->pipe->rcap;
}

long pipe_rebuild(uint32_t flags, exo_handle_t writers, exo_handle_t readers, exo_handle_t endpoint,
                  struct file **out)
{
    struct file *file = file_new(&pipe_ops, flags & (LX_O_ACCMODE | LX_O_NONBLOCK));
    if (!file)
        return -LX_ENOMEM;
    file->mode = LX_S_IFIFO | 0600;
    file->endpoint = endpoint;
    int err = end_hold(file, writers, readers, endpoint ? FIFO_BASE : 0);
    if (err < 0) {
        file_put(file);
        return err;
    }
    *out = file;
    return 0;
}
