// SPDX-License-Identifier: MIT
// The working directory and the root: chdir, fchdir, getcwd, chroot.
//
// The working directory is an open of fsd's, by name alone, so it stays the same directory however
// it is renamed. To go to a directory that everybody may know (lookup.c) takes no call where it is
// open already: it is the one we are in, the root, or one we were in lately (idle.c).
//
// The path of the working directory, once asked for, is true until fsd tells of a directory that
// got another name (`moved` in proto/names.h).
#include <fs/handover.h>
#include <fs/mount.h>
#include <fs/text.h>

static struct {
    char *path; // of the working directory, or NULL: not known
    size_t length;
    uint32_t moved; // when it was asked for
} known;

static void path_forget(void)
{
    heap_free(known.path);
    known.path = NULL;
}

static void set_cwd(struct file *file)
{
    path_forget();
    if (fd_current()->cwd)
        file_put(fd_current()->cwd);
    fd_current()->cwd = file;
}

// 0 if it is done, LOOKUP_ASK if fsd must be asked, or the error.
static long chdir_known(uint64_t upath)
{
    struct lx_stat st;
    struct file *file = NULL, *cwd = fd_current()->cwd;
    long err = lookup_stat(LX_AT_FDCWD, upath, true, (uint64_t)&st);
    if (err == 0)
        err = LX_S_ISDIR(st.st_mode) ? lookup_access(&st, 1, true) : -LX_ENOTDIR;
    if (err || (cwd && cwd->endpoint && cwd->ino == st.st_ino))
        return err;
    if (!lookup_is_root(st.st_ino)) {
        file = idle_take(st.st_ino, &path_ops);
        if (!file)
            return LOOKUP_ASK;
        file_begin(file, LX_O_PATH | LX_O_DIRECTORY);
    }
    set_cwd(file);
    return 0;
}

// To open by name takes no permission on the directory; to work in it, that to search it.
static long chdir_open(size_t length, struct file **file)
{
    const uint32_t flags = LX_O_PATH | LX_O_DIRECTORY;
    struct exo_msg m = {.w = {FS_OP_OPEN, flags}};
    memset(ctx_self()->recv, 0, sizeof(ctx_self()->recv));
    long err = path_send(LX_AT_FDCWD, length, &m, 0);
    if (err == -FS_MOUNT)
        return mount_fs(m.w[1])->open((const char *)msg_page(), flags, file);
    if (err == 0)
        err = path_opened(&m, flags, file);
    if (err < 0)
        return err;
    const struct lx_stat st = {.st_mode = (uint32_t)m.w[3],
                               .st_uid = (uint32_t)m.w[4],
                               .st_gid = (uint32_t)(m.w[4] >> 32)};
    err = lookup_access(&st, 1, true);
    if (err < 0)
        file_put(*file);
    return err;
}

long px_chdir(uint64_t upath)
{
    struct file *file = NULL;
    long err = chdir_known(upath);
    if (err != LOOKUP_ASK)
        return err;
    long length = path_copy(upath, 0);
    err = length < 0 ? length : chdir_open((size_t)length, &file);
    if (err == 0)
        set_cwd(file);
    return err;
}

long px_fchdir(int fd)
{
    struct lx_stat st;
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    if (!LX_S_ISDIR(file->mode))
        return -LX_ENOTDIR;
    long err = file->endpoint ? endpoint_stat(file, &st) : 0;
    if (err == 0 && file->endpoint)
        err = lookup_access(&st, 1, true);
    if (err < 0)
        return err;
    set_cwd(file_ref(file));
    return 0;
}

// Opens a directory as a root or, with one, under that root.
static long chroot_open(int dirfd, size_t length, const struct file *root, struct file **out)
{
    struct exo_msg m = {.w = {FS_OP_CHROOT}};
    struct exo_ctx *ctx = ctx_self();
    if (root)
        ctx->send[0] = (struct exo_send){root->endpoint, EXO_R_CALL, EXO_SEND_COPY};
    memset(ctx->recv, 0, sizeof(ctx->recv));
    long err = path_send(dirfd, length, &m, root != NULL);
    if (err == -FS_MOUNT)
        return -LX_EPERM;
    return err < 0 ? err : path_opened(&m, LX_O_PATH | LX_O_DIRECTORY, out);
}

