// SPDX-License-Identifier: MIT
// Names, permissions and attributes, as a client sees them.
#include "client.h"

static struct client root, alice, bob;

static void start(void)
{
    world_start(2048, 400, 3000);
    client_start(&root, 1, 0, 0);
    client_start(&alice, 2, 1000, 100);
    client_start(&bob, 3, 1001, 100);
    OK(path_op(&root, FS_OP_MKDIR, "/tmp", 01777, 0, 0));
    OK(path_op(&root, FS_OP_CHMOD, "/tmp", 01777, 0, 0));
}

static void make(struct client *c, const char *path, uint32_t mode)
{
    struct file f;
    OK(f_open(c, &f, path, LX_O_CREAT | LX_O_EXCL | LX_O_WRONLY, mode));
    f_close(&f);
}

static void opening(void)
{
    struct file f, d;
    make(&alice, "/tmp/a", 0640);
    CHECK_EQ(f_open(&alice, &f, "/tmp/a", LX_O_CREAT | LX_O_EXCL, 0600), -LX_EEXIST);
    OK(f_open(&alice, &f, "/tmp/a", LX_O_RDWR, 0));
    CHECK(LX_S_ISREG(f.mode) && f.node->size == 0);
    f_close(&f);
    OK(f_open(&bob, &f, "/tmp/a", LX_O_RDONLY, 0)); // by group
    f_close(&f);
    CHECK_EQ(f_open(&bob, &f, "/tmp/a", LX_O_WRONLY, 0), -LX_EACCES);
    CHECK_EQ(f_open(&bob, &f, "/tmp/a", LX_O_RDONLY | LX_O_TRUNC, 0), -LX_EACCES);
    CHECK_EQ(f_open(&bob, &f, "/tmp/none", LX_O_RDONLY, 0), -LX_ENOENT);
    CHECK_EQ(f_open(&bob, &f, "/tmp/a/b", LX_O_RDONLY, 0), -LX_ENOTDIR);
    CHECK_EQ(f_open(&bob, &f, "/new", LX_O_CREAT | LX_O_RDWR, 0600), -LX_EACCES);
    CHECK_EQ(f_open(&bob, &f, "/tmp", LX_O_RDWR, 0), -LX_EISDIR);
    CHECK_EQ(f_open(&bob, &f, "/tmp", LX_O_RDONLY | LX_O_TRUNC, 0), -LX_EISDIR);
    CHECK_EQ(f_open(&bob, &f, "/tmp/a", LX_O_RDONLY | LX_O_DIRECTORY, 0), -LX_ENOTDIR);
    CHECK_EQ(f_open(&bob, &f, "/tmp/a", LX_O_ACCMODE, 0), -LX_EINVAL);
    CHECK_EQ(f_open(&bob, &f, "/tmp/x/", LX_O_CREAT | LX_O_RDWR, 0600), -LX_EISDIR);
    CHECK_EQ(f_open(&bob, &f, "", LX_O_RDONLY, 0), -LX_ENOENT);
    CHECK_EQ(call(&bob, 0, FS_OP_OPEN, ARGS(0), "abc", 3, 0), -LX_EINVAL); // not terminated
    OK(f_open(&alice, &d, "/tmp", LX_O_RDONLY | LX_O_DIRECTORY, 0));
    OK(f_open_at(&d, &f, "a", LX_O_RDONLY, 0));
    f_close(&f);
    OK(f_open_at(&d, &f, "../tmp/./a", LX_O_RDONLY, 0));
    CHECK_EQ(path_op_at(&f, FS_OP_STAT, "a", 0, 0, 0), -LX_ENOTDIR);
    f_close(&f);
    f_close(&d);
    OK(f_open(&bob, &f, "/tmp/a", LX_O_PATH,
              0)); // no permission on the file is needed, and none is given
    CHECK_EQ(f_op(&f, FS_OP_READ, 0, 10, 0), -LX_EBADF);
    CHECK_EQ(f_op(&f, FS_OP_SEGMENT, 0, 0, 0), -LX_EINVAL);
    CHECK_EQ(f_op(&f, FS_OP_FILL, 0, 0, 0), -LX_EBADF);
    CHECK_EQ(f_op(&f, FS_OP_LOCK, LX_F_SETLK, LX_F_RDLCK, 0), -LX_EBADF);
    CHECK_EQ(f_stat(&f).st_uid, 1000);
    f_close(&f);
}

