// SPDX-License-Identifier: MIT
// Bytes of files: what is written by message, in place and by reservation is what is read; what
// goes is gone.
#include "client.h"

static struct client root, alice, bob;
static char big[3 << 20], back[3 << 20];

static void pattern(void *buf, size_t n, uint32_t seed)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)buf)[i] = (uint8_t)(seed + i * 31 + (i >> 8));
}

static void create(struct client *c, struct file *f, const char *path)
{
    OK(f_open(c, f, path, LX_O_CREAT | LX_O_TRUNC | LX_O_RDWR, 0666));
}

static void expect(struct file *f, const void *want, size_t n, uint64_t at)
{
    CHECK_EQ(f_pread(f, back, n, at), (long)n);
    CHECK(!memcmp(back, want, n));
}

static void expect_zero(struct file *f, size_t n, uint64_t at)
{
    CHECK_EQ(f_pread(f, back, n, at), (long)n);
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(back[i], 0);
}

static void expect_byte(struct file *f, char byte, size_t n, uint64_t at)
{
    CHECK_EQ(f_pread(f, back, n, at), (long)n);
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(back[i], byte);
}

static uint64_t free_blocks(void)
{
    struct lx_statfs sf;
    OK(ext_statfs(&vol, &sf));
    return sf.f_bfree;
}

static void writing(void)
{
    struct file f, g;
    uint64_t at;
    pattern(big, sizeof(big), 1);
    create(&alice, &f, "/f");
    CHECK_EQ(f_append(&f, big, 100, &at), 100);
    CHECK_EQ(at, 0);
    CHECK_EQ(f_append(&f, big + 100, 5000, &at), 5000);
    CHECK_EQ(at, 100);
    CHECK_EQ(f.node->size, 5100);
    CHECK_EQ(f_pwrite(&f, big + 4000, 200000, 4000), 200000);
    expect(&f, big, 204000, 0);
    OK(f_open(&bob, &g, "/f", LX_O_RDONLY, 0));
    expect(&g, big, 204000, 0);
    CHECK_EQ(f_op(&g, FS_OP_READ, 100000, 9999, 0), 4096);
    CHECK(bob.bytes == 4096 && !memcmp(bob.msg, big + 100000, 4096));
    CHECK_EQ(f_op(&g, FS_OP_READ, 203999, 9999, 0), 1);
    CHECK_EQ(f_op(&g, FS_OP_READ, 204000, 9999, 0), 0);
    f_pwrite(&f, "hello", 5, 150000);
    expect(&g, "hello", 5, 150000);
    // Whole parts of 2 MiB, beyond the loaded image.
    CHECK_EQ(f_pwrite(&f, big, sizeof(big), 1 << 20), sizeof(big));
    expect(&g, big, sizeof(big), 1 << 20);
    CHECK_EQ(f_op(&g, FS_OP_SEGMENT, 0, 1, 0), -LX_EBADF);
    CHECK_EQ(f_op(&g, FS_OP_FTRUNCATE, 0, 0, 0), -LX_EINVAL);
    CHECK_EQ(f_message(&g, "x", 1, 0), -LX_EBADF);
    CHECK_EQ(f_op(&g, FS_OP_RESERVE, 0, 10, 0), -LX_EBADF);
    CHECK_EQ(f_op(&g, FS_OP_FALLOCATE, 0, 0, 10), -LX_EBADF);
    CHECK_EQ(f_op(&g, FS_OP_FILL, 0, 1, 0), -LX_EBADF);
    CHECK_EQ(call(&alice, f.endpoint, FS_OP_WRITE, ARGS(0, 100), "x", 1, 0), -LX_EINVAL);
    CHECK_EQ(f_op(&f, FS_OP_SEGMENT, EXT_FILE_MAX / PAGE, 0, 0), -LX_EFBIG);
    CHECK_EQ(f_op(&f, FS_OP_RESERVE, EXT_FILE_MAX - 5, 10, 0), -LX_EFBIG);
    CHECK_EQ(f_op(&f, FS_OP_COMMIT, 0, 1 << 30, 0), -LX_EINVAL); // nothing was reserved
    CHECK_EQ(f_op(&f, FS_OP_FILL, (4 << 20) / PAGE, 0, 0), -LX_ENXIO);
    world_check();
    f_close(&f);
    f_close(&g);
    OK(path_op(&alice, FS_OP_UNLINK, "/f", 0, 0, 0));
}

