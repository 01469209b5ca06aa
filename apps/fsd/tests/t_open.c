// SPDX-License-Identifier: MIT
// The life of an open: who holds it, how it ends, what it costs; FIFOs.
#include "client.h"
#include <fs/pipe.h>

static struct client root, alice, bob;

static unsigned opens_of(const char *path)
{
    struct lx_stat st = p_stat(&root, path);
    struct node *n = node_find((uint32_t)st.st_ino);
    return n ? n->opens : 0;
}

static void last_copy(void)
{
    struct client child;
    struct file f, g, copy;
    OK(f_open(&alice, &f, "/f", LX_O_CREAT | LX_O_RDWR, 0644));
    OK(f_open(&alice, &g, "/f", LX_O_RDONLY, 0));
    CHECK_EQ(opens_of("/f"), 2);
    client_start(&child, 8, 1000, 100);
    client_fork(&alice, &child, &f, &copy);
    f_close(&f);
    CHECK_EQ(opens_of("/f"), 2);
    CHECK_EQ(f_message(&copy, "child", 5, 0), 5);
    client_die(&child);
    CHECK_EQ(opens_of("/f"), 1);
    f_close(&g);
    CHECK_EQ(opens_of("/f"), 0);
}

// A badge of an open that ended names nothing, even after its place is taken again.
static void stale_badge(void)
{
    struct file f, g;
    OK(f_open(&alice, &f, "/f", LX_O_RDWR, 0));
    uint64_t badge = fake_cap(f.endpoint, alice.env, 0, 0)->badge;
    f_close(&f);
    OK(f_open(&bob, &g, "/f", LX_O_RDONLY, 0));
    CHECK((uint32_t)badge == (uint32_t)fake_cap(g.endpoint, bob.env, 0, 0)->badge);
    CTX->in_badge = badge;
    CTX->in_env = alice.env;
    struct exo_msg m = {.w = {FS_OP_FTRUNCATE, 0}};
    serve_call(&m);
    CHECK_EQ((long)m.w[0], -LX_EBADF);
    memcpy(MSG, "/by-badge", 10);
    m = (struct exo_msg){.meta = EXO_META(10, 0), .w = {FS_OP_MKDIR, 0755}};
    serve_call(&m);
    CHECK_EQ((long)m.w[0], -LX_EBADF);
    CTX->in_badge = 12345;
    m = (struct exo_msg){.w = {FS_OP_FTRUNCATE, 0}};
    serve_call(&m);
    CHECK_EQ((long)m.w[0], -LX_EBADF);
    f_close(&g);
}

static void undelivered(void)
{
    struct file f;
    unsigned before = fake_count(0);
    alice.max_caps = fake_count(alice.env) + 1;
    CHECK_EQ(f_open(&alice, &f, "/f", LX_O_RDWR, 0), -LX_EIO);
    CHECK_EQ(opens_of("/f"), 0);
    alice.max_caps = 60000;
    CHECK_EQ(fake_count(0), before);
}

// A user's share ends before the server's memory does, and root is still served.
static void shares(void)
{
    static struct file f[20000];
    struct file g;
    unsigned n = 0;
    long err = 0;
    uint64_t used = fake_objects->used;
    for (; n < 20000 && err == 0; n++)
        err = f_open(&alice, &f[n], "/f", LX_O_RDONLY, 0);
    CHECK_EQ(err, -LX_ENFILE);
    CHECK(n > 500);
    CHECK_EQ(f_open(&alice, &g, "/not-made", LX_O_CREAT | LX_O_RDWR, 0600), -LX_ENFILE);
    CHECK_EQ(path_op(&alice, FS_OP_STAT, "/not-made", 0, 0, 0), -LX_ENOENT);
    OK(f_open(&root, &g, "/f", LX_O_RDONLY, 0));
    f_close(&g);
    OK(f_open(&bob, &g, "/f", LX_O_RDONLY, 0));
    f_close(&g);
    client_die(&alice);
    client_start(&alice, 2, 1000, 100);
    OK(f_open(&alice, &g, "/f", LX_O_RDONLY, 0));
    f_close(&g);
    // Segments of a sparse file.
    OK(f_open(&alice, &g, "/sparse", LX_O_CREAT | LX_O_RDWR, 0600));
    OK(f_op(&g, FS_OP_FTRUNCATE, 1ull << 40, 0, 0));
    err = 0;
    for (uint64_t i = 0; err == 0 && i < 1 << 19; i++) {
        err = f_op(&g, FS_OP_SEGMENT, i, 0, 0);
        if (err == 0)
            fake_delete(alice.env, alice.recv[0]);
    }
    CHECK_EQ(err, -LX_ENOMEM);
    struct file h;
    OK(f_open(&bob, &h, "/f", LX_O_RDONLY, 0));
    OK(f_op(&h, FS_OP_SEGMENT, 0, 0, 0));
    fake_delete(bob.env, bob.recv[0]);
    f_close(&h);
    f_close(&g);
    OK(path_op(&alice, FS_OP_UNLINK, "/sparse", 0, 0, 0));
    (void)used;
}

