// SPDX-License-Identifier: MIT
// Several clients at random, against a model of files as byte arrays and names as an array of them;
// after each step what must always hold is checked, at the end the volume by e2fsck. Arguments:
// steps, seed.
//
// Writes are interleaved at the only place where the server sees them half done, between RESERVE
// and COMMIT. Bytes that a writer has put past the end are expected when it commits, and zeroes
// where nobody did.
#include "client.h"

enum { CLIENTS = 4, FILES = 12, NAMES = 10, SIZE = 300000 };

struct inode { // model
    int names, opens;
    uint64_t size;
    uint8_t data[SIZE];
};

struct handle {
    struct file f;
    struct inode *inode;         // NULL: not open
    uint64_t start, length, put; // reservation
    uint8_t byte;
    bool reserved, broken;
};

static struct client clients[CLIENTS];
static struct handle handles[CLIENTS * FILES]; // by client
static struct inode *names[NAMES];
static uint8_t buffer[SIZE], got[SIZE];

static const char *name_of(int i)
{
    static const char *const all[NAMES] = {"/a",     "/b",     "/c", "/d/e", "/d/f",
                                           "/d/g/h", "/d/g/i", "/j", "/k",   "/d/l"};
    return all[i];
}

static struct handle *handle_of(int who, int i)
{
    return &handles[who * FILES + i];
}

static void drop(struct inode *n)
{
    if (!n->names && !n->opens)
        free(n);
}

static struct handle *pick_open(int *who)
{
    for (int tries = 0; tries < 20; tries++) {
        *who = (int)fake_rand(CLIENTS);
        struct handle *h = handle_of(*who, (int)fake_rand(FILES));
        if (h->inode)
            return h;
    }
    return NULL;
}

// Whoever has reserved something of the file has to do it again.
static void broken(struct inode *n)
{
    for (int i = 0; i < CLIENTS * FILES; i++) {
        struct handle *h = &handles[i];
        if (h->inode == n && h->reserved)
            h->broken = true;
    }
}

// The file grows: what reservers have put there is seen, and the rest is zero.
static void grow(struct inode *n, uint64_t size)
{
    uint64_t old = n->size;
    if (size <= old)
        return;
    n->size = size;
    for (int i = 0; i < CLIENTS * FILES; i++) {
        struct handle *h = &handles[i];
        if (h->inode != n || !h->reserved || h->broken)
            continue;
        for (uint64_t at = h->start; at < h->start + h->put; at++) {
            if (at >= old && at < size)
                n->data[at] = h->byte;
        }
    }
}

static void resize(struct inode *n, uint64_t size)
{
    if (size < n->size) {
        memset(n->data + size, 0, SIZE - size);
        broken(n);
        n->size = size;
    }
    grow(n, size);
}

static void step_open(void)
{
    int who = (int)fake_rand(CLIENTS), which = (int)fake_rand(NAMES);
    struct handle *h = handle_of(who, (int)fake_rand(FILES));
    uint64_t flags = LX_O_RDWR | (fake_rand(2) ? LX_O_CREAT : 0) | (fake_rand(8) ? 0 : LX_O_TRUNC) |
                     (fake_rand(6) ? 0 : LX_O_CREAT | LX_O_EXCL);
    if (h->inode)
        return;
    struct inode *n = names[which];
    long want = n && (flags & LX_O_EXCL)      ? -LX_EEXIST
                : !n && !(flags & LX_O_CREAT) ? -LX_ENOENT
                                              : 0;
    CHECK_EQ(f_open(&clients[who], &h->f, name_of(which), flags, 0666), want);
    if (want)
        return;
    if (!n) {
        n = names[which] = calloc(1, sizeof(*n));
        n->names = 1;
    } else if (flags & LX_O_TRUNC) {
        resize(n, 0);
    }
    h->inode = n;
    h->reserved = false;
    n->opens++;
    CHECK_EQ(h->f.node->size, n->size);
}

static void step_close(void)
{
    int who;
    struct handle *h = pick_open(&who);
    if (!h)
        return;
    f_close(&h->f);
    h->inode->opens--;
    drop(h->inode);
    h->inode = NULL;
}

static uint64_t some_offset(const struct inode *n)
{
    uint32_t kind = fake_rand(4);
    if (kind == 0)
        return n->size;
    if (kind == 1)
        return fake_rand(SIZE - 20000);
    return n->size ? fake_rand((uint32_t)n->size) : 0;
}

static size_t some_length(void)
{
    return 1 + (fake_rand(3) ? fake_rand(300) : fake_rand(19000));
}

