// SPDX-License-Identifier: MIT
//
// Failure in the middle: each operation is run with its first, second, third... block access
// failing, and must leave the volume exactly as it was (a digest of all blocks in use) until it
// gets through. Then a volume is filled to the last block and the last inode and emptied again.
#include "rig.h"

static struct rig r;
static struct ext_vol *vol = &r.vol;
static uint32_t da, db, deep, shallow;

static int create_kind(uint32_t mode, uint32_t target_len)
{
    static const char target[300] =
        "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt"
        "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt";
    uint32_t ino;
    struct ext_create_args args = {.mode = mode, .target = target, .target_len = target_len};
    return ext_create(vol, NULL, da, "new", 3, &args, &ino);
}

static int rename_two(uint32_t od, const char *on, uint32_t nd, const char *nn, uint32_t flags)
{
    uint32_t orphan;
    return ext_rename(vol, NULL, od, on, (uint32_t)strlen(on), nd, nn, (uint32_t)strlen(nn), flags,
                      &orphan);
}

static int op_file(void)
{
    return create_kind(LX_S_IFREG | 0644, 0);
}
static int op_dir(void)
{
    return create_kind(LX_S_IFDIR | 0755, 0);
}
static int op_fast(void)
{
    return create_kind(LX_S_IFLNK | 0777, 20);
}
static int op_slow(void)
{
    return create_kind(LX_S_IFLNK | 0777, 120);
}
static int op_link(void)
{
    uint32_t ino;
    int err = ext_lookup(vol, db, "f", 1, &ino);
    return err ? err : ext_link(vol, NULL, ino, da, "new", 3);
}
static int op_unlink(void)
{
    uint32_t orphan;
    return ext_unlink(vol, NULL, db, "f", 1, &orphan);
}
static int op_rmdir(void)
{
    uint32_t orphan;
    return ext_rmdir(vol, NULL, db, "empty", 5, &orphan);
}
static int op_rename(void)
{
    return rename_two(db, "f", da, "new", 0);
}
static int op_rename_dir(void)
{
    return rename_two(db, "full", da, "new", 0);
}
static int op_replace(void)
{
    return rename_two(db, "f", da, "e0", 0);
}
static int op_replace_dir(void)
{
    return rename_two(db, "full", db, "empty", 0);
}
static int op_exchange(void)
{
    return rename_two(db, "full", da, "e0", LX_RENAME_EXCHANGE);
}
static int op_map(void)
{
    struct ext_inode inode;
    uint32_t blk;
    int err = ext_inode_load(vol, deep, &inode);
    return err ? err : ext_map_alloc(vol, NULL, &inode, 2000000, &blk);
}
static int op_write(void)
{
    int64_t n = ext_write(vol, NULL, shallow, "x", 4300000000, 1);
    return n < 0 ? (int)n : 0;
}
static int op_chmod(void)
{
    struct ext_attr a = {.what = EXT_ATTR_MODE, .mode = 0600};
    return ext_attr_set(vol, NULL, deep, &a);
}

static int (*const ops[])(void) = {
    op_file,       op_dir,     op_fast,        op_slow,     op_link, op_unlink, op_rmdir, op_rename,
    op_rename_dir, op_replace, op_replace_dir, op_exchange, op_map,  op_write,  op_chmod};

// The directory da is filled so that one more entry needs a block.
static void tree_make(size_t index)
{
    char name[8];
    rig_mkfs(&r, 1024, "-g 256");
    rig_mount(&r, index);
    da = rig_create(&r, EXT_ROOT_INO, "da", LX_S_IFDIR | 0755);
    db = rig_create(&r, EXT_ROOT_INO, "db", LX_S_IFDIR | 0755);
    rig_create(&r, db, "f", LX_S_IFREG | 0644);
    rig_create(&r, db, "empty", LX_S_IFDIR | 0755);
    uint32_t full = rig_create(&r, db, "full", LX_S_IFDIR | 0755);
    rig_create(&r, full, "x", LX_S_IFREG | 0644);
    deep = rig_create(&r, db, "deep", LX_S_IFREG | 0644);
    OK(ext_truncate(vol, NULL, deep, 9000000000));
    shallow = rig_create(&r, db, "shallow", LX_S_IFREG | 0644);
    for (int i = 0; i < 339; i++) {
        snprintf(name, sizeof(name), "e%d", i);
        if (i == 0)
            rig_create(&r, da, name, LX_S_IFREG | 0644);
        rig_call(&r);
        uint32_t ino;
        OK(ext_lookup(vol, da, "e0", 2, &ino));
        if (i)
            OK(ext_link(vol, NULL, ino, da, name, (uint32_t)strlen(name)));
    }
    struct ext_inode dir;
    OK(ext_inode_load(vol, da, &dir));
    CHECK_EQ(dir.size, 4096);
}

