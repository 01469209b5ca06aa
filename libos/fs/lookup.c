// SPDX-License-Identifier: MIT
// Looking names up without asking fsd: a walk through the tables it publishes (proto/names.h).
//
// The segment is asked for at the first path of the first process and inherited from then on. What
// it says is as true as fsd's own answer; whatever is not in it, or is anything special, fsd is
// asked. It is read through the accessors that can fail, and bounded by what was checked when it
// was mapped.
//
// A process with a root of its own gives it up: it tells of names outside.
#include <fs/file.h>
#include <core/core.h>
#include <proto/names.h>

static enum { UNASKED, THERE, NOT_THERE } state;
static exo_handle_t segment;
static struct kept *kept; // what was told to this process alone, or NULL
static struct {
    const struct names_head *head;
    const struct names_name *names;
    const struct names_attr *attrs;
    uint32_t nnames, nattrs, root;
    bool read_only;
} view;

static bool fits(uint32_t at, uint32_t count, size_t size)
{
    return count && !(count & (count - 1)) && at <= NAMES_BYTES &&
           count <= (NAMES_BYTES - at) / size;
}

static bool view_check(void)
{
    struct names_head h = {0};
    const char *base = (const char *)LIBOS_NAMES;
    if (user_copy(&h, base, sizeof(h)) || h.size < sizeof(h) || h.version != NAMES_VERSION ||
        !fits(h.names_at, h.nnames, sizeof(*view.names)) ||
        !fits(h.attrs_at, h.nattrs, sizeof(*view.attrs)))
        return false;
    view.head = (const void *)base;
    view.names = (const void *)(base + h.names_at);
    view.attrs = (const void *)(base + h.attrs_at);
    view.nnames = h.nnames;
    view.nattrs = h.nattrs;
    view.root = h.root;
    view.read_only = h.read_only;
    return true;
}

// The message page, which holds a path, stays as it is.
static bool view_get(void)
{
    struct exo_msg m = {.w = {FS_OP_NAMES}};
    struct exo_map_op op = {
        .kind = EXO_OP_MAP, .count = 512, .va = LIBOS_NAMES, .rights = EXO_R_READ};
    state = NOT_THERE;
    memset(ctx_self()->recv, 0, sizeof(ctx_self()->recv));
    if (fd_current()->root || server_call(H_FSD, &m) != 0)
        return false;
    op.cap = segment = ctx_self()->recv[0];
    if (segment && exo_aspace_batch(0, libos_bank, &op, 1) == 1 && view_check())
        state = THERE;
    else
        lookup_end();
    return state == THERE;
}

static bool view_ready(void)
{
    return state == THERE || (state == UNASKED && view_get());
}

void lookup_end(void)
{
    if (segment)
        exo_cap_delete(segment);
    segment = 0;
    state = NOT_THERE;
    heap_free(kept);
    kept = NULL;
}

static inline __attribute__((always_inline)) bool start_ino(int dirfd, const char *path,
                                                            uint32_t *ino)
{
    uint8_t first;
    *ino = view.root;
    if (!user_peek8(path, &first))
        return false;
    if (first == '/')
        return true;
    const struct file *file = path_start(dirfd);
    if (!file)
        return dirfd == LX_AT_FDCWD;
    *ino = (uint32_t)file->ino;
    return file->ops == &dir_ops || (file->ops == &path_ops && LX_S_ISDIR(file->mode));
}

// Eight bytes of a string, but none of the page behind its end.
static inline __attribute__((always_inline)) bool word_load(const char *at, uint64_t *w)
{
    uint8_t c = 1;
    if (((uint64_t)at & (EXO_PAGE_SIZE - 1)) <= EXO_PAGE_SIZE - sizeof(*w))
        return user_peek64(at, w);
    *w = 0;
    for (unsigned i = 0; i < sizeof(*w) && c; i++) {
        if (!user_peek8(at + i, &c))
            return false;
        *w |= (uint64_t)c << 8 * i;
    }
    return true;
}

// Takes the component at *at and moves behind it. False: it is too long, or not there.
static inline bool component(const char **at, struct names_key *key)
{
    uint64_t w;
    key->len = 0;
    key->hash = 0;
    do {
        if (!word_load(*at + key->len, &w))
            return false;
    } while (names_key_add(key, w) && key->len <= NAMES_LEN);
    *at += key->len;
    return key->len <= NAMES_LEN;
}

