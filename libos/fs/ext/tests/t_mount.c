// SPDX-License-Identifier: MIT
//
// Mount: which volumes are taken, which are refused and why, what state is left on disk; damaged
// superblocks and descriptors one field at a time; the reserve; extended attribute blocks.
#include "rig.h"

static struct rig r;

static struct ext_disk_super *super(void)
{
    return (struct ext_disk_super *)(r.blocks[0] + EXT_SUPER_OFFSET);
}

static void refused(const char *options, const char *why)
{
    rig_mkfs(&r, 2048, options);
    rig_load(&r);
    CHECK_EQ(rig_mount_try(&r, 0, false), -LX_EINVAL);
    CHECK(r.vol.why && strstr(r.vol.why, why));
}

static void test_features(void)
{
    refused("-O extents", "unknown incompatible");
    refused("-O meta_bg,^resize_inode", "unknown incompatible");
    refused("-O extents,64bit", "unknown incompatible");
    refused("-O inline_data,extents", "unknown incompatible");
    refused("-O sparse_super2", "sparse_super2");
    refused("-b 1024", "4096");
    rig_mkfs(&r, 2048, "-O uninit_bg"); // unknown to us, harmless to readers
    rig_load(&r);
    OK(rig_mount_try(&r, 0, false));
    CHECK(r.vol.read_only);
    CHECK_EQ(rig_try_create(&r, EXT_ROOT_INO, "x", LX_S_IFREG), -LX_EROFS);
    CHECK_EQ(rig_unlink(&r, EXT_ROOT_INO, "lost+found"), -LX_EROFS);
    OK(ext_unmount(&r.vol));
    rig_mkfs(&r, 2048, "-j"); // a clean journal is left alone
    rig_mount(&r, 0);
    rig_create(&r, EXT_ROOT_INO, "x", LX_S_IFREG);
    rig_finish(&r);
    super()->s_feature_incompat |= 4;
    CHECK_EQ(rig_mount_try(&r, 0, false), -LX_EINVAL);
    CHECK(strstr(r.vol.why, "journal"));
}

static void test_state(void)
{
    rig_mkfs(&r, 2048, "");
    rig_mount(&r, 0);
    CHECK_EQ(super()->s_state & EXT_STATE_VALID, 0);
    CHECK_EQ(super()->s_mnt_count, 1);
    CHECK_EQ(super()->s_mtime, 1700000000);
    OK(ext_sync(&r.vol, true));
    CHECK(super()->s_state & EXT_STATE_VALID);
    OK(ext_sync(&r.vol, false));
    OK(ext_unmount(&r.vol));
    CHECK(super()->s_state & EXT_STATE_VALID);
    uint64_t before = rig_digest(&r);
    OK(rig_mount_try(&r, 0, true)); // read-only changes nothing
    CHECK(r.vol.read_only);
    OK(ext_unmount(&r.vol));
    CHECK_EQ(rig_digest(&r), before);
    super()->s_state = 0; // was not clean: unmount does not pretend
    OK(rig_mount_try(&r, 0, false));
    OK(ext_unmount(&r.vol));
    CHECK_EQ(super()->s_state & EXT_STATE_VALID, 0);
    r.mem_size = 0;
    struct ext_mount_args args = {r.mem, (size_t)ext_mount_size(&r.dev) - 1, {0, 0}, false};
    CHECK_EQ(ext_mount(&r.vol, &r.dev, &args), -LX_ENOMEM);
}

// Every value in every field: never a crash, and what mounts can be used.
static void field_try(uint32_t blk, uint32_t off)
{
    static const uint32_t values[] = {0,     1,     2,          3,          7,         8,
                                      255,   2047,  2048,       2049,       4096,      32768,
                                      65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff};
    uint8_t *p = r.blocks[blk] + off;
    uint32_t old;
    memcpy(&old, p, 4);
    for (uint32_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        memcpy(p, &values[i], 4);
        if (rig_mount_try(&r, i % 2 ? 20000 : 0, true) == 0) {
            uint32_t ino;
            struct lx_statfs s;
            ext_statfs(&r.vol, &s);
            rig_lookup(&r, EXT_ROOT_INO, "lost+found", &ino);
        }
    }
    memcpy(p, &old, 4);
}

static void test_damage(void)
{
    rig_mkfs(&r, 2048, "-g 1024");
    rig_load(&r);
    for (uint32_t off = 0; off < 360; off += 4)
        field_try(0, EXT_SUPER_OFFSET + off);
    for (uint32_t off = 0; off < 64; off += 4)
        field_try(1, off);
    OK(rig_mount_try(&r, 0, false));
    struct ext_disk_group *gd = (struct ext_disk_group *)r.blocks[1];
    gd[1].bg_inode_table = gd[0].bg_block_bitmap - 1; // overlaps
    CHECK_EQ(rig_mount_try(&r, 0, false), -LX_EUCLEAN);
    CHECK(strstr(r.vol.why, "overlap"));
}

