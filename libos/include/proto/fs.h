// SPDX-License-Identifier: MIT
// The file server's protocol.
//
// A call goes to an endpoint whose badge names an open file of fsd; H_FSD (badge 0) names the root
// directory, not open. Paths are resolved from the file the call goes to (a directory) or, if they
// begin with '/', from the root that the file was opened under.
// Credentials are those of the calling environment's process record; ino 0 is never valid.
// w[0] = operation, w[1..5] arguments, message as told; reply w[0] = result >= 0 or -LX_E...
//
// Data. A regular file of an opener with the read or write right is offered as SEGMENTs of 512
// pages (FS_OP_SEGMENT), readable or writable as it was opened. The node page (one frame for each
// open inode, read-only) tells the size; bytes past it within the last page are zero. An access to
// a segment entry that is not there faults: ask FS_OP_FILL for the page, and when that answers
// -ENXIO it lies past the end of the file. Writing below the size is done in place by the writer.
// fsd learns of it from dirty bits, when it needs the times.
#ifndef PROTO_FS_H
#define PROTO_FS_H
#include <exo/types.h>
#include <lx/stat.h>

struct fs_node { // the node page
    uint32_t size_, version;
    uint32_t seq;  // odd while changing
    uint32_t mode; // type and permission bits
    uint64_t size; // bytes
    uint64_t ino;
    uint32_t rdev; // Linux device number encoding
    uint32_t nlink;
    uint32_t change;     // +1 whenever size or data layout changes: wait word
    uint32_t lock_event; // +1 whenever a lock on this file goes: wait word
    uint32_t fifo_readers,
        fifo_writers; // FIFO: +1 at each open for reading, for writing: wait words
    uint32_t attr;    // st is the file's; 0: ask (FS_OP_STAT)
    uint32_t durable; // what is written is as safe as it gets: FSYNC has nothing to do
    uint32_t leased;  // the file grows without us: size may be old, ask (FS_OP_SETTLE). Read first
    struct lx_stat st;
};

// A page that a process and fsd have between them, both to write (FS_OP_OWN).
//
// open: opens that the process does not use at present, but keeps for the next time. Where a
// process has the page, OPEN of a regular file for reading, or of a directory, answers a number,
// w[5]. To keep the open after closing the file, the number is put into a word that is 0; to use it
// again, it is taken out by compare-and-swap with 0. When fsd takes it out, the open is closed and
// its capabilities are gone.
//
// grow: leases to make files grow. RESERVE may answer with a place here: what lies behind the end
// of the file, to the end of the lease, is the process's to write, and it moves the end itself, by
// compare-and-swap of the word. FS_GROW(done, claimed), in bytes from where the lease begins: done
// are in the file; those to claimed are about to be. What is claimed is then copied, then done. By
// FS_GROW_ENDED fsd takes the lease away: done counts, and what is claimed stays the process's
// until its COMMIT, as after any RESERVE.
#define FS_IDLE_MAX            16
#define FS_GROW_MAX            16
#define FS_GROW(done, claimed) ((uint64_t)(claimed) << 32 | (uint32_t)(done))
#define FS_GROW_DONE(word)     ((uint32_t)(word))
#define FS_GROW_CLAIMED(word)  ((uint32_t)((word) >> 32) & 0x7fffffff)
#define FS_GROW_ENDED          (1ull << 63)
struct fs_own {
    uint32_t size, version;
    uint32_t open[FS_IDLE_MAX];
    uint64_t grow[FS_GROW_MAX];
};

// What was told of a file by its path, and how long it holds: as long as names_head.told is this
// number, for the same credentials. 0: no longer. Of an open file, `alone`: only by this open may
// the file be written, so what is told holds until its holder writes or the node page's seq
// changes.
struct fs_told {
    struct lx_stat st;
    uint32_t told, alone;
};