static void symlinks(void)
{
    struct file f;
    OK(path2_op(&alice, FS_OP_SYMLINK, "a", "/tmp/s", 0));
    CHECK_EQ(path2_op(&alice, FS_OP_SYMLINK, "a", "/tmp/s", 0), -LX_EEXIST);
    CHECK_EQ(path2_op(&alice, FS_OP_SYMLINK, "", "/tmp/t", 0), -LX_ENOENT);
    CHECK_EQ(path_op(&bob, FS_OP_READLINK, "/tmp/s", 0, 0, 0), 1);
    CHECK(bob.bytes == 1 && bob.msg[0] == 'a');
    CHECK_EQ(path_op(&bob, FS_OP_READLINK, "/tmp/a", 0, 0, 0), -LX_EINVAL);
    CHECK_EQ(path_op(&bob, FS_OP_READLINK, "", 0, 0, 0), -LX_ENOENT);
    OK(f_open(&alice, &f, "/tmp/s", LX_O_RDONLY, 0));
    f_close(&f);
    CHECK_EQ(f_open(&alice, &f, "/tmp/s", LX_O_RDONLY | LX_O_NOFOLLOW, 0), -LX_ELOOP);
    OK(f_open(&alice, &f, "/tmp/s", LX_O_PATH | LX_O_NOFOLLOW, 0));
    CHECK(LX_S_ISLNK(f.mode));
    CHECK_EQ(path_op_at(&f, FS_OP_READLINK, "", 0, 0, 0), 1);
    f_close(&f);
    OK(path2_op(&alice, FS_OP_SYMLINK, "loop", "/tmp/loop", 0));
    CHECK_EQ(path_op(&alice, FS_OP_STAT, "/tmp/loop", 0, 0, 0), -LX_ELOOP);
    OK(path2_op(&alice, FS_OP_SYMLINK, "made", "/tmp/dangling", 0));
    CHECK_EQ(f_open(&alice, &f, "/tmp/dangling", LX_O_CREAT | LX_O_EXCL | LX_O_RDWR, 0600),
             -LX_EEXIST);
    OK(f_open(&alice, &f, "/tmp/dangling", LX_O_CREAT | LX_O_RDWR, 0600));
    f_close(&f);
    CHECK_EQ(p_stat(&alice, "/tmp/made").st_mode, LX_S_IFREG | 0600);
    OK(path_op(&alice, FS_OP_UNLINK, "/tmp/dangling", 0, 0, 0));
    OK(path_op(&alice, FS_OP_UNLINK, "/tmp/loop", 0, 0, 0));
}

