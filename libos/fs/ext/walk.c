// SPDX-License-Identifier: MIT
//
// Path resolution (POSIX XBD 4.13, with Linux's choices), as a function of the volume alone.
//
// The unread part of the path is a stack of pieces: the caller's path at the bottom, and above it
// the target of each symbolic link being followed, read in place on the volume. So nothing is
// copied but the last component and, at a mount point, the rest of the path. Each piece on the
// stack above the first is one followed link, which bounds the stack by the limit of 40 links.
//
// What the components that are left look like decides everything about the current one: it is the
// last if nothing but slashes follows, and then it must be a directory if slashes do follow.
#include "internal.h"

struct ext_piece {
    const char *at;
    uint32_t len;
};

enum ext_rest { REST_NONE, REST_SLASH, REST_MORE };

struct ext_walker {
    struct ext_vol *vol;
    const struct ext_walk_env *env;
    struct ext_walk *out;
    uint32_t flags, depth;
    uint32_t cur; // inode the next component is looked up in
    struct ext_piece stack[EXT_SYMLINK_MAX + 1];
};

static void slashes_skip(struct ext_piece *p)
{
    while (p->len && *p->at == '/') {
        p->at++;
        p->len--;
    }
}

// Takes the next component off the stack; length 0 at the end of the path.
static struct ext_piece component_take(struct ext_walker *w)
{
    struct ext_piece c = {NULL, 0};
    while (w->depth) {
        struct ext_piece *top = w->stack + w->depth - 1;
        slashes_skip(top);
        if (!top->len) {
            w->depth--;
            continue;
        }
        c.at = top->at;
        while (c.len < top->len && c.at[c.len] != '/')
            c.len++;
        top->at += c.len;
        top->len -= c.len;
        break;
    }
    return c;
}

static enum ext_rest rest_kind(const struct ext_walker *w)
{
    enum ext_rest kind = REST_NONE;
    for (uint32_t i = w->depth; i-- > 0;) {
        struct ext_piece p = w->stack[i];
        if (p.len)
            kind = REST_SLASH;
        slashes_skip(&p);
        if (p.len)
            return REST_MORE;
    }
    return kind;
}

// Copies what is left to out->rest, without leading slashes.
static int rest_copy(struct ext_walker *w)
{
    struct ext_walk *out = w->out;
    out->rest_len = 0;
    while (w->depth) {
        struct ext_piece p = w->stack[--w->depth];
        if (!out->rest_len)
            slashes_skip(&p);
        if (p.len >= sizeof(out->rest) - out->rest_len)
            return -LX_ENAMETOOLONG;
        memcpy(out->rest + out->rest_len, p.at, p.len);
        out->rest_len += p.len;
    }
    out->rest[out->rest_len] = 0;
    return 0;
}

static void restart(struct ext_walker *w, uint32_t ino)
{
    w->cur = ino;
    w->out->parent = ino;
    w->out->last = ino == w->env->root_ino ? EXT_LAST_ROOT : EXT_LAST_DOT;
    w->out->name_len = 0;
}

static int link_follow(struct ext_walker *w, const struct ext_inode *link)
{
    const char *target;
    if (++w->out->links > EXT_SYMLINK_MAX)
        return -LX_ELOOP;
    int err = ext_symlink_get(w->vol, link, &target);
    if (err)
        return err;
    if (target[0] == '/')
        restart(w, w->env->root_ino);
    w->stack[w->depth++] = (struct ext_piece){target, (uint32_t)link->size};
    return 0;
}

static bool follows(const struct ext_walker *w, enum ext_rest rest)
{
    if (rest == REST_MORE)
        return true;
    if (w->flags & EXT_WALK_PARENT)
        return false;
    return rest == REST_SLASH || !(w->flags & EXT_WALK_NOFOLLOW);
}

