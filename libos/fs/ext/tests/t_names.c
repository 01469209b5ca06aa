// SPDX-License-Identifier: MIT
//
// The name operations one by one: their errors, permissions, link counts, orphans, and what a
// removed entry leaves for the next. Directory cookies while entries come and go.
#include "rig.h"

static struct rig r;
static struct ext_vol *vol = &r.vol;
static const struct ext_cred alice = {1000, 1000, NULL, 0}, bob = {1001, 1001, NULL, 0};

static struct ext_inode get(uint32_t ino)
{
    struct ext_inode inode;
    OK(ext_inode_load(vol, ino, &inode));
    return inode;
}

static int create_as(const struct ext_cred *cred, uint32_t dir, const char *name, uint32_t mode)
{
    uint32_t ino;
    struct ext_create_args args = {.mode = mode, .target = "t", .target_len = 1};
    rig_call(&r);
    return ext_create(vol, cred, dir, name, (uint32_t)strlen(name), &args, &ino);
}

static int unlink_as(const struct ext_cred *cred, uint32_t dir, const char *name)
{
    uint32_t orphan;
    rig_call(&r);
    int err = ext_unlink(vol, cred, dir, name, (uint32_t)strlen(name), &orphan);
    return err || !orphan ? err : ext_inode_drop(vol, orphan);
}

static int rename_as(const struct ext_cred *cred, uint32_t od, const char *on, uint32_t nd,
                     const char *nn)
{
    uint32_t orphan;
    rig_call(&r);
    int err = ext_rename(vol, cred, od, on, (uint32_t)strlen(on), nd, nn, (uint32_t)strlen(nn), 0,
                         &orphan);
    return err || !orphan ? err : ext_inode_drop(vol, orphan);
}

static void chmod_to(uint32_t ino, uint32_t mode)
{
    struct ext_attr a = {.what = EXT_ATTR_MODE, .mode = mode};
    OK(ext_attr_set(vol, NULL, ino, &a));
}

static void test_errors(void)
{
    char longest[258];
    uint32_t ino, file = rig_create(&r, EXT_ROOT_INO, "file", LX_S_IFREG | 0644);
    memset(longest, 'n', 257);
    longest[257] = 0;
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, longest, LX_S_IFREG), -LX_ENAMETOOLONG);
    longest[255] = 0;
    OK(rig_try_create(&r, EXT_ROOT_INO, longest, LX_S_IFREG));
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, longest, LX_S_IFREG), -LX_EEXIST);
    OK(rig_unlink(&r, EXT_ROOT_INO, longest));
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, "", LX_S_IFREG), -LX_ENOENT);
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, "a/b", LX_S_IFREG), -LX_EINVAL);
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, "x", 0644), -LX_EINVAL); // no type
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, ".", LX_S_IFDIR), -LX_EEXIST);
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, "..", LX_S_IFDIR), -LX_EEXIST);
    CHECK_EQ(rig_try_create(&r, file, "x", LX_S_IFREG), -LX_ENOTDIR);
    CHECK_EQ(rig_try_create(&r, 9, "x", LX_S_IFREG), -LX_ESTALE);
    CHECK_EQ(rig_lookup(&r, file, "x", &ino), -LX_ENOTDIR);
    CHECK_EQ(rig_rmdir(&r, EXT_ROOT_INO, "file"), -LX_ENOTDIR);
    CHECK_EQ(rig_rmdir(&r, EXT_ROOT_INO, "."), -LX_EINVAL);
    CHECK_EQ(rig_rmdir(&r, EXT_ROOT_INO, ".."), -LX_ENOTEMPTY);
    CHECK_EQ(rig_unlink(&r, EXT_ROOT_INO, "lost+found"), -LX_EISDIR);
    CHECK_EQ(rig_unlink(&r, EXT_ROOT_INO, "nothing"), -LX_ENOENT);
    CHECK_EQ(ext_link(vol, NULL, EXT_ROOT_INO, EXT_ROOT_INO, "l", 1), -LX_EPERM);
    CHECK_EQ(rig_rename(&r, EXT_ROOT_INO, "file", EXT_ROOT_INO, ".", 0), -LX_EBUSY);
    CHECK_EQ(rig_rename(&r, EXT_ROOT_INO, "file", EXT_ROOT_INO, "f2", LX_RENAME_WHITEOUT),
             -LX_EINVAL);
    CHECK_EQ(rig_rename(&r, EXT_ROOT_INO, "file", EXT_ROOT_INO, "f2", 3), -LX_EINVAL);
    struct ext_create_args args = {.mode = LX_S_IFLNK, .target = longest, .target_len = 0};
    CHECK_EQ(ext_create(vol, NULL, EXT_ROOT_INO, "s", 1, &args, &ino), -LX_ENOENT);
    args.target_len = 4096;
    CHECK_EQ(ext_create(vol, NULL, EXT_ROOT_INO, "s", 1, &args, &ino), -LX_ENAMETOOLONG);
    OK(rig_unlink(&r, EXT_ROOT_INO, "file"));
}

