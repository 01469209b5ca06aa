// SPDX-License-Identifier: MIT
//
// The directory index: whole directories in a hash table, in the memory given at mount.
//
// The unit is a directory: either every name of it is in the table or none, so the index answers
// "there is no such name" as well, which is the common question of a shell's PATH search and of
// every create. A name is kept as its hash and its offset in the directory; the record on disk is
// compared before it is believed, so two names of one hash cost a comparison and nothing else.
//
// Invariant: for a directory with `whole` set, the offsets in its list are exactly the starts of
// its records in use, without "." and "..". ext_dir_find fills it, dirmod.c adds and removes in
// step, and when a transaction that touched the index is taken back the index is emptied.
//
// A directory that would need three quarters of the table is remembered as too large and searched
// on disk. When names run out, the directory used longest ago goes.
#include <sys/queue.h>
#include "internal.h"

#define WAYS 4u

struct ext_name {
    LIST_ENTRY(ext_name) in_bucket, in_dir;
    uint32_t hash, dir, off;
};
LIST_HEAD(ext_names, ext_name);

struct ext_known {
    struct ext_names names;
    uint32_t dir; // 0: unused
    uint32_t count, used;
    uint32_t room; // block where the last new entry found room
    bool whole;
};

struct ext_dindex {
    struct ext_names free;
    struct ext_names *buckets;
    struct ext_known *known;
    uint32_t nnames, nbuckets, nknown, clock; // nbuckets and nknown are powers of two
    bool changed;
};

