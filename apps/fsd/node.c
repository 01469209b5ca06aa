// SPDX-License-Identifier: MIT
// Inodes that are open, and their published page.
//
// A node that nobody has open any more is kept for a while (the idle list, oldest first), with its
// segments filled: the next open of the same file costs little. Nobody can write through what is
// left of it, and its page tells what it always told. A node without names is never kept.
//
// Node pages are mapped one beside the other; a page whose capabilities are all revoked is used
// again.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

#define HASH         256u
#define IDLE_NODES   128u
#define POOL_PAGES   64u
#define NODE_WINDOWS (SERVER_WINDOWS + (1ull << 40))

struct node_page {
    SLIST_ENTRY(node_page) link;
    struct fs_node *at;
    exo_handle_t cap;
    exo_fn_t frame;
};

static LIST_HEAD(, node) table[HASH];
static TAILQ_HEAD(, node) idle = TAILQ_HEAD_INITIALIZER(idle);
static uint32_t nidle, npool;
static SLIST_HEAD(, node_page) pool =
    SLIST_HEAD_INITIALIZER(pool); // mapped, zero, nobody else has it
static SLIST_HEAD(, node_page) places =
    SLIST_HEAD_INITIALIZER(places); // windows given back: `at` alone counts
static uint64_t next_place;

struct node *node_find(uint32_t ino)
{
    struct node *n;
    LIST_FOREACH (n, &table[ino % HASH], hash) {
        if (n->ino == ino)
            return n;
    }
    return NULL;
}

// --- node pages ----------------------------------------------------------------------------------

static struct node_page *place_new(void)
{
    struct node_page *p = SLIST_FIRST(&places);
    if (p) {
        SLIST_REMOVE_HEAD(&places, link);
        return p;
    }
    p = calloc(1, sizeof(*p));
    if (p)
        p->at = (struct fs_node *)(NODE_WINDOWS + next_place++ * PAGE);
    return p;
}

void node_unmapped(void *window)
{
    struct node_page *p = calloc(1, sizeof(*p));
    if (!p)
        return; // address space is plenty
    p->at = window;
    SLIST_INSERT_HEAD(&places, p, link);
}

static struct node_page *page_buy(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    struct node_page *p = place_new();
    int64_t frame = p ? buy_frames(1) : -EXO_ENOMEM;
    if (frame >= 0) {
        struct exo_map_op op = {
            EXO_OP_MAP, 1, (uint64_t)p->at, (exo_handle_t)frame, 0, EXO_R_READ | EXO_R_WRITE, 0};
        if (exo_aspace_batch(0, H_BANK, &op, 1) == 1 &&
            exo_cap_identify((exo_handle_t)frame, &info) >= 0) {
            p->cap = (exo_handle_t)frame;
            p->frame = info.first_frame;
            return p;
        }
        exo_cap_delete((exo_handle_t)frame);
    }
    if (p)
        SLIST_INSERT_HEAD(&places, p, link);
    return NULL;
}

static int page_take(struct node *n)
{
    struct node_page *p = SLIST_FIRST(&pool);
    if (p) {
        SLIST_REMOVE_HEAD(&pool, link);
        npool--;
    } else if (!(p = page_buy())) {
        return -LX_ENFILE;
    }
    n->page = p->at;
    n->page_cap = p->cap;
    n->frame = p->frame;
    free(p);
    return 0;
}

static void page_give(struct node *n)
{
    struct node_page *p;
    if (npool < POOL_PAGES && reap_now(n->page_cap) && (p = calloc(1, sizeof(*p)))) {
        memset(n->page, 0, PAGE);
        *p = (struct node_page){.at = n->page, .cap = n->page_cap, .frame = n->frame};
        SLIST_INSERT_HEAD(&pool, p, link);
        npool++;
        return;
    }
    reap(n->page_cap, n->page);
}