static void test_permissions(void)
{
    uint32_t dir = rig_create(&r, EXT_ROOT_INO, "perm", LX_S_IFDIR | 0755);
    uint32_t open = rig_create(&r, EXT_ROOT_INO, "open", LX_S_IFDIR | 0777), sub;
    CHECK_EQ(create_as(&alice, dir, "a", LX_S_IFREG | 0644), -LX_EACCES);
    OK(create_as(NULL, dir, "root", LX_S_IFREG | 0644));
    CHECK_EQ(unlink_as(&alice, dir, "root"), -LX_EACCES);
    CHECK_EQ(create_as(&alice, dir, "root", LX_S_IFREG | 0644), -LX_EEXIST);
    OK(create_as(&alice, open, "a", LX_S_IFREG | 0644));
    OK(create_as(&bob, open, "b", LX_S_IFREG | 0644));
    chmod_to(open, 01777);
    CHECK_EQ(unlink_as(&bob, open, "a"), -LX_EPERM); // sticky
    CHECK_EQ(rename_as(&bob, open, "b", open, "a"), -LX_EPERM);
    CHECK_EQ(rename_as(&bob, open, "a", open, "c"), -LX_EPERM);
    OK(rename_as(&bob, open, "b", open, "c"));
    OK(unlink_as(&bob, open, "c"));
    OK(unlink_as(&alice, open, "a"));
    chmod_to(open, 0777);
    OK(create_as(&alice, open, "mine", LX_S_IFDIR | 0555));
    OK(create_as(&alice, open, "to", LX_S_IFDIR | 0755));
    OK(rig_lookup(&r, open, "to", &sub));
    CHECK_EQ(rename_as(&alice, open, "mine", sub, "m"), -LX_EACCES); // ".." would change
    OK(rename_as(&alice, open, "mine", open, "m"));
    OK(rename_as(NULL, open, "m", sub, "m"));
    struct ext_inode inode = get(sub);
    inode.flags |= EXT_FL_IMMUTABLE;
    OK(ext_inode_store(vol, &inode));
    CHECK_EQ(create_as(NULL, sub, "x", LX_S_IFREG), -LX_EPERM);
    CHECK_EQ(rig_rmdir(&r, sub, "m"), -LX_EPERM);
    inode.flags &= ~EXT_FL_IMMUTABLE;
    OK(ext_inode_store(vol, &inode));
}

static void test_group(void)
{
    uint32_t dir = rig_create(&r, EXT_ROOT_INO, "setgid", LX_S_IFDIR | 0777), ino;
    struct ext_attr a = {.what = EXT_ATTR_GID | EXT_ATTR_MODE, .gid = 77, .mode = 02777};
    OK(ext_attr_set(vol, NULL, dir, &a));
    OK(create_as(&alice, dir, "d", LX_S_IFDIR | 0755));
    OK(create_as(&alice, dir, "f", LX_S_IFREG | 02755));
    OK(rig_lookup(&r, dir, "d", &ino));
    CHECK_EQ(get(ino).gid, 77);
    CHECK_EQ(get(ino).mode, LX_S_IFDIR | 02755);
    OK(rig_lookup(&r, dir, "f", &ino));
    CHECK_EQ(get(ino).gid, 77);
    CHECK_EQ(get(ino).mode, LX_S_IFREG | 0755); // alice is not in group 77
}