static void step_read(void)
{
    int who;
    struct handle *h = pick_open(&who);
    if (!h)
        return;
    struct inode *n = h->inode;
    uint64_t at = some_offset(n);
    size_t length = some_length(), want = at >= n->size           ? 0
                                          : n->size - at < length ? n->size - at
                                                                  : length;
    CHECK_EQ(f_pread(&h->f, got, length, at), (long)want);
    CHECK(!memcmp(got, n->data + at, want));
    if (want && want <= 4096) {
        CHECK_EQ(f_op(&h->f, FS_OP_READ, at, want, 0), (long)want);
        CHECK(!memcmp(h->f.c->msg, n->data + at, want));
    }
}

static void model_write(struct inode *n, const void *from, size_t length, uint64_t at)
{
    grow(n, at + length);
    memcpy(n->data + at, from, length);
}

// A write of the same process through this open ends what it had reserved.
static void forget_reserve(struct handle *h)
{
    h->reserved = false;
}

// Inside the file and by message only: a write that extends is step_reserve's.
static void step_write(void)
{
    int who;
    struct handle *h = pick_open(&who);
    if (!h)
        return;
    struct inode *n = h->inode;
    uint64_t at = some_offset(n);
    size_t length = some_length();
    memset(buffer, (int)fake_rand(256), length);
    if (at + length > n->size && length > 4096)
        length = 4096;
    if (at + length > SIZE)
        return;
    if (at + length <= n->size && fake_rand(2)) {
        CHECK_EQ(f_transfer(&h->f, buffer, length, at, true), (long)length);
    } else {
        CHECK_EQ(f_message(&h->f, buffer, length, at), (long)length);
        forget_reserve(h);
    }
    model_write(n, buffer, length, at);
}

static uint64_t model_append_at(const struct inode *n, const struct handle *mine)
{
    uint64_t at = n->size;
    for (int i = 0; i < CLIENTS * FILES; i++) {
        const struct handle *h = &handles[i];
        if (h != mine && h->inode == n && h->reserved && !h->broken && h->start + h->length > at)
            at = h->start + h->length;
    }
    return at;
}

static void step_append(void)
{
    int who;
    struct handle *h = pick_open(&who);
    size_t length = 1 + fake_rand(4096);
    if (!h)
        return;
    uint64_t at = model_append_at(h->inode, h);
    if (at + length > SIZE)
        return;
    memset(buffer, (int)fake_rand(256), length);
    CHECK_EQ(f_message(&h->f, buffer, length, UINT64_MAX), (long)length);
    CHECK_EQ(h->f.c->w[2], at);
    forget_reserve(h);
    model_write(h->inode, buffer, length, at);
}

// Reserves at the end, as appends do, and puts some of the bytes.
static void step_reserve(void)
{
    int who;
    struct handle *h = pick_open(&who);
    size_t length = 1 + fake_rand(15000);
    if (!h)
        return;
    uint64_t at = model_append_at(h->inode, h);
    if (at + length > SIZE)
        return;
    CHECK_EQ(f_op(&h->f, FS_OP_RESERVE, UINT64_MAX, length, 0), (long)length);
    CHECK_EQ(h->f.c->w[1], at);
    h->reserved = true;
    h->broken = false;
    h->start = at;
    h->length = length;
    h->put = 0;
    h->byte = (uint8_t)fake_rand(256);
}

static void step_put(void)
{
    int who;
    struct handle *h = pick_open(&who);
    if (!h || !h->reserved || h->broken || h->put == h->length)
        return;
    size_t n = 1 + fake_rand((uint32_t)(h->length - h->put));
    memset(buffer, h->byte, n);
    CHECK_EQ(f_transfer(&h->f, buffer, n, h->start + h->put, true), (long)n);
    if (h->start + h->put < h->inode->size) { // the file has grown past it already
        uint64_t see = h->inode->size - h->start - h->put;
        memset(h->inode->data + h->start + h->put, h->byte, see < n ? see : n);
    }
    h->put += n;
}

static void step_commit(void)
{
    int who;
    struct handle *h = pick_open(&who);
    if (!h || !h->reserved)
        return;
    CHECK_EQ(f_op(&h->f, FS_OP_COMMIT, h->start, h->put, 0), h->broken ? -LX_EAGAIN : 0);
    if (!h->broken && h->put)
        grow(h->inode, h->start + h->put);
    h->reserved = false;
}

static void step_truncate(void)
{
    int who;
    struct handle *h = pick_open(&who);
    if (!h)
        return;
    uint64_t size = fake_rand(3) ? some_offset(h->inode) : fake_rand(SIZE);
    OK(f_op(&h->f, FS_OP_FTRUNCATE, size, 0, 0));
    resize(h->inode, size);
}

