// SPDX-License-Identifier: MIT
//
// Random operations against a naive model of a POSIX tree, compared after every few hundred, with
// e2fsck in between. Arguments: seed, number of operations. The seed is printed, so a failure can
// be run again. Two volumes are driven: a roomy one, where every result must be the model's, and a
// tiny one, where -LX_ENOSPC is allowed at any time but must change nothing.
#include <time.h>
#include "rig.h"

#define NODES   400
#define ENTRIES 64 // per directory in the model
#define FILEMAX 400000

struct node {
    bool used;
    uint32_t mode, nlink, ino, size, parent, open;
    uint8_t *data; // of a file, or the target of a link
    uint32_t rdev;
};

struct entry {
    char name[256];
    uint32_t node; // 0: unused
};

static struct node nodes[NODES];
static struct entry (*dirs[NODES])[ENTRIES];
static struct rig rig;
static struct ext_vol *vol = &rig.vol;
static bool tiny;
static long refused, happened;

static struct entry *find(uint32_t dir, const char *name)
{
    for (int i = 0; i < ENTRIES; i++)
        if ((*dirs[dir])[i].node && !strcmp((*dirs[dir])[i].name, name))
            return &(*dirs[dir])[i];
    return NULL;
}

static struct entry *slot_new(uint32_t dir)
{
    for (int i = 0; i < ENTRIES; i++)
        if (!(*dirs[dir])[i].node)
            return &(*dirs[dir])[i];
    return NULL;
}

static bool is_dir(uint32_t n)
{
    return LX_S_ISDIR(nodes[n].mode);
}

static bool is_empty(uint32_t dir)
{
    for (int i = 0; i < ENTRIES; i++)
        if ((*dirs[dir])[i].node)
            return false;
    return true;
}

static uint32_t pick(bool want_dir)
{
    for (int tries = 0; tries < 200; tries++) {
        uint32_t n = 1 + rig_rand(NODES - 1);
        if (nodes[n].used && nodes[n].nlink && is_dir(n) == want_dir)
            return n;
    }
    return want_dir ? 1 : 0;
}

static uint32_t node_new(void)
{
    for (uint32_t n = 2; n < NODES; n++)
        if (!nodes[n].used)
            return n;
    return 0;
}

static void name_make(char *name)
{
    static const uint8_t lens[] = {1, 2, 3, 4, 5, 8, 11, 30, 100, 255};
    uint32_t which = rig_rand(40), len = lens[which % 10];
    memset(name, 'a' + (int)which, len);
    name[len] = 0;
}

static uint32_t nlen(const char *s)
{
    return (uint32_t)strlen(s);
}

// Compares the result with the model's. True: the operation happened, the model must follow.
static bool same(int got, int want)
{
    if (tiny && got == -LX_ENOSPC) {
        refused++;
        return false;
    }
    CHECK_EQ(got, want);
    happened += want == 0;
    return want == 0;
}

static void node_forget(uint32_t n)
{
    if (nodes[n].nlink || nodes[n].open)
        return;
    rig_call(&rig);
    OK(ext_inode_drop(vol, nodes[n].ino));
    free(nodes[n].data);
    free(dirs[n]);
    dirs[n] = NULL;
    memset(&nodes[n], 0, sizeof(nodes[n]));
}

static void orphan_check(uint32_t n, uint32_t orphan)
{
    CHECK_EQ(orphan, nodes[n].nlink ? 0 : nodes[n].ino);
    if (!nodes[n].nlink && rig_rand(3) == 0)
        nodes[n].open = 1;
    node_forget(n);
}