static void test_access(void)
{
    const uint32_t groups[] = {5, 6};
    struct ext_inode f = {.mode = LX_S_IFREG | 0640, .uid = 1, .gid = 6};
    OK(ext_access(&f, 1, 9, NULL, 0, EXT_R | EXT_W));
    CHECK_EQ(ext_access(&f, 1, 9, NULL, 0, EXT_X), -LX_EACCES);
    OK(ext_access(&f, 2, 9, groups, 2, EXT_R));
    CHECK_EQ(ext_access(&f, 2, 9, groups, 2, EXT_W), -LX_EACCES);
    CHECK_EQ(ext_access(&f, 2, 9, groups, 1, EXT_R), -LX_EACCES);
    OK(ext_access(&f, 0, 0, NULL, 0, EXT_R | EXT_W));
    CHECK_EQ(ext_access(&f, 0, 0, NULL, 0, EXT_X), -LX_EACCES);
    f.mode = LX_S_IFREG | 0604; // the group is denied what others may
    CHECK_EQ(ext_access(&f, 2, 6, NULL, 0, EXT_R), -LX_EACCES);
    f.mode = LX_S_IFDIR;
    OK(ext_access(&f, 0, 0, NULL, 0, EXT_R | EXT_W | EXT_X));
    struct ext_inode d = {.mode = LX_S_IFDIR | 01777, .uid = 1};
    CHECK(ext_sticky_denies(&d, &(struct ext_inode){.uid = 3}, 2));
    CHECK(!ext_sticky_denies(&d, &(struct ext_inode){.uid = 2}, 2));
    CHECK(!ext_sticky_denies(&d, &(struct ext_inode){.uid = 3}, 1));
    CHECK(!ext_sticky_denies(&d, &(struct ext_inode){.uid = 3}, 0));
}

static void test_rename(void)
{
    uint32_t a = rig_create(&r, EXT_ROOT_INO, "ra", LX_S_IFDIR | 0755), ino;
    uint32_t b = rig_create(&r, a, "b", LX_S_IFDIR | 0755);
    uint32_t c = rig_create(&r, b, "c", LX_S_IFDIR | 0755);
    uint32_t f = rig_create(&r, a, "f", LX_S_IFREG | 0644);
    uint32_t links = get(EXT_ROOT_INO).nlink;
    CHECK_EQ(rig_rename(&r, EXT_ROOT_INO, "ra", c, "x", 0), -LX_EINVAL);
    CHECK_EQ(rig_rename(&r, EXT_ROOT_INO, "ra", a, "x", 0), -LX_EINVAL);
    CHECK_EQ(rig_rename(&r, b, "c", EXT_ROOT_INO, "ra", 0), -LX_ENOTEMPTY);
    CHECK_EQ(rig_rename(&r, b, "c", EXT_ROOT_INO, "ra", LX_RENAME_EXCHANGE), -LX_EINVAL);
    CHECK_EQ(rig_rename(&r, a, "f", a, "b", 0), -LX_EISDIR);
    CHECK_EQ(rig_rename(&r, a, "b", a, "f", 0), -LX_ENOTDIR);
    CHECK_EQ(rig_rename(&r, a, "b", a, "f", LX_RENAME_NOREPLACE), -LX_EEXIST);
    CHECK_EQ(rig_rename(&r, a, "b", a, "g", LX_RENAME_EXCHANGE), -LX_ENOENT);
    OK(rig_rename(&r, b, "c", EXT_ROOT_INO, "rc", LX_RENAME_NOREPLACE));
    CHECK_EQ(get(EXT_ROOT_INO).nlink, links + 1);
    CHECK_EQ(get(b).nlink, 2);
    OK(rig_lookup(&r, c, "..", &ino));
    CHECK_EQ(ino, EXT_ROOT_INO);
    OK(rig_rename(&r, EXT_ROOT_INO, "rc", a, "f", LX_RENAME_EXCHANGE)); // dir against file
    CHECK_EQ(get(EXT_ROOT_INO).nlink, links);
    CHECK_EQ(get(a).nlink, 4);
    OK(rig_lookup(&r, EXT_ROOT_INO, "rc", &ino));
    CHECK_EQ(ino, f);
    OK(rig_rename(&r, a, "f", a, "b", 0)); // directory over an empty directory
    CHECK_EQ(rig_lookup(&r, a, "f", &ino), -LX_ENOENT);
    OK(rig_lookup(&r, a, "b", &ino));
    CHECK_EQ(ino, c);
    CHECK_EQ(get(a).nlink, 3);
    rig_call(&r);
    OK(ext_link(vol, NULL, f, a, "hard", 4));
    OK(rig_rename(&r, a, "hard", EXT_ROOT_INO, "rc", 0)); // the same inode: nothing happens
    OK(rig_lookup(&r, a, "hard", &ino));
    CHECK_EQ(get(f).nlink, 2);
}

