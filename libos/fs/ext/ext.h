// SPDX-License-Identifier: MIT
//
// The ext2 volume library: names, inodes and blocks of one volume, without an operating system.
//
// The user supplies a block device that turns a block number into the address of its 4 KiB, and one
// piece of memory at mount; the library allocates nothing else. fsd runs it over frames in memory,
// a research application may run the same code over an extent of its own.
//
// Contract with the device
//   - A pointer from block() or fresh() stays valid until the ext_ call in progress returns.
//   Between
//     calls the owner may unpin, write back or evict what it likes: nothing is remembered.
//   - Once a block was given out for writing in a call, it can be had for writing again in the same
//     call. The undo of a failed operation depends on it.
//   - Nobody else changes metadata blocks during a call. Data blocks may change at any time (they
//   are
//     mapped by clients); their content is never interpreted, except that a symbolic link's target
//     is read in place. Blocks of bitmaps, tables and superblocks never pass as file data, whatever
//     an inode claims; that is checked against a table made at mount.
//
// Errors: every function returns >= 0, or -LX_E... (lx/errno.h). What the volume itself has wrong
// is -LX_EUCLEAN; vol->why then says what, and the volume is marked for e2fsck. An operation that
// fails leaves names, inodes and bitmaps as they were: changes are recorded in an undo log and
// taken back (txn.c). Exceptions, as in POSIX: ext_write may have written less than asked and says
// how much.
//
// Orphans: a file that lost its last name while somebody uses it (ext_watch) stays, on the on-disk
// orphan list, until ext_inode_drop. The name operations report such an inode; the caller drops it
// when nobody has it open. A mount after a crash drops what is on the list.
//
// Credentials: name operations check search and write permission, the sticky bit and the immutable
// and append-only flags against `cred`; NULL is the system itself, which may do everything.
//
// Concurrency: one call at a time per volume; the caller holds whatever lock that takes.
// Time: the caller stores the current time in vol->now before calling.
#ifndef EXT_H
#define EXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lx/errno.h>
#include <lx/stat.h>
#include "disk.h"

struct ext_dev {
    // Address of the block's 4 KiB, or NULL; then `error` may hold the -LX_E... to report (else
    // -LX_EIO for reading, -LX_ENOSPC for writing). Blocks beyond the loaded image read as zero.
    void *(*block)(struct ext_dev *dev, uint32_t blk, bool will_write);
    // Optional. The block is being allocated: its address, content all zero. A device that hands
    // out frames gives a new zeroed frame here, so that nobody keeps a mapping of the old one.
    void *(*fresh)(struct ext_dev *dev, uint32_t blk);
    // Optional. The block is free now: its content is not needed any more, and its address will not
    // be used in this call either.
    void (*discard)(struct ext_dev *dev, uint32_t blk);
    // Optional. Addresses of the blocks that are in memory and stay, nblocks of them; NULL: ask
    // block(). The device changes it as it likes between two calls and in its functions.
    void *const *at;
    uint32_t nblocks;    // the volume may not claim more
    uint32_t block_size; // must be 4096
    int error;
};

struct ext_time {
    int64_t sec;
    uint32_t nsec;
};

// An inode in memory: a copy. It is stale as soon as another operation touches the same inode.
struct ext_inode {
    uint32_t ino;
    uint16_t mode;
    uint16_t nlink;
    uint32_t uid, gid;
    uint64_t size;   // bytes
    uint64_t blocks; // of 512 bytes, indirect blocks included
    uint32_t flags, generation;
    uint32_t file_acl;
    uint32_t dtime; // of an orphan: the next orphan
    struct ext_time atime, mtime, ctime, crtime;
    uint32_t block[EXT_NBLOCK];
};

struct ext_cred {
    uint32_t uid, gid;
    const uint32_t *groups;
    uint32_t ngroups;
};

struct ext_zone {
    uint32_t start, count;
};