// The pair of numbers in one load: the first in the low half.
static inline bool entry_find(const struct names_key *key, uint32_t dir, uint32_t *ino,
                              uint32_t *kind)
{
    const struct names_name *n = &view.names[names_place(key, dir, view.nnames)];
    uint64_t dir_ino, len_kind, w;
    if (!user_peek64(&n->dir, &dir_ino) || (uint32_t)dir_ino != dir)
        return false;
    if (!user_peek64(&n->len, &len_kind) || (uint32_t)len_kind != key->len)
        return false;
    for (uint32_t i = 0; i < (key->len + 7) / 8; i++) {
        if (!user_peek64(&n->text[i], &w) || w != key->text[i])
            return false;
    }
    *ino = (uint32_t)(dir_ino >> 32);
    *kind = (uint32_t)(len_kind >> 32);
    return true;
}

static inline bool slashes_skip(const char **path, uint8_t *next)
{
    do {
        if (!user_peek8(*path, next))
            return false;
    } while (*next == '/' && (*path)++);
    return true;
}

// The directory above one that is here.
static bool parent_find(uint32_t *dir)
{
    const struct names_attr *attr = &view.attrs[*dir & (view.nattrs - 1)];
    uint64_t st_ino;
    return user_peek64(&attr->st.st_ino, &st_ino) && st_ino == *dir &&
           user_peek32(&attr->parent, dir);
}

static inline __attribute__((always_inline)) bool attr_copy(uint64_t ino, uint64_t st)
{
    const struct lx_stat *attr = &view.attrs[ino & (view.nattrs - 1)].st;
    uint64_t st_ino;
    return ino && user_peek64(&attr->st_ino, &st_ino) && st_ino == ino &&
           !user_copy((void *)st, attr, sizeof(*attr));
}

// The last name of the path. 0, -LX_ENOENT, or LOOKUP_ASK.
static inline long walk(uint32_t dir, const char *path, uint32_t *ino, uint32_t *kind)
{
    struct names_key key;
    const char *limit = path + LX_PATH_MAX;
    const char *start = path;
    uint8_t next;
    if (!slashes_skip(&path, &next) || (!next && path == start))
        return LOOKUP_ASK;
    *ino = dir; // "/"
    *kind = NAMES_DIR;
    while (next) {
        if (!component(&path, &key) || path >= limit)
            return LOOKUP_ASK;
        if (names_is_dotdot(&key) ? !parent_find(ino)
                                  : !names_is_dot(&key) && !entry_find(&key, *ino, ino, kind))
            return LOOKUP_ASK;
        if (!*ino)
            return -LX_ENOENT;
        if (!user_peek8(path, &next) || (next && *kind != NAMES_DIR) || !slashes_skip(&path, &next))
            return LOOKUP_ASK;
    }
    return 0;
}

// --- what was told to this process alone ---------------------------------------------------------
//
// Of files that not everybody may know. It holds as long as fsd's number and our own credentials
// stay what they were when it was asked for.

#define KEPT       16u
#define KEPT_WORDS 12u

struct kept_key {
    uint64_t text[KEPT_WORDS]; // the path; 0 behind its end
    uint32_t start;            // 0: nothing here
    uint32_t pid, seq;         // of our process record, which has the credentials
    uint32_t words, hash;
};

struct kept {
    struct kept_key key;
    struct lx_stat st;
    uint32_t told;
};

static struct kept_key asked_for; // start 0: not to be remembered

static bool key_make(int dirfd, const char *path, struct kept_key *key)
{
    uint64_t w, stop, hash = 0;
    uint32_t i = 0;
    const volatile struct proc_rec *self = proc_self();
    if (!start_ino(dirfd, path, &key->start))
        return false;
    key->pid = (uint32_t)self->pid;
    key->seq = self->seq;
    do {
        if (i == KEPT_WORDS || !word_load(path + 8ul * i, &w))
            return false;
        stop = (w - NAMES_ONES) & ~w & NAMES_ONES << 7;
        if (stop)
            w &= ((stop & -stop) >> 7) - 1;
        key->text[i++] = w;
        hash = names_mix(hash, w);
    } while (!stop);
    key->words = i;
    key->hash = (uint32_t)hash ^ key->start;
    return true;
}

