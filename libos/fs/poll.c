// SPDX-License-Identifier: MIT
// poll, select and their relatives: ask every file, and when none is ready sleep on the words and
// counts that can make one ready. POSIX: poll(), select(), pselect().
//
// Most calls find something ready or do not want to wait: the files are asked once without keeping
// conditions, and again with them before sleeping. The conditions carry the values seen when the
// file was asked, so nothing that happens in between is lost.
#include <fs/file.h>

#define POLL_SMALL  128 // descriptors of a select that need no memory of the heap
#define CONDS_SMALL 32

void poll_word(struct poll_set *set, const volatile uint32_t *word, uint32_t value)
{
    if (set && set->count < set->max)
        set->conds[set->count++] = (struct exo_cond){EXO_COND_WORD, value, (uint64_t)word};
}

void poll_cap(struct poll_set *set, enum exo_cond_kind kind, exo_handle_t cap, uint32_t least)
{
    if (set && set->count < set->max)
        set->conds[set->count++] = (struct exo_cond){kind, least, cap};
}

static unsigned __attribute__((noinline)) poll_plain(const struct file *file, unsigned events)
{
    return file->ops == &path_ops ? LX_POLLNVAL : events & (LX_POLLIN | LX_POLLOUT);
}

static inline unsigned poll_file(int fd, unsigned events, struct poll_set *set)
{
    struct file *file = fd_file(fd);
    if (!file)
        return fd < 0 ? 0 : LX_POLLNVAL;
    if (!file->ops->poll)
        return poll_plain(file, events);
    return file->ops->poll(file, events | LX_POLLERR | LX_POLLHUP, set);
}

// The array is the application's: each entry is read once, and its answer stored, in place.
static long poll_once(uint64_t ufds, uint32_t n, struct poll_set *set)
{
    long ready = 0;
    for (; n; n--, ufds += sizeof(struct lx_pollfd)) {
        uint64_t entry;
        if (!user_peek64((const void *)ufds, &entry))
            return -LX_EFAULT;
        unsigned now = poll_file((int)entry, (uint16_t)(entry >> 32), set);
        if (!user_poke16(ufds + offsetof(struct lx_pollfd, revents), (uint16_t)now))
            return -LX_EFAULT;
        ready += now != 0;
    }
    return ready;
}

// Each file adds at most four conditions (a FIFO opened read-write).
#define CONDS_PER_FILE 4

static long poll_sleep(uint64_t ufds, uint32_t n, struct poll_set *set, exo_ns_t deadline)
{
    for (;;) {
        set->count = 0;
        set->deadline = EXO_NEVER;
        long ready = poll_once(ufds, n, set);
        if (ready)
            return ready;
        exo_ns_t until = set->deadline < deadline ? set->deadline : deadline;
        int err = block_wait(set->conds, set->count, until);
        if (err == -LX_ETIMEDOUT && until == deadline)
            return poll_once(ufds, n, NULL);
        if (err < 0 && err != -LX_ETIMEDOUT)
            return err == -ERESTARTSYS ? block_again(deadline) : err;
    }
}

static long __attribute__((noinline)) poll_wait(uint64_t ufds, uint32_t n, exo_ns_t deadline)
{
    struct exo_cond small[CONDS_SMALL];
    struct poll_set set = {.conds = small, .max = CONDS_PER_FILE * n};
    if (set.max > CONDS_SMALL) {
        set.conds = heap_alloc(set.max * sizeof(*set.conds));
        if (!set.conds)
            return -LX_ENOMEM;
    }
    long ready = poll_sleep(ufds, n, &set, deadline);
    if (set.conds != small)
        heap_free(set.conds);
    return ready;
}

static long poll_loop(uint64_t ufds, uint32_t n, exo_ns_t deadline)
{
    long ready = poll_once(ufds, n, NULL);
    return ready || deadline == 0 ? ready : poll_wait(ufds, n, deadline);
}

static long poll_user(uint64_t ufds, uint32_t n, exo_ns_t deadline)
{
    return n > fd_limit() ? -LX_EINVAL : poll_loop(ufds, n, deadline);
}