static void directories(void)
{
    struct file d, e, f;
    OK(path_op(&alice, FS_OP_MKDIR, "/tmp/d", 07755, 0, 0));
    CHECK_EQ(p_stat(&alice, "/tmp/d").st_mode, LX_S_IFDIR | 01755);
    CHECK_EQ(path_op(&alice, FS_OP_MKDIR, "/tmp/d", 0755, 0, 0), -LX_EEXIST);
    CHECK_EQ(path_op(&bob, FS_OP_MKDIR, "/tmp/d/x", 0755, 0, 0), -LX_EACCES);
    OK(path_op(&alice, FS_OP_MKDIR, "/tmp/d/sub/", 0755, 0, 0));
    CHECK_EQ(p_stat(&alice, "/tmp/d").st_nlink, 3);
    CHECK_EQ(path_op(&alice, FS_OP_UNLINK, "/tmp/d", LX_AT_REMOVEDIR, 0, 0), -LX_ENOTEMPTY);
    CHECK_EQ(path_op(&alice, FS_OP_UNLINK, "/tmp/d", 0, 0, 0), -LX_EISDIR);
    CHECK_EQ(path_op(&alice, FS_OP_UNLINK, "/tmp/a", LX_AT_REMOVEDIR, 0, 0), -LX_ENOTDIR);
    CHECK_EQ(path_op(&alice, FS_OP_UNLINK, "/tmp/a/", 0, 0, 0), -LX_ENOTDIR);
    CHECK_EQ(path_op(&alice, FS_OP_UNLINK, "/tmp/d/.", LX_AT_REMOVEDIR, 0, 0), -LX_EINVAL);
    CHECK_EQ(path_op(&alice, FS_OP_UNLINK, "/", LX_AT_REMOVEDIR, 0, 0), -LX_EBUSY);
    CHECK_EQ(path_op(&bob, FS_OP_UNLINK, "/tmp/a", 0, 0, 0), -LX_EPERM); // sticky
    OK(f_open(&alice, &d, "/tmp/d/sub", LX_O_RDONLY, 0));
    OK(path_op_at(&d, FS_OP_GETCWD, "", 0, 0, 0));
    CHECK(!strcmp((char *)alice.msg, "/tmp/d/sub"));
    OK(path_op(&alice, FS_OP_UNLINK, "/tmp/d/sub", LX_AT_REMOVEDIR, 0, 0));
    CHECK_EQ(d.node->nlink, 0);
    CHECK_EQ(f_stat(&d).st_nlink, 0);
    CHECK_EQ(path_op_at(&d, FS_OP_GETCWD, "", 0, 0, 0), -LX_ENOENT);
    CHECK_EQ(f_op(&d, FS_OP_READDIR, 0, 4096, 0), 0);
    CHECK_EQ(path_op_at(&d, FS_OP_MKDIR, "x", 0755, 0, 0), -LX_ENOENT);
    CHECK_EQ(f_open_at(&d, &f, "x", LX_O_CREAT | LX_O_RDWR, 0600), -LX_ENOENT);
    OK(f_open_at(&d, &e, ".", LX_O_RDONLY, 0));
    f_close(&e);
    f_close(&d);
    OK(path_op(&root, FS_OP_GETCWD, "", 0, 0, 0));
    CHECK(!strcmp((char *)root.msg, "/"));
}