// Runs one operation, failing at each point. Returns how many points there were.
static long fail_each(int (*op)(void), size_t index, bool reads)
{
    tree_make(index);
    uint64_t before = rig_digest(&r);
    for (long at = 1;; at++) {
        rig_call(&r);
        *(reads ? &r.fail_read : &r.fail_write) = at;
        int err = op();
        r.fail_write = r.fail_read = 0;
        if (!r.failed) {
            OK(err);
            for (uint32_t ino = 11; ino < vol->ninodes; ino++) {
                rig_call(&r);
                ext_inode_drop(vol, ino);
            }
            rig_finish(&r);
            return at - 1;
        }
        if (reads && !err) { // the index could not be checked, the directory was searched instead
            tree_make(index);
            before = rig_digest(&r);
            continue;
        }
        CHECK_EQ(err, reads ? -LX_EIO : -LX_ENOSPC);
        CHECK_EQ(rig_digest(&r), before);
    }
}

static void test_each(void)
{
    long points = 0;
    for (uint32_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        long n = fail_each(ops[i], i % 2 ? 20000 : 0, false);
        CHECK(n > 0);
        points += n + fail_each(ops[i], i % 2 ? 0 : 20000, true);
    }
    printf("failed at %ld points\n", points);
}

static uint64_t counts(void)
{
    struct lx_statfs s;
    OK(ext_statfs(vol, &s));
    return s.f_bfree << 32 | s.f_ffree;
}

static void test_full(uint32_t mode)
{
    char name[32];
    uint64_t before = counts();
    int n = 0, err;
    for (;; n++) {
        snprintf(name, sizeof(name), "entry-%d", n);
        err = rig_try_create(&r, EXT_ROOT_INO, name, mode);
        if (err)
            break;
    }
    CHECK_EQ(err, -LX_ENOSPC);
    rig_fsck(&r);
    while (n-- > 0) {
        snprintf(name, sizeof(name), "entry-%d", n);
        OK(LX_S_ISDIR(mode) ? rig_rmdir(&r, EXT_ROOT_INO, name)
                            : rig_unlink(&r, EXT_ROOT_INO, name));
    }
    CHECK_EQ(counts() & UINT32_MAX, before & UINT32_MAX);
    rig_fsck(&r);
}

// The device has no memory for more blocks: as good as full, and nothing is lost.
static void test_limit(void)
{
    static uint8_t buf[300000];
    rig_mkfs(&r, 2048, "");
    rig_mount(&r, 20000);
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "f", LX_S_IFREG | 0644);
    r.limit = r.live + 20;
    uint64_t off = 0;
    int64_t n;
    for (; rig_call(&r), (n = ext_write(vol, NULL, ino, buf, off, sizeof(buf))) > 0;)
        off += (uint64_t)n;
    CHECK_EQ(n, -LX_ENOSPC);
    CHECK(off > 10 * 4096 && off <= 20 * 4096);
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, "dir", LX_S_IFDIR), -LX_ENOSPC);
    rig_fsck(&r);
    OK(ext_truncate(vol, NULL, ino, 0));
    rig_create(&r, EXT_ROOT_INO, "dir", LX_S_IFDIR);
    rig_finish(&r);
}

int main(void)
{
    rig_init(&r);
    test_each();
    rig_mkfs(&r, 600, "-N 300 -g 256");
    rig_mount(&r, 20000);
    test_full(LX_S_IFREG | 0644);
    rig_finish(&r);
    rig_mkfs(&r, 300, "-N 512");
    rig_mount(&r, 0);
    test_full(LX_S_IFDIR | 0755);
    rig_finish(&r);
    test_limit();
    rig_done(&r);
    puts("ok: failures and full volumes");
    return 0;
}