static void op_create(void)
{
    static const uint32_t types[] = {LX_S_IFREG, LX_S_IFREG, LX_S_IFREG, LX_S_IFDIR, LX_S_IFDIR,
                                     LX_S_IFLNK, LX_S_IFCHR, LX_S_IFIFO, LX_S_IFSOCK};
    char name[256], target[3000];
    uint32_t dir = pick(true), n = node_new(), ino;
    struct entry *e = slot_new(dir);
    name_make(name);
    if (!n || !e)
        return;
    struct ext_create_args args = {.mode = types[rig_rand(9)] | rig_rand(01000)};
    args.rdev = rig_rand(2) ? 0x0501 : 0x12345678;
    args.target = target;
    args.target_len = 1 + rig_rand(rig_rand(2) ? 70 : sizeof(target) - 1);
    memset(target, 't', sizeof(target));
    int want = find(dir, name) ? -LX_EEXIST : 0;
    int got = ext_create(vol, NULL, nodes[dir].ino, name, nlen(name), &args, &ino);
    if (!same(got, want))
        return;
    nodes[n] =
        (struct node){.used = true, .mode = args.mode, .nlink = 1, .ino = ino, .parent = dir};
    nodes[n].rdev = LX_S_ISCHR(args.mode) ? args.rdev : 0;
    strcpy(e->name, name);
    e->node = n;
    if (is_dir(n)) {
        nodes[n].mode |= nodes[dir].mode & LX_S_ISGID;
        nodes[n].nlink = 2;
        nodes[dir].nlink++;
        dirs[n] = calloc(1, sizeof(*dirs[n]));
    } else if (LX_S_ISLNK(args.mode)) {
        nodes[n].size = args.target_len;
        nodes[n].data = malloc(args.target_len);
        memcpy(nodes[n].data, target, args.target_len);
    }
}

static void op_link(void)
{
    char name[256];
    uint32_t dir = pick(true), n = pick(rig_rand(10) == 0);
    struct entry *e = slot_new(dir);
    name_make(name);
    if (!n || !e)
        return;
    int want = find(dir, name) ? -LX_EEXIST : is_dir(n) ? -LX_EPERM : 0;
    if (!same(ext_link(vol, NULL, nodes[n].ino, nodes[dir].ino, name, nlen(name)), want))
        return;
    strcpy(e->name, name);
    e->node = n;
    nodes[n].nlink++;
}

static void op_unlink(void)
{
    char name[256];
    uint32_t dir = pick(true), orphan;
    name_make(name);
    struct entry *e = find(dir, name);
    int want = !e ? -LX_ENOENT : is_dir(e->node) ? -LX_EISDIR : 0;
    if (!same(ext_unlink(vol, NULL, nodes[dir].ino, name, nlen(name), &orphan), want))
        return;
    uint32_t n = e->node;
    e->node = 0;
    nodes[n].nlink--;
    orphan_check(n, orphan);
}

static void op_rmdir(void)
{
    char name[256];
    uint32_t dir = pick(true), orphan;
    name_make(name);
    struct entry *e = find(dir, name);
    int want = !e                   ? -LX_ENOENT
               : !is_dir(e->node)   ? -LX_ENOTDIR
               : !is_empty(e->node) ? -LX_ENOTEMPTY
                                    : 0;
    if (!same(ext_rmdir(vol, NULL, nodes[dir].ino, name, nlen(name), &orphan), want))
        return;
    uint32_t n = e->node;
    e->node = 0;
    nodes[n].nlink = 0;
    nodes[dir].nlink--;
    orphan_check(n, orphan);
}

static bool below(uint32_t n, uint32_t top)
{
    for (;; n = nodes[n].parent) {
        if (n == top)
            return true;
        if (n == 1)
            return false;
    }
}

static int rename_want(uint32_t od, struct entry *o, uint32_t nd, struct entry *n, uint32_t flags)
{
    if (!o)
        return -LX_ENOENT;
    if (n && (flags & LX_RENAME_NOREPLACE))
        return -LX_EEXIST;
    if (!n && (flags & LX_RENAME_EXCHANGE))
        return -LX_ENOENT;
    if (n && o->node == n->node)
        return 1;
    if (is_dir(o->node) && below(nd, o->node))
        return -LX_EINVAL;
    if (n && is_dir(n->node) && below(od, n->node))
        return flags & LX_RENAME_EXCHANGE ? -LX_EINVAL : -LX_ENOTEMPTY;
    if (!n || (flags & LX_RENAME_EXCHANGE))
        return 0;
    if (is_dir(o->node) != is_dir(n->node))
        return is_dir(o->node) ? -LX_ENOTDIR : -LX_EISDIR;
    return is_dir(n->node) && !is_empty(n->node) ? -LX_ENOTEMPTY : 0;
}

