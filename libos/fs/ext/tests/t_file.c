// SPDX-License-Identifier: MIT
//
// Bytes and blocks of files: every level of indirection, holes, truncation, tails, block lists,
// attributes; the result is read by debugfs as well.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rig.h"

static struct rig r;
static struct ext_vol *vol = &r.vol;

static int64_t put(uint32_t ino, uint64_t off, const void *buf, size_t len)
{
    rig_call(&r);
    return ext_write(vol, NULL, ino, buf, off, len);
}

static uint64_t free_blocks(void)
{
    struct lx_statfs s;
    OK(ext_statfs(vol, &s));
    return s.f_bfree;
}

// The first block behind each level of the map, and its neighbours.
static const uint64_t edges[] = {0,    11,   12,      13,      1035,    1036,     1037,
                                 2059, 2060, 1049611, 1049612, 1049613, 536346109};

static void test_levels(void)
{
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "levels", LX_S_IFREG | 0644);
    uint32_t n = sizeof(edges) / sizeof(edges[0]);
    uint64_t before = free_blocks();
    char text[32], back[32];
    for (uint32_t i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "block %llu", (unsigned long long)edges[i]);
        CHECK_EQ(put(ino, edges[i] * 4096 + 100, text, 20), 20);
    }
    for (uint32_t i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "block %llu", (unsigned long long)edges[i]);
        CHECK_EQ(ext_read(vol, ino, back, edges[i] * 4096 + 100, 20), 20);
        OK(memcmp(text, back, strlen(text)));
    }
    CHECK_EQ(ext_read(vol, ino, back, 5 * 4096, 32), 32); // a hole
    for (int i = 0; i < 32; i++)
        CHECK_EQ(back[i], 0);
    CHECK_EQ(put(ino, EXT_FILE_MAX - 1, "ab", 2), 1); // up to the limit, no further
    CHECK_EQ(put(ino, EXT_FILE_MAX, "ab", 2), -LX_EFBIG);
    CHECK_EQ(ext_truncate(vol, NULL, ino, EXT_FILE_MAX + 1), -LX_EFBIG);
    rig_fsck(&r);
    for (uint32_t i = n; i-- > 0;) { // cut it down again, level by level
        OK(ext_truncate(vol, NULL, ino, edges[i] * 4096 + 110));
        CHECK_EQ(ext_read(vol, ino, back, edges[i] * 4096 + 100, 32), 10);
        rig_fsck(&r);
    }
    OK(ext_truncate(vol, NULL, ino, 0));
    CHECK_EQ(free_blocks(), before);
    struct ext_inode inode;
    OK(ext_inode_load(vol, ino, &inode));
    CHECK_EQ(inode.blocks, 0);
}

static void test_list(void)
{
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "list", LX_S_IFREG | 0644);
    static uint32_t list[3000];
    struct ext_inode inode;
    for (uint64_t b = 3; b < 2900; b += 1 + b % 7)
        CHECK_EQ(put(ino, b * 4096, "x", 1), 1);
    OK(ext_inode_load(vol, ino, &inode));
    for (uint32_t from = 0; from < 2900; from += 611) {
        OK(ext_map_list(vol, &inode, from, 3000 - from, list));
        for (uint32_t i = 0; i < 3000 - from; i++) {
            uint32_t one;
            OK(ext_map_get(vol, &inode, from + i, &one));
            CHECK_EQ(list[i], one);
        }
    }
}

// A file written in order lies in order.
static void test_order(void)
{
    static uint8_t buf[12 * 4096];
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "order", LX_S_IFREG | 0644), list[12];
    struct ext_inode inode;
    CHECK_EQ(put(ino, 0, buf, sizeof(buf)), sizeof(buf));
    OK(ext_inode_load(vol, ino, &inode));
    OK(ext_map_list(vol, &inode, 0, 12, list));
    for (int i = 1; i < 12; i++)
        CHECK_EQ(list[i], list[0] + (uint32_t)i);
}