static void step_allocate(void)
{
    int who;
    struct handle *h = pick_open(&who);
    if (!h)
        return;
    uint64_t at = some_offset(h->inode), length = some_length();
    if (at + length > SIZE)
        return;
    OK(f_op(&h->f, FS_OP_FALLOCATE, 0, at, length));
    forget_reserve(h);
    grow(h->inode, at + length);
}

static void step_names(void)
{
    int who = (int)fake_rand(CLIENTS), a = (int)fake_rand(NAMES), b = (int)fake_rand(NAMES);
    struct client *c = &clients[who];
    switch (fake_rand(5)) {
    case 0:
        CHECK_EQ(path_op(c, FS_OP_UNLINK, name_of(a), 0, 0, 0), names[a] ? 0 : -LX_ENOENT);
        b = -1;
        break;
    case 1:
        CHECK_EQ(path2_op(c, FS_OP_LINK, name_of(a), name_of(b), 0), !names[a]  ? -LX_ENOENT
                                                                     : names[b] ? -LX_EEXIST
                                                                                : 0);
        if (!names[a] || names[b])
            return;
        names[b] = names[a];
        names[a]->names++;
        return;
    case 2:
        CHECK_EQ(path2_op(c, FS_OP_RENAME, name_of(a), name_of(b), LX_RENAME_EXCHANGE),
                 names[a] && names[b] ? 0 : -LX_ENOENT);
        if (names[a] && names[b]) {
            struct inode *n = names[a];
            names[a] = names[b];
            names[b] = n;
        }
        return;
    default:
        CHECK_EQ(path2_op(c, FS_OP_RENAME, name_of(a), name_of(b), 0), names[a] ? 0 : -LX_ENOENT);
        if (names[a] == names[b]) // two names of one file: nothing
            return;
    }
    struct inode *n = names[a], *replaced = b >= 0 ? names[b] : NULL;
    if (!n)
        return;
    names[a] = NULL;
    if (b >= 0) {
        names[b] = n;
    } else {
        n->names--;
        drop(n);
    }
    if (replaced) {
        replaced->names--;
        drop(replaced);
    }
}

static void step_stat(void)
{
    int a = (int)fake_rand(NAMES);
    struct client *c = &clients[fake_rand(CLIENTS)];
    if (!names[a]) {
        CHECK_EQ(path_op(c, FS_OP_STAT, name_of(a), 0, 0, 0), -LX_ENOENT);
        return;
    }
    struct lx_stat st = p_stat(c, name_of(a));
    CHECK_EQ(st.st_size, names[a]->size);
    CHECK_EQ(st.st_nlink, names[a]->names);
}

static void die(int who)
{
    client_die(&clients[who]);
    for (int i = 0; i < FILES; i++) {
        struct handle *h = handle_of(who, i);
        if (!h->inode)
            continue;
        h->inode->opens--;
        drop(h->inode);
        *h = (struct handle){0};
    }
}

static void step_die(void)
{
    int who = (int)fake_rand(CLIENTS);
    if (fake_rand(20))
        return;
    die(who);
    client_start(&clients[who], (unsigned)who + 1, 1000 + (uint32_t)who, 100);
}

static void (*const steps[])(void) = {
    step_open,   step_open,     step_open,     step_close,   step_read, step_read, step_read,
    step_write,  step_write,    step_append,   step_reserve, step_put,  step_put,  step_commit,
    step_commit, step_truncate, step_allocate, step_names,   step_stat, step_die,  world_forget};

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 30000;
    fake_seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
    fake_again = true;
    world_start(4096, 500, 6000);
    struct client root;
    client_start(&root, 20, 0, 0);
    OK(path_op(&root, FS_OP_CHMOD, "/", 0777, 0, 0));
    OK(path_op(&root, FS_OP_MKDIR, "/d", 0777, 0, 0));
    OK(path_op(&root, FS_OP_MKDIR, "/d/g", 0777, 0, 0));
    OK(path_op(&root, FS_OP_CHMOD, "/d", 0777, 0, 0));
    OK(path_op(&root, FS_OP_CHMOD, "/d/g", 0777, 0, 0));
    for (unsigned i = 0; i < CLIENTS; i++)
        client_start(&clients[i], i + 1, 1000 + i, 100);
    for (int i = 0; i < rounds; i++) {
        steps[fake_rand(sizeof(steps) / sizeof(steps[0]))]();
        if (i % 16 == 0)
            world_check();
    }
    for (int i = 0; i < CLIENTS; i++)
        die(i);
    for (int i = 0; i < NAMES; i++) {
        if (names[i] && --names[i]->names == 0)
            free(names[i]);
    }
    client_die(&root);
    world_fsck();
    return 0;
}
