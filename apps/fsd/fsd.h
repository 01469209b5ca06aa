// SPDX-License-Identifier: MIT
// The file server: names, protection and block allocation of the root volume. Data is not its business: clients read
// and write through segments whose entries are the volume's own frames.
//
//     open     one open file description: an endpoint capability with a badge; its last copy's end closes it
//     node     an inode that somebody has open: node page, segments, locks, FIFO; shared by its opens
//     block    a block of the volume is a frame: of the boot module, or bought when first needed
//
// One thread; a call is answered at once. Every argument is hostile: bounded before use, paths copied before parsing,
// rights decided by what was opened and by the caller's process record, never by what the caller says.
#ifndef FSD_H
#define FSD_H

#include <exo/domain.h>
#include <fs/ext/ext.h>
#include <lx/errno.h>
#include <lx/fcntl.h>
#include <lx/stat.h>
#include <proto/fs.h>
#include <proto/proc.h>
#include <proto/server.h>
#include <proto/start.h>
#include <stdbool.h>
#include <sys/queue.h>

#define PAGE       EXO_PAGE_SIZE
#define PART_PAGES 512u

struct part { // 2 MiB of a file
    exo_handle_t seg;
    uint64_t present[8]; // entries that are filled
    uint64_t zero[8];    // of these: with the zero page, for a hole
};

struct lock { // a record lock
    LIST_ENTRY(lock) link;
    int type; // LX_F_RDLCK, LX_F_WRLCK
    int64_t start, end; // inclusive
    uint64_t env;       // owner: a process ...
    int pid;
    struct open *open;  // ... or an open file description
};

struct node {
    LIST_ENTRY(node) hash;
    uint32_t ino;
    uint32_t opens;
    uint32_t mode;
    struct fs_node *page;
    exo_handle_t page_cap;
    exo_fn_t frame;
    struct part *parts;
    uint32_t nparts;
    bool written;  // a writable segment is out: dirty bits tell of writes
    bool reserved; // blocks past the end are allocated
    bool orphan;   // no name is left
    LIST_HEAD(, lock) locks;
    LIST_HEAD(, open) openers;
    struct fifo *fifo;
};

struct open {
    uint32_t index, generation;
    struct node *node;
    uint32_t access;     // LX_O_RDONLY ...; O_PATH opens have none
    bool path_only;
    bool may_map_write;  // the opener may read too, so a writable mapping tells it nothing new
    exo_handle_t cap;    // ours, whose children the clients hold
    int flock;           // LX_LOCK_SH, LX_LOCK_EX or 0
    LIST_ENTRY(open) link;
};

struct request {
    struct exo_msg *m;
    const uint64_t *arg;  // w[1..5]
    struct open *open;    // NULL: the root
    uint64_t env;
    int pid;
    struct ext_cred cred;
    uint32_t ruid, rgid;
    uint32_t groups[PROC_NGROUPS];
    size_t bytes;         // of message
    char path[EXO_MSG_SIZE + 1];
    exo_handle_t received;
};

extern struct ext_vol vol;
#define CTX ((struct exo_ctx *)LIBOS_CTX)
#define MSG ((char *)LIBOS_CTX + PAGE)

// dev.c
int dev_init(exo_handle_t module, uint64_t bytes, struct ext_dev **dev);
int dev_frame(uint32_t blk, exo_handle_t *frames, uint64_t *first); // where a block's frame is
uint64_t dev_room(void);                                             // frames that may still be bought

// node.c
struct node *node_get(uint32_t ino);  // + one open; NULL: no memory
void node_put(struct node *n);
struct node *node_find(uint32_t ino); // or NULL
int node_publish(struct node *n);     // size, mode, nlink from the volume
void node_event(struct node *n, uint32_t *word);
int node_segment(struct node *n, uint64_t index, struct part **part);
int node_refresh(struct node *n, uint64_t first_page, uint64_t pages); // enters blocks that came to be
void node_cut(struct node *n, uint64_t first_page);                   // entries from there on go, before the blocks do
int node_fill(struct node *n, uint64_t page, bool write, const struct ext_cred *cred);
void node_note_writes(struct node *n); // dirty bits become times
int node_truncate(uint32_t ino, uint64_t size, const struct ext_cred *cred);
void node_orphaned(uint32_t ino);      // its last name went

// open.c
extern exo_handle_t endpoint;
struct open *open_by_badge(uint64_t badge);
void open_childless(exo_handle_t cap);
long op_open(struct request *r);
struct fifo;
void fifo_drop(struct fifo *f);
long fifo_caps(struct node *n, uint32_t access, struct exo_send send[2]);

// names.c, attr.c, data.c, lock.c
int walk(struct request *r, uint32_t start, const char *path, size_t len, uint32_t flags, struct ext_walk *out);
uint32_t start_ino(const struct request *r);
int target_ino(struct request *r, uint64_t at_flags, uint32_t *ino); // of the path, or the file itself
extern uint32_t proc_ino;
long op_name(struct request *r);
long op_attr(struct request *r);
long op_data(struct request *r);
long op_lock(struct request *r);
void locks_drop_open(struct node *n, const struct open *o);

#endif