// Past the end: not in a segment; written through the last page it does not show when the file
// grows.
static void ends_and_holes(void)
{
    struct file f;
    uint64_t before = free_blocks();
    create(&alice, &f, "/h");
    CHECK_EQ(f_pwrite(&f, "abc", 3, 100), 3);
    CHECK_EQ(f_transfer(&f, "garbage", 7, 103, true), 7); // as a mapping may
    OK(f_op(&f, FS_OP_FTRUNCATE, 20000, 0, 0));
    expect_zero(&f, 19897, 103);
    CHECK_EQ(f_stat(&f).st_size, 20000);
    CHECK(f_page(&f, 2, EXO_R_READ) && !f_page(&f, 2, EXO_R_WRITE)); // the page of zeroes
    CHECK_EQ(f_pwrite(&f, "x", 1, 2 * PAGE + 5), 1);
    expect_zero(&f, 5, 2 * PAGE);
    OK(f_op(&f, FS_OP_FTRUNCATE, 2 * PAGE + 3, 0, 0));
    CHECK(f_page(&f, 2, EXO_R_READ) && !f_page(&f, 3, EXO_R_READ));
    CHECK_EQ(f_transfer(&f, "garbage", 7, 2 * PAGE + 3, true), 7);
    CHECK_EQ(f_message(&f, "tail", 4, 5 * PAGE), 4);
    expect_zero(&f, 3 * PAGE - 3, 2 * PAGE + 3);
    world_check();
    f_close(&f);
    OK(path_op(&alice, FS_OP_TRUNCATE, "/h", 0, 0, 0)); // while it is idle
    OK(f_open(&alice, &f, "/h", LX_O_RDONLY, 0));
    CHECK_EQ(f.node->size, 0);
    OK(f_op(&f, FS_OP_SEGMENT, 0, 0, 0));
    f.part[0].seg = alice.recv[0];
    CHECK(!f_page(&f, 0, EXO_R_READ));
    f_close(&f);
    OK(path_op(&alice, FS_OP_UNLINK, "/h", 0, 0, 0));
    CHECK_EQ(free_blocks(), before);
}

// A frame changes owner only zeroed, and who had it mapped has it no more.
static void reuse(void)
{
    struct file f, g;
    pattern(big, sizeof(big), 2);
    uint64_t room = free_blocks();
    create(&alice, &f, "/secret");
    CHECK_EQ(f_pwrite(&f, big, 1 << 20, 0), 1 << 20);
    exo_handle_t kept = fake_send(alice.env, alice.env, f.part[0].seg, EXO_R_ALL, EXO_SEND_COPY);
    OK(path_op(&alice, FS_OP_UNLINK, "/secret", 0, 0, 0));
    CHECK_EQ(f.node->nlink, 0);
    expect(&f, big, 1 << 20, 0); // without a name, but there
    CHECK(free_blocks() < room);
    f_close(&f);
    CHECK_EQ(free_blocks(), room);
    struct fake_cap *c = fake_cap(kept, alice.env, EXO_CAP_SEGMENT, 0);
    CHECK(!c); // revoked
    create(&bob, &g, "/new");
    OK(f_op(&g, FS_OP_FALLOCATE, 0, 0, 1 << 20));
    expect_zero(&g, 1 << 20, 0);
    world_check();
    f_close(&g);
    OK(path_op(&bob, FS_OP_UNLINK, "/new", 0, 0, 0));
}

