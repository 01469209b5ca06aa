// SPDX-License-Identifier: MIT
// Names and directories looked up before, so that a path whose parts are known costs a few steps
// each.
//
// names    (directory, name) -> inode, or that there is no such name; not of mount points and long
// names dirs     directory -> who may search it, and whether it is public: whether everybody may
// search and read it and all above it
//
// Names in public directories are in the published pages (publish.c), the others in a table of our
// own. In all of them a new entry takes the place of whatever was there. The volume library tells
// which names and inodes it changes: they are forgotten. A directory that is public no more, or may
// be, takes everything published with it, if it may have names there.
//
// The walk stops at the first part that is anything special, and the volume library goes on from
// there.
#include "fsd.h"
#include <string.h>

#define PRIVATE_NAMES 1024u
#define DIRS          512u
#define TOLD          8192u // bits
#define DEPTH_MAX     64    // deeper directories are not public
#define EVERYBODY     0555u

struct dir {
    uint32_t ino; // 0: nothing
    uint16_t mode;
    uint32_t uid, gid;
    bool public;
};

static struct names_name private_names[PRIVATE_NAMES];
static struct dir dirs[DIRS];
static uint64_t told[TOLD / 64]; // by inode number: names in such a directory may be published

// Takes the component at `at`, in memory that is readable for seven bytes behind its end; NULL if
// it is too long.
static const char *component(const char *at, struct names_key *key)
{
    uint64_t w;
    key->len = 0;
    key->hash = 0;
    do
        memcpy(&w, at + key->len, sizeof(w));
    while (names_key_add(key, w) && key->len <= NAMES_LEN);
    return key->len <= NAMES_LEN ? at + key->len : NULL;
}

static bool match(const struct names_name *n, const struct names_key *key, uint32_t dir)
{
    if (n->dir != dir || n->len != key->len)
        return false;
    for (uint32_t i = 0; i < (key->len + 7) / 8; i++) {
        // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): so far it is set
        if (n->text[i] != key->text[i])
            return false;
    }
    return true;
}

static struct names_name *place(bool public, const struct names_key *key, uint32_t dir)
{
    uint32_t count = 0;
    struct names_name *names = public ? publish_names(&count) : NULL;
    if (!names)
        return &private_names[names_place(key, dir, PRIVATE_NAMES)];
    return &names[names_place(key, dir, count)];
}

static bool may_have_told(uint32_t dir)
{
    return told[dir % TOLD / 64] >> dir % 64 & 1;
}

static void erase(void)
{
    publish_erase();
    memset(told, 0, sizeof(told));
}

static void dirs_forget(void)
{
    memset(dirs, 0, sizeof(dirs));
}

void names_forget_all(void)
{
    memset(private_names, 0, sizeof(private_names));
    dirs_forget();
    erase();
    told_all_changed();
    nodes_changed();
}

// --- what the volume library tells
// -----------------------------------------------------------------------------

// False: too long to be here.
static bool key_make(const char *text, uint32_t len, struct names_key *key)
{
    char name[NAMES_LEN + 8] = {0};
    if (!len || len > NAMES_LEN)
        return false;
    memcpy(name, text, len);
    component(name, key);
    return key->len == len;
}

static void name_changed(uint32_t dir, const char *text, uint32_t len)
{
    struct names_key key;
    if (!key_make(text, len, &key))
        return;
    struct names_name *n = place(false, &key, dir);
    if (match(n, &key, dir))
        n->dir = 0;
    n = place(true, &key, dir);
    if (!match(n, &key, dir))
        return;
    publish_begin();
    n->dir = 0;
    publish_end();
}

static void inode_changed(const struct ext_inode *inode)
{
    struct dir *d = &dirs[inode->ino % DIRS];
    attr_erase(inode->ino);
    told_changed(inode->ino); // a directory also when its names change
    node_changed(inode);
    if (!LX_S_ISDIR(inode->mode))
        return;
    if (d->ino == inode->ino && !inode->nlink)
        d->ino = 0;
    if (d->ino == inode->ino &&
        (d->mode != inode->mode || d->uid != inode->uid || d->gid != inode->gid))
        dirs_forget();
    if ((inode->mode & EVERYBODY) != EVERYBODY && may_have_told(inode->ino))
        erase();
}