// A relative time as a deadline: 0 = do not wait, EXO_NEVER = for ever.
static exo_ns_t deadline_in(int64_t sec, int64_t nsec)
{
    if (sec == 0 && nsec == 0)
        return 0;
    uint64_t now = clock_now(), room = EXO_NEVER - 1 - now;
    if ((uint64_t)sec >= room / 1000000000)
        return EXO_NEVER;
    return now + (uint64_t)sec * 1000000000 + (uint64_t)nsec;
}

static int deadline_from_user(uint64_t utime, exo_ns_t *deadline)
{
    struct lx_timespec t;
    *deadline = EXO_NEVER;
    if (!utime)
        return 0;
    if (user_read(&t, utime, sizeof(t)) < 0)
        return -LX_EFAULT;
    if (t.sec < 0 || t.nsec < 0 || t.nsec > 999999999)
        return -LX_EINVAL;
    *deadline = deadline_in(t.sec, t.nsec);
    return 0;
}

long px_poll(uint64_t ufds, uint32_t n, int timeout_ms)
{
    if (timeout_ms == 0)
        return poll_user(ufds, n, 0);
    exo_ns_t deadline =
        timeout_ms < 0 ? EXO_NEVER : deadline_in(timeout_ms / 1000, timeout_ms % 1000 * 1000000ll);
    return poll_user(ufds, n, block_deadline(deadline));
}

// Replaces the signal mask for the duration of a call; the old one comes back after the handler, or
// at once.
static int mask_for_call(uint64_t umask, size_t size)
{
    uint64_t mask;
    if (!umask)
        return 0;
    if (size != sizeof(mask))
        return -LX_EINVAL;
    if (user_read(&mask, umask, sizeof(mask)) < 0)
        return -LX_EFAULT;
    sig_mask_for_call(mask);
    return 0;
}

long px_ppoll(uint64_t ufds, uint32_t n, uint64_t utime, uint64_t umask, size_t size)
{
    exo_ns_t deadline, begun = block_deadline(0);
    int err = deadline_from_user(utime, &deadline);
    if (begun)
        deadline = begun;
    if (err == 0)
        err = mask_for_call(umask, size);
    if (err < 0)
        return err;
    return poll_user(ufds, n, deadline);
}

// --- select --------------------------------------------------------------------------------------

#define SET_WORDS (LX_FD_SETSIZE / 64)
struct fd_sets {
    uint64_t in[SET_WORDS], out[SET_WORDS], except[SET_WORDS];
};

static int sets_read(struct fd_sets *sets, uint32_t words, const uint64_t user[3])
{
    uint64_t *to[3] = {sets->in, sets->out, sets->except};
    for (int i = 0; i < 3; i++) {
        if (!user[i])
            memset(to[i], 0, words * sizeof(uint64_t));
        else if (user_read(to[i], user[i], words * sizeof(uint64_t)) < 0)
            return -LX_EFAULT;
    }
    return 0;
}

// The descriptors below n of all sets; their number, or an error.
static long sets_list(const struct fd_sets *sets, int n, struct lx_pollfd *fds)
{
    uint32_t count = 0;
    for (int base = 0; base < n; base += 64) {
        uint64_t in = sets->in[base / 64], out = sets->out[base / 64];
        uint64_t except = sets->except[base / 64], any = in | out | except;
        if (n - base < 64)
            any &= (1ull << (n - base)) - 1;
        for (; any; any &= any - 1) {
            int i = __builtin_ctzll(any);
            if (!fd_file(base + i))
                return -LX_EBADF;
            int events = (in >> i & 1 ? LX_POLLIN : 0) | (out >> i & 1 ? LX_POLLOUT : 0) |
                         (except >> i & 1 ? LX_POLLPRI : 0);
            fds[count++] = (struct lx_pollfd){base + i, (int16_t)events, 0};
        }
    }
    return count;
}

