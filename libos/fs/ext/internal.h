// SPDX-License-Identifier: MIT
//
// What the files of the ext2 library share and nobody else sees.
//
// Access to blocks goes through three doors: ext_block_get (read), ext_block_edit (metadata that
// the undo log can take back), ext_block_data (file content, not logged). Functions that change the
// volume in more than one place bracket themselves with ext_txn_begin and ext_txn_end; they nest,
// and an inner failure takes back the inner part only. Freeing blocks and inodes is never inside
// a transaction: the name operations only make orphans, ext_inode_drop and ext_truncate free.
#ifndef EXT_INTERNAL_H
#define EXT_INTERNAL_H

#include <string.h>
#include "ext.h"

#define EXT_LOG_SIZE 16384u

static inline uint64_t ext_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline bool ext_has_byte(const char *s, uint32_t len, char c)
{
    for (uint32_t i = 0; i < len; i++)
        if (s[i] == c)
            return true;
    return false;
}

// txn.c
void ext_unclean_note(struct ext_vol *vol, const char *why);
int ext_block_get(struct ext_vol *vol, uint32_t blk, const void **out);
int ext_block_edit(struct ext_vol *vol, uint32_t blk, uint32_t off, uint32_t len, void **out);
int ext_block_data(struct ext_vol *vol, uint32_t blk, void **out);
int ext_block_fresh(struct ext_vol *vol, uint32_t blk, void **out);
uint32_t ext_txn_begin(struct ext_vol *vol);
int ext_txn_end(struct ext_vol *vol, uint32_t mark, int err);

// The volume is damaged: notes why, here and for e2fsck.
static inline int ext_unclean(struct ext_vol *vol, const char *why)
{
    ext_unclean_note(vol, why);
    return -LX_EUCLEAN;
}

static inline void ext_name_told(struct ext_vol *vol, uint32_t dir, const char *name, uint32_t len)
{
    if (vol->watch)
        vol->watch->name(dir, name, len);
}

// A record's place went: a cookie that names it must be looked for (EXT_ANY_COOKIE is no count).
static inline void ext_dir_merged(struct ext_vol *vol)
{
    vol->merges += vol->merges == UINT32_MAX ? 2 : 1;
}

// super.c
int ext_super_get(struct ext_vol *vol, const struct ext_disk_super **out);
int ext_super_add(struct ext_vol *vol, uint32_t field, int32_t delta);
int ext_super_set16(struct ext_vol *vol, uint32_t field, uint16_t value);
int ext_super_set32(struct ext_vol *vol, uint32_t field, uint32_t value);
#define EXT_SUPER_FIELD(f) ((uint32_t)offsetof(struct ext_disk_super, f))
int ext_group_get(struct ext_vol *vol, uint32_t group, const struct ext_disk_group **out);
int ext_group_edit(struct ext_vol *vol, uint32_t group, struct ext_disk_group **out);
bool ext_block_is_data(const struct ext_vol *vol, uint32_t blk);
uint32_t ext_data_run(const struct ext_vol *vol, uint32_t blk, uint32_t n);
int ext_writable(const struct ext_vol *vol);

// zone.c
int ext_zones_build(struct ext_vol *vol, const struct ext_disk_super *sb, struct ext_zone *room);
uint32_t ext_zones_max(uint32_t ngroups);

// bitmap.c
bool ext_bit_test(const uint8_t *map, uint32_t bit);
uint32_t ext_bit_find(const uint8_t *map, uint32_t from, uint32_t end);
uint32_t ext_bit_find_set(const uint8_t *map, uint32_t from, uint32_t end);
void ext_bits_put(uint8_t *map, uint32_t from, uint32_t end, bool on);
uint32_t ext_byte_find(const uint8_t *map, uint32_t from, uint32_t end);

// alloc.c
void ext_cred_note(struct ext_vol *vol, const struct ext_cred *cred);
#define EXT_RUN_MAX 64u // blocks that one transaction allocates
int ext_blocks_alloc(struct ext_vol *vol, uint32_t goal, uint32_t want, uint32_t *out,
                     uint32_t *got);
int ext_blocks_free(struct ext_vol *vol, uint32_t blk, uint32_t n);
uint32_t ext_group_goal(const struct ext_vol *vol, uint32_t ino);

// ialloc.c
int ext_inode_alloc(struct ext_vol *vol, const struct ext_inode *dir, uint32_t mode,
                    struct ext_inode *out);
int ext_inode_free(struct ext_vol *vol, struct ext_inode *inode);

