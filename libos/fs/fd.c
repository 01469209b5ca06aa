// SPDX-License-Identifier: MIT
// The descriptor table, and the calls that work on descriptors alone: close, dup, fcntl.
//
// The table is private memory; it grows by doubling up to RLIMIT_NOFILE. A struct file is counted
// by the descriptors and by calls in progress that hold it (file_get).
#include <fs/file.h>

static struct fd_table table = {.umask = 022};
static struct fd_table *const current = &table;

bool fd_locks_used;

struct fd_table *fd_current(void)
{
    return current;
}

exo_handle_t fd_root(void)
{
    return current->root ? current->root->endpoint : H_FSD;
}

struct file *file_new(const struct file_ops *ops, uint32_t open_flags)
{
    struct file *file = heap_alloc(sizeof(*file));
    if (!file)
        return NULL;
    file->ops = ops;
    file->access = open_flags & LX_O_ACCMODE;
    file->state = &file->own_state;
    file->own_state.size = sizeof(file->own_state);
    file->own_state.version = 1;
    file_begin(file, open_flags);
    return file;
}

void file_begin(struct file *file, uint32_t open_flags)
{
    file->refs = 1;
    file->own_state.offset = 0;
    file->own_state.flags = open_flags & ~(LX_O_OPENING | LX_O_ACCMODE);
}

struct file *file_ref(struct file *file)
{
    file->refs++;
    return file;
}

struct file *fd_file(int fd)
{
    if ((uint32_t)fd >= current->size)
        return NULL;
    return current->entry[fd].file;
}

struct file *file_get(int fd)
{
    struct file *file = fd_file(fd);
    return file ? file_ref(file) : NULL;
}

// What every kind of file holds is given back here; what one kind holds, by its close.
void file_put(struct file *file)
{
    if (--file->refs == 0 && !idle_keep(file))
        file_end(file);
}

void file_end(struct file *file)
{
    if (file->ops->close)
        file->ops->close(file);
    if (file->state_cap)
        window_close(file->state, 1, file->state_cap);
    if (file->node_cap)
        window_close((void *)(uintptr_t)file->node, 1, file->node_cap);
    if (file->endpoint)
        exo_cap_delete(file->endpoint);
    heap_free(file);
}

static int table_grow(uint32_t need)
{
    uint32_t size = current->size ? current->size : 32;
    while (size < need)
        size *= 2;
    struct fd_entry *entry =
        heap_resize(current->entry, current->size * sizeof(*entry), size * sizeof(*entry));
    if (!entry)
        return -LX_ENOMEM;
    current->entry = entry;
    current->size = size;
    return 0;
}

static uint32_t first_free(uint32_t fd)
{
    while (fd < current->size && current->entry[fd].file)
        fd++;
    return fd;
}

bool fd_room(void)
{
    return first_free(current->lowest) < fd_limit();
}

int fd_install(struct file *file, uint32_t open_flags, int lowest)
{
    uint64_t limit = fd_limit();
    uint32_t fd = current->lowest > (uint32_t)lowest ? current->lowest : (uint32_t)lowest;
    int err = -LX_EMFILE;

    fd = first_free(fd);
    if (fd >= limit)
        goto fail;
    if (fd >= current->size && (err = table_grow(fd + 1)) < 0)
        goto fail;
    current->entry[fd] = (struct fd_entry){file, (open_flags & LX_O_CLOEXEC) != 0};
    if ((uint32_t)lowest <= current->lowest)
        current->lowest = fd + 1;
    return (int)fd;
fail:
    file_put(file);
    return err;
}

static void entry_clear(uint32_t fd)
{
    struct file *file = current->entry[fd].file;
    current->entry[fd] = (struct fd_entry){0};
    if (fd < current->lowest)
        current->lowest = fd;
    // POSIX: closing any descriptor of a file drops all record locks the process has on it.
    if (fd_locks_used && file->ops == &regular_ops) {
        struct exo_msg m = {.w = {FS_OP_UNLOCK_ALL}};
        server_call(file->endpoint, &m);
    }
    file_put(file);
}

long px_close(int fd)
{
    if (!fd_file(fd))
        return -LX_EBADF;
    entry_clear((uint32_t)fd);
    return 0;
}

long px_close_range(uint32_t first, uint32_t last, uint32_t flags)
{
    if (first > last || (flags & ~(LX_CLOSE_RANGE_UNSHARE | LX_CLOSE_RANGE_CLOEXEC)))
        return -LX_EINVAL;
    for (uint32_t fd = first; fd < current->size && fd <= last; fd++) {
        if (!current->entry[fd].file)
            continue;
        if (flags & LX_CLOSE_RANGE_CLOEXEC)
            current->entry[fd].cloexec = true;
        else
            entry_clear(fd);
    }
    return 0;
}

long px_dup(int fd)
{
    struct file *file = file_get(fd);
    return file ? fd_install(file, 0, 0) : -LX_EBADF;
}

