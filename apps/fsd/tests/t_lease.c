// SPDX-License-Identifier: MIT
// Leases: a file grows by its owner's word (struct fs_own), as far as it was given room, until
// somebody else has to do with the file; what was being written then is still its owner's.
#include "client.h"

static struct client root, alice, bob;
static char big[1 << 20], back[1 << 20];

struct lease {
    struct file f;
    uint64_t *word, start, end;
};

static struct fs_own *page_of(struct client *c)
{
    OK(call(c, 0, FS_OP_OWN, ARGS(0), "", 0, 0));
    return fake_frame(fake_cap(c->recv[0], c->env, EXO_CAP_FRAMES, EXO_R_WRITE)->obj->first);
}

static bool ask(struct lease *l, struct fs_own *page, uint64_t at, size_t n)
{
    CHECK_EQ(f_op(&l->f, FS_OP_RESERVE, at, n, 1), (long)n);
    const uint64_t *w = l->f.c->w;
    if (!w[2])
        return false;
    *l = (struct lease){l->f, &page->grow[w[2] - 1], w[1], w[3]};
    CHECK(l->end >= l->start + n);
    CHECK_EQ(*l->word, FS_GROW(0, n));
    CHECK_EQ(l->f.node->leased, 1);
    return true;
}

// What is claimed is written; n bytes more are claimed.
static void put(struct lease *l, char byte, size_t more)
{
    uint32_t from = FS_GROW_DONE(*l->word), to = FS_GROW_CLAIMED(*l->word);
    memset(big, byte, to - from);
    CHECK_EQ(f_transfer(&l->f, big, to - from, l->start + from, true), (long)(to - from));
    *l->word = FS_GROW(to, to + more);
}

static void begin(struct client *c, struct lease *l, struct fs_own *page, const char *path)
{
    OK(f_open(c, &l->f, path, LX_O_CREAT | LX_O_TRUNC | LX_O_RDWR, 0666));
    CHECK(ask(l, page, UINT64_MAX, 100));
    put(l, 'a', 0);
}

static void gone(struct lease *l, const char *path, uint64_t free)
{
    struct lx_statfs sf;
    f_close(&l->f);
    world_settle();
    OK(path_op(&root, FS_OP_UNLINK, path, 0, 0, 0));
    OK(ext_statfs(&vol, &sf));
    CHECK_EQ(sf.f_bfree, free);
    world_check();
}

static uint64_t free_blocks(void)
{
    struct lx_statfs sf;
    OK(ext_statfs(&vol, &sf));
    return sf.f_bfree;
}

static void expect(struct file *f, char byte, size_t n, uint64_t at)
{
    CHECK_EQ(f_pread(f, back, n, at), (long)n);
    for (size_t i = 0; i < n; i++)
        CHECK_EQ(back[i], byte);
}

static void others_see(struct fs_own *page)
{
    uint64_t before = free_blocks();
    struct lease l;
    struct file g;
    begin(&alice, &l, page, "/seen");
    put(&l, 0, 4000);
    put(&l, 'b', 0);
    OK(f_open(&bob, &g, "/seen", LX_O_RDONLY, 0));
    CHECK_EQ(g.node->size, 4100);
    CHECK_EQ(g.node->leased, 0);
    CHECK(*l.word & FS_GROW_ENDED);
    CHECK_EQ(before - free_blocks(), 2); // what was not used is free
    expect(&g, 'a', 100, 0);
    expect(&g, 'b', 4000, 100);
    CHECK(ask(&l, page, 4100, 10));
    put(&l, 'c', 0);
    OK(f_op(&g, FS_OP_SETTLE, 0, 0, 0));
    CHECK_EQ(bob.w[1], 4110);
    CHECK(ask(&l, page, UINT64_MAX, 10));
    put(&l, 'd', 0);
    CHECK_EQ(f_stat(&g).st_size, 4120);
    CHECK(ask(&l, page, UINT64_MAX, 10));
    put(&l, 'e', 0);
    CHECK_EQ(p_stat(&bob, "/seen").st_size, 4130);
    CHECK(ask(&l, page, UINT64_MAX, 10));
    put(&l, 'f', 0);
    OK(call(&alice, 0, FS_OP_SETTLE, ARGS(0), "", 0, 0)); // as before a fork
    CHECK_EQ(g.node->size, 4140);
    f_close(&g);
    gone(&l, "/seen", before);
}