static struct {
    bool any;
    uint32_t n, to[2]; // other directories than before
} moves;

static void directory_moved(uint32_t dir, uint32_t from, uint32_t to)
{
    (void)dir;
    moves.any = true;
    if (from != to && moves.n < 2)
        moves.to[moves.n++] = to;
}

const struct ext_watch names_watch = {
    .name = name_changed,
    .inode = inode_changed,
    .moved = directory_moved,
    .undone = names_forget_all,
    .held = node_held,
};

// --- directories
// -----------------------------------------------------------------------------------------------

static bool everybody_reaches(const struct ext_inode *dir)
{
    struct ext_inode at = *dir;
    for (int depth = 0; depth < DEPTH_MAX && (at.mode & EVERYBODY) == EVERYBODY; depth++) {
        uint32_t parent;
        if (at.ino == EXT_ROOT_INO)
            return true;
        if (ext_lookup(&vol, at.ino, "..", 2, &parent) < 0)
            return false;
        const struct dir *d = &dirs[parent % DIRS];
        if (d->ino == parent)
            return d->public;
        if (ext_inode_load(&vol, parent, &at) < 0)
            return false;
    }
    return false;
}

static const struct dir *dir_get(uint32_t ino)
{
    struct dir *d = &dirs[ino % DIRS];
    struct ext_inode inode;
    if (d->ino == ino)
        return d;
    if (ext_inode_load(&vol, ino, &inode) < 0 || !LX_S_ISDIR(inode.mode) || !inode.nlink)
        return NULL;
    *d = (struct dir){ino, inode.mode, inode.uid, inode.gid, everybody_reaches(&inode)};
    return d;
}

static bool may_search(const struct ext_cred *cred, const struct dir *d)
{
    struct ext_inode inode = {.mode = d->mode, .uid = d->uid, .gid = d->gid};
    return (d->mode & EVERYBODY) == EVERYBODY || ext_cred_access(&inode, cred, EXT_X) == 0;
}

bool dir_is_public(uint32_t ino)
{
    const struct dir *d = dir_get(ino);
    return d && d->public;
}

bool dir_known(uint32_t ino)
{
    return dir_get(ino) != NULL;
}

// A directory that is in another one now is there with all below it.
void dirs_moved(void)
{
    if (moves.any)
        publish_moved();
    if (moves.n) {
        dirs_forget();
        told_all_changed();
    }
    for (uint32_t i = 0; i < moves.n; i++) {
        if (!dir_is_public(moves.to[i]))
            erase();
    }
    moves.any = false;
    moves.n = 0;
}

// --- names
// -----------------------------------------------------------------------------------------------------

static const struct names_name *enter(const struct dir *d, const struct names_key *key,
                                      uint32_t ino)
{
    struct ext_inode inode = {0};
    if (ino && (is_mount(ino) || ext_inode_load(&vol, ino, &inode) < 0))
        return NULL;
    uint32_t kind = LX_S_ISDIR(inode.mode)   ? NAMES_DIR
                    : LX_S_ISLNK(inode.mode) ? NAMES_LINK
                                             : NAMES_FILE;
    struct names_name *n = place(d->public, key, d->ino);
    bool publishes = d->public && n != place(false, key, d->ino);
    struct names_name name = {.dir = d->ino, .ino = ino, .len = key->len, .kind = kind};
    memcpy(name.text, key->text, (key->len + 7ul) / 8 * 8);
    if (publishes) {
        told[d->ino % TOLD / 64] |= 1ull << d->ino % 64;
        publish_write(n, &name);
    } else {
        *n = name;
    }
    return n;
}

void name_remember(uint32_t dir, const char *text, uint32_t len, uint32_t ino)
{
    struct names_key key;
    const struct dir *d = dir_get(dir);
    uint32_t found;
    if (!d || !key_make(text, len, &key))
        return;
    if (match(place(d->public, &key, dir), &key, dir))
        return;
    if (!ino && ext_lookup(&vol, dir, text, len, &found) != -LX_ENOENT)
        return;
    enter(d, &key, ino);
}

// --- the way up
// -------------------------------------------------------------------------------------------------

