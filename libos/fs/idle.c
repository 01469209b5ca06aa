// SPDX-License-Identifier: MIT
// Closed files that are kept open, so that opening one again needs nobody: regular files, opened
// for reading, that no other process shares and no lock was taken on, and directories, also those
// that were the working directory.
//
// Opening is then a look at what everybody may know (lookup.c): that the name still leads to this
// inode, and that its mode still lets us read. fsd must be able to end such an open, or a file
// without names would keep its blocks: the page of struct fs_own (proto/fs.h). The page is asked
// for when a file is closed that was closed a short while ago. Before a fork all are closed and the
// page is given up, so that no other process has a part in them; what was opened earlier is not
// kept.
#include <fs/file.h>

#define RECENT 8u

static struct file *kept[FS_IDLE_MAX]; // its number is in the same place of the page
static unsigned nkept, next;
static uint32_t age = 1; // +1 at each fork
static struct fs_own *page;
static exo_handle_t page_cap;
static uint32_t recent[RECENT], recent_at;

static bool seen(uint32_t ino)
{
    for (unsigned i = 0; i < RECENT; i++) {
        if (recent[i] == ino)
            return true;
    }
    recent[recent_at++ % RECENT] = ino;
    return false;
}

static void page_get(void)
{
    struct exo_msg m = {.w = {FS_OP_OWN}};
    void *at;
    memset(ctx_self()->recv, 0, sizeof(ctx_self()->recv));
    exo_handle_t cap = server_call(fd_root(), &m) == 0 ? ctx_self()->recv[0] : 0;
    if (!cap)
        return;
    if (window_map(cap, 0, 1, EXO_R_READ | EXO_R_WRITE, &at) < 0) {
        exo_cap_delete(cap);
        return;
    }
    page = at;
    page_cap = cap;
}

struct fs_own *own_page(void)
{
    if (!page)
        page_get();
    return page;
}

// Takes a file out. False: fsd was first, and its open is gone.
static bool take(unsigned i, struct file **file)
{
    uint32_t number = kept[i]->idle;
    *file = kept[i];
    kept[i] = NULL;
    nkept--;
    return user_cas32((uint64_t)&page->open[i], &number, 0) == 0;
}

static void drop(unsigned i)
{
    struct file *file;
    take(i, &file);
    file_end(file);
}

void idle_may_keep(struct file *file, uint32_t number)
{
    file->idle = number;
    file->idle_age = age;
}

static bool keeps(const struct file *file)
{
    if (file->ops == &regular_ops)
        return file->access == LX_O_RDONLY && !file->locked && !file->by_exe && file->node;
    return (file->ops == &dir_ops || file->ops == &path_ops) && LX_S_ISDIR(file->mode);
}

bool idle_keep(struct file *file)
{
    if (!keeps(file) || file->state_cap || file->idle_age != age)
        return false;
    if (!file->idle || !page) {
        if (!page && seen((uint32_t)file->ino))
            page_get();
        return false;
    }
    unsigned i = next++ % FS_IDLE_MAX;
    if (kept[i])
        drop(i);
    if (user_store32((uint64_t)&page->open[i], file->idle) < 0)
        return false;
    kept[i] = file;
    nkept++;
    return true;
}

// As fsd's note_atime: reading would set it, so the parts are asked for again. POSIX leaves the
// moment open; Linux's relatime.
static void atime_due(struct file *file, const struct lx_stat *st)
{
    int64_t a = st->st_atime_sec, an = st->st_atime_nsec;
    bool after_m = a > st->st_mtime_sec || (a == st->st_mtime_sec && an > st->st_mtime_nsec);
    bool after_c = a > st->st_ctime_sec || (a == st->st_ctime_sec && an > st->st_ctime_nsec);
    int64_t now = (int64_t)(clock_now() / 1000000000) + EXO_INFO->wall_ns / 1000000000;
    if (!after_m || !after_c || now - a >= 86400)
        file->ops->close(file);
}

struct file *idle_take(uint64_t ino, const struct file_ops *ops)
{
    struct file *file;
    unsigned i = 0;
    while (i < FS_IDLE_MAX && (!kept[i] || kept[i]->ino != ino || kept[i]->ops != ops))
        i++;
    if (!nkept || i == FS_IDLE_MAX)
        return NULL;
    next = i;
    if (take(i, &file))
        return file;
    file_end(file);
    return NULL;
}

struct file *idle_open(int dirfd, uint64_t path, uint32_t flags)
{
    struct lx_stat st;
    bool directory = flags & LX_O_DIRECTORY;
    const uint32_t plain = LX_O_CLOEXEC | LX_O_LARGEFILE | LX_O_NOCTTY | LX_O_NONBLOCK |
                           LX_O_NOFOLLOW | LX_O_DIRECTORY;
    if (!nkept || (flags & ~plain) || lookup_stat(dirfd, path, true, (uint64_t)&st) != 0 ||
        !(directory ? LX_S_ISDIR(st.st_mode) : LX_S_ISREG(st.st_mode)) ||
        lookup_access(&st, 4, true) < 0)
        return NULL;
    struct file *file = idle_take(st.st_ino, directory ? &dir_ops : &regular_ops);
    if (!file)
        return NULL;
    file_begin(file, flags);
    if (directory)
        dir_begin(file);
    else
        atime_due(file, &st);
    return file;
}

bool idle_ready(void)
{
    return page != NULL;
}

void idle_flush(void)
{
    age++;
    for (unsigned i = 0; i < FS_IDLE_MAX && nkept; i++) {
        if (kept[i])
            drop(i);
    }
    if (page)
        window_close(page, 1, page_cap);
    page = NULL;
}