static void test_tails(void)
{
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "tails", LX_S_IFREG | 0644), blk;
    struct ext_inode inode;
    char back[300];
    CHECK_EQ(put(ino, 0, "0123456789", 10), 10);
    OK(ext_inode_load(vol, ino, &inode));
    OK(ext_map_get(vol, &inode, 0, &blk));
    memset(r.blocks[blk] + 10, 'J', 4086); // a client with a mapping wrote behind the end
    CHECK_EQ(put(ino, 100, "x", 1), 1);
    CHECK_EQ(ext_read(vol, ino, back, 0, sizeof(back)), 101);
    for (int i = 10; i < 100; i++)
        CHECK_EQ(back[i], 0);
    OK(ext_truncate(vol, NULL, ino, 5));
    OK(ext_truncate(vol, NULL, ino, 200));
    CHECK_EQ(ext_read(vol, ino, back, 0, sizeof(back)), 200);
    for (int i = 5; i < 200; i++)
        CHECK_EQ(back[i], 0);
    memset(r.blocks[blk] + 200, 'J', 100);
    memcpy(r.blocks[blk] + 220, "data", 4); // the server wrote [220,224) itself
    memset(r.blocks[blk] + 200, 'J', 20);
    OK(ext_write_done(vol, NULL, ino, 220, 224));
    CHECK_EQ(ext_read(vol, ino, back, 0, sizeof(back)), 224);
    for (int i = 200; i < 220; i++)
        CHECK_EQ(back[i], 0);
    OK(memcmp(back + 220, "data", 4));
}

static void test_types(void)
{
    uint32_t dir = rig_create(&r, EXT_ROOT_INO, "adir", LX_S_IFDIR | 0755);
    uint32_t fifo = rig_create(&r, EXT_ROOT_INO, "afifo", LX_S_IFIFO | 0644);
    char c;
    CHECK_EQ(put(dir, 0, "x", 1), -LX_EISDIR);
    CHECK_EQ(ext_read(vol, dir, &c, 0, 1), -LX_EISDIR);
    CHECK_EQ(put(fifo, 0, "x", 1), -LX_EINVAL);
    CHECK_EQ(ext_truncate(vol, NULL, fifo, 0), -LX_EINVAL);
    CHECK_EQ(ext_readlink(vol, dir, &c, 1), -LX_EINVAL);
    CHECK_EQ(ext_read(vol, 5, &c, 0, 1), -LX_ESTALE);
    CHECK_EQ(ext_read(vol, 0, &c, 0, 1), -LX_ESTALE);
    CHECK_EQ(ext_read(vol, UINT32_MAX, &c, 0, 1), -LX_ESTALE);
    CHECK_EQ(ext_read(vol, vol->ninodes, &c, 0, 1), -LX_ESTALE);
}