static long sets_write(const struct lx_pollfd *fds, uint32_t count, uint32_t words,
                       const uint64_t user[3])
{
    struct fd_sets r;
    long bits = 0;
    memset(r.in, 0, words * sizeof(uint64_t));
    memset(r.out, 0, words * sizeof(uint64_t));
    memset(r.except, 0, words * sizeof(uint64_t));
    for (uint32_t i = 0; i < count; i++) {
        int fd = fds[i].fd, re = fds[i].revents, ev = fds[i].events;
        uint64_t b = 1ull << (fd % 64);
        if ((ev & LX_POLLIN) && (re & (LX_POLLIN | LX_POLLHUP | LX_POLLERR)))
            r.in[fd / 64] |= b, bits++;
        if ((ev & LX_POLLOUT) && (re & (LX_POLLOUT | LX_POLLERR)))
            r.out[fd / 64] |= b, bits++;
        if ((ev & LX_POLLPRI) && (re & LX_POLLPRI))
            r.except[fd / 64] |= b, bits++;
    }
    const uint64_t *from[3] = {r.in, r.out, r.except};
    for (int i = 0; i < 3; i++) {
        if (user[i] && user_write(user[i], from[i], words * sizeof(uint64_t)) < 0)
            return -LX_EFAULT;
    }
    return bits;
}

static long select_until(int n, const uint64_t user[3], exo_ns_t deadline)
{
    struct lx_pollfd small[POLL_SMALL], *fds = small;
    struct fd_sets sets;
    if (n < 0)
        return -LX_EINVAL;
    if (n > LX_FD_SETSIZE)
        n = LX_FD_SETSIZE;
    uint32_t words = (uint32_t)(n + 63) / 64;
    long err = sets_read(&sets, words, user);
    if (err < 0)
        return err;
    if (n > POLL_SMALL && !(fds = heap_alloc((size_t)n * sizeof(*fds))))
        return -LX_ENOMEM;
    long count = sets_list(&sets, n, fds);
    err = count < 0 ? count : poll_loop((uint64_t)fds, (uint32_t)count, deadline);
    if (err >= 0)
        err = sets_write(fds, (uint32_t)count, words, user);
    if (fds != small)
        heap_free(fds);
    return err;
}

// Linux stores the time that is left; programs written for it rely on that.
static void store_rest(uint64_t utime, exo_ns_t deadline, bool micro)
{
    if (!utime || deadline == EXO_NEVER)
        return;
    exo_ns_t now = clock_now();
    uint64_t left = deadline > now ? deadline - now : 0;
    int64_t rest[2] = {(int64_t)(left / 1000000000), (int64_t)(left % 1000000000)};
    if (micro)
        rest[1] /= 1000;
    user_write(utime, rest, sizeof(rest));
}

long px_select(int n, uint64_t in, uint64_t out, uint64_t except, uint64_t utime)
{
    exo_ns_t deadline = EXO_NEVER, begun = block_deadline(0);
    if (utime) {
        struct lx_timeval t;
        if (user_read(&t, utime, sizeof(t)) < 0)
            return -LX_EFAULT;
        if (t.sec < 0 || t.usec < 0)
            return -LX_EINVAL;
        deadline = deadline_in(t.sec + t.usec / 1000000, t.usec % 1000000 * 1000);
    }
    if (begun)
        deadline = begun;
    long ready = select_until(n, (uint64_t[3]){in, out, except}, deadline);
    if (ready >= 0)
        store_rest(utime, deadline, true);
    return ready;
}

long px_pselect6(int n, uint64_t in, uint64_t out, uint64_t except, uint64_t utime, uint64_t umask)
{
    exo_ns_t deadline, begun = block_deadline(0);
    uint64_t mask[2] = {0, 0};
    int err = deadline_from_user(utime, &deadline);
    if (begun)
        deadline = begun;
    if (err == 0 && umask)
        err = user_read(mask, umask, sizeof(mask));
    if (err == 0)
        err = mask_for_call(mask[0], mask[1]);
    if (err < 0)
        return err;
    long ready = select_until(n, (uint64_t[3]){in, out, except}, deadline);
    if (ready >= 0)
        store_rest(utime, deadline, false);
    return ready;
}
