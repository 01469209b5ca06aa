// SPDX-License-Identifier: MIT
//
// Path resolution: a table of paths with what each must give. The tree:
//
//   /dir/sub/file   /dir/private (0700)/in   /plain   /mnt (a mount point)
//   /abs -> /dir/sub   /rel -> dir/sub   /dir/up -> ../plain   /slash -> dir/   /loop -> loop
//   /dangle -> dir/new   /c1 -> c2 -> ... c41 -> plain   /tomnt -> mnt/in   /badslash -> plain/
#include "rig.h"

static struct rig r;
static struct ext_vol *vol = &r.vol;
static uint32_t dir, sub, file, plain, mnt, private_dir;

static void link_make(uint32_t in, const char *name, const char *target)
{
    uint32_t ino;
    struct ext_create_args args = {.mode = LX_S_IFLNK | 0777, .target = target};
    args.target_len = (uint32_t)strlen(target);
    rig_call(&r);
    OK(ext_create(vol, NULL, in, name, (uint32_t)strlen(name), &args, &ino));
}

static void tree_make(void)
{
    char name[16], target[16];
    dir = rig_create(&r, EXT_ROOT_INO, "dir", LX_S_IFDIR | 0755);
    sub = rig_create(&r, dir, "sub", LX_S_IFDIR | 0755);
    file = rig_create(&r, sub, "file", LX_S_IFREG | 0644);
    private_dir = rig_create(&r, dir, "private", LX_S_IFDIR | 0700);
    rig_create(&r, private_dir, "in", LX_S_IFREG | 0644);
    plain = rig_create(&r, EXT_ROOT_INO, "plain", LX_S_IFREG | 0644);
    mnt = rig_create(&r, EXT_ROOT_INO, "mnt", LX_S_IFDIR | 0755);
    link_make(EXT_ROOT_INO, "abs", "/dir/sub");
    link_make(EXT_ROOT_INO, "rel", "dir/sub");
    link_make(dir, "up", "../plain");
    link_make(EXT_ROOT_INO, "slash", "dir/");
    link_make(EXT_ROOT_INO, "loop", "loop");
    link_make(EXT_ROOT_INO, "dangle", "dir/new");
    link_make(EXT_ROOT_INO, "tomnt", "mnt/in");
    link_make(EXT_ROOT_INO, "badslash", "plain/");
    link_make(EXT_ROOT_INO, "long",
              "dir/../dir/../dir/../dir/../dir/../dir/../dir/../dir/../dir/../dir/sub/file");
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        snprintf(target, sizeof(target), i == 41 ? "plain" : "c%d", i + 1);
        link_make(EXT_ROOT_INO, name, target);
    }
}

static bool crosses(void *ctx, uint32_t ino)
{
    (void)ctx;
    return ino == mnt;
}

static struct ext_walk out;

static int walk_from(uint32_t root, uint32_t start, const struct ext_cred *cred, const char *path,
                     uint32_t flags)
{
    struct ext_walk_env env = {cred, root, start, crosses, NULL};
    // a copy of exactly the length, so that reading beyond it is seen
    size_t len = strlen(path);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, path, len);
    rig_call(&r);
    int err = ext_walk(vol, &env, copy, (uint32_t)len, flags, &out);
    free(copy);
    return err;
}

static int walk(const char *path, uint32_t flags)
{
    return walk_from(EXT_ROOT_INO, EXT_ROOT_INO, NULL, path, flags);
}

static void expect(const char *path, uint32_t flags, uint32_t ino, uint32_t parent,
                   const char *name)
{
    OK(walk(path, flags));
    CHECK_EQ(out.ino, ino);
    CHECK_EQ(out.parent, parent);
    OK(strcmp(out.name, name));
    CHECK(!out.crossed);
}

static void test_plain(void)
{
    expect("/dir/sub/file", 0, file, sub, "file");
    expect("dir//sub///file", 0, file, sub, "file");
    expect("/dir/./sub/../sub/file", 0, file, sub, "file");
    expect("/abs/file", 0, file, sub, "file");
    expect("rel/file", 0, file, sub, "file");
    expect("/rel", 0, sub, dir, "sub");
    expect("/dir/up", 0, plain, EXT_ROOT_INO, "plain");
    expect("/slash/sub", 0, sub, dir, "sub");
    expect("/long", 0, file, sub, "file");
    expect("/c2", 0, plain, EXT_ROOT_INO, "plain"); // 40 links
    CHECK_EQ(out.links, 40);
    CHECK_EQ(walk("/c1", 0), -LX_ELOOP);
    CHECK_EQ(walk("/loop", 0), -LX_ELOOP);
    OK(walk("/loop", EXT_WALK_NOFOLLOW));
    OK(walk("/", 0));
    CHECK_EQ(out.ino, EXT_ROOT_INO);
    CHECK_EQ(out.last, EXT_LAST_ROOT);
    OK(walk("/../..", 0));
    CHECK_EQ(out.ino, EXT_ROOT_INO);
    CHECK_EQ(out.last, EXT_LAST_DOTDOT);
    OK(walk("dir/.", EXT_WALK_PARENT));
    CHECK_EQ(out.last, EXT_LAST_DOT);
    CHECK_EQ(out.ino, dir);
    CHECK_EQ(walk("", 0), -LX_ENOENT);
    CHECK_EQ(walk("/plain/..", 0), -LX_ENOTDIR);
    CHECK_EQ(walk("/plain/.", 0), -LX_ENOTDIR);
    CHECK_EQ(walk("/none", 0), -LX_ENOENT);
    CHECK_EQ(walk("/none/x", EXT_WALK_CREATE), -LX_ENOENT);
    OK(walk_from(EXT_ROOT_INO, sub, NULL, "file", 0));
    CHECK_EQ(out.ino, file);
    CHECK_EQ(walk_from(EXT_ROOT_INO, file, NULL, "x", 0), -LX_ENOTDIR);
    OK(walk_from(dir, sub, NULL, "../../..", 0)); // a changed root holds
    CHECK_EQ(out.ino, dir);
    OK(walk_from(dir, sub, NULL, "/sub", 0));
    CHECK_EQ(out.ino, sub);
}