static uint32_t hash_name(uint32_t dir, const char *name, uint32_t len)
{
    uint64_t h = dir * 0x9e3779b97f4a7c15u + len, w;
    for (; len >= sizeof(w); name += sizeof(w), len -= (uint32_t)sizeof(w)) {
        memcpy(&w, name, sizeof(w));
        h = (h ^ w) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    w = 0;
    memcpy(&w, name, len);
    h = (h ^ w) * 0xff51afd7ed558ccdu;
    return (uint32_t)(h ^ h >> 32);
}

// Lays the index out in the memory; NULL if there is too little to be of use.
struct ext_dindex *ext_dindex_make(void *mem, size_t size)
{
    struct ext_dindex *ix = mem;
    size_t per_name =
        sizeof(struct ext_name) + 2 * sizeof(struct ext_names) + sizeof(struct ext_known) / 8;
    if (size < sizeof(*ix) + 256 * per_name)
        return NULL;
    size_t n = ext_min((size - sizeof(*ix)) / per_name, 1u << 24);
    memset(ix, 0, sizeof(*ix));
    for (ix->nbuckets = 64; ix->nbuckets <= n; ix->nbuckets *= 2)
        ;
    for (ix->nknown = 2 * WAYS; ix->nknown <= n / 16; ix->nknown *= 2)
        ;
    ix->nnames = (uint32_t)n;
    ix->known = (struct ext_known *)(ix + 1);
    ix->buckets = (struct ext_names *)(ix->known + ix->nknown);
    memset(ix->known, 0, ix->nknown * sizeof(*ix->known));
    memset(ix->buckets, 0, ix->nbuckets * sizeof(*ix->buckets));
    struct ext_name *names = (struct ext_name *)(ix->buckets + ix->nbuckets);
    for (size_t i = 0; i < n; i++)
        LIST_INSERT_HEAD(&ix->free, names + i, in_dir);
    return ix;
}

static struct ext_known *set_of(struct ext_dindex *ix, uint32_t dir)
{
    return ix->known + (size_t)(dir * 0x9e3779b1u >> 7) % (ix->nknown / WAYS) * WAYS;
}

static struct ext_known *known_find(struct ext_dindex *ix, uint32_t dir)
{
    struct ext_known *set = set_of(ix, dir);
    for (uint32_t i = 0; i < WAYS; i++)
        if (set[i].dir == dir) {
            set[i].used = ++ix->clock;
            return set + i;
        }
    return NULL;
}

static void names_release(struct ext_dindex *ix, struct ext_known *k)
{
    struct ext_name *n;
    while ((n = LIST_FIRST(&k->names))) {
        LIST_REMOVE(n, in_dir);
        LIST_REMOVE(n, in_bucket);
        LIST_INSERT_HEAD(&ix->free, n, in_dir);
    }
    k->count = 0;
    k->whole = false;
}

static void known_clear(struct ext_dindex *ix, struct ext_known *k)
{
    names_release(ix, k);
    k->dir = 0;
    k->room = 0;
}

// Begins to index a directory: the caller puts in every name. False: it is too large, do not.
bool ext_dindex_open(struct ext_dindex *ix, uint32_t dir)
{
    if (known_find(ix, dir))
        return false;
    struct ext_known *set = set_of(ix, dir), *k = set;
    for (uint32_t i = 1; i < WAYS && k->dir; i++)
        if (!set[i].dir || ix->clock - set[i].used > ix->clock - k->used)
            k = set + i;
    known_clear(ix, k);
    k->dir = dir;
    k->used = ++ix->clock;
    k->whole = true;
    return true;
}

static void evict_oldest(struct ext_dindex *ix, const struct ext_known *keep)
{
    struct ext_known *oldest = NULL;
    for (uint32_t i = 0; i < ix->nknown; i++) {
        struct ext_known *k = ix->known + i;
        if (k == keep || !k->count)
            continue;
        if (!oldest || ix->clock - k->used > ix->clock - oldest->used)
            oldest = k;
    }
    if (oldest)
        known_clear(ix, oldest);
}

void ext_dindex_put(struct ext_dindex *ix, uint32_t dir, const char *name, uint32_t len,
                    uint32_t off)
{
    struct ext_known *k = known_find(ix, dir);
    ix->changed = true;
    if (!k || !k->whole)
        return;
    if (k->count >= ix->nnames / 4 * 3) {
        names_release(ix, k);
        return;
    }
    if (LIST_EMPTY(&ix->free))
        evict_oldest(ix, k);
    struct ext_name *n = LIST_FIRST(&ix->free);
    LIST_REMOVE(n, in_dir);
    n->hash = hash_name(dir, name, len);
    n->dir = dir;
    n->off = off;
    LIST_INSERT_HEAD(&k->names, n, in_dir);
    LIST_INSERT_HEAD(ix->buckets + n->hash % ix->nbuckets, n, in_bucket);
    k->count++;
}

void ext_dindex_del(struct ext_dindex *ix, uint32_t dir, const char *name, uint32_t len,
                    uint32_t off)
{
    struct ext_known *k = known_find(ix, dir);
    ix->changed = true;
    if (!k || !k->whole)
        return;
    struct ext_name *n;
    LIST_FOREACH (n, ix->buckets + hash_name(dir, name, len) % ix->nbuckets, in_bucket)
        if (n->dir == dir && n->off == off)
            break;
    if (!n) { // the invariant does not hold for this directory: the disk is damaged
        known_clear(ix, k);
        return;
    }
    LIST_REMOVE(n, in_bucket);
    LIST_REMOVE(n, in_dir);
    LIST_INSERT_HEAD(&ix->free, n, in_dir);
    k->count--;
}

void ext_dindex_drop(struct ext_dindex *ix, uint32_t dir)
{
    struct ext_known *k = known_find(ix, dir);
    if (k)
        known_clear(ix, k);
}

// A transaction begins.
void ext_dindex_mark(struct ext_dindex *ix)
{
    ix->changed = false;
}

// A transaction was taken back.
void ext_dindex_undo(struct ext_dindex *ix)
{
    for (uint32_t i = 0; i < ix->nknown && ix->changed; i++)
        known_clear(ix, ix->known + i);
}

uint32_t ext_dindex_room(struct ext_dindex *ix, uint32_t dir)
{
    struct ext_known *k = known_find(ix, dir);
    return k ? k->room : 0;
}

void ext_dindex_room_set(struct ext_dindex *ix, uint32_t dir, uint32_t lblk)
{
    struct ext_known *k = known_find(ix, dir);
    if (k)
        k->room = lblk;
}

// Compares one candidate with the disk. 1: it is the name.
static int candidate_check(struct ext_vol *vol, const struct ext_inode *dir, uint32_t off,
                           const char *name, uint32_t len, struct ext_slot *out)
{
    const struct ext_disk_dirent *de;
    const uint8_t *base;
    uint32_t blk;
    if (off >= dir->size)
        return -LX_EUCLEAN;
    int err = ext_dir_block(vol, dir, off >> EXT_BLOCK_SHIFT, &blk, &base);
    if (!err)
        err = ext_dirent_check(vol, base, off % EXT_BLOCK_SIZE, &de);
    if (err)
        return err;
    if (!ext_dirent_is(de, name, len))
        return 0;
    *out = (struct ext_slot){blk, off, de->inode, de->file_type};
    return 1;
}

// NONE: the directory is not in the index (or not as the disk has it; it is then dropped).
enum ext_dindex_answer ext_dindex_find(struct ext_vol *vol, const struct ext_inode *dir,
                                       const char *name, uint32_t len, struct ext_slot *out)
{
    struct ext_dindex *ix = vol->index;
    struct ext_known *k = known_find(ix, dir->ino);
    if (!k || !k->whole)
        return EXT_DINDEX_NONE;
    uint32_t hash = hash_name(dir->ino, name, len);
    struct ext_name *n;
    LIST_FOREACH (n, ix->buckets + hash % ix->nbuckets, in_bucket) {
        if (n->hash != hash || n->dir != dir->ino)
            continue;
        int found = candidate_check(vol, dir, n->off, name, len, out);
        if (found > 0)
            return EXT_DINDEX_FOUND;
        if (found < 0) {
            known_clear(ix, k);
            return EXT_DINDEX_NONE;
        }
    }
    return EXT_DINDEX_ABSENT;
}