static void reparent(uint32_t n, uint32_t from, uint32_t to)
{
    if (!is_dir(n))
        return;
    nodes[from].nlink--;
    nodes[to].nlink++;
    nodes[n].parent = to;
}

static void op_rename(void)
{
    char oname[256], nname[256];
    uint32_t od = pick(true), nd = rig_rand(3) ? pick(true) : od, orphan;
    uint32_t flags = rig_rand(4) ? 0 : rig_rand(2) ? LX_RENAME_NOREPLACE : LX_RENAME_EXCHANGE;
    name_make(oname);
    name_make(nname);
    struct entry *o = find(od, oname), *n = find(nd, nname), *free_slot = slot_new(nd);
    if (!n && !free_slot)
        return;
    int want = rename_want(od, o, nd, n, flags);
    int got = ext_rename(vol, NULL, nodes[od].ino, oname, nlen(oname), nodes[nd].ino, nname,
                         nlen(nname), flags, &orphan);
    if (!same(got, want == 1 ? 0 : want) || want == 1)
        return;
    uint32_t moved = o->node;
    if (flags & LX_RENAME_EXCHANGE) {
        o->node = n->node;
        n->node = moved;
        reparent(moved, od, nd);
        reparent(o->node, nd, od);
        return;
    }
    reparent(moved, od, nd);
    o->node = 0;
    if (!n) {
        strcpy(free_slot->name, nname);
        free_slot->node = moved;
        CHECK_EQ(orphan, 0);
        return;
    }
    uint32_t gone = n->node;
    n->node = moved;
    if (is_dir(gone))
        nodes[nd].nlink--;
    nodes[gone].nlink = is_dir(gone) ? 0 : nodes[gone].nlink - 1;
    orphan_check(gone, orphan);
}

static void grow(struct node *f, uint32_t size)
{
    if (size <= f->size)
        return;
    f->data = realloc(f->data, size);
    memset(f->data + f->size, 0, size - f->size);
    f->size = size;
}

static uint32_t pick_file(void)
{
    uint32_t n = pick(false);
    return n && LX_S_ISREG(nodes[n].mode) ? n : 0;
}

static void op_write(void)
{
    static uint8_t buf[40000];
    uint32_t n = pick_file(), off = rig_rand(rig_rand(2) ? 5000 : FILEMAX - sizeof(buf));
    uint32_t len = 1 + rig_rand(rig_rand(2) ? 100 : sizeof(buf) - 1);
    if (!n)
        return;
    memset(buf, 1 + (int)rig_rand(255), len);
    int64_t got = ext_write(vol, NULL, nodes[n].ino, buf, off, len);
    if (tiny && got == -LX_ENOSPC) {
        refused++;
        return;
    }
    CHECK(got == len || (tiny && got > 0));
    grow(&nodes[n], off + (uint32_t)got);
    memcpy(nodes[n].data + off, buf, (size_t)got);
}

static void op_truncate(void)
{
    uint32_t n = pick_file(), size = rig_rand(rig_rand(2) ? 6000 : FILEMAX);
    if (!n)
        return;
    OK(ext_truncate(vol, NULL, nodes[n].ino, size));
    if (size < nodes[n].size)
        nodes[n].size = size;
    grow(&nodes[n], size);
}

static void op_allocate(void)
{
    uint32_t n = pick_file(), off = rig_rand(FILEMAX / 2), len = 1 + rig_rand(60000);
    if (!n)
        return;
    if (same(ext_allocate(vol, NULL, nodes[n].ino, off, len), 0))
        grow(&nodes[n], off + len);
}