static void renaming(void)
{
    struct file a, b, d;
    struct client *c = &alice;
    make(c, "/tmp/d/one", 0600);
    make(c, "/tmp/d/two", 0600);
    OK(f_open(c, &a, "/tmp/d/one", LX_O_RDWR, 0));
    OK(f_open(c, &b, "/tmp/d/two", LX_O_RDWR, 0));
    CHECK_EQ(f_message(&b, "data", 4, 0), 4);
    OK(path2_op(c, FS_OP_LINK, "/tmp/d/one", "/tmp/d/also", 0));
    CHECK_EQ(a.node->nlink, 2);
    CHECK_EQ(path2_op(c, FS_OP_LINK, "/tmp/d/one", "/tmp/d/two", 0), -LX_EEXIST);
    CHECK_EQ(path2_op(c, FS_OP_LINK, "/tmp/d", "/tmp/dd", 0), -LX_EPERM);
    CHECK_EQ(path2_op(c, FS_OP_RENAME, "/tmp/d/one", "/tmp/d/two", LX_RENAME_NOREPLACE),
             -LX_EEXIST);
    OK(path2_op(c, FS_OP_RENAME, "/tmp/d/one", "/tmp/d/two", LX_RENAME_EXCHANGE));
    CHECK_EQ(p_stat(c, "/tmp/d/one").st_size, 4);
    OK(path2_op(c, FS_OP_RENAME, "/tmp/d/also", "/tmp/d/one", 0)); // replaces the file b has open
    CHECK_EQ(b.node->nlink, 0);
    char text[4];
    CHECK_EQ(f_pread(&b, text, 4, 0), 4);
    CHECK(!memcmp(text, "data", 4));
    CHECK_EQ(path_op_at(&b, FS_OP_STAT, "", LX_AT_EMPTY_PATH, 0, 0), 0);
    CHECK_EQ(call(c, b.endpoint, FS_OP_LINK, ARGS(LX_AT_EMPTY_PATH), "\0/tmp/back", 11, 0),
             -LX_ENOENT);
    CHECK_EQ(call(c, a.endpoint, FS_OP_LINK, ARGS(LX_AT_EMPTY_PATH), "\0/tmp/back", 11, 0),
             -LX_ENOENT); // not root
    CHECK_EQ(call(&root, 0, FS_OP_LINK, ARGS(LX_AT_EMPTY_PATH), "\0/tmp/back", 11, 0),
             -LX_EPERM);                                          // the root directory
    OK(path2_op(c, FS_OP_RENAME, "/tmp/d/two", "/tmp/d/one", 0)); // two names of one file: nothing
    CHECK_EQ(a.node->nlink, 2);
    CHECK_EQ(path2_op(c, FS_OP_RENAME, "/tmp/d", "/tmp/d/in", 0), -LX_EINVAL);
    CHECK_EQ(path2_op(c, FS_OP_RENAME, "/tmp/d/one/", "/tmp/d/x", 0), -LX_ENOTDIR);
    CHECK_EQ(path2_op(c, FS_OP_RENAME, "/tmp/d/one", "/tmp/d/x/", 0), -LX_ENOTDIR);
    CHECK_EQ(path2_op(c, FS_OP_RENAME, "/tmp/d/..", "/tmp/x", 0), -LX_EBUSY);
    CHECK_EQ(path2_op(&bob, FS_OP_RENAME, "/tmp/a", "/tmp/b", 0), -LX_EPERM); // sticky
    CHECK_EQ(path2_op(c, FS_OP_RENAME, "/tmp/d/one", "/tmp/x", 8), -LX_EINVAL);
    // The second path starts at a directory that comes along.
    OK(f_open(c, &d, "/tmp/d", LX_O_RDONLY, 0));
    OK(call(c, 0, FS_OP_RENAME, ARGS(0), "/tmp/a\0moved", 13, d.endpoint));
    OK(path_op(c, FS_OP_STAT, "/tmp/d/moved", 0, 0, 0));
    CHECK_EQ(call(c, 0, FS_OP_RENAME, ARGS(0), "/tmp/d/moved\0x", 15, a.node_cap), -LX_EBADF);
    CHECK_EQ(call(c, 0, FS_OP_RENAME, ARGS(0), "/tmp/d/moved\0x", 15, a.endpoint), -LX_ENOTDIR);
    exo_handle_t false_dir = fake_endpoint(c->env, fake_cap(d.endpoint, c->env, 0, 0)->badge);
    CHECK_EQ(call(c, 0, FS_OP_RENAME, ARGS(0), "/tmp/d/moved\0x", 15, false_dir), -LX_EBADF);
    fake_delete(c->env, false_dir);
    CHECK_EQ(call(c, 0, FS_OP_RENAME, ARGS(0), "/tmp/d/moved", 13, 0), -LX_EINVAL);
    OK(path2_op(c, FS_OP_RENAME, "/tmp/d/moved", "/tmp/a", 0));
    f_close(&d);
    f_close(&a);
    f_close(&b);
    for (int i = 0; i < 2; i++)
        OK(path_op(c, FS_OP_UNLINK, i ? "/tmp/d/one" : "/tmp/d/two", 0, 0, 0));
}