static void test_orphans(void)
{
    uint32_t ino[5], orphan;
    char name[2] = "0";
    for (int i = 0; i < 5; i++, name[0]++) {
        ino[i] = rig_create(&r, EXT_ROOT_INO, name, LX_S_IFREG | 0644);
        CHECK_EQ(ext_write(vol, NULL, ino[i], "still here", 70000, 10), 10);
        OK(ext_unlink(vol, NULL, EXT_ROOT_INO, name, 1, &orphan));
        CHECK_EQ(orphan, ino[i]);
    }
    char back[10];
    CHECK_EQ(ext_read(vol, ino[2], back, 70000, 10), 10);
    OK(memcmp(back, "still here", 10));
    CHECK_EQ(ext_link(vol, NULL, ino[2], EXT_ROOT_INO, "again", 5), -LX_ENOENT);
    OK(ext_inode_drop(vol, ino[2])); // from the middle, the end and the head of the list
    OK(ext_inode_drop(vol, ino[0]));
    OK(ext_inode_drop(vol, ino[4]));
    CHECK_EQ(ext_inode_drop(vol, ino[4]), -LX_ESTALE);
    CHECK_EQ(ext_inode_drop(vol, EXT_ROOT_INO), -LX_EBUSY);
    rig_save(&r); // a crash: the next mount drops the other two
    rig_mount(&r, 1 << 16);
    struct ext_inode inode;
    CHECK_EQ(ext_inode_load(vol, ino[1], &inode), -LX_ESTALE);
    CHECK_EQ(ext_inode_load(vol, ino[3], &inode), -LX_ESTALE);
    uint32_t dir = rig_create(&r, EXT_ROOT_INO, "gone", LX_S_IFDIR | 0755);
    OK(ext_rmdir(vol, NULL, EXT_ROOT_INO, "gone", 4, &orphan));
    CHECK_EQ(create_as(NULL, dir, "x", LX_S_IFREG), -LX_ENOENT);
    OK(ext_inode_drop(vol, dir));
}

struct seen {
    uint32_t count, max;
    uint8_t hits[400];
};

static bool see(void *ctx, const struct ext_dirent *e)
{
    struct seen *s = ctx;
    char name[256];
    if (s->count == s->max)
        return false;
    s->count++;
    memcpy(name, e->name, e->name_len);
    name[e->name_len] = 0;
    if (name[0] == 'n')
        s->hits[atoi(name + 1)]++;
    return true;
}

// Reads at most s->max entries, as a client's records or one by one. `known`: between two reads.
static void read_some(uint32_t dir, uint64_t *cookie, struct seen *s, uint32_t *known)
{
    static uint8_t records[4096];
    s->count = 0;
    if (!known) {
        OK(ext_dir_iterate(vol, dir, cookie, see, s));
        return;
    }
    int got = ext_dir_list(vol, dir, cookie, known, records, s->max * 32);
    CHECK(got >= 0);
    for (int at = 0; at < got;) {
        const struct lx_dirent64 *d = (const void *)(records + at);
        size_t len = strlen(d->d_name);
        CHECK_EQ(d->d_reclen, (offsetof(struct lx_dirent64, d_name) + len + 1 + 7) / 8 * 8);
        for (size_t i = len; i < d->d_reclen - offsetof(struct lx_dirent64, d_name); i++)
            CHECK_EQ(d->d_name[i], 0);
        if (d->d_name[0] == 'n')
            s->hits[atoi(d->d_name + 1)]++;
        at += d->d_reclen;
    }
}

// Every entry that is there all along is seen once, whatever happens to the others.
static void test_cookies(const char *where, bool records)
{
    uint32_t dir = rig_create(&r, EXT_ROOT_INO, where, LX_S_IFDIR | 0755);
    static struct seen s;
    uint64_t cookie = 0;
    uint32_t known = EXT_ANY_COOKIE;
    char name[32];
    memset(&s, 0, sizeof(s));
    for (int i = 0; i < 400; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        rig_create(&r, dir, name, LX_S_IFREG | 0644);
    }
    for (int round = 0;; round++) {
        uint64_t before = cookie;
        s.max = 1 + (uint32_t)round % 5;
        rig_call(&r);
        read_some(dir, &cookie, &s, records ? &known : NULL);
        if (cookie == before)
            break;
        for (int i = round % 4 * 4 + 1; i < 400; i += 16 + round % 3 * 16) { // never multiples of 4
            snprintf(name, sizeof(name), "n%d", i);
            if (rig_unlink(&r, dir, name) == 0 && i % 3 == 0)
                rig_create(&r, dir, name, LX_S_IFREG);
        }
    }
    for (int i = 0; i < 400; i += 4)
        CHECK_EQ(s.hits[i], 1);
    cookie = UINT64_MAX; // nonsense from a client
    known = EXT_ANY_COOKIE;
    read_some(dir, &cookie, &s, records ? &known : NULL);
}