static void test_reserve(void)
{
    static uint8_t buf[4096 * 64];
    struct ext_cred user = {1000, 1000, NULL, 0}, resuid = {42, 42, NULL, 0};
    struct lx_statfs s;
    rig_mkfs(&r, 1024, "-m 10");
    rig_load(&r);
    super()->s_def_resuid = 42;
    OK(rig_mount_try(&r, 0, false));
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "f", LX_S_IFREG | 0666);
    int64_t n;
    uint64_t off = 0;
    while ((n = ext_write(&r.vol, &user, ino, buf, off, sizeof(buf))) > 0)
        off += (uint64_t)n;
    CHECK_EQ(n, -LX_ENOSPC);
    OK(ext_statfs(&r.vol, &s));
    CHECK_EQ(s.f_bavail, 0);
    CHECK_EQ(s.f_bfree, 102);
    CHECK_EQ(ext_write(&r.vol, &resuid, ino, buf, off, 4096), 4096);
    while ((n = ext_write(&r.vol, NULL, ino, buf, off, sizeof(buf))) > 0)
        off += (uint64_t)n;
    OK(ext_statfs(&r.vol, &s));
    CHECK_EQ(s.f_bfree, 0);
    OK(rig_unlink(&r, EXT_ROOT_INO, "f"));
    OK(ext_statfs(&r.vol, &s));
    CHECK(s.f_bfree > 900);
    rig_finish(&r);
}

// A file with an attribute block of its own, written by debugfs, is freed with it.
static void test_attributes(void)
{
    rig_mkfs(&r, 1024, "-I 128");
    OK(rig_sh("cd %s && echo text > t && debugfs -w -R 'write t t' image && "
              "debugfs -w -R 'ea_set t user.a b' image && e2fsck -fn image",
              r.dir));
    rig_mount(&r, 0);
    struct ext_inode inode;
    uint32_t ino;
    OK(rig_lookup(&r, EXT_ROOT_INO, "t", &ino));
    OK(ext_inode_load(&r.vol, ino, &inode));
    CHECK(inode.file_acl != 0);
    CHECK_EQ(ext_write(&r.vol, NULL, ino, "x", 100000, 1), 1);
    OK(rig_unlink(&r, EXT_ROOT_INO, "t"));
    rig_finish(&r);
}

// Shared by two inodes, it outlives the first; what is no attribute block is not freed.
static void test_shared(void)
{
    struct ext_inode inode;
    uint32_t orphan, ino = rig_create(&r, EXT_ROOT_INO, "s", LX_S_IFREG | 0644), blk;
    CHECK_EQ(ext_write(&r.vol, NULL, ino, "", 0, 1), 1);
    OK(ext_inode_load(&r.vol, ino, &inode));
    OK(ext_map_get(&r.vol, &inode, 0, &blk));
    inode.file_acl = blk;
    inode.block[0] = 0;
    OK(ext_inode_store(&r.vol, &inode));
    rig_call(&r);
    OK(ext_unlink(&r.vol, NULL, EXT_ROOT_INO, "s", 1, &orphan));
    CHECK_EQ(ext_inode_drop(&r.vol, ino), -LX_EUCLEAN);
    struct ext_disk_xattr *x = (struct ext_disk_xattr *)r.blocks[blk];
    *x = (struct ext_disk_xattr){EXT_XATTR_MAGIC, 2, 1, 0};
    OK(ext_inode_drop(&r.vol, ino));
    CHECK_EQ(x->h_refcount, 1);
}

static uint8_t *record(uint32_t ino)
{
    struct ext_disk_group *gd = (struct ext_disk_group *)r.blocks[1];
    return r.blocks[gd->bg_inode_table + (ino - 1) / 16] + (ino - 1) % 16 * 256;
}

// Lists as another system may leave them: a truncate under way, nonsense, a circle.
static void test_orphan_list(void)
{
    rig_mkfs(&r, 1024, "");
    rig_mount(&r, 0);
    uint32_t ino = rig_create(&r, EXT_ROOT_INO, "t", LX_S_IFREG | 0644), orphan;
    CHECK_EQ(ext_write(&r.vol, NULL, ino, "x", 100000, 1), 1);
    OK(ext_allocate(&r.vol, NULL, ino, 0, 100000));
    ((struct ext_disk_inode *)record(ino))->i_size = 5000;
    super()->s_last_orphan = ino;
    OK(ext_unmount(&r.vol));
    OK(rig_mount_try(&r, 0, false));
    CHECK_EQ(super()->s_last_orphan, 0);
    struct ext_inode inode;
    OK(ext_inode_load(&r.vol, ino, &inode));
    CHECK_EQ(inode.blocks, 16);
    rig_finish(&r);
    super()->s_last_orphan = 99999999;
    OK(rig_mount_try(&r, 0, false));
    CHECK(r.vol.read_only && strstr(r.vol.why, "orphan"));
    CHECK(super()->s_state & EXT_STATE_ERROR);
    super()->s_last_orphan = 0;
    super()->s_state = EXT_STATE_VALID;
    OK(rig_mount_try(&r, 0, false));
    OK(ext_unlink(&r.vol, NULL, EXT_ROOT_INO, "t", 1, &orphan));
    ((struct ext_disk_inode *)record(ino))->i_dtime = ino;
    OK(rig_mount_try(&r, 0, false));
    CHECK(r.vol.read_only);
}

int main(void)
{
    rig_init(&r);
    test_features();
    test_state();
    test_damage();
    test_reserve();
    test_attributes();
    OK(rig_mount_try(&r, 0, false));
    test_shared();
    test_orphan_list();
    rig_done(&r);
    puts("ok: mount");
    return 0;
}