static void test_attributes(void)
{
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "attrs", LX_S_IFREG | 06755);
    const uint32_t groups[] = {50, 60};
    struct ext_cred owner = {70001, 30, groups, 2}, other = {1001, 30, NULL, 0};
    struct ext_attr own = {.what = EXT_ATTR_UID | EXT_ATTR_GID, .uid = 70001, .gid = 70002};
    struct ext_inode inode;
    OK(ext_attr_set(vol, NULL, ino, &own));
    OK(ext_inode_load(vol, ino, &inode));
    CHECK_EQ(inode.uid, 70001);
    CHECK_EQ(inode.gid, 70002);
    CHECK_EQ(inode.mode, LX_S_IFREG | 0755); // chown took set-id away
    struct ext_attr mode = {.what = EXT_ATTR_MODE, .mode = 06711};
    CHECK_EQ(ext_attr_set(vol, &other, ino, &mode), -LX_EPERM);
    OK(ext_attr_set(vol, &owner, ino, &mode)); // not in group 70002: no set-group-id
    OK(ext_inode_load(vol, ino, &inode));
    CHECK_EQ(inode.mode, LX_S_IFREG | 04711);
    struct ext_attr group = {.what = EXT_ATTR_GID, .gid = 60};
    CHECK_EQ(ext_attr_set(vol, &other, ino, &group), -LX_EPERM);
    OK(ext_attr_set(vol, &owner, ino, &group));
    group.gid = 61;
    CHECK_EQ(ext_attr_set(vol, &owner, ino, &group), -LX_EPERM);
    own.uid = 5;
    CHECK_EQ(ext_attr_set(vol, &owner, ino, &own), -LX_EPERM);
    struct ext_attr times = {.what = EXT_ATTR_ATIME | EXT_ATTR_MTIME,
                             .atime = {9000000000, 123456789},
                             .mtime = {-100, 999999999}};
    CHECK_EQ(ext_attr_set(vol, &other, ino, &times), -LX_EPERM);
    OK(ext_attr_set(vol, &owner, ino, &times));
    OK(ext_inode_load(vol, ino, &inode));
    CHECK_EQ(inode.atime.sec, 9000000000);
    CHECK_EQ(inode.atime.nsec, 123456789);
    CHECK_EQ(inode.mtime.sec, -100);
    CHECK_EQ(inode.mtime.nsec, 999999999);
    CHECK_EQ(inode.crtime.sec, 1700000000);
    CHECK_EQ(inode.crtime.nsec, 5);
    times.what |= EXT_ATTR_NOW;
    CHECK_EQ(ext_attr_set(vol, &other, ino, &times), -LX_EACCES);
    struct ext_attr back = {.what = EXT_ATTR_MODE, .mode = 06777};
    OK(ext_attr_set(vol, NULL, ino, &back));
    CHECK_EQ(ext_write(vol, &other, ino, "x", 0, 1), 1); // writing takes set-id away
    OK(ext_inode_load(vol, ino, &inode));
    CHECK_EQ(inode.mode, LX_S_IFREG | 0777);
}

// What debugfs reads from the saved image.
static void test_debugfs(void)
{
    static uint8_t data[700000], back[700001];
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "data", LX_S_IFREG | 0644), dev;
    struct ext_create_args args = {.mode = LX_S_IFBLK | 0600, .rdev = 0x12345678};
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)rig_rand(256);
    CHECK_EQ(put(ino, 0, data, sizeof(data)), sizeof(data));
    OK(ext_create(vol, NULL, EXT_ROOT_INO, "dev", 3, &args, &dev));
    rig_fsck(&r);
    OK(rig_sh("debugfs -R 'dump /data %s/out' %s", r.dir, r.image));
    char path[128];
    snprintf(path, sizeof(path), "%s/out", r.dir);
    int fd = open(path, O_RDONLY);
    CHECK_EQ(read(fd, back, sizeof(back)), sizeof(data));
    close(fd);
    OK(memcmp(data, back, sizeof(data)));
    char *stat =
        rig_out("debugfs -R 'stat /dev' %s; debugfs -R 'stat /attrs' %s", r.image, r.image);
    CHECK(strstr(stat, "Device major/minor number: 1110:74616"));
    CHECK(strstr(stat, "User: 70001"));
    CHECK(strstr(stat, "crtime: 0x6553f100:00000014")); // 1700000000 s, 5 ns
    free(stat);
}

static void test_allocate(void)
{
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "alloc", LX_S_IFREG | 0644);
    struct ext_inode inode;
    OK(ext_allocate(vol, NULL, ino, 100, 100000));
    OK(ext_inode_load(vol, ino, &inode));
    CHECK_EQ(inode.size, 100100);
    CHECK_EQ(inode.blocks, 8 * (25 + 1));
    CHECK_EQ(ext_allocate(vol, NULL, ino, 0, 0), -LX_EINVAL);
    uint64_t before = free_blocks();
    CHECK_EQ(ext_allocate(vol, NULL, ino, 100000, 4096ull * vol->nblocks), -LX_ENOSPC);
    CHECK_EQ(free_blocks(), before);
}