static void write_only(void)
{
    struct file f;
    OK(f_open(&alice, &f, "/drop", LX_O_CREAT | LX_O_RDWR, 0622));
    CHECK_EQ(f_pwrite(&f, "private", 7, 0), 7);
    f_close(&f);
    CHECK_EQ(f_open(&bob, &f, "/drop", LX_O_RDWR, 0), -LX_EACCES);
    OK(f_open(&bob, &f, "/drop", LX_O_WRONLY, 0));
    CHECK_EQ(f_op(&f, FS_OP_SEGMENT, 0, 1, 0), -LX_EACCES);
    CHECK_EQ(f_op(&f, FS_OP_SEGMENT, 0, 0, 0), -LX_EACCES);
    CHECK_EQ(f_op(&f, FS_OP_RESERVE, 0, 100, 0), -LX_EACCES);
    CHECK_EQ(f_op(&f, FS_OP_READ, 0, 100, 0), -LX_EBADF);
    pattern(big, 10000, 3);
    CHECK_EQ(f_pwrite(&f, big, 10000, 2), 10000);
    f_close(&f);
    OK(f_open(&alice, &f, "/drop", LX_O_RDONLY, 0));
    expect(&f, "pr", 2, 0);
    expect(&f, big, 10000, 2);
    f_close(&f);
    OK(path_op(&alice, FS_OP_UNLINK, "/drop", 0, 0, 0));
}

static uint32_t mode_of(const char *path)
{
    return p_stat(&root, path).st_mode & 07777;
}

// Whoever is not root and changes a file takes its set-id bits away, also through a mapping.
static void set_id(void)
{
    struct file f, g;
    create(&alice, &f, "/suid");
    CHECK_EQ(f_pwrite(&f, "code", 4, 0), 4);
    OK(path_op(&root, FS_OP_CHMOD, "/suid", 06777, 0, 0));
    OK(f_open(&bob, &g, "/suid", LX_O_RDWR, 0));
    CHECK_EQ(mode_of("/suid"), 06777);
    CHECK_EQ(f_pwrite(&g, "evil", 4, 0), 4); // in place
    CHECK_EQ(mode_of("/suid"), 0777);
    CHECK_EQ(g.node->mode, LX_S_IFREG | 0777);
    OK(path_op(&root, FS_OP_CHMOD, "/suid", 06777, 0, 0));
    CHECK_EQ(mode_of("/suid"), 06777); // not written since
    CHECK_EQ(f_message(&g, "evil", 4, 4), 4);
    CHECK_EQ(mode_of("/suid"), 0777);
    OK(path_op(&root, FS_OP_CHMOD, "/suid", 06767, 0, 0));
    OK(f_op(&g, FS_OP_FTRUNCATE, 1, 0, 0));
    CHECK_EQ(mode_of("/suid"), 02767); // the group may not execute: that bit means locking
    CHECK_EQ(f_pwrite(&g, "more", 4, 0), 4);
    f_close(&f);
    f_close(&g);
    OK(path_op(&root, FS_OP_CHMOD, "/suid", 04777, 0, 0));
    OK(f_open(&root, &f, "/suid", LX_O_RDWR, 0));
    CHECK_EQ(f_pwrite(&f, "root", 4, 0), 4);
    CHECK_EQ(mode_of("/suid"), 04777);
    f_close(&f);
    OK(path_op(&alice, FS_OP_UNLINK, "/suid", 0, 0, 0));
}

static int64_t mtime(const char *path)
{
    struct lx_stat st = p_stat(&root, path);
    CHECK(st.st_ctime_sec >= st.st_mtime_sec);
    return st.st_mtime_sec;
}

static void later(unsigned seconds)
{
    fake_now += seconds * 1000000000ull;
}

