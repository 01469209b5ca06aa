// SPDX-License-Identifier: MIT
//
// Directories, read side: find, iterate, is it empty, who is the parent.
//
// A directory is a file of blocks, each filled exactly by a chain of records; a record with inode 0
// is free space. Entries never move: a new one takes slack behind another, a removed one becomes
// slack of the one before it in its block. So the byte offset of an entry is a cookie that stays
// good while others come and go, and a cookie whose own entry was removed is resolved by walking
// its block from the start to the first record at or behind it.
//
// Hash-tree directories (dir_index) read the same way: the tree's root and nodes hide in records
// that look empty. dirmod.c clears the index flag when it adds to one.
//
// Every record is checked when it is reached (ext_dirent_check), before anything in it is used.
#include "internal.h"

int ext_name_check(const char *name, uint32_t len)
{
    if (len == 0)
        return -LX_ENOENT;
    if (len > LX_NAME_MAX)
        return -LX_ENAMETOOLONG;
    return ext_has_byte(name, len, '/') || ext_has_byte(name, len, 0) ? -LX_EINVAL : 0;
}

static bool is_dots(const char *name, uint32_t len)
{
    return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

// The record at byte `off` of a directory block.
static inline __attribute__((always_inline)) int dirent_check(struct ext_vol *vol,
                                                              const uint8_t *base, uint32_t off,
                                                              const struct ext_disk_dirent **out)
{
    *out = NULL;
    if (off % 4 || off > EXT_BLOCK_SIZE - EXT_DIRENT_MIN)
        return ext_unclean(vol, "a directory record crosses its block");
    const struct ext_disk_dirent *de = (const struct ext_disk_dirent *)(base + off);
    if (de->rec_len < EXT_DIRENT_MIN || de->rec_len % 4 || de->rec_len > EXT_BLOCK_SIZE - off ||
        de->rec_len < EXT_DIRENT_SIZE(de->name_len))
        return ext_unclean(vol, "a directory record has an impossible length");
    if (de->inode && (de->name_len == 0 || !ext_ino_valid(vol, de->inode)))
        return ext_unclean(vol, "a directory record names an impossible inode");
    if (de->inode && !vol->has_filetype && de->file_type)
        return ext_unclean(vol, "a directory record has an impossible length");
    *out = de;
    return 0;
}

int ext_dirent_check(struct ext_vol *vol, const uint8_t *base, uint32_t off,
                     const struct ext_disk_dirent **out)
{
    return dirent_check(vol, base, off, out);
}

bool ext_dirent_is(const struct ext_disk_dirent *de, const char *name, uint32_t len)
{
    return de->inode && de->name_len == len && !memcmp(de->name, name, len);
}

int ext_dir_block(struct ext_vol *vol, const struct ext_inode *dir, uint32_t lblk, uint32_t *blk,
                  const uint8_t **base)
{
    int err = ext_map_get(vol, dir, lblk, blk);
    if (!err && !*blk)
        err = ext_unclean(vol, "a directory has a hole");
    return err ? err : ext_block_get(vol, *blk, (const void **)base);
}

struct ext_search {
    const char *name;
    uint32_t len;
    bool build;
    bool found;
    struct ext_slot *out;
};

static int block_search(struct ext_vol *vol, const struct ext_inode *dir, uint32_t lblk,
                        struct ext_search *s)
{
    const uint8_t *base;
    const struct ext_disk_dirent *de;
    uint32_t blk;
    int err = ext_dir_block(vol, dir, lblk, &blk, &base);
    for (uint32_t off = 0; !err && off < EXT_BLOCK_SIZE; off += de->rec_len) {
        err = dirent_check(vol, base, off, &de);
        if (err)
            return err;
        uint32_t at = (lblk << EXT_BLOCK_SHIFT) + off;
        if (s->build && de->inode && !is_dots(de->name, de->name_len))
            ext_dindex_put(vol->index, dir->ino, de->name, de->name_len, at);
        if (s->found || !ext_dirent_is(de, s->name, s->len))
            continue;
        *s->out = (struct ext_slot){blk, at, de->inode, de->file_type};
        s->found = true;
        if (!s->build)
            return 0;
    }
    return err;
}

// Finds a name other than "." and "..". The first search of a directory reads all of it, and enters
// it into the index if there is one.
int ext_dir_find(struct ext_vol *vol, const struct ext_inode *dir, const char *name, uint32_t len,
                 struct ext_slot *out)
{
    struct ext_search s = {name, len, false, false, out};
    if (vol->index) {
        enum ext_dindex_answer a = ext_dindex_find(vol, dir, name, len, out);
        if (a != EXT_DINDEX_NONE)
            return a == EXT_DINDEX_FOUND ? 0 : -LX_ENOENT;
        s.build = ext_dindex_open(vol->index, dir->ino);
    }
    int err = 0;
    for (uint32_t lblk = 0; lblk < dir->size >> EXT_BLOCK_SHIFT && !err; lblk++) {
        err = block_search(vol, dir, lblk, &s);
        if (s.found && !s.build)
            break;
    }
    if (err && s.build)
        ext_dindex_drop(vol->index, dir->ino);
    return err ? err : s.found ? 0 : -LX_ENOENT;
}

static int block_is_empty(struct ext_vol *vol, const struct ext_inode *dir, uint32_t lblk)
{
    const uint8_t *base;
    const struct ext_disk_dirent *de;
    uint32_t blk;
    int err = ext_dir_block(vol, dir, lblk, &blk, &base);
    for (uint32_t off = 0; !err && off < EXT_BLOCK_SIZE; off += de->rec_len) {
        err = ext_dirent_check(vol, base, off, &de);
        if (err)
            return err;
        if (de->inode && !is_dots(de->name, de->name_len))
            return 0;
    }
    return err ? err : 1;
}

// 1: nothing but "." and "..".
int ext_dir_is_empty(struct ext_vol *vol, const struct ext_inode *dir)
{
    int empty = 1;
    for (uint32_t lblk = 0; lblk < dir->size >> EXT_BLOCK_SHIFT && empty > 0; lblk++)
        empty = block_is_empty(vol, dir, lblk);
    return empty;
}

// The inode ".." names.
int ext_dir_parent(struct ext_vol *vol, const struct ext_inode *dir, uint32_t *parent)
{
    const uint8_t *base;
    const struct ext_disk_dirent *dot, *dotdot;
    uint32_t blk;
    int err = ext_dir_block(vol, dir, 0, &blk, &base);
    if (!err)
        err = ext_dirent_check(vol, base, 0, &dot);
    if (!err && dot->rec_len != EXT_DIRENT_SIZE(1))
        err = ext_unclean(vol, "a directory does not begin with . and ..");
    if (!err)
        err = ext_dirent_check(vol, base, EXT_DIRENT_SIZE(1), &dotdot);
    if (err)
        return err;
    if (!ext_dirent_is(dot, ".", 1) || dot->inode != dir->ino || !ext_dirent_is(dotdot, "..", 2))
        return ext_unclean(vol, "a directory does not begin with . and ..");
    *parent = dotdot->inode;
    return 0;
}

int ext_lookup(struct ext_vol *vol, uint32_t dir, const char *name, uint32_t len, uint32_t *ino)
{
    struct ext_inode d;
    struct ext_slot slot;
    int err = ext_name_check(name, len);
    if (!err)
        err = ext_inode_load_dir(vol, dir, &d);
    if (err)
        return err;
    if (is_dots(name, len)) {
        *ino = dir;
        return len == 1 ? 0 : ext_dir_parent(vol, &d, ino);
    }
    err = ext_dir_find(vol, &d, name, len, &slot);
    if (!err)
        *ino = slot.ino;
    return err;
}

static uint8_t dirent_type(const struct ext_vol *vol, const struct ext_disk_dirent *de)
{
    static const uint8_t types[EXT_FT_COUNT] = {LX_DT_UNKNOWN, LX_DT_REG,  LX_DT_DIR,  LX_DT_CHR,
                                                LX_DT_BLK,     LX_DT_FIFO, LX_DT_SOCK, LX_DT_LNK};
    return vol->has_filetype && de->file_type < EXT_FT_COUNT ? types[de->file_type] : LX_DT_UNKNOWN;
}

struct ext_tour {
    uint64_t *cookie;
    bool (*emit)(void *ctx, const struct ext_dirent *entry);
    void *ctx;
};

// Nonzero if a byte of the word is 0 or '/'.
static uint64_t has_stop(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t slash = w ^ ones * '/';
    return (((w - ones) & ~w) | ((slash - ones) & ~slash)) & ones << 7;
}

// Eight bytes at a time: the last ones are read with what lies before them, at least the record's
// head.
static bool name_is_bad(const struct ext_disk_dirent *de)
{
    uint64_t w;
    uint32_t at = 0, len = de->name_len;
    for (; len - at >= sizeof(w); at += (uint32_t)sizeof(w)) {
        memcpy(&w, de->name + at, sizeof(w));
        if (has_stop(w))
            return true;
    }
    if (at == len)
        return false;
    memcpy(&w, (const char *)de + EXT_DIRENT_HEAD + len - sizeof(w), sizeof(w));
    w >>= 8 * (sizeof(w) - (len - at));
    return has_stop(w | (uint64_t)-1 << 8 * (len - at));
}

// 1: the caller's emit is full.
static int block_tour(struct ext_vol *vol, const struct ext_inode *dir, uint32_t lblk,
                      const struct ext_tour *t)
{
    const uint8_t *base;
    const struct ext_disk_dirent *de;
    uint32_t blk;
    uint64_t start = (uint64_t)lblk << EXT_BLOCK_SHIFT;
    int err = ext_dir_block(vol, dir, lblk, &blk, &base);
    for (uint32_t off = 0; !err && off < EXT_BLOCK_SIZE; off += de->rec_len) {
        err = dirent_check(vol, base, off, &de);
        if (err)
            return err;
        if (start + off < *t->cookie)
            continue;
        uint64_t next = start + off + de->rec_len;
        if (de->inode) {
            if (name_is_bad(de))
                return ext_unclean(vol, "a name contains a slash or a zero byte");
            struct ext_dirent e = {de->inode, dirent_type(vol, de), de->name_len, de->name, next};
            if (!t->emit(t->ctx, &e))
                return 1;
        }
        *t->cookie = next;
    }
    // The caller's first cookie may lie within the last entry.
    if (!err && *t->cookie < start + EXT_BLOCK_SIZE)
        *t->cookie = start + EXT_BLOCK_SIZE;
    return err;
}

int ext_dir_iterate(struct ext_vol *vol, uint32_t dir, uint64_t *cookie,
                    bool (*emit)(void *ctx, const struct ext_dirent *entry), void *ctx)
{
    struct ext_inode d;
    struct ext_tour tour = {cookie, emit, ctx};
    int err = ext_inode_load_dir(vol, dir, &d);
    while (!err && *cookie < d.size)
        err = block_tour(vol, &d, (uint32_t)(*cookie >> EXT_BLOCK_SHIFT), &tour);
    return err < 0 ? err : 0;
}

// --- records for readers ---

typedef uint8_t ext_bytes __attribute__((vector_size(16), aligned(1), may_alias));
typedef char ext_chars __attribute__((vector_size(16)));
#define NAME_STEP ((uint32_t)sizeof(ext_bytes))
#define NAME_AT   ((uint32_t)offsetof(struct lx_dirent64, d_name))

struct ext_list {
    struct ext_vol *vol;
    uint8_t *at, *end;
    uint64_t start; // of the block
    const uint8_t *base;
    uint8_t types[256];
};

// Copies a name in steps, which may reach behind both its ends. False: a byte is in it that no name
// has.
static inline bool name_copy(uint8_t *to, const uint8_t *name, uint32_t len)
{
    uint32_t bad = 0, where;
    for (;; to += NAME_STEP, name += NAME_STEP, len -= NAME_STEP) {
        ext_bytes b = *(const ext_bytes *)name;
        ext_bytes stops = (ext_bytes)(b == 0) | (ext_bytes)(b == '/');
        where = (uint32_t)__builtin_ia32_pmovmskb128((ext_chars)stops);
        *(ext_bytes *)to = b;
        if (len <= NAME_STEP)
            return !(bad | (where & ((1u << len) - 1)));
        bad |= where;
    }
}

static inline void record_write(uint8_t *to, const struct ext_list *l,
                                const struct ext_disk_dirent *de, uint64_t next, uint32_t need)
{
    struct lx_dirent64 *d = (struct lx_dirent64 *)to;
    d->d_ino = de->inode;
    d->d_off = (int64_t)next;
    d->d_reclen = (uint16_t)need;
    d->d_type = l->types[de->file_type];
}

// Near the end of the block or of the room.
static __attribute__((noinline)) int entry_list_slow(const struct ext_list *l, uint8_t *to,
                                                     const struct ext_disk_dirent *de,
                                                     uint64_t next, uint32_t need)
{
    if (need > (size_t)(l->end - to))
        return 0;
    if (name_is_bad(de))
        return ext_unclean(l->vol, "a name contains a slash or a zero byte");
    memset(to + need - 8, 0, 8);
    record_write(to, l, de, next, need);
    memcpy(to + NAME_AT, de->name, de->name_len);
    return (int)need;
}

// Its length; 0: no room.
static inline int entry_list(const struct ext_list *l, uint8_t *to,
                             const struct ext_disk_dirent *de, uint32_t off)
{
    uint32_t len = de->name_len, need = (NAME_AT + len + 1 + 7) & ~7u;
    uint64_t next = l->start + off + de->rec_len;
    const uint64_t zero = 0;
    if (to + need + NAME_STEP > l->end ||
        off > EXT_BLOCK_SIZE - EXT_DIRENT_HEAD - LX_NAME_MAX - NAME_STEP ||
        !name_copy(to + NAME_AT, (const uint8_t *)de->name, len))
        return entry_list_slow(l, to, de, next, need);
    memcpy(to + NAME_AT + len, &zero, sizeof(zero));
    record_write(to, l, de, next, need);
    return (int)need;
}

// The records of the block from `off` on, which one begins at. 1: it is done; 0: there is no more
// room, *cookie is behind what was taken.
static int block_list(struct ext_list *l, uint32_t off, uint64_t *cookie)
{
    const struct ext_disk_dirent *de;
    uint8_t *at = l->at;
    int err = 0, put = 1;
    while (off < EXT_BLOCK_SIZE && !err) {
        err = dirent_check(l->vol, l->base, off, &de);
        if (err)
            break;
        put = de->inode ? entry_list(l, at, de, off) : 0;
        if (put < 0 || (!put && de->inode))
            break;
        at += put;
        off += de->rec_len;
        put = 1;
    }
    l->at = at;
    *cookie = l->start + off;
    return err ? err : put < 0 ? put : put > 0;
}

// The first record at or behind `off`, in a block that may have changed since.
static int record_from(const struct ext_list *l, uint32_t off, uint32_t *out)
{
    const struct ext_disk_dirent *de;
    for (*out = 0; *out < off; *out += de->rec_len) {
        int err = dirent_check(l->vol, l->base, *out, &de);
        if (err)
            return err;
    }
    return 0;
}

static void list_types(struct ext_list *l)
{
    memset(l->types, LX_DT_UNKNOWN, sizeof(l->types));
    for (unsigned type = 0; type < EXT_FT_COUNT; type++)
        l->types[type] = dirent_type(l->vol, &(struct ext_disk_dirent){.file_type = type});
}

int ext_dir_list(struct ext_vol *vol, uint32_t dir, uint64_t *cookie, uint32_t *merges,
                 uint8_t *out, uint32_t room)
{
    struct ext_inode d;
    struct ext_list l = {.vol = vol, .at = out, .end = out + room};
    int err = ext_inode_load_dir(vol, dir, &d), more = 1;
    list_types(&l);
    for (bool sure = *merges == vol->merges; !err && more && *cookie < d.size; sure = true) {
        uint32_t blk, lblk = (uint32_t)(*cookie >> EXT_BLOCK_SHIFT);
        uint32_t off = (uint32_t)*cookie % EXT_BLOCK_SIZE;
        l.start = (uint64_t)lblk << EXT_BLOCK_SHIFT;
        err = ext_dir_block(vol, &d, lblk, &blk, &l.base);
        if (!err && !sure)
            err = record_from(&l, off, &off);
        if (!err)
            more = block_list(&l, off, cookie);
        if (more < 0)
            err = more;
    }
    *merges = vol->merges;
    if (err)
        return err;
    return !more && l.at == out ? -LX_EINVAL : (int)(l.at - out);
}