static void last_note(struct ext_walker *w, enum ext_last last, struct ext_piece c)
{
    w->out->last = last;
    w->out->parent = w->cur;
    w->out->name_len = c.len;
    memcpy(w->out->name, c.at, c.len);
    w->out->name[c.len] = 0;
}

// 1: the walk is over.
static int step_missing(struct ext_walker *w, enum ext_rest rest)
{
    if (rest == REST_MORE || !(w->flags & (EXT_WALK_CREATE | EXT_WALK_PARENT)))
        return -LX_ENOENT;
    w->out->must_be_dir = rest == REST_SLASH;
    w->cur = 0;
    return 1;
}

static int step_found(struct ext_walker *w, uint32_t ino, enum ext_rest rest)
{
    struct ext_inode child;
    int err = ext_inode_load(w->vol, ino, &child);
    if (err)
        return err == -LX_ESTALE ? ext_unclean(w->vol, "a directory names a deleted inode") : err;
    if (LX_S_ISLNK(child.mode) && follows(w, rest))
        return link_follow(w, &child);
    w->cur = ino;
    w->out->must_be_dir = rest == REST_SLASH;
    if (LX_S_ISDIR(child.mode)) {
        if (!w->env->crosses || !w->env->crosses(w->env->ctx, ino))
            return 0;
        w->out->crossed = true;
        err = rest_copy(w);
        return err ? err : 1;
    }
    if (rest == REST_MORE || (rest == REST_SLASH && !(w->flags & EXT_WALK_PARENT)))
        return -LX_ENOTDIR;
    return 0;
}

static int step_up(struct ext_walker *w, const struct ext_inode *dir)
{
    if (w->cur == w->env->root_ino)
        return 0;
    return ext_dir_parent(w->vol, dir, &w->cur);
}

// Resolves one component. 0: go on; 1: the walk is over.
static int step(struct ext_walker *w, struct ext_piece c)
{
    struct ext_inode dir;
    struct ext_slot slot;
    int err = ext_inode_load_dir(w->vol, w->cur, &dir);
    if (!err)
        err = ext_cred_access(&dir, w->env->cred, EXT_X);
    if (!err && c.len > LX_NAME_MAX)
        err = -LX_ENAMETOOLONG;
    if (err)
        return err;
    enum ext_rest rest = rest_kind(w);
    bool dots = c.at[0] == '.' && (c.len == 1 || (c.len == 2 && c.at[1] == '.'));
    last_note(w, !dots ? EXT_LAST_NORM : c.len == 1 ? EXT_LAST_DOT : EXT_LAST_DOTDOT, c);
    if (dots) {
        w->out->must_be_dir = true;
        return c.len == 1 ? 0 : step_up(w, &dir);
    }
    err = ext_dir_find(w->vol, &dir, c.at, c.len, &slot);
    if (err == -LX_ENOENT)
        return step_missing(w, rest);
    return err ? err : step_found(w, slot.ino, rest);
}

int ext_walk(struct ext_vol *vol, const struct ext_walk_env *env, const char *path, uint32_t len,
             uint32_t flags, struct ext_walk *out)
{
    struct ext_walker w = {.vol = vol, .env = env, .out = out, .flags = flags, .depth = 1};
    struct ext_inode inode;
    if (len == 0)
        return -LX_ENOENT;
    if (len >= LX_PATH_MAX)
        return -LX_ENAMETOOLONG;
    out->crossed = out->must_be_dir = false;
    out->links = 0;
    out->rest_len = 0;
    restart(&w, path[0] == '/' ? env->root_ino : env->start_ino);
    w.stack[0] = (struct ext_piece){path, len};
    int err = 0;
    for (;;) {
        struct ext_piece c = component_take(&w);
        if (!c.len)
            break;
        err = step(&w, c);
        if (err)
            break;
    }
    if (err < 0)
        return err;
    out->ino = w.cur;
    if (out->last == EXT_LAST_ROOT) {
        out->must_be_dir = true;
        return ext_inode_load_dir(vol, w.cur, &inode);
    }
    return 0;
}