static void times(void)
{
    struct file f, g;
    create(&alice, &f, "/t");
    CHECK_EQ(f_pwrite(&f, "one", 3, 0), 3);
    int64_t t0 = mtime("/t"), d0 = mtime("/");
    later(10);
    CHECK_EQ(mtime("/t"), t0);
    CHECK_EQ(f_pwrite(&f, "two", 3, 0), 3); // in place: nobody was told
    later(10);
    CHECK_EQ(mtime("/t"), t0 + 20);
    later(10);
    CHECK_EQ(mtime("/t"), t0 + 20);
    CHECK_EQ(f_pwrite(&f, "two", 3, 0), 3);
    OK(call(&alice, 0, FS_OP_UTIMENS, ARGS(0, 1, 0, 2, 0), "/t", 3, 0)); // after the write
    CHECK_EQ(mtime("/t"), 2);
    CHECK_EQ(f_pwrite(&f, "three", 5, 0), 5);
    OK(f_open(&bob, &g, "/t", LX_O_RDONLY, 0));
    f_close(&f); // no later than this, though somebody else has it open
    later(10);
    CHECK_EQ(mtime("/t"), t0 + 30);
    f_close(&g);
    CHECK_EQ(mtime("/"), d0);
    OK(f_open(&alice, &f, "/t", LX_O_RDWR | LX_O_TRUNC, 0));
    CHECK_EQ(mtime("/t"), t0 + 40);
    later(10);
    OK(f_op(&f, FS_OP_FTRUNCATE, 0, 0, 0));
    CHECK_EQ(mtime("/t"), t0 + 50);
    CHECK_EQ(f_message(&f, "abc", 3, 0), 3);
    later(10);
    // Reading marks the access time, as relatime does.
    OK(f_open(&bob, &g, "/t", LX_O_RDONLY, 0));
    CHECK_EQ(f_pread(&g, back, 3, 0), 3);
    CHECK_EQ(f_stat(&g).st_atime_sec, t0 + 60);
    later(10);
    CHECK_EQ(f_op(&g, FS_OP_READ, 0, 3, 0), 3);
    CHECK_EQ(f_stat(&g).st_atime_sec, t0 + 60);
    CHECK_EQ(f_message(&f, "abc", 3, 0), 3);
    later(10);
    CHECK_EQ(f_op(&g, FS_OP_READ, 0, 3, 0), 3);
    CHECK_EQ(f_stat(&g).st_atime_sec, t0 + 80);
    later(10);
    OK(path_op(&alice, FS_OP_MKDIR, "/td", 0755, 0, 0));
    CHECK_EQ(mtime("/"), t0 + 90);
    later(10);
    OK(path_op(&alice, FS_OP_UNLINK, "/td", LX_AT_REMOVEDIR, 0, 0));
    CHECK_EQ(mtime("/"), t0 + 100);
    CHECK_EQ(f_pwrite(&f, "x", 1, 0), 1);
    later(10);
    OK(path_op(&alice, FS_OP_SYNC, "", 0, 0, 0));
    later(10);
    CHECK_EQ(mtime("/t"), t0 + 110);
    f_close(&f);
    f_close(&g);
    OK(path_op(&alice, FS_OP_UNLINK, "/t", 0, 0, 0));
}

// --- reservations --------------------------------------------------------------------------------

static uint64_t reserve(struct file *f, uint64_t at, size_t n)
{
    CHECK_EQ(f_op(f, FS_OP_RESERVE, at, n, 0), (long)n);
    return f->c->w[1];
}

static void two_appenders(void)
{
    struct file a, b;
    uint64_t blocks = free_blocks();
    create(&alice, &a, "/log");
    CHECK_EQ(f_message(&a, "head", 4, 0), 4);
    CHECK_EQ(f_transfer(&a, "garbage", 7, 4, true), 7);
    OK(f_open(&bob, &b, "/log", LX_O_RDWR, 0));
    memset(big, 'a', 10000);
    memset(big + 10000, 'b', 20000);
    CHECK_EQ(reserve(&a, UINT64_MAX, 10000), 4);
    CHECK_EQ(f_transfer(&a, big, 5000, 4, true), 5000);
    CHECK_EQ(reserve(&b, UINT64_MAX, 20000), 10004); // behind the other
    CHECK_EQ(f_transfer(&b, big + 10000, 20000, 10004, true), 20000);
    OK(f_op(&b, FS_OP_COMMIT, 10004, 20000, 0));
    CHECK_EQ(b.node->size, 30004);
    expect(&b, "head", 4, 0);
    CHECK_EQ(f_transfer(&a, big + 5000, 5000, 5004, true), 5000);
    CHECK_EQ(f_message(&b, "by message", 10, UINT64_MAX), 10);
    OK(f_op(&a, FS_OP_COMMIT, 4, 10000, 0));
    CHECK_EQ(a.node->size, 30014);
    expect_byte(&b, 'a', 10000, 4);
    expect_byte(&b, 'b', 20000, 10004);
    expect(&b, "by message", 10, 30004);
    world_check();
    CHECK_EQ(reserve(&a, UINT64_MAX, 10000), 30014);
    CHECK_EQ(f_op(&a, FS_OP_COMMIT, 30015, 9999, 0), -LX_EINVAL);
    CHECK_EQ(f_op(&a, FS_OP_COMMIT, 30014, 10001, 0), -LX_EINVAL);
    CHECK_EQ(f_op(&b, FS_OP_COMMIT, 30014, 10000, 0), -LX_EINVAL);
    CHECK_EQ(f_op(&b, FS_OP_FILL, 35000 / PAGE, 1, 0), -LX_ENXIO);
    OK(f_op(&a, FS_OP_FILL, 35000 / PAGE, 1, 0));
    // Given up, in each way: the blocks are free, and what was written there is not seen.
    CHECK_EQ(reserve(&a, UINT64_MAX, 10000), 30014);
    CHECK_EQ(f_transfer(&a, big, 10000, 30014, true), 10000);
    OK(f_op(&a, FS_OP_COMMIT, 30014, 0, 0));
    CHECK_EQ(reserve(&a, UINT64_MAX, 10000), 30014);
    CHECK_EQ(f_transfer(&a, big, 10000, 30014, true), 10000);
    CHECK_EQ(f_message(&a, "x", 1, UINT64_MAX), 1);
    CHECK_EQ(f_op(&a, FS_OP_COMMIT, 30014, 10000, 0), -LX_EINVAL);
    CHECK_EQ(reserve(&b, UINT64_MAX, 10000), 30015);
    f_close(&b);
    OK(f_op(&a, FS_OP_FTRUNCATE, 50000, 0, 0));
    expect_zero(&a, 50000 - 30015, 30015);
    world_check();
    f_close(&a);
    OK(path_op(&alice, FS_OP_UNLINK, "/log", 0, 0, 0));
    CHECK_EQ(free_blocks(), blocks);
}

