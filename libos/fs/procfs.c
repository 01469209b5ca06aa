// SPDX-License-Identifier: MIT
// /proc, made by the libOS from what everybody can read: the process records and the kernel's
// exposed tables. Of one's own process also descriptors and mappings. There is no server behind it,
// and nothing in it that is not public.
//
// A path is the rest below the mount point, as mount_resolve leaves it. A file's text is made when
// it is opened.
#include <fs/mount.h>
#include <fs/pts.h>
#include <fs/proctext.h>
#include <proc/exename.h>

const volatile struct proc_rec *proc_find(int pid); // proc/wait.c

#define PROC_DEV 4u // st_dev

struct proc_file {
    char *text;
    size_t size;
    char name[];
};

static const char *proc_name(const struct file *file)
{
    return ((const struct proc_file *)file->private)->name;
}

struct entry {
    const char *name;
    uint32_t mode;
    void (*put)(struct text *t, const struct who *w); // files
    bool own;                                         // of one's own process only
};

static const struct entry top[] = {
    {"self", LX_S_IFLNK | 0777, NULL, false},
    {"cpuinfo", LX_S_IFREG | 0444, proc_put_cpuinfo, false},
    {"filesystems", LX_S_IFREG | 0444, proc_put_filesystems, false},
    {"loadavg", LX_S_IFREG | 0444, proc_put_loadavg, false},
    {"meminfo", LX_S_IFREG | 0444, proc_put_meminfo, false},
    {"mounts", LX_S_IFREG | 0444, proc_put_mounts, false},
    {"stat", LX_S_IFREG | 0444, proc_put_kernel_stat, false},
    {"uptime", LX_S_IFREG | 0444, proc_put_uptime, false},
    {"version", LX_S_IFREG | 0444, proc_put_version, false},
};
static const struct entry of_process[] = {
    {"cmdline", LX_S_IFREG | 0444, proc_put_cmdline, false},
    {"comm", LX_S_IFREG | 0444, proc_put_comm, false},
    {"cwd", LX_S_IFLNK | 0777, NULL, true},
    {"exe", LX_S_IFLNK | 0777, NULL, true},
    {"fd", LX_S_IFDIR | 0500, NULL, true},
    {"mounts", LX_S_IFREG | 0444, proc_put_mounts, false},
    {"root", LX_S_IFLNK | 0777, NULL, true},
    {"stat", LX_S_IFREG | 0444, proc_put_stat, false},
    {"status", LX_S_IFREG | 0444, proc_put_status, false},
    {"task", LX_S_IFDIR | 0555, NULL, false},
};
static const struct entry directory = {"", LX_S_IFDIR | 0555, NULL, false};         // /proc
static const struct entry process_directory = {"", LX_S_IFDIR | 0555, NULL, false}; // /proc/N
static const struct entry thread_directory = {"", LX_S_IFDIR | 0555, NULL, false}; // /proc/N/task/N
static const struct entry descriptor = {"", LX_S_IFLNK | 0700, NULL, true};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

// --- finding
// --------------------------------------------------------------------------------------------

static int number(const char *s, size_t n)
{
    int value = 0;
    if (!n || n > 9)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

static bool is(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && !memcmp(s, word, n);
}

static bool named(const struct entry *e, const char *word)
{
    return is(e->name, strlen(e->name), word);
}

// The next component of a path; its length, 0 at the end.
static size_t component(const char **path)
{
    size_t n = 0;
    while (**path == '/')
        (*path)++;
    while ((*path)[n] && (*path)[n] != '/')
        n++;
    return n;
}

static const struct entry *among(const struct entry *list, size_t count, const char *s, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        if (is(s, n, list[i].name))
            return &list[i];
    }
    return NULL;
}

static bool own_process(const struct who *w)
{
    return w->rec->pid == proc_self()->pid;
}

// Below /proc/N, or below /proc/N/task/N, where everything is but the task directory itself: the
// last of the list.
// NOLINTNEXTLINE(misc-no-recursion): once, a thread has no task directory
static const struct entry *find_below_process(const char *path, struct who *w, bool thread)
{
    size_t n = component(&path);
    if (!n)
        return thread ? &thread_directory : &process_directory;
    const struct entry *e = among(of_process, COUNT(of_process) - thread, path, n);
    if (!e || (e->own && !own_process(w)))
        return NULL;
    path += n;
    n = component(&path);
    if (!n)
        return e;
    if (named(e, "task"))
        return number(path, n) == w->rec->pid ? find_below_process(path + n, w, true) : NULL;
    if (!named(e, "fd"))
        return NULL;
    w->fd = number(path, n);
    path += n;
    return fd_file(w->fd) && !component(&path) ? &descriptor : NULL;
}

