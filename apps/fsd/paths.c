// SPDX-License-Identifier: MIT
// Paths: from where they start, through what they may not cross, to an inode; and back from a
// directory to its path.
#include "fsd.h"
#include <string.h>

#define MOUNTS 8

static struct mount {
    uint32_t ino, kind;
    uint32_t dir; // the directory it is in: it cannot go
} mounts[MOUNTS]; // ino 0: free

static const struct mount *mount_on(uint32_t ino)
{
    for (const struct mount *m = mounts; m < mounts + MOUNTS; m++) {
        if (m->ino == ino && ino)
            return m;
    }
    return NULL;
}

bool is_mount(uint32_t ino)
{
    return mount_on(ino) != NULL;
}

bool holds_mount(uint32_t dir)
{
    for (const struct mount *m = mounts; m < mounts + MOUNTS; m++) {
        if (m->ino && m->dir == dir)
            return true;
    }
    return false;
}

int mount_add(uint32_t ino, uint32_t kind)
{
    uint32_t dir;
    if (mount_on(ino))
        return -LX_EBUSY;
    int err = ext_lookup(&vol, ino, "..", 2, &dir);
    if (err < 0)
        return err;
    for (struct mount *m = mounts; m < mounts + MOUNTS; m++) {
        if (!m->ino) {
            *m = (struct mount){ino, kind, dir};
            names_forget_all();
            return 0;
        }
    }
    return -LX_ENOSPC;
}

static bool crosses(void *ctx, uint32_t ino)
{
    (void)ctx;
    return is_mount(ino);
}

uint32_t start_ino(const struct request *r)
{
    return r->open ? r->open->node->ino : EXT_ROOT_INO;
}

uint32_t root_ino(const struct request *r)
{
    return r->open && r->open->root ? r->open->root->ino : EXT_ROOT_INO;
}

// -FS_MOUNT: the rest of the path is in the message, the kind in w[1].
static int answer_mount(struct request *r, const struct ext_walk *w)
{
    const struct mount *m = mount_on(w->ino);
    if (!m) // `crosses` said that there is one
        return -LX_EIO;
    memcpy(MSG, w->rest, w->rest_len);
    MSG[w->rest_len] = 0;
    r->m->w[1] = m->kind;
    r->m->meta = EXO_META(w->rest_len + 1, 0);
    return -FS_MOUNT;
}

static int check_start(uint32_t start)
{
    struct ext_inode dir;
    int err = ext_inode_load(&vol, start, &dir);
    return err < 0 ? err : LX_S_ISDIR(dir.mode) ? 0 : -LX_ENOTDIR;
}

// From where what is known ends. A name that is about to be changed is not worth remembering.
static int walk_on(const struct ext_walk_env *env, const char *path, uint32_t flags,
                   struct ext_walk *out)
{
    int err = ext_walk(&vol, env, path, (uint32_t)strlen(path), flags, out);
    bool named = out->last == EXT_LAST_NORM && out->name_len;
    if (named && (err == -LX_ENOENT || (err == 0 && out->ino && !(flags & EXT_WALK_PARENT))))
        name_remember(out->parent, out->name, out->name_len, err == 0 ? out->ino : 0);
    return err;
}

// With EXT_WALK_PARENT a mount point itself is the result, so that it can be refused to go (EBUSY).
int walk(struct request *r, uint32_t start, const char *path, size_t len, uint32_t flags,
         struct ext_walk *out)
{
    struct ext_walk_env env = {&r->cred, root_ino(r), start, crosses, NULL};
    size_t n = strnlen(path, len);
    r->is_public = false;
    if (n == len)
        return -LX_EINVAL; // not terminated
    if (n >= LX_PATH_MAX)
        return -LX_ENAMETOOLONG;
    if (!n)
        return -LX_ENOENT;
    int err = path[0] == '/' || dir_known(start) ? 0 : check_start(start);
    if (path[0] == '/')
        env.start_ino = env.root_ino;
    if (vol.read_only)
        flags &= ~WALK_NAME; // a name that is there is told before that
    if (err == 0)
        err = names_walk(&r->cred, &env.start_ino, &path, flags | (r->tells ? WALK_TELL : 0), out);
    r->told = err == 1 && r->tells;
    if (err == 0)
        err = walk_on(&env, path, flags & ~WALK_NAME, out);
    if (err < 0)
        return err == -LX_ESTALE ? -LX_ENOENT : err; // ".." of a directory that is gone
    if (out->last == EXT_LAST_NORM)
        r->is_public = !out->links && dir_is_public(out->parent);
    else // "." and the like: a directory
        r->is_public = dir_is_public(out->ino);
    if (out->crossed && !((flags & EXT_WALK_PARENT) && !out->rest_len))
        return answer_mount(r, out);
    return 0;
}

