// SPDX-License-Identifier: MIT
//
// Reads a tree that mke2fs wrote and compares it with the directory it came from; then changes a
// directory that e2fsck indexed as a hash tree, and a volume with small inodes and no file types.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rig.h"

static void source_make(struct rig *r)
{
    OK(rig_sh("mkdir -p %s/src/many %s/src/deep/a/b/c && cd %s/src && "
              "echo hello > hello && head -c 300000 /dev/urandom > middle && "
              "head -c 9000000 /dev/urandom > large && "
              "printf x | dd of=sparse bs=1 seek=5000000000 conv=notrunc status=none && "
              "printf y | dd of=sparse bs=1 seek=40000 conv=notrunc status=none && "
              "ln -s hello fast && ln -s $(head -c 200 /dev/zero | tr '\\0' q)/x slow && "
              "ln hello hard && mkfifo fifo && chmod 4751 middle && chmod 1777 deep && "
              "touch -d '1999-05-04 03:02:01' hello && echo in > deep/a/b/c/file && "
              "for i in $(seq 2500); do : > many/a-rather-long-name-of-a-file-$i; done",
              r->dir, r->dir, r->dir));
}

static void content_compare(struct rig *r, const char *path, uint32_t ino, uint64_t size)
{
    static uint8_t a[65536], b[65536];
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    // of the sparse file only the ends and a piece are read
    uint64_t step = size > 100000000 ? 999999937 : sizeof(a);
    for (uint64_t off = 0; off < size; off += step) {
        ssize_t n = pread(fd, a, sizeof(a), (off_t)off);
        CHECK_EQ(ext_read(&r->vol, ino, b, off, sizeof(b)), n);
        OK(memcmp(a, b, (size_t)n));
    }
    uint64_t last = size > 4000 ? size - 4000 : 0;
    ssize_t n = pread(fd, a, sizeof(a), (off_t)last);
    CHECK_EQ(ext_read(&r->vol, ino, b, last, sizeof(b)), n);
    OK(memcmp(a, b, (size_t)n));
    close(fd);
}

static bool count_one(void *ctx, const struct ext_dirent *e)
{
    (void)e;
    ++*(long *)ctx;
    return true;
}

static void tree_compare(struct rig *r, const char *path, uint32_t ino);

static void dir_compare(struct rig *r, const char *path, uint32_t ino)
{
    DIR *d = opendir(path);
    long host = 0, here = 0;
    uint64_t cookie = 0;
    CHECK(d);
    for (struct dirent *e; (e = readdir(d)); host++) {
        char sub[512];
        uint32_t child;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
        OK(rig_lookup(r, ino, e->d_name, &child));
        tree_compare(r, sub, child);
    }
    closedir(d);
    OK(ext_dir_iterate(&r->vol, ino, &cookie, count_one, &here));
    CHECK_EQ(here, host + (ino == EXT_ROOT_INO)); // lost+found
}

static void tree_compare(struct rig *r, const char *path, uint32_t ino)
{
    struct stat st;
    struct ext_inode inode;
    struct lx_stat mine;
    OK(lstat(path, &st));
    OK(ext_inode_load(&r->vol, ino, &inode));
    ext_stat_fill(&inode, 7, &mine);
    if (ino != EXT_ROOT_INO) {
        CHECK_EQ(mine.st_mode, st.st_mode);
        CHECK_EQ(mine.st_uid, st.st_uid);
        CHECK_EQ(mine.st_mtime_sec, st.st_mtim.tv_sec);
        CHECK_EQ(mine.st_nlink, st.st_nlink);
    }
    if (S_ISREG(st.st_mode)) {
        CHECK_EQ(mine.st_size, st.st_size);
        content_compare(r, path, ino, inode.size);
    } else if (S_ISLNK(st.st_mode)) {
        char a[512], b[512];
        ssize_t n = readlink(path, a, sizeof(a));
        CHECK_EQ(ext_readlink(&r->vol, ino, b, sizeof(b)), n);
        OK(memcmp(a, b, (size_t)n));
    } else if (S_ISDIR(st.st_mode)) {
        dir_compare(r, path, ino);
    }
}

static void test_tree(struct rig *r, const char *options, size_t index)
{
    char src[128];
    snprintf(src, sizeof(src), "%s/src", r->dir);
    rig_mkfs(r, 8192, options);
    rig_mount(r, index);
    tree_compare(r, src, EXT_ROOT_INO);
    tree_compare(r, src, EXT_ROOT_INO);
    rig_finish(r);
}

static void test_indexed(struct rig *r, size_t index)
{
    uint32_t many, ino;
    struct ext_inode dir;
    char name[128];
    rig_mkfs(r, 8192, "");
    (void)rig_sh("e2fsck -fyD %s > /dev/null || [ $? -eq 1 ]", r->image);
    rig_mount(r, index);
    OK(rig_lookup(r, EXT_ROOT_INO, "many", &many));
    OK(ext_inode_load(&r->vol, many, &dir));
    CHECK(dir.flags & EXT_FL_INDEX);
    for (int i = 1; i <= 2500; i += 3) { // removing keeps the tree
        snprintf(name, sizeof(name), "a-rather-long-name-of-a-file-%d", i);
        OK(rig_unlink(r, many, name));
        CHECK_EQ(rig_lookup(r, many, name, &ino), -LX_ENOENT);
    }
    rig_fsck(r);
    for (int i = 1; i <= 2500; i += 2) {
        snprintf(name, sizeof(name), "a-rather-long-name-of-a-file-%d", i);
        CHECK_EQ(rig_try_create(r, many, name, LX_S_IFREG | 0644), i % 3 == 1 ? 0 : -LX_EEXIST);
        OK(rig_lookup(r, many, name, &ino));
    }
    OK(ext_inode_load(&r->vol, many, &dir));
    CHECK(!(dir.flags & EXT_FL_INDEX));
    rig_finish(r);
}

int main(void)
{
    struct rig r;
    rig_init(&r);
    source_make(&r);
    test_tree(&r, "", 0);
    test_tree(&r, "", 1 << 20);
    test_tree(&r, "-I 128 -O ^filetype,^large_file", 30000);
    test_tree(&r, "-O flex_bg -G 2 -g 2048", 1 << 16);
    test_tree(&r, "-r 0 -I 128", 1 << 16);
    test_indexed(&r, 0);
    test_indexed(&r, 1 << 20);
    rig_done(&r);
    puts("ok: images of mke2fs");
    return 0;
}