static void attributes(void)
{
    struct client *c = &alice;
    uint32_t group = 555;
    OK(path_op(c, FS_OP_CHMOD, "/tmp/a", 04755, 0, 0));
    CHECK_EQ(p_stat(c, "/tmp/a").st_mode, LX_S_IFREG | 04755);
    CHECK_EQ(path_op(&bob, FS_OP_CHMOD, "/tmp/a", 0777, 0, 0), -LX_EPERM);
    CHECK_EQ(path_op(c, FS_OP_CHOWN, "/tmp/a", 1001, ~0u, 0), -LX_EPERM);
    CHECK_EQ(path_op(c, FS_OP_CHOWN, "/tmp/a", ~0u, group, 0), -LX_EPERM);
    client_groups(c, &group, 1);
    OK(path_op(c, FS_OP_CHOWN, "/tmp/a", ~0u, group, 0));
    CHECK_EQ(p_stat(c, "/tmp/a").st_mode, LX_S_IFREG | 0755); // set-id went
    CHECK_EQ(p_stat(c, "/tmp/a").st_gid, group);
    OK(path_op(&bob, FS_OP_CHOWN, "/tmp/a", ~0u, ~0u, 0));
    OK(path_op(c, FS_OP_CHMOD, "/tmp/a", 0604, 0, 0));
    OK(path_op(&bob, FS_OP_ACCESS, "/tmp/a", 4, 0, 0));
    CHECK_EQ(path_op(&bob, FS_OP_ACCESS, "/tmp/a", 2, 0, 0), -LX_EACCES);
    CHECK_EQ(path_op(&root, FS_OP_ACCESS, "/tmp/a", 1, 0, 0), -LX_EACCES);
    CHECK_EQ(path_op(&bob, FS_OP_ACCESS, "/tmp/a", 8, 0, 0), -LX_EINVAL);
    // Real ids, unless effective ones are asked for.
    struct proc_rec *rec = (struct proc_rec *)(fake_proctab + 3 * PROC_REC_SIZE);
    rec->euid = 1000;
    CHECK_EQ(path_op(&bob, FS_OP_ACCESS, "/tmp/a", 2, 0, 0), -LX_EACCES);
    OK(path_op(&bob, FS_OP_ACCESS, "/tmp/a", 2, LX_AT_EACCESS, 0));
    rec->euid = 1001;
    OK(call(c, 0, FS_OP_UTIMENS, ARGS(0, 5, 6, 7, 8), "/tmp/a", 7, 0));
    struct lx_stat st = p_stat(c, "/tmp/a");
    CHECK(st.st_atime_sec == 5 && st.st_atime_nsec == 6 && st.st_mtime_sec == 7 &&
          st.st_mtime_nsec == 8);
    CHECK_EQ(call(&bob, 0, FS_OP_UTIMENS, ARGS(0, 5, 6, 7, 8), "/tmp/a", 7, 0), -LX_EPERM);
    CHECK_EQ(
        call(&bob, 0, FS_OP_UTIMENS, ARGS(0, 0, LX_UTIME_NOW, 0, LX_UTIME_NOW), "/tmp/a", 7, 0),
        -LX_EACCES);
    OK(call(&bob, 0, FS_OP_UTIMENS, ARGS(0, 0, LX_UTIME_OMIT, 0, LX_UTIME_OMIT), "/tmp/a", 7, 0));
    CHECK_EQ(call(c, 0, FS_OP_UTIMENS, ARGS(0, 0, 1000000000, 0, 0), "/tmp/a", 7, 0), -LX_EINVAL);
    OK(call(c, 0, FS_OP_UTIMENS, ARGS(0, 1, LX_UTIME_OMIT, 9, 0), "/tmp/a", 7, 0));
    st = p_stat(c, "/tmp/a");
    CHECK(st.st_atime_sec == 5 && st.st_mtime_sec == 9 && st.st_mtime_nsec == 0);
    CHECK_EQ(path_op(c, FS_OP_MKNOD, "/tmp/dev", LX_S_IFCHR | 0600, 0x103, 0), -LX_EPERM);
    OK(path_op(&root, FS_OP_MKNOD, "/tmp/dev", LX_S_IFCHR | 0666, 0x103, 0));
    struct file f;
    OK(f_open(c, &f, "/tmp/dev", LX_O_RDWR, 0));
    CHECK(!f.endpoint && c->w[3] >> 32 == 0x103);
    OK(path_op(c, FS_OP_MKNOD, "/tmp/sock", LX_S_IFSOCK | 0600, 0, 0));
    CHECK_EQ(path_op(c, FS_OP_MKNOD, "/tmp/x", LX_S_IFDIR | 0600, 0, 0), -LX_EPERM);
    OK(path_op(c, FS_OP_STATFS, "", 0, 0, 0));
    struct lx_statfs sf;
    memcpy(&sf, c->msg, sizeof(sf));
    CHECK(sf.f_bfree > 1000 && sf.f_bfree < 2048 && sf.f_bsize == 4096);
    CHECK(sf.f_blocks > sf.f_bfree && sf.f_blocks - sf.f_bfree < 300);
    CHECK_EQ(path_op(c, FS_OP_TRUNCATE, "/tmp", 0, 0, 0), -LX_EISDIR);
    CHECK_EQ(path_op(c, FS_OP_TRUNCATE, "/tmp/dev", 0, 0, 0), -LX_EINVAL);
    CHECK_EQ(path_op(&bob, FS_OP_TRUNCATE, "/tmp/a", 0, 0, 0), -LX_EACCES);
    CHECK_EQ(path_op(c, FS_OP_TRUNCATE, "/tmp/a", UINT64_MAX, 0, 0), -LX_EFBIG);
}