// Thousands of copies of a segment are taken back step by step; meanwhile nothing can be reached
// through them.
static void hoarder(void)
{
    struct file f;
    OK(f_open(&alice, &f, "/hoard", LX_O_CREAT | LX_O_RDWR, 0600));
    CHECK_EQ(f_message(&f, "abc", 3, 0), 3);
    OK(f_transfer(&f, "abd", 3, 0, true) == 3 ? 0 : -1);
    exo_handle_t copy = 0;
    for (int i = 0; i < 2000; i++)
        copy = fake_send(alice.env, alice.env, f.part[0].seg, EXO_R_ALL, EXO_SEND_COPY);
    struct fake_object *seg = fake_cap(copy, alice.env, 0, 0)->obj;
    f_close(&f);
    CHECK(fake_cap(copy, alice.env, 0, 0) || reap_pending() == false);
    CHECK(reap_pending());
    for (int i = 0; i < 512; i++)
        CHECK(!seg->entry[i].run);
    for (int i = 0; i < 100 && reap_pending(); i++)
        world_settle();
    CHECK(!reap_pending());
    OK(f_open(&alice, &f, "/hoard", LX_O_RDONLY, 0));
    char text[3];
    CHECK_EQ(f_pread(&f, text, 3, 0), 3);
    CHECK(!memcmp(text, "abd", 3));
    f_close(&f);
}

// What a client keeps of a file that is closed and gone, it does not have any more.
static void kept_page(void)
{
    struct file f, g;
    OK(f_open(&alice, &f, "/gone", LX_O_CREAT | LX_O_RDWR, 0600));
    exo_handle_t page = fake_send(alice.env, alice.env, f.node_cap, EXO_R_ALL, EXO_SEND_COPY);
    OK(path_op(&alice, FS_OP_UNLINK, "/gone", 0, 0, 0));
    f_close(&f);
    world_settle();
    CHECK(!fake_cap(page, alice.env, 0, 0));
    // Read-only is read-only, in the segment too.
    OK(f_open(&bob, &g, "/f", LX_O_RDONLY, 0));
    OK(f_op(&g, FS_OP_SEGMENT, 0, 0, 0));
    CHECK(fake_cap(bob.recv[0], bob.env, EXO_CAP_SEGMENT, EXO_R_READ));
    CHECK(!fake_cap(bob.recv[0], bob.env, EXO_CAP_SEGMENT, EXO_R_WRITE));
    CHECK(!fake_cap(bob.recv[0], bob.env, EXO_CAP_SEGMENT, EXO_R_REVOKE));
    fake_delete(bob.env, bob.recv[0]);
    f_close(&g);
    // Opened again, its segment is paid for by who opened it.
    OK(f_open(&bob, &g, "/f", LX_O_RDONLY, 0));
    CHECK_EQ(g.node->ino, node_find((uint32_t)g.ino)->ino);
    CHECK_EQ(RB_ROOT(&node_find((uint32_t)g.ino)->parts)->uid, 1001);
    f_close(&g);
}

// What was opened a moment ago is opened again without new pages; what is gone is not kept.
static void kept_nodes(void)
{
    struct file f;
    char name[32];
    uint64_t free = 0;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "/k%d", i);
        OK(f_open(&alice, &f, name, LX_O_CREAT | LX_O_RDWR, 0600));
        CHECK_EQ(f_message(&f, "k", 1, 0), 1);
        f_close(&f);
    }
    struct lx_statfs sf;
    OK(ext_statfs(&vol, &sf));
    free = sf.f_bfree;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "/k%d", i);
        uint32_t ino = (uint32_t)p_stat(&alice, name).st_ino;
        CHECK_EQ(node_find(ino) != NULL, i >= 300 - 128);
        OK(path_op(&alice, FS_OP_UNLINK, name, 0, 0, 0));
        CHECK(!node_find(ino));
    }
    OK(ext_statfs(&vol, &sf));
    CHECK_EQ(sf.f_bfree, free + 300);
}

// --- FIFOs ---------------------------------------------------------------------------------------

static char *ring(struct file *f, int half, uint32_t rights)
{
    struct fake_cap *c = fake_cap(f->ring[half], f->c->env, EXO_CAP_FRAMES, rights);
    CHECK(c);
    return fake_frame(c->obj->first);
}