// From here on the process, and what it starts, cannot name anything outside but by what it has
// open. The working directory stays, and is opened again under the new root, so that links and ".."
// in it end there too.
static long root_change(struct file *root)
{
    struct file *cwd = NULL;
    struct exo_msg m = {.w = {PROC_OP_FLAGS, PROC_F_CONFINED, 0}};
    memcpy(msg_page(), ".", 2);
    long err = chroot_open(LX_AT_FDCWD, 2, root, &cwd);
    if (err == -LX_EPERM) // a mount's directory: it stays as it is
        err = 0;
    if (err == 0)
        err = server_call(H_INIT, &m);
    if (err < 0) {
        if (cwd)
            file_put(cwd);
        return err;
    }
    if (cwd)
        set_cwd(cwd);
    if (fd_current()->root)
        file_put(fd_current()->root);
    else
        exo_cap_delete(H_FSD);
    fd_current()->root = root;
    lookup_end();
    return 0;
}

// Not POSIX, but common. Set-id programs give no rights from here on (proc/exec.c), so that nobody
// can build the world they trust.
long px_chroot(uint64_t upath)
{
    struct file *root;
    long length = path_copy(upath, 0);
    long err = length < 0 ? length : chroot_open(LX_AT_FDCWD, (size_t)length, NULL, &root);
    if (err < 0)
        return err;
    err = root_change(root);
    if (err < 0)
        file_put(root);
    return err;
}

// --- the way back to its path --------------------------------------------------------------------

static long mount_path(unsigned kind, char *path, size_t max)
{
    struct text t = {.at = path, .room = max};
    const char *name = mount_name(fd_current()->cwd);
    text_printf(&t, name[0] ? "%s/%s" : "%s", mount_fs(kind)->at, name);
    text_add(&t, "", 1);
    return t.length > max ? -LX_ERANGE : (long)t.length - 1;
}

// The path with its end, now in the message page, for the next time.
static void path_note(size_t size, uint32_t moved)
{
    path_forget();
    known.path = heap_alloc(size);
    if (!known.path)
        return;
    memcpy(known.path, msg_page(), size);
    known.length = size - 1;
    known.moved = moved;
}

static long path_ask(const char **path)
{
    struct exo_msg m = {.w = {FS_OP_GETCWD}};
    uint32_t moved = 0;
    bool lasts = lookup_moved(&moved); // before the answer
    struct file *cwd = fd_current()->cwd;
    long err = server_call(cwd ? cwd->endpoint : fd_root(), &m);
    if (err < 0)
        return err;
    size_t size = EXO_META_BYTES(m.meta);
    *path = (const char *)msg_page();
    if (!size || size > LX_PATH_MAX || (*path)[size - 1])
        return -LX_EIO;
    if (lasts)
        path_note(size, moved);
    return (long)size - 1;
}

// Its length; where it is, until the next call to a server.
static long cwd_path(const char **path)
{
    uint32_t moved;
    if (!fd_current()->cwd) {
        *path = "/";
        return 1;
    }
    if (!known.path || !lookup_moved(&moved) || moved != known.moved)
        return path_ask(path);
    *path = known.path;
    return (long)known.length;
}

long px_getcwd(uint64_t ubuf, size_t size)
{
    char text[LX_PATH_MAX];
    const char *path = text;
    unsigned kind = mount_kind(fd_current()->cwd);
    long n = kind ? mount_path(kind, text, sizeof(text)) : cwd_path(&path);
    if (n < 0)
        return n;
    if ((size_t)n + 1 > size)
        return -LX_ERANGE;
    return user_write(ubuf, path, (size_t)n + 1) < 0 ? -LX_EFAULT : n + 1;
}