// Somebody appends while the owner copies: neither touches the other's bytes.
static void in_the_middle(struct fs_own *page)
{
    uint64_t before = free_blocks();
    struct lease l;
    struct file g;
    begin(&alice, &l, page, "/log");
    put(&l, 0, 50);
    OK(f_open(&bob, &g, "/log", LX_O_RDWR, 0));
    CHECK_EQ(f_message(&g, "behind", 6, UINT64_MAX), 6);
    CHECK_EQ(g.node->size, 156);
    expect(&g, 0, 50, 100);
    memset(big, 'm', 50);
    CHECK_EQ(f_transfer(&l.f, big, 50, 100, true), 50);
    CHECK_EQ(f_op(&l.f, FS_OP_COMMIT, 100, 51, 0), -LX_EINVAL);
    OK(f_op(&l.f, FS_OP_COMMIT, 100, 50, 0));
    expect(&g, 'm', 50, 100);
    CHECK_EQ(g.node->size, 156);
    // and cuts it
    CHECK(ask(&l, page, UINT64_MAX, 30));
    OK(f_op(&g, FS_OP_FTRUNCATE, 10, 0, 0));
    CHECK_EQ(f_op(&l.f, FS_OP_COMMIT, 156, 30, 0), -LX_EAGAIN);
    CHECK_EQ(g.node->size, 10);
    f_close(&g);
    gone(&l, "/log", before);
}

static void dies(void)
{
    uint64_t before = free_blocks();
    struct client carol;
    struct lease l;
    struct file g;
    client_start(&carol, 5, 1000, 100);
    struct fs_own *page = page_of(&carol);
    begin(&carol, &l, page, "/left");
    OK(f_open(&bob, &g, "/left", LX_O_RDONLY, 0));
    CHECK(ask(&l, page, UINT64_MAX, 20000)); // and is in the middle of writing it
    client_die(&carol);
    CHECK_EQ(f_op(&g, FS_OP_SETTLE, 0, 0, 0), 0);
    CHECK_EQ(g.node->size, 100);
    CHECK_EQ(before - free_blocks(), 1);
    f_close(&g);
    world_settle();
    OK(path_op(&root, FS_OP_UNLINK, "/left", 0, 0, 0));
    CHECK_EQ(free_blocks(), before);
}

// Whatever the word says, the file ends within the lease, and what nobody wrote is zero.
static void lies(struct fs_own *page)
{
    static const uint64_t words[] = {UINT64_MAX,
                                     UINT64_MAX >> 1,
                                     FS_GROW(0xffffffff, 0),
                                     FS_GROW(5, 2),
                                     FS_GROW(0, 0x7fffffff),
                                     1ull << 63,
                                     0};
    uint64_t before = free_blocks();
    for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
        struct lease l;
        struct file g;
        begin(&alice, &l, page, "/lie");
        uint64_t limit = l.end;
        *l.word = words[i];
        OK(f_open(&bob, &g, "/lie", LX_O_RDWR, 0));
        CHECK(g.node->size <= limit);
        CHECK_EQ(f_message(&g, "x", 1, UINT64_MAX), 1);
        CHECK(g.node->size <= limit + 1);
        *l.word = FS_GROW(0x7fffffff, 0x7fffffff); // nobody looks any more
        CHECK_EQ(f_stat(&g).st_size, (long long)g.node->size);
        if (g.node->size > 101)
            expect(&g, 0, g.node->size - 101, 100);
        f_close(&g);
        gone(&l, "/lie", before);
    }
}