static void test_flags(void)
{
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "flags", LX_S_IFREG | 0644), orphan;
    struct ext_inode inode;
    struct ext_attr mode = {.what = EXT_ATTR_MODE, .mode = 0600};
    OK(ext_inode_load(vol, ino, &inode));
    inode.flags |= EXT_FL_IMMUTABLE;
    OK(ext_inode_store(vol, &inode));
    CHECK_EQ(put(ino, 0, "x", 1), -LX_EPERM);
    CHECK_EQ(ext_attr_set(vol, NULL, ino, &mode), -LX_EPERM);
    CHECK_EQ(ext_link(vol, NULL, ino, EXT_ROOT_INO, "flags2", 6), -LX_EPERM);
    CHECK_EQ(ext_unlink(vol, NULL, EXT_ROOT_INO, "flags", 5, &orphan), -LX_EPERM);
    inode.flags = EXT_FL_APPEND;
    OK(ext_inode_store(vol, &inode));
    CHECK_EQ(put(ino, 0, "x", 1), 1);
    CHECK_EQ(ext_truncate(vol, NULL, ino, 0), -LX_EPERM);
    CHECK_EQ(ext_attr_set(vol, NULL, ino, &mode), -LX_EPERM);
    struct ext_attr now = {.what = EXT_ATTR_MTIME | EXT_ATTR_NOW};
    OK(ext_attr_set(vol, NULL, ino, &now));
    CHECK_EQ(ext_unlink(vol, NULL, EXT_ROOT_INO, "flags", 5, &orphan), -LX_EPERM);
}

static void test_statx(void)
{
    uint32_t ino;
    struct ext_inode inode;
    struct lx_statx x;
    struct lx_stat s;
    OK(rig_lookup(&r, EXT_ROOT_INO, "dev", &ino));
    OK(ext_inode_load(vol, ino, &inode));
    ext_stat_fill(&inode, 0x12345678, &s);
    ext_statx_fill(&inode, 0x12345678, &x);
    CHECK_EQ(x.stx_mask, LX_STATX_BASIC_STATS | LX_STATX_BTIME);
    CHECK_EQ(x.stx_ino, ino);
    CHECK_EQ(x.stx_mode, s.st_mode);
    CHECK_EQ(x.stx_rdev_major, 1110);
    CHECK_EQ(x.stx_rdev_minor, 74616);
    CHECK_EQ(x.stx_dev_major, 1110);
    CHECK_EQ(s.st_rdev, 0x12345678);
    CHECK_EQ(x.stx_btime.tv_sec, 1700000000);
    CHECK_EQ(x.stx_ctime.tv_nsec, s.st_ctime_nsec);
}

// A volume without the feature gets it with its first file beyond 2 GiB.
static void test_large(void)
{
    rig_mkfs(&r, 1024, "-O ^large_file");
    rig_mount(&r, 0);
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "large", LX_S_IFREG | 0644);
    CHECK_EQ(put(ino, 3000000000, "x", 1), 1);
    const struct ext_disk_super *sb = (struct ext_disk_super *)(r.blocks[0] + EXT_SUPER_OFFSET);
    CHECK(sb->s_feature_ro_compat & EXT_RO_LARGE_FILE);
    rig_finish(&r);
}

int main(void)
{
    rig_init(&r);
    rig_mkfs(&r, 8192, "");
    rig_mount(&r, 1 << 16);
    test_levels();
    test_list();
    test_order();
    test_tails();
    test_types();
    test_attributes();
    test_debugfs();
    test_allocate();
    test_flags();
    test_statx();
    rig_finish(&r);
    test_large();
    rig_done(&r);
    puts("ok: file blocks and bytes");
    return 0;
}