static void seq_begin(struct node *n)
{
    __atomic_store_n(&n->page->seq, n->page->seq + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void seq_end(struct node *n)
{
    __atomic_store_n(&n->page->seq, n->page->seq + 1, __ATOMIC_RELEASE);
}

void node_seq_size(struct node *n, uint64_t size)
{
    seq_begin(n);
    n->page->size = size;
    seq_end(n);
}

int node_publish(struct node *n)
{
    struct ext_inode inode;
    int err = ext_inode_load(&vol, n->ino, &inode);
    if (err < 0)
        return err;
    n->mode = inode.mode;
    bool resized = n->page->size != inode.size;
    seq_begin(n);
    n->page->mode = inode.mode;
    n->page->size = inode.size;
    n->page->nlink = inode.nlink;
    n->page->rdev = ext_inode_rdev(&inode);
    seq_end(n);
    if (resized)
        node_event(n, &n->page->change);
    return 0;
}

void node_refresh(uint32_t ino)
{
    struct node *n = ino ? node_find(ino) : NULL;
    if (n)
        node_publish(n);
}

void node_event(struct node *n, uint32_t *word)
{
    __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
    if (EXO_FRAMES[n->frame].sleepers)
        exo_wake((uint64_t)word, UINT64_MAX);
}

// --- life ----------------------------------------------------------------------------------------

static void node_free(struct node *n)
{
    LIST_REMOVE(n, hash);
    seg_free(n);
    if (n->orphan)
        ext_inode_drop(&vol, n->ino);
    page_give(n);
    free(n);
}

static void idle_remove(struct node *n)
{
    TAILQ_REMOVE(&idle, n, idle_link);
    nidle--;
}

bool node_evict(void)
{
    struct node_page *p = SLIST_FIRST(&pool);
    struct node *n = TAILQ_FIRST(&idle);
    if (p) {
        SLIST_REMOVE_HEAD(&pool, link);
        npool--;
        exo_cap_delete(p->cap);
        SLIST_INSERT_HEAD(&places, p, link);
        return true;
    }
    if (!n)
        return false;
    idle_remove(n);
    node_free(n);
    return true;
}

static struct node *node_make(uint32_t ino)
{
    struct node *n = calloc(1, sizeof(*n));
    if (!n || page_take(n) < 0) {
        free(n);
        return NULL;
    }
    n->ino = ino;
    n->page->size_ = sizeof(*n->page);
    n->page->version = 1;
    n->page->ino = ino;
    RB_INIT(&n->parts);
    LIST_INSERT_HEAD(&table[ino % HASH], n, hash);
    if (node_publish(n) == 0)
        return n;
    node_free(n);
    return NULL;
}

struct node *node_get(uint32_t ino, uint32_t uid)
{
    struct node *n = node_find(ino);
    if (n && n->opens) {
        n->opens++;
        return n;
    }
    if (quota_take(uid, COST_NODE) < 0)
        return NULL;
    if (n)
        idle_remove(n);
    else
        n = node_make(ino);
    if (!n) {
        quota_give(uid, COST_NODE);
        return NULL;
    }
    seg_charge(n, uid);
    n->uid = uid;
    n->opens = 1;
    return n;
}

// Nobody pays for an idle node, so there is a limit to them.
void node_put(struct node *n)
{
    if (--n->opens)
        return;
    quota_give(n->uid, COST_NODE);
    locks_drop_node(n);
    if (n->orphan) {
        node_free(n);
        return;
    }
    seg_take_back(n);
    node_note_writes(n);
    n->written = n->user_writes = false;
    TAILQ_INSERT_TAIL(&idle, n, idle_link);
    if (++nidle > IDLE_NODES) {
        n = TAILQ_FIRST(&idle);
        idle_remove(n);
        node_free(n);
    }
}

void node_orphaned(uint32_t ino)
{
    struct node *n = node_find(ino);
    if (n && !n->opens) {
        idle_remove(n);
        n->orphan = true;
        node_free(n);
    } else if (n) {
        n->orphan = true;
        node_publish(n);
    } else {
        ext_inode_drop(&vol, ino);
    }
}

// --- times ---------------------------------------------------------------------------------------

// Who changes a file without being root takes its set-id bits away.
static void drop_privileges(struct ext_inode *inode)
{
    inode->mode &= (uint16_t)~LX_S_ISUID;
    if (inode->mode & LX_S_IXGRP)
        inode->mode &= (uint16_t)~LX_S_ISGID;
}

void node_note_writes(struct node *n)
{
    struct ext_inode inode;
    if (!n->written || !seg_harvest(n) || ext_inode_load(&vol, n->ino, &inode) < 0)
        return;
    inode.mtime = inode.ctime = vol.now;
    if (n->user_writes)
        drop_privileges(&inode);
    ext_inode_store(&vol, &inode);
    if (inode.mode != n->mode)
        node_publish(n);
}

void nodes_note_writes(void)
{
    struct node *n;
    for (uint32_t i = 0; i < HASH; i++) {
        LIST_FOREACH (n, &table[i], hash)
            node_note_writes(n);
    }
}

static bool earlier(struct ext_time a, struct ext_time b)
{
    return a.sec < b.sec || (a.sec == b.sec && a.nsec <= b.nsec);
}

// As Linux's relatime: the time of the last read matters to those who ask whether it was before the
// last change, or a day ago.
void note_atime(uint32_t ino)
{
    struct ext_inode inode;
    if (vol.read_only || ext_inode_load(&vol, ino, &inode) < 0)
        return;
    if (!earlier(inode.atime, inode.mtime) && !earlier(inode.atime, inode.ctime) &&
        vol.now.sec - inode.atime.sec < 86400)
        return;
    inode.atime = vol.now;
    ext_inode_store(&vol, &inode);
}

// --- cutting -------------------------------------------------------------------------------------

int node_truncate(uint32_t ino, uint64_t size, const struct ext_cred *cred)
{
    struct node *n = node_find(ino);
    if (size > EXT_FILE_MAX)
        return -LX_EFBIG;
    if (n)
        node_note_writes(n);
    bool shrinks = n && size < n->page->size;
    if (shrinks) {
        node_seq_size(n, size); // readers stop before the pages go
        seg_cut(n, (size + PAGE - 1) / PAGE);
        reserves_break(n);
    }
    int err = 0;
    if (n && size > n->page->size) {
        reserves_settle(n);
        err = reserves_pass(n, size);
    }
    if (err == 0)
        err = ext_truncate(&vol, cred, ino, size);
    if (!n)
        return err;
    node_event(n, &n->page->change);
    node_publish(n);
    if (err < 0)
        seg_refresh(n, 0, (n->page->size + PAGE - 1) / PAGE);
    else if (shrinks)
        n->spare_blocks = false;
    return err;
}
