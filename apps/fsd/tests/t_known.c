// SPDX-License-Identifier: MIT
// What is published about names and attributes (proto/names.h): names come and go, directories move
// and change their modes at random, and after each step everything in the pages must be true, and
// be what everybody may know. Arguments: steps, seed.
#include "client.h"

enum { DEPTH = 4 };

static struct client root, alice;
static const struct names_head *head;
static uint8_t *may_know; // by inode number
static unsigned long seen_names, seen_attrs, seen_missing, seen_nodes;

static const void *at(uint32_t offset)
{
    return (const char *)head + offset;
}

static const char *some_path(void)
{
    static char paths[4][256];
    static unsigned turn;
    char *p = paths[turn++ % 4];
    unsigned n = 1 + fake_rand(DEPTH);
    p[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        static const char *const names[] = {"a",
                                            "bb",
                                            "a-name-of-twenty-one.c",
                                            "d",
                                            "a-name-as-long-as-can-be-published-to-everybody!",
                                            "this-one-is-longer-than-what-is-published-to-anybody",
                                            "e"};
        strcat(strcat(p, "/"), names[fake_rand(sizeof(names) / sizeof(names[0]))]);
    }
    return fake_rand(20) ? p : strcat(p, "/");
}

static uint32_t some_mode(void)
{
    static const uint32_t modes[] = {0755, 0755, 0777, 0777, 0700, 0711, 0744, 0750, 0055};
    return modes[fake_rand(sizeof(modes) / sizeof(modes[0]))];
}

// Files that are open for long, and written to in place.
static void step_held(void)
{
    static struct file held[3];
    static char path[3][256];
    unsigned which = fake_rand(3);
    struct file *f = &held[which];
    if (!f->c)
        f_open(&root, f, strcpy(path[which], some_path()), LX_O_RDWR | LX_O_CREAT, 0644);
    path_op(&root, FS_OP_STAT, path[which], 0, 0, 0);
    if (!f->endpoint || !LX_S_ISREG(f->mode) || !fake_rand(3)) {
        if (f->endpoint)
            f_close(f);
        *f = (struct file){0};
    } else {
        f_pwrite(f, "more", 4, fake_rand(2));
    }
}

static void step_file(struct client *c)
{
    struct file f;
    if (f_open(c, &f, some_path(), LX_O_RDWR | (fake_rand(2) ? LX_O_CREAT : 0), 0644) != 0)
        return;
    if (LX_S_ISREG(f.mode) && fake_rand(2))
        f_pwrite(&f, "bytes", 5, fake_rand(3) * 4094);
    f_close(&f);
}

// What was told to one client alone.
static struct promise {
    const struct client *c;
    char path[256];
    struct fs_told told;
} promises[64];
static unsigned npromises, kept_promises;

static void step_stat(struct client *c, const char *path)
{
    struct promise *p = &promises[npromises % 64];
    if (path_op(c, FS_OP_STAT, path, 0, 0, 0) != 0)
        return;
    p->c = c;
    strcpy(p->path, path);
    memcpy(&p->told, c->msg, sizeof(p->told));
    npromises += p->told.told != 0;
}

static void check_promise(const struct promise *p)
{
    static struct ext_walk w;
    struct ext_inode inode;
    struct lx_stat want;
    struct ext_cred cred = {.uid = p->c == &root ? 0 : 1000, .gid = p->c == &root ? 0 : 100};
    struct ext_walk_env env = {&cred, EXT_ROOT_INO, EXT_ROOT_INO, NULL, NULL};
    if (!p->told.told || p->told.told != head->told)
        return;
    OK(ext_walk(&vol, &env, p->path, (uint32_t)strlen(p->path), 0, &w));
    OK(ext_inode_load(&vol, w.ino, &inode));
    ext_stat_fill(&inode, FS_ROOT_DEV, &want);
    CHECK(!memcmp(&p->told.st, &want, sizeof(want)));
    const struct node *n = node_find(w.ino);
    CHECK(!n || !n->written);
    kept_promises++;
}