static bool key_same(const struct kept_key *a, const struct kept_key *b)
{
    if (a->hash != b->hash || a->start != b->start || a->words != b->words || a->pid != b->pid ||
        a->seq != b->seq)
        return false;
    for (uint32_t i = 0; i < a->words; i++) {
        if (a->text[i] != b->text[i])
            return false;
    }
    return true;
}

static __attribute__((noinline)) bool kept_find(int dirfd, const char *path, uint64_t st)
{
    struct kept_key key;
    uint32_t told;
    if (!kept || !key_make(dirfd, path, &key))
        return false;
    const struct kept *k = &kept[key.hash % KEPT];
    return key_same(&k->key, &key) && user_peek32(&view.head->told, &told) && told == k->told &&
           !user_copy((void *)st, &k->st, sizeof(k->st));
}

void lookup_asks(int dirfd)
{
    if (!view_ready() || !key_make(dirfd, (const char *)msg_page(), &asked_for))
        asked_for.start = 0;
}

void lookup_told(const struct exo_msg *m)
{
    const struct fs_told *told = (const void *)msg_page();
    if (!asked_for.start || EXO_META_BYTES(m->meta) != sizeof(*told) || !told->told)
        return;
    if (!kept)
        kept = heap_alloc(KEPT * sizeof(*kept));
    if (kept)
        kept[asked_for.hash % KEPT] = (struct kept){asked_for, told->st, told->told};
}

// A walk between two looks at the sequence number. st: 0 if the attributes are not wanted.
static long find(int dirfd, const char *path, bool follow, uint64_t st)
{
    uint32_t dir = 0, ino = 0, kind = 0, before, after;
    if (!view_ready())
        return LOOKUP_ASK;
    if (!start_ino(dirfd, path, &dir) || !user_peek32(&view.head->seq, &before) || before & 1)
        return LOOKUP_ASK;
    long err = walk(dir, path, &ino, &kind);
    if (err == 0 && kind == NAMES_LINK && follow)
        return LOOKUP_ASK;
    if (err == 0 && st && !attr_copy(ino, st))
        return LOOKUP_ASK;
    return !user_peek32(&view.head->seq, &after) || after != before ? LOOKUP_ASK : err;
}

// What is kept did not end in a symbolic link.
long lookup_stat(int dirfd, uint64_t path, bool follow, uint64_t st)
{
    long err = find(dirfd, (const char *)path, follow, st);
    return err == LOOKUP_ASK && kept_find(dirfd, (const char *)path, st) ? 0 : err;
}

bool lookup_ino(uint64_t ino, struct lx_stat *st)
{
    uint32_t before, after;
    return view_ready() && user_peek32(&view.head->seq, &before) && !(before & 1) &&
           attr_copy(ino, (uint64_t)st) && user_peek32(&view.head->seq, &after) && after == before;
}

bool lookup_is_root(uint64_t ino)
{
    return view_ready() && ino == view.root;
}

bool lookup_moved(uint32_t *moved)
{
    return view_ready() && user_peek32(&view.head->moved, moved);
}

bool lookup_missing(int dirfd, uint64_t path)
{
    return find(dirfd, (const char *)path, true, 0) == -LX_ENOENT;
}

// --- access
// -------------------------------------------------------------------------------------------------------

static bool in_group(const volatile struct proc_rec *rec, uint32_t gid)
{
    uint32_t n = rec->ngroups;
    for (uint32_t i = 0; i < n && i < PROC_NGROUPS; i++) {
        if (rec->groups[i] == gid)
            return true;
    }
    return false;
}

// The process's own record changes only by its own calls. POSIX: access().
long lookup_access(const struct lx_stat *st, uint32_t mode, bool effective)
{
    const volatile struct proc_rec *self = proc_self();
    uint32_t uid = effective ? self->euid : self->ruid, gid = effective ? self->egid : self->rgid;
    uint32_t bits = st->st_mode;
    if ((mode & 2) && view.read_only && st->st_dev == FS_ROOT_DEV &&
        (LX_S_ISREG(bits) || LX_S_ISDIR(bits)))
        return -LX_EROFS;
    if (uid == 0)
        return (mode & 1) && !LX_S_ISDIR(bits) && !(bits & 0111) ? -LX_EACCES : 0;
    if (uid == st->st_uid)
        bits >>= 6;
    else if (gid == st->st_gid || in_group(self, st->st_gid))
        bits >>= 3;
    return mode & ~bits & 7 ? -LX_EACCES : 0;
}