static void set_group_id_directory(void)
{
    OK(path_op(&root, FS_OP_MKDIR, "/tmp/g", 0777, 0, 0));
    OK(path_op(&root, FS_OP_CHOWN, "/tmp/g", ~0u, 77, 0));
    OK(path_op(&root, FS_OP_CHMOD, "/tmp/g", 02777, 0, 0));
    make(&alice, "/tmp/g/f", 0600);
    OK(path_op(&alice, FS_OP_MKDIR, "/tmp/g/d", 0700, 0, 0));
    CHECK_EQ(p_stat(&alice, "/tmp/g/f").st_gid, 77);
    CHECK_EQ(p_stat(&alice, "/tmp/g/d").st_mode, LX_S_IFDIR | 02700);
}

static void mounts(void)
{
    struct file f;
    OK(path_op(&root, FS_OP_MKDIR, "/proc", 0555, 0, 0));
    CHECK_EQ(path_op(&alice, FS_OP_MOUNT, "/proc", FS_MOUNT_PROC, 0, 0), -LX_EPERM);
    CHECK_EQ(path_op(&root, FS_OP_MOUNT, "/tmp/a", FS_MOUNT_PROC, 0, 0), -LX_ENOTDIR);
    CHECK_EQ(path_op(&root, FS_OP_MOUNT, "/proc", 9, 0, 0), -LX_EINVAL);
    OK(path_op(&root, FS_OP_MOUNT, "/proc", FS_MOUNT_PROC, 0, 0));
    CHECK_EQ(f_open(&alice, &f, "/proc/self/exe", LX_O_RDONLY, 0), -FS_MOUNT);
    CHECK(alice.w[1] == FS_MOUNT_PROC && !strcmp((char *)alice.msg, "self/exe"));
    OK(path2_op(&alice, FS_OP_SYMLINK, "../proc/self", "/tmp/self", 0));
    CHECK_EQ(path_op(&alice, FS_OP_STAT, "/tmp/self/fd/", 0, 0, 0), -FS_MOUNT);
    CHECK(!strncmp((char *)alice.msg, "self/fd", 7));
    CHECK_EQ(path_op(&root, FS_OP_UNLINK, "/proc", LX_AT_REMOVEDIR, 0, 0), -LX_EBUSY);
    CHECK_EQ(path_op(&root, FS_OP_MKDIR, "/proc", 0, 0, 0), -LX_EEXIST);
    CHECK_EQ(path2_op(&root, FS_OP_RENAME, "/proc", "/tmp/p", 0), -LX_EBUSY);
    CHECK_EQ(path_op(&root, FS_OP_MKDIR, "/proc/x", 0, 0, 0), -FS_MOUNT);
}

static void listing(void)
{
    struct file d;
    char name[32];
    uint64_t cookie = 0;
    int seen = 0;
    OK(path_op(&alice, FS_OP_MKDIR, "/tmp/many", 0755, 0, 0));
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "/tmp/many/file-%d", i);
        make(&alice, name, 0600);
    }
    OK(f_open(&bob, &d, "/tmp/many", LX_O_RDONLY | LX_O_DIRECTORY, 0));
    CHECK_EQ(f_op(&d, FS_OP_READDIR, 0, 20, 0), -LX_EINVAL);
    for (;;) {
        long n = f_op(&d, FS_OP_READDIR, cookie, 1000, 0);
        CHECK(n >= 0 && n <= 1000);
        if (!n)
            break;
        for (long at = 0; at < n; seen++) {
            struct lx_dirent64 *e = (void *)(bob.msg + at);
            at += e->d_reclen;
            CHECK(strlen(e->d_name) && at <= n);
        }
        cookie = bob.w[1];
    }
    CHECK_EQ(seen, 302);
    CHECK_EQ(f_op(&d, FS_OP_READDIR, UINT64_MAX, 1000, 0), 0);
    for (uint64_t at = 4000; at < 4096; at++) // from within an entry, the last one of a block too
        CHECK(f_op(&d, FS_OP_READDIR, at, 1000, 0) >= 0);
    CHECK_EQ(f_op(&d, FS_OP_READ, 0, 10, 0), -LX_EISDIR);
    CHECK_EQ(f_op(&d, FS_OP_FILL, 0, 0, 0), -LX_EBADF);
    CHECK_EQ(f_op(&d, FS_OP_SEGMENT, 0, 0, 0), -LX_EINVAL);
    f_close(&d);
}