// inode.c
bool ext_ino_valid(const struct ext_vol *vol, uint32_t ino);
void ext_inode_locate(const struct ext_vol *vol, uint32_t ino, uint32_t *blk, uint32_t *off);
int ext_inode_load_any(struct ext_vol *vol, uint32_t ino, struct ext_inode *out);
int ext_inode_load_dir(struct ext_vol *vol, uint32_t ino, struct ext_inode *out);
int ext_inode_clear(struct ext_vol *vol, uint32_t ino, uint32_t *generation);
void ext_inode_touch(struct ext_vol *vol, struct ext_inode *inode, bool content);

// map.c
int ext_map_fill(struct ext_vol *vol, struct ext_inode *inode, uint64_t lblk, uint32_t *out);

// orphan.c
int ext_orphan_add(struct ext_vol *vol, struct ext_inode *inode);
int ext_inode_end(struct ext_vol *vol, struct ext_inode *inode);
int ext_orphan_replay(struct ext_vol *vol);

// trim.c
int ext_trim(struct ext_vol *vol, struct ext_inode *inode, uint64_t keep);
int ext_tail_zero(struct ext_vol *vol, const struct ext_inode *inode, uint64_t from, uint64_t to);

// file.c
int ext_size_set(struct ext_vol *vol, struct ext_inode *inode, uint64_t size);
int ext_symlink_get(struct ext_vol *vol, const struct ext_inode *inode, const char **target);
void ext_privs_drop(const struct ext_cred *cred, struct ext_inode *inode);

// dir.c: where an entry is
struct ext_slot {
    uint32_t blk; // volume block
    uint32_t off; // byte offset in the directory
    uint32_t ino;
    uint8_t type;
};

int ext_name_check(const char *name, uint32_t len);
int ext_dirent_check(struct ext_vol *vol, const uint8_t *base, uint32_t off,
                     const struct ext_disk_dirent **out);
bool ext_dirent_is(const struct ext_disk_dirent *de, const char *name, uint32_t len);
int ext_dir_block(struct ext_vol *vol, const struct ext_inode *dir, uint32_t lblk, uint32_t *blk,
                  const uint8_t **base);
int ext_dir_find(struct ext_vol *vol, const struct ext_inode *dir, const char *name, uint32_t len,
                 struct ext_slot *out);
int ext_dir_is_empty(struct ext_vol *vol, const struct ext_inode *dir);
int ext_dir_parent(struct ext_vol *vol, const struct ext_inode *dir, uint32_t *parent);

// dirmod.c
int ext_dir_add(struct ext_vol *vol, struct ext_inode *dir, const char *name, uint32_t len,
                uint32_t ino, uint32_t mode);
int ext_dir_remove(struct ext_vol *vol, const struct ext_inode *dir, const char *name, uint32_t len,
                   const struct ext_slot *slot);
int ext_dir_replace(struct ext_vol *vol, const struct ext_slot *slot, uint32_t ino, uint32_t mode);
int ext_dir_init(struct ext_vol *vol, struct ext_inode *dir, uint32_t parent);
int ext_dir_set_parent(struct ext_vol *vol, const struct ext_inode *dir, uint32_t parent);

// dindex.c
struct ext_dindex *ext_dindex_make(void *mem, size_t size);
enum ext_dindex_answer { EXT_DINDEX_NONE, EXT_DINDEX_ABSENT, EXT_DINDEX_FOUND };
enum ext_dindex_answer ext_dindex_find(struct ext_vol *vol, const struct ext_inode *dir,
                                       const char *name, uint32_t len, struct ext_slot *out);
bool ext_dindex_open(struct ext_dindex *ix, uint32_t dir);
void ext_dindex_put(struct ext_dindex *ix, uint32_t dir, const char *name, uint32_t len,
                    uint32_t off);
void ext_dindex_del(struct ext_dindex *ix, uint32_t dir, const char *name, uint32_t len,
                    uint32_t off);
void ext_dindex_drop(struct ext_dindex *ix, uint32_t dir);
void ext_dindex_mark(struct ext_dindex *ix);
void ext_dindex_undo(struct ext_dindex *ix);
uint32_t ext_dindex_room(struct ext_dindex *ix, uint32_t dir);
void ext_dindex_room_set(struct ext_dindex *ix, uint32_t dir, uint32_t lblk);

// name.c, for rename.c as well
int ext_may_change(const struct ext_inode *dir, const struct ext_cred *cred);
int ext_may_remove(const struct ext_inode *dir, const struct ext_inode *victim,
                   const struct ext_cred *cred);
int ext_nlink_drop(struct ext_vol *vol, struct ext_inode *inode, uint32_t *orphan);
int ext_gone_end(struct ext_vol *vol, int err, struct ext_inode *inode, uint32_t *orphan);
int ext_child_load(struct ext_vol *vol, const struct ext_inode *dir, uint32_t ino,
                   struct ext_inode *out);

#endif