// One of two dies in the middle of its write, the other is still at it, and the file grows over
// both.
static void dead_appender(void)
{
    struct client carol;
    struct file a, b, c;
    create(&alice, &a, "/log");
    client_start(&carol, 7, 1000, 100);
    OK(f_open(&carol, &c, "/log", LX_O_RDWR, 0));
    OK(f_open(&bob, &b, "/log", LX_O_RDWR, 0));
    CHECK_EQ(f_message(&b, "12", 2, 0), 2);
    memset(big, 'g', 10000);
    CHECK_EQ(reserve(&a, UINT64_MAX, 10000), 2);
    CHECK_EQ(f_transfer(&a, big, 300, 2, true), 300);
    CHECK_EQ(reserve(&c, UINT64_MAX, 10000), 10002);
    CHECK_EQ(f_transfer(&c, big, 10000, 10002, true), 10000);
    client_die(&carol);
    OK(f_op(&b, FS_OP_FTRUNCATE, 30000, 0, 0));
    expect(&b, "12", 2, 0);
    expect_byte(&b, 'g', 300, 2); // alice is alive, and its bytes are
    expect_zero(&b, 30000 - 302, 302);
    CHECK_EQ(f_transfer(&a, big, 9700, 302, true), 9700);
    OK(f_op(&a, FS_OP_COMMIT, 2, 10000, 0));
    expect_byte(&b, 'g', 10000, 2);
    expect_zero(&b, 19998, 10002);
    world_check();
    f_close(&a);
    f_close(&b);
    OK(path_op(&alice, FS_OP_UNLINK, "/log", 0, 0, 0));
}

// What the last page holds behind the end shows neither where nobody wrote nor in what was reserved
// and not used. The reserver that dies leaves its open to a child.
static void last_page(void)
{
    struct client child;
    struct file a, b, copy;
    create(&alice, &a, "/log");
    OK(f_open(&bob, &b, "/log", LX_O_RDWR, 0));
    CHECK_EQ(f_message(&a, "123", 3, 0), 3);
    CHECK_EQ(f_transfer(&a, "garbage", 7, 3, true), 7);
    CHECK_EQ(reserve(&a, UINT64_MAX, 100), 3);
    CHECK_EQ(f_message(&b, "end", 3, UINT64_MAX), 3);
    expect_zero(&b, 100, 3);
    OK(f_op(&a, FS_OP_COMMIT, 3, 0, 0));
    OK(f_op(&a, FS_OP_FTRUNCATE, 3, 0, 0));
    client_start(&child, 7, 1000, 100);
    client_fork(&alice, &child, &a, &copy);
    memset(big, 'g', 10000);
    CHECK_EQ(reserve(&copy, UINT64_MAX, 10000), 3);
    CHECK_EQ(f_transfer(&copy, big, 10000, 3, true), 10000);
    client_die(&child);
    OK(f_op(&b, FS_OP_FTRUNCATE, 10003, 0, 0));
    expect_zero(&b, 10000, 3);
    f_close(&a);
    f_close(&b);
    OK(path_op(&alice, FS_OP_UNLINK, "/log", 0, 0, 0));
}