static const struct entry *find(const char *path, struct who *w)
{
    *w = (struct who){proc_self(), -1};
    size_t n = component(&path);
    if (!n)
        return &directory;
    const char *rest = path + n;
    bool self = is(path, n, "self") || is(path, n, "thread-self");
    int pid = number(path, n);
    const char *more = rest;
    if (self && component(&more))
        return find_below_process(rest, w, false);
    if (self)
        return &top[0];
    if (pid > 0) {
        w->rec = proc_find(pid);
        return w->rec ? find_below_process(rest, w, false) : NULL;
    }
    return component(&more) ? NULL : among(top, COUNT(top), path, n);
}

static uint64_t inode_of(const char *path)
{
    uint64_t h = 0xcbf29ce484222325ull; // FNV-1a
    for (; *path; path++)
        h = (h ^ (uint8_t)*path) * 0x100000001b3ull;
    return h >> 16 | 1;
}

static void fill_stat(const struct entry *e, const struct who *w, const char *path,
                      struct lx_stat *st)
{
    memset(st, 0, sizeof(*st));
    st->st_dev = PROC_DEV;
    st->st_mode = e->mode;
    st->st_ino = inode_of(path);
    st->st_nlink = LX_S_ISDIR(e->mode) ? 2 : 1;
    st->st_uid = w->rec->euid;
    st->st_gid = w->rec->egid;
    st->st_blksize = 1024;
    st->st_atime_sec = st->st_mtime_sec = st->st_ctime_sec =
        ((int64_t)w->rec->start_ns + EXO_INFO->wall_ns) / 1000000000;
}

// --- links
// ------------------------------------------------------------------------------------------------

static const char *tty_name(uint32_t rdev)
{
    return rdev == TTY_RDEV_PTMX     ? "/dev/ptmx"
           : rdev == TTY_RDEV_CTTY   ? "/dev/tty"
           : rdev == TTY_RDEV(4, 64) ? "/dev/ttyS0"
                                     : "/dev/console";
}

long directory_name(struct text *t, const struct file *file)
{
    unsigned kind = mount_kind(file);
    if (kind) {
        const char *name = mount_name(file);
        text_printf(t, name[0] ? "%s/%s" : "%s", mount_fs(kind)->at, name);
        return 0;
    }
    struct exo_msg m = {.w = {FS_OP_GETCWD}};
    long err = server_call(file ? file->endpoint : fd_root(), &m);
    if (err >= 0)
        text_put(t, (char *)msg_page());
    return err;
}

static long fd_target(struct file *file, char *target, size_t max)
{
    struct text t = {.at = target, .room = max};
    switch (file->ops->kind) {
    case FD_KIND_PIPE:
        text_printf(&t, "pipe:[%lu]", (unsigned long)pipe_number(file));
        break;
    case FD_KIND_TTY:
        if (file->rdev >> 8 >= TTY_RDEV_PTS_MAJOR)
            text_printf(&t, "/dev/pts/%u", pts_number(file->rdev));
        else
            text_put(&t, tty_name(file->rdev));
        break;
    case FD_KIND_DIR: {
        long err = directory_name(&t, file);
        if (err < 0)
            return err;
        break;
    }
    default: // the name a file was opened by is not kept
        text_printf(&t, "file:[%lu]", (unsigned long)file->ino);
    }
    return (long)t.length;
}

static long proc_readlink(const char *rest, char *target, size_t max)
{
    struct who w;
    const struct entry *e = find(rest, &w);
    struct text t = {.at = target, .room = max};
    if (!e)
        return -LX_ENOENT;
    if (!LX_S_ISLNK(e->mode))
        return -LX_EINVAL;
    if (e == &descriptor)
        return fd_target(fd_file(w.fd), target, max);
    long err = 0;
    if (named(e, "exe"))
        return exe_readlink(target, max);
    if (named(e, "cwd"))
        err = directory_name(&t, fd_current()->cwd);
    else if (named(e, "root"))
        text_put(&t, "/");
    else
        text_printf(&t, "%d", proc_self()->pid);
    return err < 0 ? err : (long)t.length;
}

// What a link leads to, opened by name.
static struct file *open_target(const struct entry *e, uint32_t flags, long *err)
{
    if (named(e, "exe")) {
        struct file *file = file_open_path(0, exe_path(), (int)flags, err);
        if (file)
            file->by_exe = true;
        return file;
    }
    if (named(e, "root"))
        return file_open_path(0, "/", (int)flags, err);
    struct text t = {.at = (char[LX_PATH_MAX]){0}, .room = LX_PATH_MAX - 1};
    *err = directory_name(&t, fd_current()->cwd);
    return *err < 0 ? NULL : file_open_path(0, t.at, (int)flags, err);
}

static bool leads_out(const struct entry *e)
{
    return LX_S_ISLNK(e->mode) && e != &top[0];
}