// Optional: for who remembers what it looked up. Told before the operation that changes it returns.
struct ext_watch {
    // The directory has, or has not, or has for another inode, an entry of this name.
    void (*name)(uint32_t dir, const char *name, uint32_t len);
    void (*inode)(const struct ext_inode *inode); // is stored
    // The directory has another name: it was in `from` and is in `to`.
    void (*moved)(uint32_t dir, uint32_t from, uint32_t to);
    void (*undone)(void); // changes that were told of have been taken back
    // The inode loses its last name: does somebody use it still? (NULL: yes)
    bool (*held)(uint32_t ino);
};

struct ext_dindex;

struct ext_vol {
    struct ext_dev *dev;
    struct ext_time now; // set by the caller before each call
    const char *why;     // what was wrong with the volume at the last -LX_EUCLEAN or failed mount
    bool read_only;
    bool has_filetype;
    bool was_valid; // s_state at mount
    bool may_reserve;
    uint32_t nblocks, ninodes, ngroups;
    uint32_t blocks_per_group, inodes_per_group;
    uint32_t inode_size, first_ino, extra_isize;
    uint32_t reserve_uid, reserve_gid;
    uint32_t overhead; // blocks of metadata
    struct ext_zone *zones;
    uint32_t nzones;
    uint32_t *hints;  // per group: bit where the last search ended
    uint32_t *tables; // per group: first block of the inode table
    uint8_t *log;
    uint32_t log_len, txn_depth;
    uint32_t merges; // +1 whenever a place where a directory's record began is none any more
    struct ext_dindex *index;      // NULL when the memory is too small for one
    const struct ext_watch *watch; // set by the caller after the mount, or NULL
};

// --- the volume (super.c) ---

struct ext_mount_args {
    void *mem; // aligned to 16; the library's until unmount
    size_t mem_size;
    struct ext_time now;
    bool read_only;
};

// Bytes of memory a mount needs at least; more makes the directory index larger (1 MiB serves
// about 14000 names). The device need not hold a valid volume: then -LX_EINVAL or -LX_EUCLEAN.
int64_t ext_mount_size(struct ext_dev *dev);
// 0, or -LX_EINVAL (not ext2, not 4 KiB blocks, an unknown incompatible feature), -LX_EUCLEAN,
// -LX_ENOMEM, -LX_EIO; vol->why is a sentence in each case. A volume with unknown read-only
// features is mounted read-only (look at vol->read_only). Drops the orphans of a crash.
int ext_mount(struct ext_vol *vol, struct ext_dev *dev, const struct ext_mount_args *args);
// Writes the state a clean unmount leaves. The blocks are the device's to write out.
int ext_unmount(struct ext_vol *vol);
// As unmount, but the volume stays in use: `clean` marks it valid (before a pause, or to save the
// image), !clean marks it in use again.
int ext_sync(struct ext_vol *vol, bool clean);
int ext_statfs(struct ext_vol *vol, struct lx_statfs *out);

// --- inodes (inode.c, attr.c) ---

// -LX_ESTALE for a number that is not in use, -LX_EUCLEAN for an inode that makes no sense.
int ext_inode_load(struct ext_vol *vol, uint32_t ino, struct ext_inode *out);
int ext_inode_store(struct ext_vol *vol, const struct ext_inode *inode);
// The last holder of a nameless inode is gone: frees its blocks and itself. -LX_EBUSY if it has
// names. After an I/O error it is still an orphan and may be dropped again.
int ext_inode_drop(struct ext_vol *vol, uint32_t ino);
// Device numbers are in Linux's 32-bit encoding, the one in st_rdev.
uint32_t ext_inode_rdev(const struct ext_inode *inode);
bool ext_inode_is_fast_symlink(const struct ext_inode *inode);

void ext_stat_fill(const struct ext_inode *inode, uint64_t dev, struct lx_stat *out);
void ext_statx_fill(const struct ext_inode *inode, uint64_t dev, struct lx_statx *out);