enum fs_op {
    FS_OP_OPEN = 1, // (flags, mode) path -> w[1] ino, w[2] size, w[3] mode | rdev << 32, w[4] uid |
                    // gid << 32; caps: [0] endpoint of the open file, [1] FRAMES of the node page.
                    // flags: Linux O_*; O_TRUNC O_CREAT O_EXCL O_DIRECTORY O_NOFOLLOW O_PATH
                    // carried out here. FIFO: caps [2] writers' half, [3] readers' half, rights as
                    // opened; w[5] = fifo_readers | fifo_writers << 32 with this open counted.
                    // Write-only and O_NONBLOCK without a reader: -LX_ENXIO. -FS_MOUNT: the path
                    // leads into another file system (see below). With w[5]: perhaps message
                    // struct fs_told
    FS_OP_STAT,     // (flags AT_*) path (may be empty: the file itself) -> message struct fs_told
    FS_OP_ACCESS,   // (mode, flags) path
    FS_OP_MKDIR,    // (mode) path
    FS_OP_MKNOD,    // (mode, dev) path
    FS_OP_UNLINK,   // (flags AT_REMOVEDIR) path
    FS_OP_LINK,     // (flags) old path NUL new path; caps[0] = directory the new path starts at, if
                    // sent
    FS_OP_RENAME,   // (flags) old path NUL new path; caps[0] likewise
    FS_OP_SYMLINK,  // target NUL path
    FS_OP_READLINK, // () path -> message target, result = length
    FS_OP_CHMOD,    // (mode, flags) path
    FS_OP_CHOWN,    // (uid, gid, flags) path; -1 keeps
    FS_OP_UTIMENS,  // (flags, atime s, atime ns, mtime s, mtime ns) path; ns UTIME_NOW / UTIME_OMIT
    FS_OP_TRUNCATE, // (size) path
    FS_OP_STATFS,   // () -> message struct lx_statfs
    FS_OP_GETCWD,   // () on a directory -> message path, from the root it was opened under
    FS_OP_CHROOT,   // () path -> as OPEN with O_PATH | O_DIRECTORY: an endpoint that is a root
                  // directory. Paths that go to it, or to what is opened through it, begin and end
                  // ("..") there. caps[0]: the directory is opened under that root instead. Only
                  // for root
    FS_OP_SYNC,  // ()
    FS_OP_NAMES, // () -> cap [0] SEGMENT to read: proto/names.h. -LX_EPERM on what was opened under
                 // another root
    FS_OP_OWN,   // () -> cap [0] FRAMES of a page of the caller's own, struct fs_own, to read and
                 // write
    // on an open file
    FS_OP_SEGMENT, // (index of the 2 MiB part, write) -> cap [0] SEGMENT; entries of existing pages
                   // filled
    FS_OP_FILL,  // (page, write) -> that page (hole or evicted) is in the segment; -ENXIO past the
                 // end
    FS_OP_READ,  // (offset, length) -> message, result = bytes (any type of file with bytes)
    FS_OP_WRITE, // (offset or -1 to append, length) message -> bytes, w[1] = new size, w[2] =
                 // offset used; extends the file; <= 4096
    FS_OP_RESERVE, // (offset or -1 to append, length, lease) -> blocks for [offset, offset+length)
                   // are in the segments (zero), size unchanged; w[1] = offset; the file's extent
                   // past the size is the caller's until commit. If a lease was asked for and there
                   // is one: w[2] = its place + 1 in struct fs_own, w[3] = where it ends; what was
                   // reserved is claimed
    FS_OP_COMMIT,  // (offset of RESERVE, length) the bytes are written: size = max(size, offset +
                   // length) -> w[1] = size. -LX_EAGAIN: the file was cut meanwhile; reserve and
                   // write again. Length 0: the reservation is given up
    FS_OP_READDIR, // (cookie, length) -> message struct lx_dirent64[], result = bytes, w[1] =
                   // cookie of the next call; d_off likewise
    FS_OP_FTRUNCATE, // (size)
    FS_OP_FSYNC,     // (data only)
    FS_OP_FALLOCATE, // (mode, offset, length)
    FS_OP_SETTLE, // () -> w[1] = size, and no lease on the file is left. On the root: none of the
                  // caller's
    FS_OP_LOCK, // (cmd F_GETLK/F_SETLK/F_SETLKW/F_OFD_*, type, start, length, pid) -> -EAGAIN: wait
                // on lock_event; GETLK: words of flock. A waiting command that is refused is noted,
                // to find deadlocks (-LX_EDEADLK), until the process's next LOCK or UNLOCK_ALL: who
                // stops waiting makes one (any F_GETLK)
    FS_OP_FLOCK,      // (operation)
    FS_OP_UNLOCK_ALL, // () process locks of the caller on this file (close)
    // between servers and init
    FS_OP_MOUNT, // root: (kind) path: from now on paths into it answer FS_MOUNT
};

// A path that leads into a directory served elsewhere (/proc by the libOS itself, /dev/pts by
// ttyd): the result is -FS_MOUNT, w[1] = kind, message = the rest of the path (after symbolic
// links), relative to the mount.
#define FS_MOUNT      4000
#define FS_MOUNT_PROC 1
#define FS_MOUNT_PTS  2
#define FS_ROOT_DEV   0x801 // st_dev of the root volume
#endif