static void op_chmod(void)
{
    uint32_t n = pick(rig_rand(2));
    struct ext_attr a = {.what = EXT_ATTR_MODE, .mode = rig_rand(010000)};
    if (!n)
        return;
    OK(ext_attr_set(vol, NULL, nodes[n].ino, &a));
    nodes[n].mode = (nodes[n].mode & LX_S_IFMT) | a.mode;
}

static void op_close(void)
{
    for (uint32_t n = 2; n < NODES; n++)
        if (nodes[n].used && nodes[n].open && rig_rand(2)) {
            nodes[n].open = 0;
            node_forget(n);
        }
}

// The path of a directory, checked with the walker.
static void op_walk(void)
{
    uint32_t n = pick(true), at = n;
    char path[4096] = "", next[4096];
    struct ext_walk out;
    struct ext_walk_env env = {.root_ino = EXT_ROOT_INO, .start_ino = EXT_ROOT_INO};
    while (at != 1) {
        uint32_t up = nodes[at].parent;
        for (int i = 0; i < ENTRIES; i++)
            if ((*dirs[up])[i].node == at) {
                snprintf(next, sizeof(next), "/%s%.3500s", (*dirs[up])[i].name, path);
                strcpy(path, next);
            }
        at = up;
        if (strlen(path) > 3000)
            return;
    }
    strcat(path, "/.");
    OK(ext_walk(vol, &env, path, nlen(path), 0, &out));
    CHECK_EQ(out.ino, nodes[n].ino);
}

static bool seen_one(void *ctx, const struct ext_dirent *e)
{
    uint32_t dir = *(uint32_t *)ctx;
    char name[256];
    memcpy(name, e->name, e->name_len);
    name[e->name_len] = 0;
    if (!strcmp(name, ".")) {
        CHECK_EQ(e->ino, nodes[dir].ino);
    } else if (!strcmp(name, "..")) {
        CHECK_EQ(e->ino, nodes[nodes[dir].parent].ino);
    } else if (strcmp(name, "lost+found")) {
        struct entry *m = find(dir, name);
        CHECK(m);
        CHECK_EQ(e->ino, nodes[m->node].ino);
        CHECK_EQ(e->type, vol->has_filetype ? LX_IFTODT(nodes[m->node].mode) : LX_DT_UNKNOWN);
        ((uint32_t *)ctx)[1]++;
    }
    return true;
}

struct listed {
    const uint8_t *at, *end;
};

static bool next_record(void *ctx, const struct ext_dirent *e)
{
    struct listed *l = ctx;
    const struct lx_dirent64 *d = (const void *)l->at;
    if (l->at == l->end)
        return false;
    CHECK_EQ(d->d_ino, e->ino);
    CHECK_EQ(d->d_type, e->type);
    CHECK_EQ((uint64_t)d->d_off, e->next);
    CHECK_EQ(strlen(d->d_name), e->name_len);
    CHECK(!memcmp(d->d_name, e->name, e->name_len));
    l->at += d->d_reclen;
    return true;
}

// The records for readers, in pieces of all sizes, are the entries, and nothing is written behind.
static void list_compare(uint32_t ino)
{
    uint64_t cookie = 0, same = 0;
    uint32_t known = EXT_ANY_COOKIE;
    for (;;) {
        uint32_t room = 280 + rig_rand(900);
        uint8_t *buf = malloc(room); // its bounds are watched
        int got = ext_dir_list(vol, ino, &cookie, &known, buf, room);
        struct listed l = {buf, buf + got};
        CHECK(got >= 0);
        OK(ext_dir_iterate(vol, ino, &same, next_record, &l));
        CHECK(l.at == l.end);
        free(buf);
        if (!got)
            break;
        if (rig_rand(4) == 0)
            known = EXT_ANY_COOKIE;
    }
}

