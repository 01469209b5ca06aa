// SPDX-License-Identifier: MIT
// Files: what a descriptor refers to.
//
//     descriptor -> struct file (private) -> open-file state (private, or a page shared after fork)
//                                         -> object: capabilities and their windows
//
// A struct file is this process's view of one open file description: dup and dup2 share it by
// reference count, fork shares the description by sharing its state page and copying the
// capabilities. Everything else in it can be rebuilt from the capabilities.
//
// The state (offset and status flags) starts private and moves to a page of its own the first time
// the process forks (ofd_share): an open that never meets a fork costs no page.
//
// Locks: none yet within the process; one libOS call runs at a time. Shared pages are advanced by
// compare-and-swap.
#ifndef FS_FILE_H
#define FS_FILE_H

#include <core/libos.h>
#include <lx/fcntl.h>
#include <lx/stat.h>
#include <lx/termios.h>

// Open-file state. When shared, other processes write it too: hostile, read once.
struct ofd_state {
    uint32_t size, version;
    volatile uint64_t offset;
    volatile uint32_t flags; // O_* status flags that F_SETFL may change
};

enum libos_fd_kind {
    FD_KIND_NONE,
    FD_KIND_REGULAR,
    FD_KIND_DIR,
    FD_KIND_PIPE, // and FIFO
    FD_KIND_DEV,  // null, zero, full, random: no server
    FD_KIND_TTY,
    FD_KIND_PROC,  // /proc, made by the libOS
    FD_KIND_LOG,   // kernel log (servers)
    FD_KIND_PATH,  // O_PATH
    FD_KIND_EVENT, // eventfd, timerfd, epoll: in-process objects
};

struct file;
struct poll_set { // what a poll waits on
    struct exo_cond *conds;
    unsigned count, max;
    exo_ns_t deadline; // earliest moment at which a file becomes ready by time alone
};

// n is at most LX_RW_MAX. `buf` is application memory. A transfer that moved bytes returns their
// number even if an error ended it. offset: NULL for the file's own position (or none).
struct file_ops {
    enum libos_fd_kind kind;
    long (*read)(struct file *file, uint64_t buf, size_t n, const uint64_t *offset);
    long (*write)(struct file *file, uint64_t buf, size_t n, const uint64_t *offset);
    long (*seek)(struct file *file, int64_t offset, int whence);
    long (*readdir)(struct file *file, uint64_t buf, size_t n);
    long (*ioctl)(struct file *file, uint64_t request, uint64_t arg);
    int (*stat)(struct file *file, struct lx_stat *st);
    long (*truncate)(struct file *file, uint64_t size);
    // Ready events now; adds conditions whose change may make more of `events` ready.
    unsigned (*poll)(struct file *file, unsigned events, struct poll_set *set);
    int (*fork)(struct file *file);   // before fork: share what must be shared; 0 or -LX_E
    void (*close)(struct file *file); // the last reference in this process goes
};

#define FILE_PARTS_INLINE 2
struct file_part {    // 2 MiB of a regular file
    exo_handle_t seg; // 0: not asked for yet
    uint8_t *window;  // NULL: not mapped
    bool writable;
};

struct grow {            // the lease of a regular file (grow.c)
    uint64_t word;       // where its word is; 0: none
    uint64_t start, end; // bytes of the file
    uint32_t served;     // writes that needed no call
    uint32_t calls;      // that made the file grow, since it was last asked for
    uint32_t patience;   // how many more of them than usual before it is asked for again
};

struct dir_ahead {   // entries of a directory that nobody has asked for yet
    uint64_t cookie; // of the first of them
    uint64_t after;  // behind the last
    uint32_t at, length;
    uint8_t bytes[EXO_MSG_SIZE];
};

struct file {
    const struct file_ops *ops;
    uint32_t refs;
    uint32_t access; // O_RDONLY, O_WRONLY, O_RDWR
    struct ofd_state *state;
    struct ofd_state own_state; // while private
    exo_handle_t state_cap;     // FRAMES of the shared state page, or 0
    exo_handle_t endpoint;      // open file of fsd or ttyd, or 0
    exo_handle_t node_cap;
    const volatile struct fs_node *node; // window of the node page
    uint64_t ino;
    uint32_t mode, rdev;
    bool by_exe;   // opened as /proc/self/exe
    uint32_t idle; // number by which fsd lets the open be kept, or 0
    uint32_t idle_age;
    bool locked; // a lock may be on the open itself
    bool mapped; // in this process, perhaps to be written
    // What fstat was told last by an open that alone may write, when the node page's seq was this.
    struct lx_stat *told;
    uint32_t told_seq;
    union {
        struct {
            struct file_part *parts; // grows
            uint32_t nparts;
            struct grow grow;
        } reg;
        struct {
            struct dir_ahead *ahead; // NULL: nothing was read ahead
        } dir;
        struct pipe_end *pipe;
        void *private;
    };
};

struct fd_entry {
    struct file *file;
    bool cloexec;
};
#define TOLD_NOTHING 1u // as told_seq: no settled seq is odd

struct fd_table { // what a simulated vfork child gets a copy of
    struct fd_entry *entry;
    uint32_t size;
    uint32_t lowest; // no free descriptor below
    uint32_t umask;
    struct file *cwd;  // NULL: the root directory
    struct file *root; // NULL: the volume's
};

extern const struct file_ops regular_ops, dir_ops, pipe_ops, tty_ops, proc_ops, log_ops, path_ops;

// --- fd.c ----------------------------------------------------------------------------------------
struct file *file_new(const struct file_ops *ops, uint32_t open_flags); // refs 1; NULL: no memory
struct file *file_ref(struct file *file);
void file_begin(struct file *file, uint32_t open_flags); // as if just opened
void file_end(struct file *file);                        // no reference is left
int fd_install(struct file *file, uint32_t open_flags,
               int lowest);   // takes the reference; fd or -LX_EMFILE (then the
                              // reference is dropped)