#define EXT_ATTR_MODE  0x01u // permission bits, set-id and sticky
#define EXT_ATTR_UID   0x02u
#define EXT_ATTR_GID   0x04u
#define EXT_ATTR_ATIME 0x08u
#define EXT_ATTR_MTIME 0x10u
#define EXT_ATTR_NOW   0x20u // with ATIME/MTIME: the current time, allowed to whoever may write
#define EXT_ATTR_FORCE 0x40u // no permission check, no change of ctime: lazy times of the server

struct ext_attr {
    uint32_t what;
    uint32_t mode, uid, gid;
    struct ext_time atime, mtime;
};

// chmod, chown, utimensat with their permission rules and the clearing of set-id bits.
int ext_attr_set(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino,
                 const struct ext_attr *attr);

// --- permissions (access.c) ---

#define EXT_R 4u
#define EXT_W 2u
#define EXT_X 1u

// 0 or -LX_EACCES. uid 0 may read and write everything, search every directory, and execute what
// anybody may execute.
int ext_access(const struct ext_inode *inode, uint32_t uid, uint32_t gid, const uint32_t *groups,
               uint32_t ngroups, uint32_t want);
int ext_cred_access(const struct ext_inode *inode, const struct ext_cred *cred, uint32_t want);
bool ext_cred_in_group(const struct ext_cred *cred, uint32_t gid);
// The directory is sticky and uid owns neither it nor the inode: may not remove or rename.
bool ext_sticky_denies(const struct ext_inode *dir, const struct ext_inode *inode, uint32_t uid);

// --- file blocks (map.c, trim.c) ---

#define EXT_FILE_MAX 2196873666560ull // bytes; what 32-bit sector counts leave

// Volume block of a file block; 0 is a hole.
int ext_map_get(struct ext_vol *vol, const struct ext_inode *inode, uint64_t lblk, uint32_t *out);
// As above for n blocks at once.
int ext_map_list(struct ext_vol *vol, const struct ext_inode *inode, uint64_t lblk, uint32_t n,
                 uint32_t *out);
// Makes sure the block exists; a new one is zero. Changes *inode and stores it.
int ext_map_alloc(struct ext_vol *vol, const struct ext_cred *cred, struct ext_inode *inode,
                  uint64_t lblk, uint32_t *out);
// The same for as many of n blocks, from lblk on, as one step makes or finds: *got, at least one.
int ext_map_alloc_run(struct ext_vol *vol, const struct ext_cred *cred, struct ext_inode *inode,
                      uint64_t lblk, uint32_t n, uint32_t *got);

// --- file bytes (file.c) ---

// Bytes read; 0 at or after the end.
int64_t ext_read(struct ext_vol *vol, uint32_t ino, void *buf, uint64_t off, size_t len);
// Bytes written, at least one, or the error. Extends the file, sets times, takes set-id bits away.
int64_t ext_write(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, const void *buf,
                  uint64_t off, size_t len);
// The caller wrote [off, end) into data blocks itself: new size if larger, zeroes between the old
// end and off, times, set-id bits.
int ext_write_done(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, uint64_t off,
                   uint64_t end);
// Frees what is behind the new end and zeroes the rest of its block; a larger size makes a hole.
int ext_truncate(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, uint64_t size);
// Frees what ext_map_alloc has allocated behind the end. Changes no times.
int ext_trim_end(struct ext_vol *vol, uint32_t ino);
// Allocates every hole in [off, off+len) and extends the file. After -LX_ENOSPC the size is the old
// one; holes filled below it stay filled.
int ext_allocate(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, uint64_t off,
                 uint64_t len);
// Target of a symbolic link; the length, cut to `len` as readlink does.
int ext_readlink(struct ext_vol *vol, uint32_t ino, char *buf, size_t len);

// --- directories (dir.c) ---

struct ext_dirent {
    uint32_t ino;
    uint8_t type; // LX_DT_...
    uint8_t name_len;
    const char *name; // not terminated; valid during the callback
    uint64_t next;    // cookie of the entry behind this one
};