int target_ino(struct request *r, uint64_t at_flags, uint32_t *ino)
{
    static struct ext_walk w;
    if ((!r->bytes || !r->path[0]) && (at_flags & LX_AT_EMPTY_PATH)) {
        *ino = start_ino(r);
        return 0;
    }
    int err = walk(r, start_ino(r), r->path, r->bytes,
                   (at_flags & LX_AT_SYMLINK_NOFOLLOW) ? EXT_WALK_NOFOLLOW : 0, &w);
    *ino = w.ino;
    return err; // the walk saw to it that what ends in a slash is a directory
}

// An empty path means the link itself, opened with O_PATH.
long op_readlink(struct request *r)
{
    uint32_t ino;
    struct ext_inode inode;
    bool itself = !r->path[0];
    int err = target_ino(r, LX_AT_SYMLINK_NOFOLLOW | LX_AT_EMPTY_PATH, &ino);
    if (err == 0)
        err = ext_inode_load(&vol, ino, &inode);
    if (err < 0)
        return err;
    if (!LX_S_ISLNK(inode.mode))
        return itself ? -LX_ENOENT : -LX_EINVAL;
    int n = ext_readlink(&vol, ino, MSG, EXO_MSG_SIZE);
    if (n > 0) {
        r->m->meta = EXO_META(n, 0);
        note_atime(ino);
    }
    return n;
}

long op_mount(struct request *r)
{
    uint32_t ino;
    uint64_t kind = r->arg[0];
    if (r->cred.uid != 0)
        return -LX_EPERM;
    if (kind != FS_MOUNT_PROC && kind != FS_MOUNT_PTS)
        return -LX_EINVAL;
    int err = target_ino(r, 0, &ino);
    if (err == 0)
        err = check_start(ino);
    return err == 0 ? mount_add(ino, (uint32_t)kind) : err;
}

// --- getcwd: up to the root, each time looking for the name of the child in its parent -----------

struct seek {
    uint32_t ino;
    char name[LX_NAME_MAX + 1];
    uint32_t len;
};

static bool look_for(void *ctx, const struct ext_dirent *e)
{
    struct seek *s = ctx;
    if (e->ino != s->ino || (e->name_len == 1 && e->name[0] == '.') ||
        (e->name_len == 2 && e->name[0] == '.' && e->name[1] == '.'))
        return true;
    memcpy(s->name, e->name, e->name_len);
    s->len = e->name_len;
    return false;
}

// The name of the directory s->ino, found by reading its parent.
static int seek_name(struct seek *s, uint32_t *parent)
{
    uint64_t cookie = 0;
    int err = ext_lookup(&vol, s->ino, "..", 2, parent);
    if (err == 0)
        err = ext_dir_iterate(&vol, *parent, &cookie, look_for, s);
    return err < 0 ? err : s->len ? 0 : -LX_ENOENT;
}

long op_getcwd(struct request *r)
{
    static char path[LX_PATH_MAX];
    size_t at = sizeof(path) - 1;
    uint32_t ino = start_ino(r), root = root_ino(r);
    struct ext_inode inode;
    int err = ext_inode_load(&vol, ino, &inode);
    path[at] = 0;
    if (err < 0)
        return err;
    if (!LX_S_ISDIR(inode.mode))
        return -LX_ENOTDIR;
    if (!inode.nlink)
        return -LX_ENOENT;
    while (ino != root) {
        if (ino == EXT_ROOT_INO)
            return -LX_ENOENT; // it lies outside
        uint32_t parent;
        struct seek s = {.ino = ino};
        const char *name;
        uint32_t len = dir_name(ino, &parent, &name);
        if (!len) {
            err = seek_name(&s, &parent);
            if (err < 0)
                return err;
            name = s.name;
            len = s.len;
            dir_named(ino, parent, name, len);
        }
        if (at < len + 1)
            return -LX_ERANGE;
        at -= len;
        memcpy(path + at, name, len);
        path[--at] = '/';
        ino = parent;
    }
    if (!path[at])
        path[--at] = '/';
    size_t n = sizeof(path) - at;
    memcpy(MSG, path + at, n);
    r->m->meta = EXO_META(n, 0);
    return 0;
}