static long dup_to(int from, int to, uint32_t flags)
{
    struct file *file = fd_file(from);
    if (!file)
        return -LX_EBADF;
    if (to < 0 || (uint64_t)to >= fd_limit())
        return -LX_EBADF;
    if ((uint32_t)to >= current->size && table_grow((uint32_t)to + 1) < 0)
        return -LX_ENOMEM;
    file_ref(file);
    if (current->entry[to].file)
        entry_clear((uint32_t)to);
    current->entry[to] = (struct fd_entry){file, (flags & LX_O_CLOEXEC) != 0};
    return to;
}

long px_dup2(int from, int to)
{
    if (from == to)
        return fd_file(from) ? to : -LX_EBADF;
    return dup_to(from, to, 0);
}

long px_dup3(int from, int to, uint32_t flags)
{
    if (from == to || (flags & ~LX_O_CLOEXEC))
        return -LX_EINVAL;
    return dup_to(from, to, flags);
}

// Status flags are shared by all holders of the description: change only the settable bits,
// atomically.
static long set_flags(struct file *file, uint32_t wanted)
{
    volatile uint32_t *flags = &file->state->flags;
    uint32_t old = *flags, new;
    do {
        new = (old & ~LX_O_SETTABLE) | (wanted & LX_O_SETTABLE);
    } while (
        !__atomic_compare_exchange_n(flags, &old, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return 0;
}

long fcntl_lock(struct file *file, int cmd, uint64_t arg); // lock.c
long pipe_set_size(struct file *file, uint64_t size);      // pipe.c
long pipe_get_size(struct file *file);

static long fcntl_dup(struct file *file, uint64_t arg, uint32_t flags)
{
    if (arg >= fd_limit())
        return -LX_EINVAL;
    return fd_install(file_ref(file), flags, (int)arg);
}

long px_fcntl(int fd, int cmd, uint64_t arg)
{
    struct file *file = fd_file(fd);
    if (!file)
        return -LX_EBADF;
    switch (cmd) {
    case LX_F_DUPFD:
        return fcntl_dup(file, arg, 0);
    case LX_F_DUPFD_CLOEXEC:
        return fcntl_dup(file, arg, LX_O_CLOEXEC);
    case LX_F_GETFD:
        return current->entry[fd].cloexec ? LX_FD_CLOEXEC : 0;
    case LX_F_SETFD:
        current->entry[fd].cloexec = (arg & LX_FD_CLOEXEC) != 0;
        return 0;
    case LX_F_GETFL:
        return (long)(file_flags(file) | file->access | LX_O_LARGEFILE);
    case LX_F_SETFL:
        return file->ops == &path_ops ? -LX_EBADF : set_flags(file, (uint32_t)arg);
    case LX_F_GETLK:
    case LX_F_SETLK:
    case LX_F_SETLKW:
    case LX_F_OFD_GETLK:
    case LX_F_OFD_SETLK:
    case LX_F_OFD_SETLKW:
        return fcntl_lock(file, cmd, arg);
    case LX_F_GETPIPE_SZ:
        return pipe_get_size(file);
    case LX_F_SETPIPE_SZ:
        return pipe_set_size(file, arg);
    default:
        return -LX_EINVAL;
    }
}

int fd_before_fork(void)
{
    grow_flush();
    idle_flush();
    for (uint32_t fd = 0; fd < current->size; fd++) {
        struct file *file = current->entry[fd].file;
        if (!file)
            continue;
        int err = ofd_share(file);
        if (err == 0 && file->ops->fork)
            err = file->ops->fork(file);
        if (err < 0)
            return err;
    }
    return 0;
}

// Record locks are not inherited.
void fd_after_fork_child(void)
{
    fd_locks_used = false;
}

void fd_close_on_exec(void)
{
    for (uint32_t fd = 0; fd < current->size; fd++) {
        if (current->entry[fd].file && current->entry[fd].cloexec)
            entry_clear(fd);
    }
}

// At exit the kernel drops every capability; only what servers track by process has to be told, and
// they learn that from the death of the environment. Nothing is left to do, and nothing may be
// relied on here.
void fd_close_all(void)
{
}

struct fd_table *fd_table_copy(void)
{
    struct fd_table *copy = heap_alloc(sizeof(*copy));
    if (!copy)
        return NULL;
    uint32_t size = current->size;
    copy->entry = heap_alloc(size * sizeof(*copy->entry));
    if (!copy->entry && size) {
        heap_free(copy);
        return NULL;
    }
    copy->size = size;
    copy->lowest = current->lowest;
    copy->umask = current->umask;
    copy->cwd = current->cwd ? file_ref(current->cwd) : NULL;
    copy->root = current->root ? file_ref(current->root) : NULL;
    for (uint32_t fd = 0; fd < size; fd++) {
        copy->entry[fd] = current->entry[fd];
        if (copy->entry[fd].file)
            file_ref(copy->entry[fd].file);
    }
    return copy;
}

void fd_table_swap(struct fd_table *with)
{
    struct fd_table was = *current;
    *current = *with;
    *with = was;
}

void fd_table_drop(struct fd_table *dead)
{
    for (uint32_t fd = 0; fd < dead->size; fd++) {
        if (dead->entry[fd].file)
            file_put(dead->entry[fd].file);
    }
    if (dead->cwd)
        file_put(dead->cwd);
    if (dead->root)
        file_put(dead->root);
    heap_free(dead->entry);
    heap_free(dead);
}