bool fd_room(void);           // there is a free descriptor under the limit
struct file *fd_file(int fd); // borrowed; NULL = EBADF
struct fd_table *fd_current(void);
exo_handle_t fd_root(void); // endpoint of the root directory
extern bool fd_locks_used;  // the process has taken record locks: closing any descriptor of their
                            // file drops them
uint64_t fd_limit(void);    // RLIMIT_NOFILE (proc/rlimit.c)

static inline bool file_readable(const struct file *file)
{
    return file->access != LX_O_WRONLY && file->ops != &path_ops;
}
static inline bool file_writable(const struct file *file)
{
    return file->access != LX_O_RDONLY && file->ops != &path_ops;
}
static inline uint32_t file_flags(const struct file *file)
{
    return file->state->flags;
}

// Of n bytes from `at` on, how many may be written under RLIMIT_FSIZE; none: SIGXFSZ and -LX_EFBIG.
// POSIX: write().
long file_within_limit(size_t n, uint64_t at);

// --- file.c, grow.c
// Copies n bytes between memory and the file at `offset`, all of it within the size or reserved.
// Returns the bytes moved, or an error if none were.
long file_transfer(struct file *file, uint8_t *mem, size_t n, uint64_t offset, bool write);
// Makes the file grow at *offset (UINT64_MAX: its end; where that was is told).
long file_extend(struct file *file, uint64_t buf, size_t n, uint64_t *offset);
__attribute__((cold)) uint64_t
grow_size(struct file *file);       // of a file that somebody has a lease on
void grow_close(struct file *file); // the file goes
void grow_flush(void);              // before a fork

// --- path.c --------------------------------------------------------------------------------------
// A path of the application, copied into the message page of the next call.
// Where a path begins: the endpoint to call. Directory of `dirfd`, working directory, or root.
int path_base(int dirfd, exo_handle_t *endpoint);
// Copies the user path to msg_page() + at; length with NUL, or -LX_E.
long path_copy(uint64_t upath, size_t at);
// One call with one path: op, up to five arguments. m->w holds the answer. -FS_MOUNT: mount.h.
long path_call(int dirfd, uint64_t upath, enum fs_op op, const uint64_t args[5], struct exo_msg *m);
// The same with `length` bytes of one or two paths already in the message page, and m->w and `caps`
// capabilities set.
long path_send(int dirfd, size_t length, struct exo_msg *m, unsigned caps);
long path_opened(const struct exo_msg *m, uint32_t flags,
                 struct file **out); // what the answer to OPEN or CHROOT brought
long path_open_at(int dirfd, size_t length, uint32_t flags, uint32_t mode, struct file **out);
// The libOS's own path; not terminated; the whole length, or -LX_E.
long path_readlink(const char *path, char *target, size_t max);
long path_stat(int dirfd, uint64_t upath, uint32_t flags, struct lx_stat *st);

// --- lookup.c: names that everybody may know, without a call
// Paths may be the application's, and so may the struct lx_stat. 0, -LX_ENOENT, or LOOKUP_ASK: then
// *st may be anything.
#define LOOKUP_ASK 1 // fsd must be asked
long lookup_stat(int dirfd, uint64_t path, bool follow, uint64_t st);
// What fsd tells this process alone (struct fs_told): before and after the call, with the path in
// the message page before, and the answer, unless there is none, in it after.
void lookup_asks(int dirfd);
void lookup_told(const struct exo_msg *m);
bool lookup_missing(int dirfd, uint64_t path);     // there is surely no such file
bool lookup_ino(uint64_t ino, struct lx_stat *st); // of an inode that is open
bool lookup_is_root(uint64_t ino);
bool lookup_moved(uint32_t *moved); // struct names_head; false: not known
long lookup_access(const struct lx_stat *st, uint32_t mode, bool effective); // 0 or -LX_E
void lookup_end(void);              // never again: what the process's root hides is not for it
struct file *path_start(int dirfd); // NULL: the root directory, or EBADF

// --- idle.c: closed files that are kept open
bool idle_keep(struct file *file); // no reference is left; true: kept, not to be ended
void idle_may_keep(struct file *file, uint32_t number);           // fsd's number, or 0
struct file *idle_open(int dirfd, uint64_t path, uint32_t flags); // or NULL: not kept
struct file *idle_take(uint64_t ino, const struct file_ops *ops); // likewise; refs is 0
bool idle_ready(void);                                            // files may be kept
struct fs_own *own_page(void); // what we share with fsd alone, asked for if need be; NULL: none
void idle_flush(void);         // before a fork

// --- others --------------------------------------------------------------------------------------
long dev_open(uint32_t rdev, uint32_t mode, uint32_t flags,
              struct file **out); // character devices by number
long tty_open(uint32_t rdev, uint32_t flags, struct file **out);
long tty_change(struct file *file, int op, uint64_t a, uint64_t b); // TTY_OP_CHMOD, TTY_OP_CHOWN
uint64_t pipe_number(const struct file *file);                      // what fstat and /proc show
long fifo_open(struct file *file, const exo_handle_t caps[2], uint32_t flags,
               uint64_t opens); // blocks as open(2) on a FIFO does
int ofd_share(struct file *file);
int endpoint_stat(struct file *file, struct lx_stat *st); // fsd's answer for an open file
void dir_begin(struct file *file);                        // its entries are as of now
void poll_word(struct poll_set *set, const volatile uint32_t *word, uint32_t value);
void poll_cap(struct poll_set *set, enum exo_cond_kind kind, exo_handle_t cap, uint32_t least);

#endif