// The name a directory was last seen under. It is believed if the name still leads there.
static struct home {
    uint32_t ino, parent, len;
    char text[NAMES_LEN];
} homes[DIRS];

uint32_t dir_name(uint32_t ino, uint32_t *parent, const char **text)
{
    struct names_key key;
    const struct home *h = &homes[ino % DIRS];
    const struct dir *d = h->ino == ino ? dir_get(h->parent) : NULL;
    if (!d || !key_make(h->text, h->len, &key))
        return 0;
    const struct names_name *n = place(d->public, &key, h->parent);
    if (!match(n, &key, h->parent) || n->ino != ino)
        return 0;
    *parent = h->parent;
    *text = h->text;
    return h->len;
}

void dir_named(uint32_t ino, uint32_t parent, const char *text, uint32_t len)
{
    struct home *h = &homes[ino % DIRS];
    if (len > NAMES_LEN)
        return;
    *h = (struct home){ino, parent, len, {0}};
    memcpy(h->text, text, len);
    name_remember(parent, text, len, ino);
}

struct found {
    uint32_t ino, kind; // ino 0: there is no such name
};

// False: the volume library must be asked, which knows everything special. A name that is about to
// be created is not worth remembering.
static bool find(const struct dir *d, const struct names_key *key, const char *text, bool create,
                 struct found *out)
{
    const struct names_name *n = place(d->public, key, d->ino);
    *out = (struct found){0, NAMES_FILE};
    if (!match(n, key, d->ino)) {
        int err = ext_lookup(&vol, d->ino, text, key->len, &out->ino);
        if (err == -LX_ENOENT && create)
            return true;
        n = err == 0 || err == -LX_ENOENT ? enter(d, key, err == 0 ? out->ino : 0) : NULL;
    }
    if (n)
        *out = (struct found){n->ino, n->kind};
    return n != NULL;
}

// Of the last name only its directory is wanted, and perhaps its inode.
static bool find_parent(const struct dir *d, const struct names_key *key, const char *text,
                        uint32_t flags, struct found *out)
{
    const struct names_name *n = place(d->public, key, d->ino);
    *out = (struct found){0, NAMES_FILE};
    if (flags & WALK_NAME)
        return true;
    if (match(n, key, d->ino)) {
        out->ino = n->ino;
        return true;
    }
    int err = ext_lookup(&vol, d->ino, text, key->len, &out->ino);
    return err == 0 || err == -LX_ENOENT;
}

static void arrive(uint32_t dir, uint32_t ino, const char *text, uint32_t len, bool slash,
                   struct ext_walk *out)
{
    out->ino = ino;
    out->parent = dir;
    out->last = EXT_LAST_NORM;
    out->must_be_dir = slash;
    out->crossed = false;
    out->links = 0;
    out->name_len = len;
    memcpy(out->name, text, len);
    out->name[len] = 0;
    out->rest_len = 0;
}

int names_walk(const struct ext_cred *cred, uint32_t *from, const char **path, uint32_t flags,
               struct ext_walk *out)
{
    for (const char *at = *path;;) {
        struct names_key key;
        struct found found;
        while (*at == '/')
            at++;
        if (!*at)
            return 0; // nothing but slashes
        *path = at;
        at = component(at, &key);
        const struct dir *d = dir_get(*from);
        if (!at || names_is_dot(&key) || names_is_dotdot(&key) || !d || !may_search(cred, d))
            return 0;
        if (flags & WALK_TELL)
            told_mark(*from);
        bool slash = *at == '/';
        while (*at == '/')
            at++;
        bool last = !*at, parent = last && !slash && (flags & EXT_WALK_PARENT);
        bool create = last && (flags & (EXT_WALK_CREATE | EXT_WALK_PARENT));
        if (!(parent ? find_parent(d, &key, *path, flags, &found)
                     : find(d, &key, *path, create, &found)))
            return 0;
        if (found.kind == NAMES_LINK || (slash && found.ino && found.kind != NAMES_DIR))
            return 0;
        if (!found.ino && !create)
            return -LX_ENOENT;
        if (last) {
            arrive(*from, found.ino, *path, key.len, slash, out);
            return 1;
        }
        *from = found.ino;
    }
}