static void step(void)
{
    struct client *c = fake_rand(3) ? &root : &alice;
    switch (fake_rand(16)) {
    case 0:
    case 1:
        path_op(c, FS_OP_MKDIR, some_path(), some_mode(), 0, 0);
        break;
    case 2:
        path_op(c, FS_OP_UNLINK, some_path(), fake_rand(2) ? LX_AT_REMOVEDIR : 0, 0, 0);
        break;
    case 3:
        path2_op(c, FS_OP_RENAME, some_path(), some_path(), fake_rand(3) ? 0 : LX_RENAME_EXCHANGE);
        break;
    case 4:
        path2_op(c, FS_OP_LINK, some_path(), some_path(), 0);
        break;
    case 5:
        path2_op(c, FS_OP_SYMLINK, some_path(), some_path(), 0);
        break;
    case 6:
        path_op(c, FS_OP_CHMOD, some_path(), some_mode(), 0, 0);
        break;
    case 7:
        path_op(c, FS_OP_CHOWN, some_path(), fake_rand(2) ? 1000 : 0, 0, 0);
        break;
    case 8:
        path_op(c, FS_OP_TRUNCATE, some_path(), fake_rand(9000), 0, 0);
        break;
    case 9:
    case 10:
        step_file(c);
        step_held();
        break;
    case 11:
        path_op(c, FS_OP_ACCESS, some_path(), 0, 0, 0);
        break;
    default:
        step_stat(c, some_path());
    }
}

// --- what everybody may know, found by going through the whole tree
// ----------------------------------------------

struct children {
    uint32_t ino[64];
    unsigned n;
};

static bool note_child(void *ctx, const struct ext_dirent *e)
{
    struct children *all = ctx;
    bool dots = e->name[0] == '.' && (e->name_len == 1 || (e->name_len == 2 && e->name[1] == '.'));
    if (!dots && all->n < 64)
        all->ino[all->n++] = e->ino;
    return true;
}

static void learn(uint32_t ino)
{
    struct ext_inode inode;
    struct children all = {.n = 0};
    uint64_t cookie = 0;
    may_know[ino] |= 1;
    OK(ext_inode_load(&vol, ino, &inode));
    if (!LX_S_ISDIR(inode.mode) || (inode.mode & 0555) != 0555)
        return;
    may_know[ino] |= 2; // its names too
    OK(ext_dir_iterate(&vol, ino, &cookie, note_child, &all));
    for (unsigned i = 0; i < all.n; i++)
        learn(all.ino[i]);
}

static void check_name(const struct names_name *n)
{
    struct ext_inode inode;
    uint32_t ino = 0;
    bool there = ext_inode_load(&vol, n->dir, &inode) == 0 && LX_S_ISDIR(inode.mode) && inode.nlink;
    long err = there ? ext_lookup(&vol, n->dir, (const char *)n->text, n->len, &ino) : -LX_ENOENT;
    if (!n->ino) {
        CHECK_EQ(err, -LX_ENOENT);
        seen_missing++;
        return;
    }
    OK(err);
    CHECK_EQ(ino, n->ino);
    CHECK(may_know[n->dir] & 2);
    OK(ext_inode_load(&vol, ino, &inode));
    CHECK_EQ(n->kind, LX_S_ISDIR(inode.mode)   ? NAMES_DIR
                      : LX_S_ISLNK(inode.mode) ? NAMES_LINK
                                               : NAMES_FILE);
    seen_names++;
}

static void check_attr(const struct names_attr *attr)
{
    const struct lx_stat *st = &attr->st;
    uint32_t parent;
    struct ext_inode inode;
    struct lx_stat want;
    const struct node *n = node_find((uint32_t)st->st_ino);
    OK(ext_inode_load(&vol, (uint32_t)st->st_ino, &inode));
    ext_stat_fill(&inode, FS_ROOT_DEV, &want);
    CHECK(!memcmp(st, &want, sizeof(want)));
    CHECK(may_know[inode.ino]);
    CHECK(!n || !n->written);
    if (LX_S_ISDIR(inode.mode)) {
        OK(ext_lookup(&vol, inode.ino, "..", 2, &parent));
        CHECK_EQ(attr->parent, parent);
    }
    seen_attrs++;
}

static void check_node(const struct node *n)
{
    struct ext_inode inode;
    struct lx_stat want;
    if (!n || !n->page->attr)
        return;
    OK(ext_inode_load(&vol, n->ino, &inode));
    ext_stat_fill(&inode, FS_ROOT_DEV, &want);
    CHECK(!memcmp(&n->page->st, &want, sizeof(want)));
    CHECK(!n->written);
    seen_nodes++;
}

