// SPDX-License-Identifier: MIT
// Names and attributes that everybody may look up, published by fsd: one SEGMENT, which others can
// only read (FS_OP_NAMES).
//
// What stands here can be reached from the volume's root through directories that everybody,
// whether owner, group or other, may search and read: the pages tell nothing that opendir and stat
// would not. A name is found by its directory's inode number; an inode number of 0 says that there
// is no such name. What is not found here may be there all the same: ask fsd. So with everything
// special: mount points, symbolic links on the way, long names.
//
// fsd changes the tables before it answers the call that changed the volume, so what is found is
// true at the moment of looking: the whole walk, however many names it has, happens between two
// loads of `seq` that give the same even number.
#ifndef PROTO_NAMES_H
#define PROTO_NAMES_H
#include <lx/stat.h>
#include <stdbool.h>
#include <stdint.h>

#define NAMES_VERSION 2u
#define NAMES_BYTES   (2ul << 20) // at most
#define NAMES_WORDS   6u
#define NAMES_LEN     (8 * NAMES_WORDS)

struct names_head {
    uint32_t size, version;
    uint32_t seq;                // odd while something changes
    uint32_t root;               // inode of the root directory
    uint32_t nnames, nattrs;     // powers of two
    uint32_t names_at, attrs_at; // byte offsets of struct names_name[], struct names_attr[]
    uint32_t read_only;
    uint32_t moved; // +1 whenever a directory got another name or place, or went while it was open:
                    // the path of any directory, found before, may be another now
    uint32_t told;  // what fsd told a process alone (struct fs_told) holds until this changes
};

enum names_kind { NAMES_FILE, NAMES_DIR, NAMES_LINK };

struct names_name {
    uint32_t dir, ino;          // dir 0: nothing here
    uint32_t len, kind;         // enum names_kind
    uint64_t text[NAMES_WORDS]; // the bytes behind the end in the last word used are 0
};

struct names_attr {    // at place ino % nattrs
    struct lx_stat st; // st_ino 0: nothing here
    uint32_t parent;   // of a directory: where ".." leads
};

struct names_key { // a name that is looked for
    uint64_t text[NAMES_WORDS];
    uint64_t hash;
    uint32_t len; // more than NAMES_LEN: too long to be here
};

#define NAMES_ONES 0x0101010101010101ull

// Nonzero; its lowest bit is in the first byte of w that is 0 or '/'. 0: there is none.
static inline uint64_t names_stop(uint64_t w)
{
    uint64_t slash = w ^ NAMES_ONES * '/';
    return (((w - NAMES_ONES) & ~w) | ((slash - NAMES_ONES) & ~slash)) & NAMES_ONES << 7;
}

// One step of a component's hash.
static inline uint64_t names_mix(uint64_t hash, uint64_t w)
{
    hash = (hash ^ w) * 0xff51afd7ed558ccdull;
    return hash ^ hash >> 32;
}

// Takes the next eight bytes of a component, of which those before `stop` belong to it. True: more
// may follow.
static inline bool names_key_add(struct names_key *key, uint64_t w)
{
    uint64_t stop = names_stop(w);
    unsigned n = stop ? (unsigned)__builtin_ctzll(stop) / 8 : 8;
    if (n < 8)
        w &= ((uint64_t)1 << 8 * n) - 1;
    if (n && key->len < NAMES_LEN) {
        key->text[key->len / 8] = w;
        key->hash = names_mix(key->hash, w);
    }
    key->len += n;
    return !stop;
}

static inline uint32_t names_place(const struct names_key *key, uint32_t dir, uint32_t nnames)
{
    return (uint32_t)(((key->hash ^ dir) * 0x9e3779b97f4a7c15ull) >> 32) & (nnames - 1);
}

static inline bool names_is_dot(const struct names_key *key)
{
    return key->len == 1 && key->text[0] == '.';
}

static inline bool names_is_dotdot(const struct names_key *key)
{
    return key->len == 2 && key->text[0] == ('.' | '.' << 8);
}

#endif