static void cut_meanwhile(void)
{
    struct file a, b;
    create(&alice, &a, "/log");
    OK(f_open(&bob, &b, "/log", LX_O_RDWR, 0));
    CHECK_EQ(f_message(&b, "1234567890", 10, 0), 10);
    memset(big, 'a', 10000);
    CHECK_EQ(reserve(&a, UINT64_MAX, 10000), 10);
    CHECK_EQ(f_transfer(&a, big, 5000, 10, true), 5000);
    OK(f_op(&b, FS_OP_FTRUNCATE, 3, 0, 0));
    CHECK_EQ(f_op(&a, FS_OP_FILL, 1, 1, 0), -LX_ENXIO);
    CHECK_EQ(f_op(&a, FS_OP_COMMIT, 10, 5000, 0), -LX_EAGAIN);
    CHECK_EQ(a.node->size, 3);
    CHECK_EQ(f_append(&a, big, 10000, NULL), 10000);
    expect_byte(&b, 'a', 10000, 3);
    // To the length it has already: nothing is cut.
    CHECK_EQ(reserve(&a, UINT64_MAX, 10000), 10003);
    CHECK_EQ(f_transfer(&a, big, 10000, 10003, true), 10000);
    OK(f_op(&b, FS_OP_FTRUNCATE, 10003, 0, 0));
    OK(f_op(&a, FS_OP_COMMIT, 10003, 10000, 0));
    expect_byte(&b, 'a', 20000, 3);
    f_close(&a);
    f_close(&b);
    OK(path_op(&alice, FS_OP_UNLINK, "/log", 0, 0, 0));
}

static void allocating(void)
{
    struct file f;
    create(&alice, &f, "/fa");
    CHECK_EQ(f_message(&f, "abc", 3, 5000), 3);
    OK(f_op(&f, FS_OP_FALLOCATE, 0, 1000, 20000));
    CHECK_EQ(f.node->size, 21000);
    CHECK_EQ(f_stat(&f).st_blocks, 6 * 8);
    expect(&f, "abc", 3, 5000);
    expect_zero(&f, 21000 - 5003, 5003);
    CHECK_EQ(f_op(&f, FS_OP_FALLOCATE, 1, 0, 100), -LX_EOPNOTSUPP);
    CHECK_EQ(f_op(&f, FS_OP_FALLOCATE, 0, 0, 1ull << 40), -LX_ENOSPC);
    CHECK_EQ(f_op(&f, FS_OP_FALLOCATE, 0, 0, 0), -LX_EINVAL);
    CHECK_EQ(f_op(&f, FS_OP_FALLOCATE, 0, EXT_FILE_MAX, 1), -LX_EFBIG);
    CHECK_EQ(f.node->size, 21000);
    world_check();
    f_close(&f);
    OK(path_op(&alice, FS_OP_UNLINK, "/fa", 0, 0, 0));
}

static uint64_t bank_used(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    OK((int)exo_cap_identify(H_BANK, &info));
    return info.used;
}

