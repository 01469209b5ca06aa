// SPDX-License-Identifier: MIT
// Names and directories looked up before, so that a path whose parts are known costs a few steps
// each.
//
// names    (directory, name) -> inode, of directories and files; not of symbolic links, mount
//          points and long names
// dirs     directory -> who may search it
//
// Both are tables in which a new entry takes the place of whatever was there. Only what exists is
// remembered, so making a name changes nothing; whoever removes or moves one forgets it here, and
// whoever changes a directory's owner or mode, or makes a directory of an inode number that may
// have been one before, forgets the directory.
//
// The walk stops at the first part that is anything special, and the volume library goes on from
// there.
#include "fsd.h"
#include <string.h>

#define NAMES    2048u
#define DIRS     512u
#define NAME_LEN 30u

struct name {
    uint32_t dir, ino; // ino 0: nothing
    uint8_t len;
    bool is_dir;
    char text[NAME_LEN];
};

struct dir {
    uint32_t ino;           // 0: nothing
    struct ext_inode inode; // mode and owner count
};

static struct name names[NAMES];
static struct dir dirs[DIRS];

static struct name *name_place(uint32_t dir, const char *text, uint32_t len)
{
    uint32_t h = dir * 0x9e3779b1u + len;
    for (uint32_t i = 0; i < len; i++)
        h = h * 31 + (uint8_t)text[i];
    h ^= h >> 15;
    return &names[h % NAMES];
}

static bool name_is(const struct name *n, uint32_t dir, const char *text, uint32_t len)
{
    return n->ino && n->dir == dir && n->len == len && !memcmp(n->text, text, len);
}

void name_forget(uint32_t dir, const char *text, uint32_t len)
{
    struct name *n = name_place(dir, text, len);
    if (name_is(n, dir, text, len))
        n->ino = 0;
}

void dir_forget(uint32_t ino)
{
    if (dirs[ino % DIRS].ino == ino)
        dirs[ino % DIRS].ino = 0;
}

void names_forget_all(void)
{
    memset(names, 0, sizeof(names));
}

void name_remember(uint32_t dir, const char *text, uint32_t len, uint32_t ino)
{
    struct ext_inode inode;
    if (len > NAME_LEN || !ino || is_mount(ino) || ext_inode_load(&vol, ino, &inode) < 0 ||
        LX_S_ISLNK(inode.mode))
        return;
    struct name *n = name_place(dir, text, len);
    *n = (struct name){
        .dir = dir, .ino = ino, .len = (uint8_t)len, .is_dir = LX_S_ISDIR(inode.mode)};
    memcpy(n->text, text, len);
}

static bool may_search(const struct ext_cred *cred, uint32_t ino)
{
    struct dir *d = &dirs[ino % DIRS];
    if (d->ino != ino) {
        d->ino = 0;
        if (ext_inode_load(&vol, ino, &d->inode) < 0 || !LX_S_ISDIR(d->inode.mode))
            return false;
        d->ino = ino;
    }
    return ext_cred_access(&d->inode, cred, EXT_X) == 0;
}

static const struct name *find(uint32_t dir, const char *text, uint32_t len, bool last)
{
    uint32_t ino;
    struct name *n = name_place(dir, text, len);
    if (name_is(n, dir, text, len))
        return n;
    if (last || len > NAME_LEN || ext_lookup(&vol, dir, text, len, &ino) < 0)
        return NULL;
    name_remember(dir, text, len, ino);
    return name_is(n, dir, text, len) ? n : NULL;
}

static bool is_dots(const char *text, uint32_t len)
{
    return text[0] == '.' && (len == 1 || (len == 2 && text[1] == '.'));
}

static void arrive(const struct name *n, bool slash, struct ext_walk *out)
{
    out->ino = n->ino;
    out->parent = n->dir;
    out->last = EXT_LAST_NORM;
    out->must_be_dir = slash;
    out->crossed = false;
    out->links = 0;
    out->name_len = n->len;
    memcpy(out->name, n->text, n->len);
    out->name[n->len] = 0;
    out->rest_len = 0;
}

bool names_walk(const struct ext_cred *cred, uint32_t *from, const char **path, uint32_t *len,
                struct ext_walk *out)
{
    const char *at = *path, *end = at + *len;
    for (;;) {
        while (at < end && *at == '/')
            at++;
        if (at == end)
            return false; // nothing but slashes
        *path = at;
        *len = (uint32_t)(end - at);
        const char *stop = memchr(at, '/', *len);
        uint32_t n = (uint32_t)((stop ? stop : end) - at);
        for (at += n; at < end && *at == '/';)
            at++;
        bool last = at == end;
        if (is_dots(*path, n) || !may_search(cred, *from))
            return false;
        const struct name *name = find(*from, *path, n, last);
        if (!name || (stop && !name->is_dir))
            return false;
        if (last) {
            arrive(name, stop != NULL, out);
            return true;
        }
        *from = name->ino;
    }
}