static void check(void)
{
    const struct names_name *names = at(head->names_at);
    const struct names_attr *attrs = at(head->attrs_at);
    memset(may_know, 0, vol.ninodes + 1);
    learn(EXT_ROOT_INO);
    CHECK(!(head->seq & 1));
    for (unsigned i = 0; i < 64; i++)
        check_promise(&promises[i]);
    for (uint32_t ino = 1; ino <= vol.ninodes; ino++)
        check_node(node_find(ino));
    for (uint32_t i = 0; i < head->nnames; i++) {
        if (names[i].dir)
            check_name(&names[i]);
    }
    for (uint32_t i = 0; i < head->nattrs; i++) {
        if (attrs[i].st.st_ino) {
            CHECK_EQ(attrs[i].st.st_ino % head->nattrs, i);
            check_attr(&attrs[i]);
        }
    }
}

// Attributes got by descriptor say nothing about how public the file's name is.
static void by_descriptor(void)
{
    struct file f;
    OK(path_op(&root, FS_OP_MKDIR, "/hidden", 0700, 0, 0));
    OK(f_open(&root, &f, "/hidden/file", LX_O_CREAT | LX_O_RDWR, 0644));
    p_stat(&root, "/jail");
    f_stat(&f);
    check();
    f_close(&f);
}

static void map_published(void)
{
    OK(call(&alice, 0, FS_OP_NAMES, ARGS(0), "", 0, 0));
    const struct fake_cap *c = fake_cap(alice.recv[0], alice.env, EXO_CAP_SEGMENT, EXO_R_READ);
    CHECK(c);
    CHECK(!fake_cap(alice.recv[0], alice.env, EXO_CAP_SEGMENT, EXO_R_WRITE));
    for (unsigned i = 0; i < 512 && c->obj->entry[i].run; i++)
        CHECK_EQ(c->obj->entry[i].rights, EXO_R_READ);
    head = fake_frame(c->obj->entry[0].frame);
    CHECK_EQ(head->version, NAMES_VERSION);
}

// Whoever has a root of its own learns nothing of what is outside.
static void confined(void)
{
    struct file f;
    OK(path_op(&root, FS_OP_MKDIR, "/jail", 0755, 0, 0));
    OK(f_chroot(&root, &f, "/jail", NULL));
    CHECK_EQ(f_op(&f, FS_OP_NAMES, 0, 0, 0), -LX_EPERM);
    f_close(&f);
}

// A directory where nobody else comes, with the number of one that was public.
static void reused(void)
{
    struct file f;
    OK(path_op(&root, FS_OP_MKDIR, "/private", 0700, 0, 0));
    OK(path_op(&root, FS_OP_MKDIR, "/public", 0755, 0, 0));
    CHECK_EQ(path_op(&root, FS_OP_STAT, "/public/none", 0, 0, 0), -LX_ENOENT);
    uint64_t ino = p_stat(&root, "/public").st_ino;
    OK(path_op(&root, FS_OP_UNLINK, "/public", LX_AT_REMOVEDIR, 0, 0));
    OK(path_op(&root, FS_OP_MKDIR, "/private/new", 0755, 0, 0));
    CHECK_EQ(p_stat(&root, "/private/new").st_ino, ino);
    OK(f_open(&root, &f, "/private/new/file", LX_O_CREAT | LX_O_RDWR, 0644));
    f_close(&f);
    p_stat(&root, "/private/new/file");
    check();
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 4000;
    fake_seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;
    world_start(2048, 400, 6000);
    client_start(&root, 1, 0, 0);
    client_start(&alice, 2, 1000, 100);
    may_know = calloc(1, vol.ninodes + 1);
    map_published();
    confined();
    reused();
    by_descriptor();
    for (int i = 0; i < rounds; i++) {
        step();
        check();
        if (i % 64 == 0)
            world_forget();
    }
    CHECK(seen_names > (unsigned)rounds && seen_attrs > (unsigned)rounds &&
          seen_missing > (unsigned)rounds && seen_nodes > 100 && kept_promises > 100);
    client_die(&root);
    client_die(&alice);
    world_fsck();
    free(may_know);
    return 0;
}