// Blocks of many files, every other of which is deleted: what is left is gathered in fewer frames,
// reads the same through the old mappings and new ones, and what was written to it is known.
static void gathered(void)
{
    enum { FILES = 64 };
    static struct file f[FILES];
    static char page[PAGE];
    char name[32];
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof(name), "/gather-%d", i);
        create(&alice, &f[i], name);
        pattern(page, PAGE, (uint32_t)i);
        CHECK_EQ(f_append(&f[i], page, PAGE, NULL), PAGE);
        expect(&f[i], page, PAGE, 0);
    }
    for (int i = 0; i < FILES; i++) {
        if (i % 4 == 0)
            continue;
        snprintf(name, sizeof(name), "/gather-%d", i);
        f_close(&f[i]);
        OK(path_op(&alice, FS_OP_UNLINK, name, 0, 0, 0));
    }
    world_settle();
    while (dev_give_back(1 << 20) || node_evict())
        ;
    uint64_t used = bank_used();
    int64_t t0 = mtime("/gather-8");
    later(5);
    CHECK_EQ(f_pwrite(&f[8], "c", 1, 0), 1);
    CHECK(giveback_gather(16));
    CHECK(bank_used() < used);
    CHECK_EQ(mtime("/gather-8"), t0 + 5);
    while (giveback_gather(1 << 20))
        ;
    for (int i = 0; i < FILES; i += 4) {
        pattern(page, PAGE, (uint32_t)i);
        if (i == 8)
            page[0] = 'c';
        expect(&f[i], page, PAGE, 0);
        page[5] = 'x';
        f_pwrite(&f[i], page, PAGE, 0);
        expect(&f[i], page, PAGE, 0);
    }
    world_check();
    for (int i = 0; i < FILES; i += 4) {
        snprintf(name, sizeof(name), "/gather-%d", i);
        f_close(&f[i]);
        OK(path_op(&alice, FS_OP_UNLINK, name, 0, 0, 0));
    }
}

// The volume full, or memory for it at an end: ENOSPC in write, names still work, all comes back.
static void full(void)
{
    struct file f, g, many[20];
    uint64_t before = free_blocks(), at = 0, can = dev_free(before);
    long n;
    pattern(big, sizeof(big), 5);
    create(&alice, &f, "/full");
    while ((n = f_append(&f, big, 100000, NULL)) > 0)
        at += (uint64_t)n;
    CHECK_EQ(n, -LX_ENOSPC);
    CHECK_EQ(f.node->size, at);
    CHECK(at / PAGE + 40 > can);
    CHECK_EQ(f_op(&f, FS_OP_RESERVE, UINT64_MAX, 100000, 0), -LX_ENOSPC);
    CHECK_EQ(f_op(&f, FS_OP_FALLOCATE, 0, at, 100000), -LX_ENOSPC);
    CHECK_EQ(f.node->size, at);
    world_check();
    struct lx_statfs sf;
    OK(path_op(&alice, FS_OP_STATFS, "", 0, 0, 0));
    memcpy(&sf, alice.msg, sizeof(sf));
    CHECK(sf.f_bavail < 16 && sf.f_blocks - sf.f_bfree > at / PAGE);
    OK(f_open(&bob, &g, "/full", LX_O_RDONLY, 0));
    f_close(&g);
    for (int i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof(name), "/full-%d", i);
        OK(f_open(&root, &many[i], name, LX_O_CREAT | LX_O_RDWR, 0600));
        OK(f_op(&many[i], FS_OP_SEGMENT, 0, 0, 0));
        fake_delete(root.env, root.recv[0]);
        OK(path_op(&root, FS_OP_UNLINK, name, 0, 0, 0));
    }
    for (int i = 0; i < 20; i++)
        f_close(&many[i]);
    OK(f_op(&f, FS_OP_FTRUNCATE, 10, 0, 0));
    CHECK_EQ(f_append(&f, big, 100000, NULL), 100000);
    f_close(&f);
    OK(path_op(&alice, FS_OP_UNLINK, "/full", 0, 0, 0));
    CHECK_EQ(free_blocks(), before);
}

int main(int argc, char **argv)
{
    bool small = argc > 1 && !strcmp(argv[1], "small");
    fake_again = small;
    world_start(2048, 400, small ? 1300 : 2600); // memory for all blocks, or for most
    client_start(&root, 1, 0, 0);
    client_start(&alice, 2, 1000, 100);
    client_start(&bob, 3, 1001, 101);
    OK(path_op(&root, FS_OP_CHMOD, "/", 0777, 0, 0));
    writing();
    ends_and_holes();
    reuse();
    write_only();
    set_id();
    times();
    two_appenders();
    dead_appender();
    last_page();
    cut_meanwhile();
    allocating();
    gathered();
    full();
    client_die(&alice);
    client_die(&bob);
    client_die(&root);
    world_fsck();
    return 0;
}