static void test_slashes(void)
{
    OK(walk("/dir/", 0));
    CHECK_EQ(out.ino, dir);
    CHECK(out.must_be_dir);
    CHECK_EQ(walk("/plain/", 0), -LX_ENOTDIR);
    CHECK_EQ(walk("/plain/", EXT_WALK_NOFOLLOW), -LX_ENOTDIR);
    CHECK_EQ(walk("/badslash", 0), -LX_ENOTDIR);
    OK(walk("/rel/", EXT_WALK_NOFOLLOW)); // the slash follows the link
    CHECK_EQ(out.ino, sub);
    OK(walk("/rel/", EXT_WALK_PARENT)); // but not for unlink and its like
    CHECK_EQ(out.parent, EXT_ROOT_INO);
    CHECK(out.must_be_dir && out.ino != sub);
    OK(walk("/plain/", EXT_WALK_PARENT));
    CHECK(out.must_be_dir);
    CHECK_EQ(out.ino, plain);
    expect("/new/", EXT_WALK_CREATE, 0, EXT_ROOT_INO, "new");
    CHECK(out.must_be_dir);
    expect("/new", EXT_WALK_CREATE, 0, EXT_ROOT_INO, "new");
    CHECK(!out.must_be_dir);
    expect("/dangle", EXT_WALK_CREATE, 0, dir, "new"); // creates where the link points
    CHECK_EQ(walk("/dangle", 0), -LX_ENOENT);
    OK(walk("/dangle", EXT_WALK_NOFOLLOW | EXT_WALK_CREATE));
    CHECK(out.ino != 0);
    CHECK_EQ(out.parent, EXT_ROOT_INO);
}

static void test_lengths(void)
{
    char path[4200];
    memset(path, 'n', 256);
    path[256] = 0;
    CHECK_EQ(walk(path, 0), -LX_ENAMETOOLONG);
    CHECK_EQ(walk(path, EXT_WALK_CREATE), -LX_ENAMETOOLONG);
    path[255] = 0;
    CHECK_EQ(walk(path, 0), -LX_ENOENT);
    expect(path, EXT_WALK_CREATE, 0, EXT_ROOT_INO, path);
    memset(path, '/', 4096);
    path[4095] = 0;
    OK(walk(path, 0));
    path[4095] = '/';
    path[4096] = 0;
    CHECK_EQ(walk(path, 0), -LX_ENAMETOOLONG);
}

static void test_access(void)
{
    struct ext_cred user = {1000, 1000, NULL, 0}, root = {0, 0, NULL, 0};
    CHECK_EQ(walk_from(EXT_ROOT_INO, EXT_ROOT_INO, &user, "/dir/private/in", 0), -LX_EACCES);
    CHECK_EQ(walk_from(EXT_ROOT_INO, EXT_ROOT_INO, &user, "/dir/private/none", 0), -LX_EACCES);
    CHECK_EQ(walk_from(EXT_ROOT_INO, EXT_ROOT_INO, &user, "/dir/private/.", 0), -LX_EACCES);
    OK(walk_from(EXT_ROOT_INO, EXT_ROOT_INO, &user, "/dir/private/", 0));
    OK(walk_from(EXT_ROOT_INO, EXT_ROOT_INO, &root, "/dir/private/in", 0));
    CHECK_EQ(walk_from(EXT_ROOT_INO, private_dir, &user, "in", 0), -LX_EACCES);
}

static void test_mount(void)
{
    static const char *const paths[][2] = {
        {"/mnt", ""},          {"/mnt/", ""},    {"mnt//self/fd", "self/fd"},
        {"/mnt/../x", "../x"}, {"/tomnt", "in"}, {"/tomnt//a/b/", "in//a/b/"},
        {"/dir/../mnt/a", "a"}};
    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        OK(walk(paths[i][0], EXT_WALK_CREATE));
        CHECK(out.crossed);
        CHECK_EQ(out.ino, mnt);
        OK(strcmp(out.rest, paths[i][1]));
        CHECK_EQ(out.rest_len, strlen(paths[i][1]));
    }
    OK(walk("/mnt/", 0));
    CHECK(out.must_be_dir);
}

int main(void)
{
    rig_init(&r);
    rig_mkfs(&r, 2048, "");
    rig_mount(&r, 1 << 16);
    tree_make();
    test_plain();
    test_slashes();
    test_lengths();
    test_access();
    test_mount();
    rig_finish(&r);
    rig_done(&r);
    puts("ok: paths");
    return 0;
}