// Where a reader goes on, another name lies now.
static void test_cookie_overlaid(void)
{
    uint32_t dir = rig_create(&r, EXT_ROOT_INO, "overlaid", LX_S_IFDIR | 0755), known = 0;
    struct seen s = {.max = 4};
    uint64_t cookie = 0;
    char name[64];
    for (int i = 10; i < 40; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        rig_create(&r, dir, name, LX_S_IFREG | 0644);
    }
    while (!s.hits[24])
        read_some(dir, &cookie, &s, &known);
    for (int i = 20; i < 30; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        OK(rig_unlink(&r, dir, name));
    }
    memset(name, 'x', 64);
    for (uint32_t len = 63; len; len = len == 63 ? 40 : 0) { // they fill the room
        name[len] = 0;
        rig_create(&r, dir, name, LX_S_IFREG | 0644);
    }
    for (uint64_t before = UINT64_MAX; before != cookie;) {
        before = cookie;
        read_some(dir, &cookie, &s, &known);
    }
    for (int i = 10; i < 20; i++)
        CHECK_EQ(s.hits[i], 1);
    for (int i = 30; i < 40; i++)
        CHECK_EQ(s.hits[i], 1);
}

// The room of removed entries is used again: the directory does not grow.
static void test_merge(void)
{
    uint32_t dir = rig_create(&r, EXT_ROOT_INO, "merge", LX_S_IFDIR | 0755), ino;
    char name[256], big[256];
    memset(big, 'B', 255);
    big[255] = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "small-entry-number-%03d", i);
        rig_create(&r, dir, name, LX_S_IFREG | 0644);
    }
    CHECK_EQ(get(dir).size, 4096);
    for (int i = 20; i < 90; i++) { // in an order that merges before, behind and between
        snprintf(name, sizeof(name), "small-entry-number-%03d", 20 + (i * 37) % 70);
        OK(rig_unlink(&r, dir, name));
    }
    for (int i = 0; i < 8; i++) {
        big[0] = (char)('a' + i);
        rig_create(&r, dir, big, LX_S_IFREG | 0644);
    }
    CHECK_EQ(get(dir).size, 4096);
    OK(rig_lookup(&r, dir, big, &ino));
}

static void test_links(void)
{
    uint32_t f = rig_create(&r, EXT_ROOT_INO, "manylinks", LX_S_IFREG | 0644);
    struct ext_inode inode = get(f);
    inode.nlink = EXT_LINK_MAX;
    OK(ext_inode_store(vol, &inode));
    CHECK_EQ(ext_link(vol, NULL, f, EXT_ROOT_INO, "more", 4), -LX_EMLINK);
    inode.nlink = 1;
    OK(ext_inode_store(vol, &inode));
    uint32_t d = rig_create(&r, EXT_ROOT_INO, "manydirs", LX_S_IFDIR | 0755);
    struct ext_inode dir = get(d);
    dir.nlink = EXT_LINK_MAX;
    OK(ext_inode_store(vol, &dir));
    rig_create(&r, EXT_ROOT_INO, "mover", LX_S_IFDIR | 0755);
    CHECK_EQ(rig_try_create(&r, d, "more", LX_S_IFDIR), -LX_EMLINK);
    CHECK_EQ(rig_rename(&r, EXT_ROOT_INO, "mover", d, "more", 0), -LX_EMLINK);
    dir.nlink = 2;
    OK(ext_inode_store(vol, &dir));
}

static void all(size_t index)
{
    rig_mkfs(&r, 4096, "");
    rig_mount(&r, index);
    test_errors();
    test_permissions();
    test_group();
    test_access();
    test_rename();
    test_orphans();
    test_cookies("cookies", false);
    test_cookies("records", true);
    test_cookie_overlaid();
    test_merge();
    test_links();
    rig_finish(&r);
}

int main(void)
{
    rig_init(&r);
    all(0);
    all(1 << 17);
    rig_done(&r);
    puts("ok: names");
    return 0;
}