static void refused(struct fs_own *page)
{
    uint64_t before = free_blocks();
    static struct lease l[FS_GROW_MAX + 1];
    struct lease m;
    char name[16];
    OK(f_open(&bob, &m.f, "/nopage", LX_O_CREAT | LX_O_RDWR, 0666));
    CHECK(!ask(&m, NULL, UINT64_MAX, 10)); // bob has no page
    CHECK_EQ(f_op(&m.f, FS_OP_COMMIT, 0, 10, 0), 0);
    CHECK_EQ(m.f.node->size, 10);
    CHECK(!ask(&m, NULL, UINT64_MAX, 10));
    struct lease second = {0};
    OK(f_open(&alice, &second.f, "/nopage", LX_O_RDWR, 0));
    CHECK(!ask(&second, page, UINT64_MAX, 10)); // beside what bob has reserved
    f_close(&second.f);
    gone(&m, "/nopage", before);
    for (unsigned i = 0; i <= FS_GROW_MAX; i++) {
        snprintf(name, sizeof(name), "/many%u", i);
        OK(f_open(&alice, &l[i].f, name, LX_O_CREAT | LX_O_RDWR, 0600));
        CHECK_EQ(ask(&l[i], page, UINT64_MAX, 10), i < FS_GROW_MAX);
    }
    for (unsigned i = 0; i <= FS_GROW_MAX; i++) {
        snprintf(name, sizeof(name), "/many%u", i);
        f_close(&l[i].f);
        OK(path_op(&root, FS_OP_UNLINK, name, 0, 0, 0));
    }
    world_settle();
    CHECK_EQ(free_blocks(), before);
    OK(f_open(&root, &m.f, "/mine", LX_O_CREAT | LX_O_RDWR, 0602));
    OK(f_open(&alice, &second.f, "/mine", LX_O_WRONLY, 0)); // who may not read
    CHECK_EQ(f_op(&second.f, FS_OP_RESERVE, UINT64_MAX, 10, 1), -LX_EACCES);
    f_close(&second.f);
    gone(&m, "/mine", before);
}

// A volume that is full but for what a lease holds is not full.
static void space_short(struct fs_own *page)
{
    uint64_t before = free_blocks();
    struct lease l;
    struct file g;
    begin(&alice, &l, page, "/held");
    OK(f_open(&bob, &g, "/other", LX_O_CREAT | LX_O_RDWR, 0600));
    while (f_message(&g, big, PAGE, UINT64_MAX) == (long)PAGE && !(*l.word & FS_GROW_ENDED))
        ;
    CHECK(*l.word & FS_GROW_ENDED);
    while (f_message(&g, big, PAGE, UINT64_MAX) > 0)
        ;
    CHECK_EQ(f_op(&l.f, FS_OP_RESERVE, 100, 5 * PAGE, 1), (long)PAGE - 100); // its page has room
    *l.word = FS_GROW(PAGE - 100, PAGE - 100);
    CHECK_EQ(f_op(&l.f, FS_OP_RESERVE, PAGE, 5 * PAGE, 1), -LX_ENOSPC);
    CHECK_EQ(l.f.node->size, PAGE);
    f_close(&g);
    OK(path_op(&root, FS_OP_UNLINK, "/other", 0, 0, 0));
    gone(&l, "/held", before);
}

int main(void)
{
    world_start(600, 400, 2600);
    client_start(&root, 1, 0, 0);
    client_start(&alice, 2, 1000, 100);
    client_start(&bob, 3, 1001, 100);
    OK(path_op(&root, FS_OP_CHMOD, "/", 0777, 0, 0));
    struct fs_own *page = page_of(&alice);
    others_see(page);
    in_the_middle(page);
    dies();
    lies(page);
    refused(page);
    space_short(page);
    client_die(&alice);
    client_die(&bob);
    client_die(&root);
    world_fsck();
    return 0;
}
