// SPDX-License-Identifier: MIT
// The file server: names, protection and block allocation of the root volume. Data is not its
// business: clients read and write through segments whose entries are the volume's own frames.
//
//     open     one open file description: an endpoint capability with a badge; its last copy's end
//              closes it
//     node     an inode that somebody has open (or had a moment ago): node page, segments, locks,
//              FIFO; shared by its opens
//     block    a block of the volume is a frame: of the boot module, or bought when first needed
//
// One thread; a call is answered at once. Every argument is hostile: bounded before use, paths
// copied before parsing, rights decided by what was opened and by the caller's process record,
// never by what the caller says.
//
// What clients got stays in their hands for as long as they like, so nothing that is taken back
// relies on them: segment entries are cleared before a block is freed, and the capabilities of a
// closed file are revoked (reap.c).
#ifndef FSD_H
#define FSD_H

#include <exo/domain.h>
#include <fs/ext/ext.h>
#include <lx/errno.h>
#include <lx/fcntl.h>
#include <lx/stat.h>
#include <proto/fs.h>
#include <proto/names.h>
#include <proto/proc.h>
#include <proto/server.h>
#include <proto/start.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/tree.h>

#define PAGE       EXO_PAGE_SIZE
#define PART_PAGES 512u

struct part { // 2 MiB of a file
    RB_ENTRY(part) link;
    uint64_t index;
    exo_handle_t seg;
    uint32_t uid;        // who pays
    bool written;        // a writable capability is out
    uint64_t present[8]; // entries that are filled
    uint64_t zero[8];    // of these: with the zero page, for a hole
};

struct lock { // a record lock
    LIST_ENTRY(lock) link;
    int type;           // LX_F_RDLCK, LX_F_WRLCK
    int64_t start, end; // inclusive
    uint64_t env;       // owner: a process ...
    int pid;
    uint32_t uid;      // who pays
    struct open *open; // ... or an open file description
};

struct reserve { // blocks past the end, between RESERVE and COMMIT
    LIST_ENTRY(reserve) link;
    struct open *open; // owner: a process, through this open
    uint64_t env;
    uint64_t start, end;
    uint32_t uid;
    bool broken; // the file was cut meanwhile: what was written there is lost, to be done again
    struct holder *holder; // of a lease (lease.c), or NULL
    uint32_t place;        // in its page
    LIST_ENTRY(reserve) lease_link;
};

struct page { // shared with clients
    void *at;
    exo_handle_t cap;
    exo_fn_t frame;
};

struct node {
    LIST_ENTRY(node) hash;
    TAILQ_ENTRY(node) idle_link; // while opens == 0
    uint32_t ino;
    uint32_t opens;
    uint32_t mode;
    uint32_t uid;       // who pays
    uint64_t spare_end; // blocks past the end may be there up to this one
    struct page shared;
    struct fs_node *page; // in it
    RB_HEAD(parts, part) parts;
    bool written;     // a writable segment is out: dirty bits tell of writes
    bool user_writes; // ... to somebody who is not root
    bool orphan;      // no name is left
    LIST_HEAD(, lock) locks;
    LIST_HEAD(, lock_wait) waits;
    LIST_HEAD(, reserve) reserves;
    struct reserve *lease; // one of them, or NULL
    LIST_HEAD(, open) openers;
    struct fifo *fifo;
};

struct open {
    uint32_t index, generation;
    struct node *node;
    struct node *root; // where its paths begin; NULL: the volume's root
    uint32_t uid;      // who pays
    uint32_t access;   // LX_O_RDONLY ...
    bool path_only;    // O_PATH
    bool append_only;  // the inode's flag
    bool no_atime;
    bool may_map_write;    // the opener may read too, so a writable mapping tells it nothing new
    bool in_fifo;          // counted as an end
    exo_handle_t cap;      // ours, whose children the clients hold
    int flock;             // LX_LOCK_SH, LX_LOCK_EX or 0
    uint64_t list_next;    // cookie of what READDIR has not given yet
    uint32_t list_merges;  // as ext_dir_list has it
    uint32_t ahead;        // pages that its last lease had past what was asked for
    struct holder *holder; // who may keep it, or NULL
    LIST_ENTRY(open) link;
};

struct holder { // a process that has such a page
    LIST_ENTRY(holder) link;
    uint64_t env;
    uint32_t uid;    // who pays
    uint32_t opens;  // that it may keep, and leases
    uint32_t leases; // by place
    struct page page;
};

struct request {
    struct exo_msg *m;
    const uint64_t *arg; // w[1..5]
    struct open *open;   // NULL: the root
    uint64_t env;
    int pid;
    struct ext_cred cred;
    uint32_t payer; // whose share pays: the user's, or that of the job the process is in
    uint32_t ruid, rgid;
    uint32_t groups[PROC_NGROUPS];
    bool is_public; // what the path led to: through directories everybody may search and read
    bool tells;     // of what is not, the caller may remember the answer
    bool told;      // names_walk led there
    size_t bytes;   // of message
    char path[EXO_MSG_SIZE + 8]; // the end can be read by words
    exo_handle_t received;
};