// Inode number of a name; "." and ".." work. No permission check.
int ext_lookup(struct ext_vol *vol, uint32_t dir, const char *name, uint32_t len, uint32_t *ino);
// Calls emit for each entry from *cookie on (0 is the start) and moves *cookie behind each entry
// emit took; emit returns false for the entry it has no room for. A cookie stays good while entries
// come and go: an entry that exists all along is seen exactly once.
int ext_dir_iterate(struct ext_vol *vol, uint32_t dir, uint64_t *cookie,
                    bool (*emit)(void *ctx, const struct ext_dirent *entry), void *ctx);

// The same as Linux's getdents64 has it: records from *cookie on, as many as fit into `room` bytes,
// all of which may be written to. Their length; -LX_EINVAL if not one fits. *merges: what the call
// that gave this cookie stored there, for the same directory; with any other cookie EXT_ANY_COOKIE.
#define EXT_ANY_COOKIE 0u
int ext_dir_list(struct ext_vol *vol, uint32_t dir, uint64_t *cookie, uint32_t *merges,
                 uint8_t *out, uint32_t room);

// --- names (name.c, rename.c) ---

struct ext_create_args {
    uint32_t mode;      // type and permission bits; the caller applied the umask
    uint32_t rdev;      // of LX_S_IFCHR and LX_S_IFBLK
    const char *target; // of LX_S_IFLNK
    uint32_t target_len;
    const struct ext_cred *owner; // of the new inode; NULL: cred
};

int ext_create(struct ext_vol *vol, const struct ext_cred *cred, uint32_t dir, const char *name,
               uint32_t len, const struct ext_create_args *args, uint32_t *ino);
int ext_link(struct ext_vol *vol, const struct ext_cred *cred, uint32_t ino, uint32_t dir,
             const char *name, uint32_t len);
// *orphan: the inode that lost its last name and waits for ext_inode_drop, or 0.
int ext_unlink(struct ext_vol *vol, const struct ext_cred *cred, uint32_t dir, const char *name,
               uint32_t len, uint32_t *orphan);
int ext_rmdir(struct ext_vol *vol, const struct ext_cred *cred, uint32_t dir, const char *name,
              uint32_t len, uint32_t *orphan);
int ext_rename(struct ext_vol *vol, const struct ext_cred *cred, uint32_t odir, const char *oname,
               uint32_t olen, uint32_t ndir, const char *nname, uint32_t nlen, uint32_t flags,
               uint32_t *orphan);

// --- paths (walk.c) ---

#define EXT_WALK_NOFOLLOW 1u // AT_SYMLINK_NOFOLLOW: a symbolic link at the end is the result
#define EXT_WALK_CREATE   2u // the last component may be missing (then ino is 0)
#define EXT_WALK_PARENT   4u // for unlink, rename, mkdir...: as NOFOLLOW|CREATE, even before "/"
#define EXT_SYMLINK_MAX   40

enum ext_last { EXT_LAST_NORM, EXT_LAST_ROOT, EXT_LAST_DOT, EXT_LAST_DOTDOT };

struct ext_walk_env {
    const struct ext_cred *cred;
    uint32_t root_ino, start_ino;
    // Optional: is another file system mounted on this inode?
    bool (*crosses)(void *ctx, uint32_t ino);
    void *ctx;
};

struct ext_walk {
    uint32_t ino;       // 0: the last component does not exist (CREATE, PARENT only)
    uint32_t parent;    // directory of the last component
    enum ext_last last; // what the last component is; `name` holds it if EXT_LAST_NORM
    bool must_be_dir;   // the path ended in "/"
    bool crossed;       // ino is a mount point and `rest` is the path behind it (perhaps empty)
    uint16_t links;     // symbolic links followed
    uint32_t name_len, rest_len;
    char name[LX_NAME_MAX + 1];
    char rest[LX_PATH_MAX];
};

int ext_walk(struct ext_vol *vol, const struct ext_walk_env *env, const char *path, uint32_t len,
             uint32_t flags, struct ext_walk *out);

#endif