static void roots(void)
{
    struct file jail, in, cwd, f;
    OK(path_op(&root, FS_OP_MKDIR, "/jail", 0755, 0, 0));
    OK(path_op(&root, FS_OP_MKDIR, "/jail/in", 0755, 0, 0));
    CHECK_EQ(f_chroot(&alice, &jail, "/jail", NULL), -LX_EPERM);
    CHECK_EQ(f_chroot(&root, &jail, "/none", NULL), -LX_ENOENT);
    CHECK_EQ(f_chroot(&root, &jail, "/tmp/many/file-1", NULL), -LX_ENOTDIR);
    OK(f_chroot(&root, &jail, "/jail", NULL));
    CHECK_EQ(path_op_at(&jail, FS_OP_STAT, "/tmp", 0, 0, 0), -LX_ENOENT);
    CHECK_EQ(path_op_at(&jail, FS_OP_STAT, "../tmp", 0, 0, 0), -LX_ENOENT);
    OK(path_op_at(&jail, FS_OP_STAT, "/../in/../../in", 0, 0, 0));
    OK(f_open_at(&jail, &in, "in", LX_O_RDONLY | LX_O_DIRECTORY, 0)); // under the same root
    CHECK_EQ(path_op_at(&in, FS_OP_STAT, "../../tmp", 0, 0, 0), -LX_ENOENT);
    OK(path_op_at(&in, FS_OP_STAT, "/in", 0, 0, 0));
    OK(path_op_at(&in, FS_OP_GETCWD, "", 0, 0, 0));
    CHECK(!strcmp((char *)root.msg, "/in"));
    OK(f_chroot(&root, &cwd, "/tmp", &jail)); // outside, and stays there
    CHECK_EQ(path_op_at(&cwd, FS_OP_GETCWD, "", 0, 0, 0), -LX_ENOENT);
    OK(path_op_at(&cwd, FS_OP_STAT, "many/../../tmp", 0, 0, 0));
    OK(path_op_at(&cwd, FS_OP_STAT, "/in", 0, 0, 0));
    CHECK_EQ(f_chroot(&root, &f, "/tmp", &(struct file){.endpoint = in.node_cap}), -LX_EBADF);
    f_close(&cwd);
    f_close(&jail); // what was opened under it still ends there
    CHECK_EQ(path_op_at(&in, FS_OP_STAT, "/tmp", 0, 0, 0), -LX_ENOENT);
    CHECK_EQ(path_op(&root, FS_OP_UNLINK, "/jail", LX_AT_REMOVEDIR, 0, 0), -LX_ENOTEMPTY);
    OK(path_op(&root, FS_OP_UNLINK, "/jail/in", LX_AT_REMOVEDIR, 0, 0));
    OK(path_op(&root, FS_OP_UNLINK, "/jail", LX_AT_REMOVEDIR, 0, 0));
    OK(path_op(&root, FS_OP_MKDIR, "/other", 0755, 0, 0)); // does not get its inode
    OK(path_op(&root, FS_OP_MKDIR, "/other/x", 0755, 0, 0));
    CHECK_EQ(path_op_at(&in, FS_OP_STAT, "/x", 0, 0, 0), -LX_ENOENT);
    f_close(&in);
}

static void strangers(void)
{
    struct client nobody;
    client_start(&nobody, 9, 0, 0);
    memset(fake_proctab + 9 * PROC_REC_SIZE, 0, PROC_REC_SIZE);
    CHECK_EQ(path_op(&nobody, FS_OP_STAT, "/", 0, 0, 0), -LX_EPERM);
    ((struct proc_rec *)(fake_proctab + 9 * PROC_REC_SIZE))->env = alice.env;
    CHECK_EQ(path_op(&nobody, FS_OP_STAT, "/", 0, 0, 0), -LX_EPERM);
    CHECK_EQ(path_op(&alice, 999, "/", 0, 0, 0), -LX_ENOSYS);
}

int main(void)
{
    start();
    opening();
    symlinks();
    directories();
    renaming();
    attributes();
    set_group_id_directory();
    mounts();
    listing();
    roots();
    strangers();
    client_die(&alice);
    client_die(&bob);
    client_die(&root);
    world_fsck();
    return 0;
}