static int proc_stat(const char *rest, bool follow, struct lx_stat *st)
{
    struct who w;
    const struct entry *e = find(rest, &w);
    if (!e)
        return -LX_ENOENT;
    if (follow && e == &descriptor) {
        struct file *file = fd_file(w.fd);
        memset(st, 0, sizeof(*st));
        return file->ops->stat ? file->ops->stat(file, st) : -LX_ENOENT;
    }
    if (follow && leads_out(e)) {
        long err;
        struct file *file = open_target(e, LX_O_PATH, &err);
        if (file) {
            memset(st, 0, sizeof(*st));
            err = file->ops->stat(file, st);
            file_put(file);
        }
        return (int)err;
    }
    if (follow && LX_S_ISLNK(e->mode))
        e = &process_directory;
    fill_stat(e, &w, rest, st);
    return 0;
}

// --- open files
// ---------------------------------------------------------------------------------------------

// /dev/fd/N: the same open file, as dup.
static long open_descriptor(const struct who *w, uint32_t flags, struct file **out)
{
    struct file *file = fd_file(w->fd);
    bool write = (flags & LX_O_ACCMODE) != LX_O_RDONLY,
         read = (flags & LX_O_ACCMODE) != LX_O_WRONLY;
    if ((write && !file_writable(file)) || (read && !file_readable(file)))
        return -LX_EACCES;
    *out = file_ref(file);
    return 0;
}

static long proc_open(const char *rest, uint32_t flags, struct file **out)
{
    struct who w;
    const struct entry *e = find(rest, &w);
    long err = 0;
    if (!e)
        return (flags & LX_O_CREAT) ? -LX_EACCES : -LX_ENOENT;
    if (LX_S_ISLNK(e->mode) && (flags & LX_O_NOFOLLOW) && !(flags & LX_O_PATH))
        return -LX_ELOOP;
    if (e == &descriptor)
        return open_descriptor(&w, flags, out);
    if (leads_out(e)) {
        *out = open_target(e, flags, &err);
        return err;
    }
    if (LX_S_ISLNK(e->mode))
        e = &process_directory;
    if ((flags & LX_O_ACCMODE) != LX_O_RDONLY)
        return LX_S_ISDIR(e->mode) ? -LX_EISDIR : -LX_EACCES;
    if ((flags & LX_O_DIRECTORY) && !LX_S_ISDIR(e->mode))
        return -LX_ENOTDIR;
    struct text t = {0};
    if (e->put) {
        e->put(&t, &w);
        t.at = heap_alloc(t.length + 1);
        t.room = t.length + 1;
        t.length = 0;
        if (t.at)
            e->put(&t, &w);
    }
    struct file *file = file_new(&proc_ops, flags);
    size_t n = strlen(rest);
    struct proc_file *p = heap_alloc(sizeof(*p) + n + 1);
    if (!file || !p || (e->put && !t.at)) {
        heap_free(file);
        heap_free(p);
        heap_free(t.at);
        return -LX_ENOMEM;
    }
    memcpy(p->name, rest, n + 1);
    p->text = t.at;
    p->size = t.length < t.room ? t.length : t.room;
    file->private = p;
    file->mode = e->mode;
    *out = file;
    return 0;
}

static long proc_read(struct file *file, uint64_t buf, size_t n, const uint64_t *offset)
{
    const struct proc_file *p = file->private;
    uint64_t at = offset ? *offset : file->state->offset;
    if (LX_S_ISDIR(file->mode))
        return -LX_EISDIR;
    if (at >= p->size)
        return 0;
    if (n > p->size - at)
        n = p->size - at;
    if (user_write(buf, p->text + at, n) < 0)
        return -LX_EFAULT;
    if (!offset)
        file->state->offset = at + n;
    return (long)n;
}

static long proc_seek(struct file *file, int64_t offset, int whence)
{
    if (whence == LX_SEEK_CUR)
        offset += (int64_t)file->state->offset;
    else if (whence != LX_SEEK_SET)
        return -LX_EINVAL;
    if (offset < 0)
        return -LX_EINVAL;
    file->state->offset = (uint64_t)offset;
    return offset;
}

static int proc_fstat(struct file *file, struct lx_stat *st)
{
    return proc_stat(proc_name(file), true, st);
}

// --- directories: positions 0 and 1 are "." and "..", then the fixed names, then the numbered ones
// --------------

struct listing {
    uint64_t buf;
    size_t room, done;
    uint64_t position; // of the next entry
    bool full, fault;
};