static void fifos(void)
{
    struct file r, w, x;
    OK(path_op(&alice, FS_OP_MKNOD, "/fifo", LX_S_IFIFO | 0666, 0, 0));
    CHECK_EQ(f_open(&bob, &w, "/fifo", LX_O_WRONLY | LX_O_NONBLOCK, 0), -LX_ENXIO);
    OK(f_open(&alice, &r, "/fifo", LX_O_RDONLY | LX_O_NONBLOCK, 0));
    CHECK(r.node->fifo_readers == 1 && r.node->fifo_writers == 0 && alice.w[5] == 1);
    CHECK(!fake_cap(r.ring[0], alice.env, 0, EXO_R_WRITE) &&
          fake_cap(r.ring[1], alice.env, 0, EXO_R_WRITE));
    struct fake_object *wo = fake_cap(r.ring[0], alice.env, 0, 0)->obj,
                       *ro = fake_cap(r.ring[1], alice.env, 0, 0)->obj;
    CHECK(wo->count == 1 + PIPE_PAGES && ro->count == 1);
    CHECK(wo->wcaps == 1 && ro->wcaps == 2); // ours and the reader's
    OK(f_open(&bob, &w, "/fifo", LX_O_WRONLY | LX_O_NONBLOCK, 0));
    CHECK(r.node->fifo_writers == 1 && bob.w[5] == (1 | 1ull << 32));
    CHECK(fake_cap(w.ring[0], bob.env, 0, EXO_R_WRITE) &&
          !fake_cap(w.ring[1], bob.env, 0, EXO_R_WRITE));
    CHECK(wo->wcaps == 2 && ro->wcaps == 2);
    strcpy(ring(&w, 0, EXO_R_WRITE) + PAGE, "in the ring");
    CHECK(!strcmp(ring(&r, 0, EXO_R_READ) + PAGE, "in the ring"));
    // The writer goes, the ring stays while the reader has it.
    f_close(&w);
    CHECK_EQ(wo->wcaps, 1);
    CHECK(!strcmp(ring(&r, 0, EXO_R_READ) + PAGE, "in the ring"));
    exo_handle_t kept = fake_send(alice.env, alice.env, r.ring[0], EXO_R_ALL, EXO_SEND_COPY);
    OK(f_open(&alice, &x, "/fifo", LX_O_PATH, 0)); // no end
    f_close(&r);
    CHECK(!fake_cap(kept, alice.env, 0, 0)); // who hides a copy does not keep it
    OK(f_open(&bob, &w, "/fifo", LX_O_RDWR, 0));
    CHECK_EQ(ring(&w, 0, EXO_R_READ | EXO_R_WRITE)[PAGE], 0); // a new ring
    CHECK(fake_cap(w.ring[1], bob.env, 0, EXO_R_READ | EXO_R_WRITE));
    CHECK_EQ(f_op(&w, FS_OP_READ, 0, 10, 0), -LX_EINVAL);
    CHECK_EQ(f_message(&w, "x", 1, 0), -LX_EBADF);
    CHECK_EQ(f_op(&w, FS_OP_SEGMENT, 0, 0, 0), -LX_EINVAL);
    f_close(&w);
    f_close(&x);
    OK(path_op(&alice, FS_OP_CHMOD, "/fifo", 0200, 0, 0));
    CHECK_EQ(f_open(&bob, &w, "/fifo", LX_O_RDWR, 0), -LX_EACCES);
    // Removed while open.
    OK(path_op(&alice, FS_OP_CHMOD, "/fifo", 0600, 0, 0));
    OK(f_open(&alice, &r, "/fifo", LX_O_RDWR, 0));
    OK(path_op(&alice, FS_OP_UNLINK, "/fifo", 0, 0, 0));
    CHECK_EQ(f_stat(&r).st_nlink, 0);
    f_close(&r);
}

static void full_bank(void)
{
    struct file f, g;
    struct fake_object *bank = fake_cap(H_BANK, 0, EXO_CAP_BANK, 0)->obj;
    uint64_t limit = bank->limit;
    OK(f_open(&root, &f, "/f", LX_O_RDWR, 0));
    world_forget();
    bank->limit = bank->used;
    CHECK_EQ(f_open(&root, &g, "/hoard", LX_O_RDONLY, 0), -LX_ENFILE);
    for (int i = 0; i < 3000; i++) // what fails costs nothing
        CHECK_EQ(f_open(&alice, &g, "/hoard", LX_O_RDONLY, 0), -LX_ENFILE);
    CHECK_EQ(f_op(&f, FS_OP_SEGMENT, 0, 0, 0), -LX_ENOMEM);
    bank->limit = limit;
    OK(f_open(&alice, &g, "/hoard", LX_O_RDONLY, 0));
    f_close(&g);
    bank->limit = bank->used;
    OK(f_op(&f, FS_OP_SEGMENT, 0, 0, 0) ? 0 : 0); // /hoard was idle: its page went for this
    fake_delete(root.env, root.recv[0]);
    bank->limit = limit;
    f_close(&f);
}

int main(void)
{
    fake_again = true;
    world_start(2048, 400, 3000);
    client_start(&root, 1, 0, 0);
    client_start(&alice, 2, 1000, 100);
    client_start(&bob, 3, 1001, 101);
    OK(path_op(&root, FS_OP_CHMOD, "/", 0777, 0, 0));
    last_copy();
    stale_badge();
    undelivered();
    hoarder();
    kept_page();
    kept_nodes();
    fifos();
    full_bank();
    shares();
    client_die(&alice);
    client_die(&bob);
    client_die(&root);
    world_fsck();
    return 0;
}