static void dir_compare(uint32_t dir)
{
    uint32_t ctx[2] = {dir, 0}, want = 0;
    uint64_t cookie = 0;
    for (int i = 0; i < ENTRIES; i++)
        want += (*dirs[dir])[i].node != 0;
    OK(ext_dir_iterate(vol, nodes[dir].ino, &cookie, seen_one, ctx));
    CHECK_EQ(ctx[1], want);
    list_compare(nodes[dir].ino);
}

static void node_compare(uint32_t n)
{
    static uint8_t buf[FILEMAX + 70000];
    struct ext_inode inode;
    struct node *m = &nodes[n];
    OK(ext_inode_load(vol, m->ino, &inode));
    CHECK_EQ(inode.mode, m->mode);
    CHECK_EQ(inode.nlink, m->nlink);
    CHECK_EQ(ext_inode_rdev(&inode), m->rdev);
    if (LX_S_ISDIR(m->mode)) {
        if (m->nlink)
            dir_compare(n);
        return;
    }
    CHECK_EQ(inode.size, m->size);
    if (LX_S_ISREG(m->mode))
        CHECK_EQ(ext_read(vol, m->ino, buf, 0, sizeof(buf)), m->size);
    else if (LX_S_ISLNK(m->mode))
        CHECK_EQ(ext_readlink(vol, m->ino, (char *)buf, sizeof(buf)), m->size);
    if (m->size)
        OK(memcmp(buf, m->data, m->size));
}

static void compare_all(void)
{
    for (uint32_t n = 1; n < NODES; n++)
        if (nodes[n].used)
            node_compare(n);
}

static void step(void)
{
    uint32_t op = rig_rand(100);
    rig_call(&rig);
    vol->now.sec++;
    if (op < 28)
        op_create();
    else if (op < 35)
        op_link();
    else if (op < 48)
        op_unlink();
    else if (op < 56)
        op_rmdir();
    else if (op < 72)
        op_rename();
    else if (op < 84)
        op_write();
    else if (op < 90)
        op_truncate();
    else if (op < 92)
        op_allocate();
    else if (op < 94)
        op_chmod();
    else if (op < 97)
        op_close();
    else
        op_walk();
}

static void model_free(void)
{
    for (uint32_t n = 1; n < NODES; n++) {
        free(nodes[n].data);
        free(dirs[n]);
        dirs[n] = NULL;
    }
    memset(nodes, 0, sizeof(nodes));
}

static void run(uint32_t blocks, const char *options, size_t index, long ops)
{
    rig_mkfs(&rig, blocks, options);
    rig_mount(&rig, index);
    nodes[1] = (struct node){.used = true, .mode = LX_S_IFDIR | 0755, .nlink = 3, .parent = 1};
    nodes[1].ino = EXT_ROOT_INO;
    dirs[1] = calloc(1, sizeof(*dirs[1]));
    for (long i = 1; i <= ops; i++) {
        step();
        if (i % 250 == 0)
            compare_all();
        if (i % 3000 == 0 || i == ops) {
            for (uint32_t n = 2; n < NODES; n++)
                if (nodes[n].used) {
                    nodes[n].open = 0;
                    node_forget(n);
                }
            rig_fsck(&rig);
        }
    }
    model_free();
    rig_finish(&rig);
}

int main(int argc, char **argv)
{
    long ops = argc > 2 ? atol(argv[2]) : 12000;
    rig_seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL) * 2654435761u;
    printf("seed %llu\n", (unsigned long long)rig_seed);
    fflush(stdout);
    rig_seed |= 1;
    rig_init(&rig);
    run(16384, "", 200000, ops);
    run(16384, "-g 1024 -O ^filetype", 0, ops / 2);
    tiny = true;
    run(600, "-N 208 -m 0", 20000, ops);
    printf("names changed: %ld, refused for space: %ld\n", happened, refused);
    CHECK(happened > ops / 4 && refused > ops / 100);
    rig_done(&rig);
    puts("ok: random operations");
    return 0;
}