extern struct ext_vol vol;
#define CTX ((struct exo_ctx *)LIBOS_CTX)
#define MSG ((char *)LIBOS_CTX + PAGE)

// serve.c
void clock_set(void);
void serve_call(struct exo_msg *m); // the request becomes the reply

// dev.c
int dev_init(exo_handle_t module, uint64_t bytes, struct ext_dev **dev);
int dev_frame(uint32_t blk, exo_handle_t *frames, uint64_t *first); // where a block's frame is
void *dev_memory(uint32_t blk);                                     // its address, or NULL
uint64_t dev_free(uint64_t free_blocks); // how many of the volume's free blocks can be had
// Gives chunks of frames back that no block has, as many as these frames need; false: there is
// none.
bool dev_give_back(uint64_t frames);
// Chunks of some `frames` frames are emptied: begin chooses them (false: none), then whoever shows
// their blocks to others stops that, then end moves them.
bool dev_leave_begin(uint64_t frames);
bool dev_leaves(uint32_t blk);
void dev_leave_end(void);

// quota.c: what each user made us keep, in units of QUOTA_UNIT bytes.
#define QUOTA_UNIT 256u
#define COST_OPEN  2u
#define COST_NODE  18u
#define COST_PART  36u
#define COST_FIFO  300u
#define COST_LOCK  1u
int quota_init(void);
int quota_take(uint32_t uid, uint32_t cost); // 0 or -LX_ENFILE; root is always served
void quota_give(uint32_t uid, uint32_t cost);

// reap.c: getting rid of what clients may still hold.
bool reap_now(
    exo_handle_t cap); // revokes what was derived; false: there is more than a step's work
void reap(
    exo_handle_t cap,
    void *window); // revokes and deletes, now or step by step; window: of a node page, or NULL
bool reap_pending(void);
void reap_step(void);
int64_t buy_frames(uint64_t count); // from H_BANK, at the cost of the node cache
int64_t buy_segment(void);

// page.c
int page_take(struct page *page);                     // zero; 0 or -LX_ENFILE
void page_give(const struct page *page, size_t used); // its first bytes alone were written
bool page_evict(void);            // gives back a frame that is kept for speed; false: none is
void page_unmapped(void *window); // reap.c is done with it

// giveback.c
void giveback_init(void);
void giveback_notified(uint64_t bits);
bool giveback_gather(uint64_t frames); // empties chunks by moving blocks; false: it cannot
void giveback_step(void);              // gives back what is owed
bool memory_more(void);                // init gave more

// node.c
// + one open; NULL: no memory or over the share. inode: as it is now.
struct node *node_get(const struct ext_inode *inode, uint32_t uid);
void node_put(struct node *n);
struct node *node_find(uint32_t ino);             // or NULL
int node_publish(struct node *n);                 // size, mode, nlink from the volume
void node_changed(const struct ext_inode *inode); // all but the size, if anybody has it
void nodes_changed(void);                         // any of them may have
void node_attr_publish(struct node *n, const struct ext_inode *inode);
void node_attr_forget(uint32_t ino);
void node_event(struct node *n, uint32_t *word);
void node_note_writes(struct node *n); // dirty bits become times
void nodes_note_writes(void);
int node_truncate(uint32_t ino, uint64_t size, const struct ext_cred *cred);
bool node_held(uint32_t ino);     // it is open; what is only kept of it for speed has gone
void node_orphaned(uint32_t ino); // its last name went
void nodes_leave(void);           // seg_leave of all
bool node_evict(void);            // forgets the node idle for longest; false: none is
void node_seq_size(struct node *n, uint64_t size);
void node_touch(struct node *n); // what was told of it is to be asked again
bool node_only_writer(const struct node *n, const struct open *o);
void node_leased(struct node *n, bool leased);
void note_atime(uint32_t ino);

// seg.c
int seg_get(struct node *n, uint64_t index, uint32_t uid, struct part **part);
int seg_refresh(struct node *n, uint64_t first_page,
                uint64_t pages);                   // enters blocks that came to be
void seg_cut(struct node *n, uint64_t first_page); // entries from there on go, before the blocks do
int seg_fill(struct node *n, uint64_t page, bool write, uint64_t limit, const struct request *r);
void seg_leave(struct node *n);                // blocks that dev_leaves are in no entry any more
bool seg_harvest(struct node *n);              // is anything dirty? and clean from now on
void seg_take_back(struct node *n);            // the last open went
void seg_charge(struct node *n, uint32_t uid); // and a new one came
void seg_free(struct node *n);

