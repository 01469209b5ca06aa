// SPDX-License-Identifier: MIT
// Regular files that grow.
//
// fsd makes a file grow: by small pieces with their bytes in the message (one call, atomic, appends
// never interleave within a piece), or by reserve, copy, commit. Who makes a file grow again and
// again asks for a lease with the reservation (struct fs_own in proto/fs.h): then what is written
// at the end of the file is claimed by one compare-and-swap, copied, and made a part of the file by
// another. The lease ends when somebody else has to do with the file, and then the second
// compare-and-swap fails: what is claimed is still reserved, and committed by call.
//
// A lease is asked for at the second call in a row that makes the file grow. One that was taken
// away before it was of use is asked for later and later.
//
// Before a fork all leases are given up: the page they are in is the process's alone.
#include <fs/file.h>

#define OF_USE       4u // writes
#define PATIENCE_MAX 64u

static struct file *lessees[FS_GROW_MAX]; // by place in the page

// --- the lease -----------------------------------------------------------------------------------

static void lease_drop(struct file *file)
{
    for (unsigned i = 0; i < FS_GROW_MAX; i++) {
        if (lessees[i] == file)
            lessees[i] = NULL;
    }
    file->reg.grow.word = 0;
}

static void be_patient(struct grow *g)
{
    g->calls = 0;
    g->patience = g->patience < PATIENCE_MAX ? 2 * g->patience + 1 : PATIENCE_MAX;
}

static void lease_lost(struct file *file)
{
    struct grow *g = &file->reg.grow;
    lease_drop(file);
    if (g->served < OF_USE) {
        be_patient(g);
        return;
    }
    g->calls = 1;
    g->patience = 0;
}

static bool lease_wanted(struct file *file)
{
    struct grow *g = &file->reg.grow;
    return (g->word || ++g->calls > 1 + g->patience) && own_page();
}

// place and end: as fsd answered.
static void lease_begin(struct file *file, uint64_t place, uint64_t start, uint64_t end)
{
    struct grow *g = &file->reg.grow;
    lease_drop(file);
    if (!place || place > FS_GROW_MAX || end < start) {
        be_patient(g);
        return;
    }
    if (lessees[place - 1])
        lease_drop(lessees[place - 1]);
    lessees[place - 1] = file;
    g->word = (uint64_t)&own_page()->grow[place - 1];
    g->start = start;
    g->end = end;
    g->served = 0;
}

// Where the file ends by its lease. False: the lease is over.
static inline bool lease_look(const struct grow *g, uint64_t *word, uint64_t *at)
{
    if (!user_peek64((void *)g->word, word) || *word & FS_GROW_ENDED)
        return false;
    *at = g->start + FS_GROW_DONE(*word);
    return *at <= g->end && FS_GROW_DONE(*word) == FS_GROW_CLAIMED(*word);
}

// Claims n bytes at `offset`, which must be the end. False: the lease does not give them.
static bool claim(struct file *file, uint64_t offset, size_t n, uint64_t *at)
{
    struct grow *g = &file->reg.grow;
    uint64_t word;
    if (!g->word)
        return false;
    if (!lease_look(g, &word, at)) {
        lease_lost(file);
        return false;
    }
    uint32_t done = FS_GROW_DONE(word);
    if ((offset != UINT64_MAX && offset != *at) || n > g->end - *at ||
        user_cas64(g->word, &word, FS_GROW(done, done + n)) < 0)
        return false;
    g->served++;
    return true;
}

// Of the n bytes reserved at `at`, `done` are written.
static long finish(struct file *file, uint64_t at, size_t n, size_t done)
{
    struct grow *g = &file->reg.grow;
    if (g->word) {
        uint64_t from = at - g->start, word = FS_GROW(from, from + n);
        if (user_cas64(g->word, &word, FS_GROW(from + done, from + done)) == 0)
            return 0;
        lease_lost(file);
    }
    struct exo_msg m = {.w = {FS_OP_COMMIT, at, done}};
    return server_call(file->endpoint, &m);
}

static long settle(exo_handle_t endpoint, uint64_t *size)
{
    struct exo_msg m = {.w = {FS_OP_SETTLE}};
    long err = server_call(endpoint, &m);
    *size = m.w[1];
    return err;
}

uint64_t grow_size(struct file *file)
{
    uint64_t word, size;
    for (unsigned i = 0; i < FS_GROW_MAX; i++) {
        if (lessees[i] && lessees[i]->ino == file->ino &&
            lease_look(&lessees[i]->reg.grow, &word, &size))
            return size;
    }
    return settle(file->endpoint, &size) < 0 ? file->node->size : size;
}

void file_settle(struct file *file)
{
    uint64_t size;
    if (file->node->leased)
        settle(file->endpoint, &size);
}

void grow_close(struct file *file)
{
    if (file->reg.grow.word)
        lease_drop(file);
}

void grow_flush(void)
{
    uint64_t size;
    bool any = false;
    for (unsigned i = 0; i < FS_GROW_MAX; i++) {
        if (!lessees[i])
            continue;
        lessees[i]->reg.grow.word = 0;
        lessees[i] = NULL;
        any = true;
    }
    if (any)
        settle(fd_root(), &size);
}

// --- writing -------------------------------------------------------------------------------------

// Bytes by message: for what extends the file, and for openers who may write and not read (a
// writable mapping can be read, so they get none).
static long write_by_message(struct file *file, uint64_t buf, size_t n, uint64_t *offset)
{
    bool append = *offset == UINT64_MAX;
    size_t done = 0;
    uint64_t end = 0;
    while (done < n) {
        size_t chunk = n - done < EXO_MSG_SIZE ? n - done : EXO_MSG_SIZE;
        if (user_read(msg_page(), buf + done, chunk) < 0)
            return done ? (long)done : -LX_EFAULT;
        uint64_t at = append ? UINT64_MAX : *offset + done;
        struct exo_msg m = {.meta = EXO_META(chunk, 0), .w = {FS_OP_WRITE, at, chunk}};
        long put = server_call(file->endpoint, &m);
        if (put < 0)
            return done ? (long)done : put;
        done += (size_t)put;
        end = m.w[2] + (uint64_t)put;
        if ((size_t)put < chunk)
            break;
    }
    if (append)
        *offset = end - done;
    return (long)done;
}

static long reserve(struct file *file, uint64_t offset, size_t n, bool lease, uint64_t *at)
{
    struct exo_msg m = {.w = {FS_OP_RESERVE, offset, n, lease}};
    long got = server_call(file->endpoint, &m);
    *at = m.w[1];
    if (lease)
        lease_begin(file, got > 0 ? m.w[2] : 0, *at, m.w[3]);
    return got;
}

// Room first, then the bytes straight into the segments, then the size. When the file was cut
// meanwhile, all of it is done again, behind the cut.
long file_extend(struct file *file, uint64_t buf, size_t n, uint64_t *offset)
{
    for (;;) {
        uint64_t at;
        long got = (long)n;
        if (!claim(file, *offset, n, &at)) {
            bool lease = lease_wanted(file);
            got = lease || n > EXO_MSG_SIZE ? reserve(file, *offset, n, lease, &at) : -LX_EACCES;
            if (got == -LX_EACCES)
                return write_by_message(file, buf, n, offset);
            if (got <= 0)
                return got;
        }
        long done = file_transfer(file, (uint8_t *)buf, (size_t)got, at, true);
        long err = finish(file, at, (size_t)got, done > 0 ? (size_t)done : 0);
        if (err == -LX_EAGAIN)
            continue;
        if (done > 0)
            *offset = at;
        return done > 0 && err < 0 ? err : done;
    }
}