static void list_add(struct listing *l, const char *name, size_t n, uint32_t mode)
{
    uint8_t bytes[64];
    struct lx_dirent64 *d = (void *)bytes;
    size_t length = (offsetof(struct lx_dirent64, d_name) + n + 1 + 7) & ~7ull;
    if (l->full || length > sizeof(bytes) || length > l->room - l->done) {
        l->full = true;
        return;
    }
    memset(bytes, 0, sizeof(bytes));
    d->d_ino = inode_of(name) + l->position;
    d->d_off = (int64_t)l->position + 1;
    d->d_reclen = (uint16_t)length;
    d->d_type = (uint8_t)LX_IFTODT(mode);
    memcpy(d->d_name, name, n);
    if (user_write(l->buf + l->done, bytes, length) < 0) {
        l->full = l->fault = true;
        return;
    }
    l->done += length;
    l->position++;
}

static void list_number(struct listing *l, uint64_t value, uint32_t mode)
{
    char name[24];
    struct text t = {.at = name, .room = sizeof(name)};
    text_printf(&t, "%lu", (unsigned long)value);
    list_add(l, name, t.length, mode);
}

static void list_fixed(struct listing *l, const struct entry *list, size_t count, bool own)
{
    while (!l->full && l->position < 2 + count) {
        const struct entry *e = &list[l->position - 2];
        if (e->own && !own)
            l->position++;
        else
            list_add(l, e->name, strlen(e->name), e->mode);
    }
}

// Numbered entries: the position is a base plus the record's index or the descriptor.
static void list_processes(struct listing *l, uint64_t base)
{
    while (!l->full && l->position - base < EXO_INFO->envs) {
        const volatile struct proc_rec *r = proc_at((uint32_t)(l->position - base));
        if (!r || r->state == PROC_FREE)
            l->position++;
        else
            list_number(l, (uint64_t)r->pid, LX_S_IFDIR);
    }
}

static void list_descriptors(struct listing *l, uint64_t base)
{
    while (!l->full && l->position - base < fd_current()->size) {
        uint64_t fd = l->position - base;
        if (!fd_file((int)fd))
            l->position++;
        else
            list_number(l, fd, LX_S_IFLNK);
    }
}

static long proc_readdir(struct file *file, uint64_t buf, size_t n)
{
    struct listing l = {.buf = buf, .room = n, .position = file->state->offset};
    const char *path = proc_name(file);
    struct who w;
    if (!LX_S_ISDIR(file->mode))
        return -LX_ENOTDIR;
    const struct entry *e = find(path, &w);
    if (!e)
        return -LX_ENOENT;
    if (l.position == 0)
        list_add(&l, ".", 1, LX_S_IFDIR);
    if (l.position == 1)
        list_add(&l, "..", 2, LX_S_IFDIR);
    if (named(e, "fd")) {
        list_descriptors(&l, 2);
    } else if (named(e, "task")) {
        if (l.position == 2)
            list_number(&l, (uint64_t)w.rec->pid, LX_S_IFDIR);
    } else if (e == &thread_directory) {
        list_fixed(&l, of_process, COUNT(of_process) - 1, own_process(&w));
    } else if (e != &directory) {
        list_fixed(&l, of_process, COUNT(of_process), own_process(&w));
    } else {
        list_fixed(&l, top, COUNT(top), true);
        list_processes(&l, 2 + COUNT(top));
    }
    file->state->offset = l.position;
    if (l.done == 0 && l.full)
        return l.fault ? -LX_EFAULT : -LX_EINVAL;
    return (long)l.done;
}

static unsigned proc_poll(struct file *file, unsigned events, struct poll_set *set)
{
    (void)file, (void)set;
    return events & (LX_POLLIN | LX_POLLRDNORM);
}

static void proc_close(struct file *file)
{
    struct proc_file *p = file->private;
    if (p)
        heap_free(p->text);
    heap_free(p);
}

const char *mount_name(const struct file *file)
{
    return file->ops == &proc_ops ? proc_name(file) : "";
}

static exo_handle_t directory_endpoint(const struct file *file) // NULL: the root directory
{
    return !file ? fd_root() : LX_S_ISDIR(file->mode) ? file->endpoint : 0;
}

static exo_handle_t proc_link(const char *rest)
{
    struct who w;
    const struct entry *e = find(rest, &w);
    if (e == &descriptor)
        return directory_endpoint(fd_file(w.fd));
    if (e && named(e, "cwd"))
        return directory_endpoint(fd_current()->cwd);
    return e && named(e, "root") ? fd_root() : 0;
}

const struct mount_fs proc_fs = {
    .at = "/proc",
    .dev = PROC_DEV,
    .statfs_type = LX_MAGIC_PROC,
    .directory = &proc_ops,
    .open = proc_open,
    .stat = proc_stat,
    .readlink = proc_readlink,
    .link = proc_link,
};

const struct file_ops proc_ops = {
    .kind = FD_KIND_PROC,
    .read = proc_read,
    .seek = proc_seek,
    .readdir = proc_readdir,
    .stat = proc_fstat,
    .poll = proc_poll,
    .close = proc_close,
};