// open.c
extern exo_handle_t endpoint;
int open_init(void); // makes the endpoint
struct open *open_by_badge(uint64_t badge);
int open_by_cap(exo_handle_t cap,
                struct open **open); // a capability that came along; NULL: the root
void open_childless(exo_handle_t cap);
void open_free(struct open *o);
void open_delivered(bool ok); // whether the answer to the last call went out
long op_open(struct request *r);

// idle.c
struct holder *holder_find(uint64_t env); // or NULL
void holder_leave(struct holder *h);
void idle_close(struct node *n);
long op_own(struct request *r);

// fifo.c
long fifo_enter(struct open *o, uint32_t flags, struct exo_send send[2]);
void fifo_leave(struct open *o);

// names.c, paths.c
// The last name is about to be changed: whether it is there need not be looked up, out->ino may be
// 0. Only with EXT_WALK_PARENT.
#define WALK_NAME 0x100u
#define WALK_TELL 0x200u // what is passed will be told
int walk(struct request *r, uint32_t start, const char *path, size_t len, uint32_t flags,
         struct ext_walk *out);
uint32_t start_ino(const struct request *r);
uint32_t root_ino(const struct request *r);
int target_ino(struct request *r, uint64_t at_flags,
               uint32_t *ino); // of the path, or the file itself
int mount_add(uint32_t ino, uint32_t kind);
bool is_mount(uint32_t ino);
bool holds_mount(uint32_t dir);
long op_name(struct request *r);
long op_readlink(struct request *r);
long op_getcwd(struct request *r);
long op_mount(struct request *r);

// cache.c
extern const struct ext_watch names_watch; // what the volume library tells
// Goes along *path from the directory *from as far as names are known. 1: to the end, *out is the
// result. 0: *path is what is left, to be looked up from *from on. -LX_ENOENT.
int names_walk(const struct ext_cred *cred, uint32_t *from, const char **path, uint32_t flags,
               struct ext_walk *out);
void name_remember(uint32_t dir, const char *name, uint32_t len,
                   uint32_t ino); // ino 0: there is none
void names_forget_all(void);
void dirs_moved(void);        // once what the volume library was asked is done
bool dir_known(uint32_t ino); // it is a directory, and has a name
// The name of a directory and where it is: its length, 0 when not known; and telling it.
uint32_t dir_name(uint32_t ino, uint32_t *parent, const char **text);
void dir_named(uint32_t ino, uint32_t parent, const char *text, uint32_t len);
bool dir_is_public(uint32_t ino);

// publish.c
int publish_init(void);
struct names_name *publish_names(uint32_t *count); // NULL: nothing is published
void publish_begin(void);
void publish_end(void);
void publish_write(struct names_name *at, const struct names_name *name);
void publish_erase(void);
void publish_moved(void); // paths of directories changed
void attr_erase(uint32_t ino);
void attr_forget(uint32_t ino);  // in its node page as well
void told_mark(uint32_t ino);    // the caller will be told of it
void told_changed(uint32_t ino); // if anybody was, it holds no longer
void told_all_changed(void);
// The number until which the answer holds, or 0.
uint32_t told_number(const struct request *r, const struct node *n, uint32_t ino);
void attr_publish(const struct request *r, const struct ext_inode *inode);
long op_names(struct request *r);

// attr.c, data.c, grow.c, lock.c
long op_attr(struct request *r);
long op_data(struct request *r);
long op_write(struct request *r, struct open *o);
long op_reserve(struct request *r, struct open *o);
long op_commit(struct request *r, struct open *o);
long op_fallocate(struct request *r, struct open *o);
uint64_t reserve_limit(const struct node *n, const struct open *o,
                       uint64_t env);                     // end of file, or of what is reserved
void reserves_break(struct node *n);                      // the file is being cut
void reserves_drop(struct node *n, const struct open *o); // o ends
void reserve_end(struct node *n, struct reserve *v, uint64_t done);
void reserve_rest(struct node *n, uint64_t from, uint64_t to); // [from, to) is nobody's any more
void reserves_settle(struct node *n); // before a file grows over what nobody holds any more
int reserves_pass(struct node *n, uint64_t end); // the file is about to grow to `end` past them

// lease.c
uint32_t lease_ahead(struct node *n, struct open *o, uint64_t env,
                     uint64_t length);                                 // pages for the next lease
void lease_begin(struct node *n, struct reserve *v, uint32_t claimed); // or v stays as it is
void lease_end(struct node *n);             // none is left, and what it did is in the volume
void leases_of_end(const struct holder *h); // those of a process
bool leases_end(void);                      // all; false: there was none
long op_settle(struct request *r);

long op_lock(struct request *r);
void locks_drop_open(struct node *n, const struct open *o);
void locks_drop_node(struct node *n);
exo_ns_t locks_deadline(void); // when locks_sweep wants to run
void locks_sweep(void);        // locks of dead processes that others wait for

#endif
