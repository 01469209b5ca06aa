// SPDX-License-Identifier: MIT
// Opens that a process keeps though it has closed the file (FS_OP_OWN): they go when the file has
// lost its last name, if they are kept and not used, and only those of whoever says so.
#include "client.h"

static struct client root, alice, bob;

static struct fs_own *page_of(struct client *c)
{
    OK(call(c, 0, FS_OP_OWN, ARGS(0), "", 0, 0));
    struct fake_cap *cap = fake_cap(c->recv[0], c->env, EXO_CAP_FRAMES, EXO_R_READ | EXO_R_WRITE);
    CHECK(cap);
    struct fs_own *page = fake_frame(cap->obj->first);
    CHECK_EQ(page->size, sizeof(*page));
    return page;
}

static void make(const char *path)
{
    static char bytes[40000];
    struct file f;
    OK(f_open(&root, &f, path, LX_O_CREAT | LX_O_EXCL | LX_O_RDWR, 0644));
    CHECK_EQ(f_pwrite(&f, bytes, sizeof(bytes), 0), sizeof(bytes));
    f_close(&f);
}

static uint64_t space(void)
{
    OK(call(&root, 0, FS_OP_STATFS, ARGS(0), "", 0, 0));
    return ((struct lx_statfs *)root.msg)->f_bfree;
}

static uint32_t number_of(struct client *c)
{
    return (uint32_t)c->w[5];
}

static bool holds(struct client *c, exo_handle_t h)
{
    return fake_cap(h, c->env, EXO_CAP_ENDPOINT, EXO_R_CALL) != NULL;
}

static void kept_and_used(void)
{
    struct file kept, used;
    struct fs_own *page = page_of(&alice);
    uint64_t before = space();
    make("/kept");
    make("/used");
    OK(f_open(&alice, &kept, "/kept", LX_O_RDONLY, 0));
    page->open[3] = number_of(&alice);
    CHECK(page->open[3]);
    OK(f_open(&alice, &used, "/used", LX_O_RDONLY, 0));
    CHECK(number_of(&alice) && number_of(&alice) != page->open[3]);
    uint64_t full = space();
    OK(path_op(&root, FS_OP_UNLINK, "/kept", 0, 0, 0));
    CHECK_EQ(page->open[3], 0);
    CHECK(!holds(&alice, kept.endpoint));
    CHECK_EQ(space(), full + (before - full) / 2);
    OK(path_op(&root, FS_OP_UNLINK, "/used", 0, 0, 0));
    CHECK(holds(&alice, used.endpoint));
    CHECK(space() < before);
    f_close(&used);
    world_settle();
    CHECK_EQ(space(), before);
}

static void of_somebody_else(void)
{
    struct file f;
    struct fs_own *page = page_of(&alice), *own = page_of(&bob);
    make("/other");
    OK(f_open(&bob, &f, "/other", LX_O_RDONLY, 0));
    page->open[0] = number_of(&bob);
    own->open[1] = 0x7fffffff;
    OK(path_op(&root, FS_OP_UNLINK, "/other", 0, 0, 0));
    CHECK(holds(&bob, f.endpoint));
    CHECK_EQ(page->open[0], number_of(&bob));
    f_close(&f);
    world_settle();
}

// A directory that is kept goes when it is removed; one under a root of its own is not kept.
static void directories(void)
{
    struct file f;
    struct fs_own *page = page_of(&alice);
    uint64_t before = space();
    OK(path_op(&root, FS_OP_MKDIR, "/dir", 0755, 0, 0));
    OK(f_open(&alice, &f, "/dir", LX_O_PATH | LX_O_DIRECTORY, 0));
    CHECK(number_of(&alice));
    page->open[3] = number_of(&alice);
    OK(path_op(&root, FS_OP_UNLINK, "/dir", LX_AT_REMOVEDIR, 0, 0));
    CHECK(!holds(&alice, f.endpoint));
    CHECK_EQ(page->open[3], 0);
    world_settle();
    CHECK_EQ(space(), before);
    page_of(&root);
    OK(path_op(&root, FS_OP_MKDIR, "/jail", 0755, 0, 0));
    OK(f_chroot(&root, &f, "/jail", NULL));
    CHECK_EQ(number_of(&root), 0);
    f_close(&f);
    OK(path_op(&root, FS_OP_UNLINK, "/jail", LX_AT_REMOVEDIR, 0, 0));
}

static void only_for_reading(void)
{
    struct file f;
    make("/mode");
    OK(path_op(&root, FS_OP_CHMOD, "/mode", 0666, 0, 0));
    OK(f_open(&alice, &f, "/mode", LX_O_RDWR, 0));
    CHECK_EQ(number_of(&alice), 0);
    f_close(&f);
    OK(f_open(&alice, &f, "/mode", LX_O_PATH, 0));
    CHECK_EQ(number_of(&alice), 0);
    f_close(&f);
    OK(f_open(&root, &f, "/mode", LX_O_RDONLY, 0)); // it has no page
    CHECK_EQ(number_of(&root), 0);
    f_close(&f);
}

static void page_given_up(void)
{
    struct file f;
    struct fs_own *page = page_of(&alice);
    exo_handle_t first = alice.recv[0];
    OK(f_open(&alice, &f, "/mode", LX_O_RDONLY, 0));
    page->open[0] = number_of(&alice);
    CHECK(page_of(&alice) == page); // asked for again: what was there is gone
    CHECK_EQ(page->open[0], 0);
    CHECK(!fake_cap(first, alice.env, EXO_CAP_FRAMES, EXO_R_READ));
    f_close(&f);
}

static void death(void)
{
    struct file f;
    struct fs_own *page = page_of(&bob);
    OK(f_open(&bob, &f, "/mode", LX_O_RDONLY, 0));
    page->open[0] = number_of(&bob);
    client_die(&bob);
    client_start(&bob, 3, 1001, 100);
    page_of(&bob);
    client_die(&bob); // without an open: whoever comes in its place takes the page away
    client_start(&bob, 3, 1001, 100);
    page_of(&bob);
}

int main(void)
{
    world_start(2048, 400, 3000);
    client_start(&root, 1, 0, 0);
    client_start(&alice, 2, 1000, 100);
    client_start(&bob, 3, 1001, 100);
    kept_and_used();
    of_somebody_else();
    only_for_reading();
    directories();
    page_given_up();
    death();
    client_die(&root);
    client_die(&alice);
    client_die(&bob);
    world_fsck();
    return 0;
}
