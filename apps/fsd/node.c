// SPDX-License-Identifier: MIT
// Inodes that are open, and their published page.
//
// A node that nobody has open any more is kept for a while (the idle list, oldest first), with its
// segments filled: the next open of the same file costs little. Nobody can write through what is
// left of it, and its page tells what it always told. A node without names is never kept.
#include "fsd.h"
#include <stdlib.h>
#include <string.h>

#define OPENS_LOOKED_AT 8u
#define HASH            256u
#define IDLE_NODES      128u

static LIST_HEAD(, node) table[HASH];
static TAILQ_HEAD(, node) idle = TAILQ_HEAD_INITIALIZER(idle);
static LIST_HEAD(, node) spares = LIST_HEAD_INITIALIZER(spares); // memory of past nodes
static uint32_t nidle, nspares;

struct node *node_find(uint32_t ino)
{
    struct node *n;
    LIST_FOREACH (n, &table[ino % HASH], hash) {
        if (n->ino == ino)
            return n;
    }
    return NULL;
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

void node_touch(struct node *n)
{
    seq_begin(n);
    seq_end(n);
}

// Looks at a few opens only: among many it may say no.
bool node_only_writer(const struct node *n, const struct open *o)
{
    const struct open *other;
    unsigned seen = 0;
    if (o->access == LX_O_RDONLY)
        return false;
    LIST_FOREACH (other, &n->openers, link)
        if (++seen > OPENS_LOOKED_AT || (other != o && other->access != LX_O_RDONLY))
            return false;
    return true;
}

static void publish(struct node *n, const struct ext_inode *inode)
{
    n->mode = inode->mode;
    bool resized = n->page->size != inode->size;
    seq_begin(n);
    n->page->mode = inode->mode;
    n->page->size = inode->size;
    n->page->nlink = inode->nlink;
    n->page->rdev = ext_inode_rdev(inode);
    seq_end(n);
    if (resized)
        node_event(n, &n->page->change);
}

// Whoever finds no lease finds a size that is right: it is written before.
void node_leased(struct node *n, bool leased)
{
    __atomic_store_n(&n->page->leased, leased, __ATOMIC_SEQ_CST);
}

int node_publish(struct node *n)
{
    struct ext_inode inode;
    int err = ext_inode_load(&vol, n->ino, &inode);
    if (err == 0)
        publish(n, &inode);
    return err;
}

static void changed(struct node *n, const struct ext_inode *inode)
{
    n->mode = inode->mode;
    seq_begin(n);
    n->page->attr = 0;
    n->page->mode = inode->mode;
    n->page->nlink = inode->nlink;
    if (LX_S_ISDIR(inode->mode)) // the size of a file is told when its blocks are where they should
        n->page->size = inode->size;
    seq_end(n);
}

void node_changed(const struct ext_inode *inode)
{
    struct node *n = node_find(inode->ino);
    if (n)
        changed(n, inode);
}

void nodes_changed(void)
{
    struct ext_inode inode;
    struct node *n;
    for (uint32_t i = 0; i < HASH; i++) {
        LIST_FOREACH (n, &table[i], hash) {
            if (ext_inode_load(&vol, n->ino, &inode) == 0)
                changed(n, &inode);
        }
    }
}

// Attributes stand in the page from when somebody asks until something changes.
void node_attr_publish(struct node *n, const struct ext_inode *inode)
{
    if (n->written || n->page->attr)
        return;
    seq_begin(n);
    ext_stat_fill(inode, FS_ROOT_DEV, &n->page->st);
    n->page->attr = 1;
    seq_end(n);
}

static void attr_gone(struct node *n)
{
    if (!n->page->attr)
        return;
    seq_begin(n);
    n->page->attr = 0;
    seq_end(n);
}

void node_attr_forget(uint32_t ino)
{
    struct node *n = node_find(ino);
    if (n)
        attr_gone(n);
}

void node_event(struct node *n, uint32_t *word)
{
    __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
    if (EXO_FRAMES[n->shared.frame].sleepers)
        exo_wake((uint64_t)word, UINT64_MAX);
}

// --- life ----------------------------------------------------------------------------------------

static struct node *node_new(void)
{
    struct node *n = LIST_FIRST(&spares);
    if (!n)
        return calloc(1, sizeof(*n));
    LIST_REMOVE(n, hash);
    nspares--;
    return memset(n, 0, sizeof(*n));
}

static void node_forget(struct node *n)
{
    if (nspares == IDLE_NODES) {
        free(n);
        return;
    }
    LIST_INSERT_HEAD(&spares, n, hash);
    nspares++;
}

static void node_free(struct node *n)
{
    LIST_REMOVE(n, hash);
    seg_free(n);
    if (n->orphan)
        ext_inode_drop(&vol, n->ino);
    page_give(&n->shared, sizeof(*n->page));
    node_forget(n);
}

static void idle_remove(struct node *n)
{
    TAILQ_REMOVE(&idle, n, idle_link);
    nidle--;
}

bool node_evict(void)
{
    struct node *n = TAILQ_FIRST(&idle);
    if (page_evict())
        return true;
    if (!n)
        return false;
    idle_remove(n);
    node_free(n);
    return true;
}

static struct node *node_make(const struct ext_inode *inode)
{
    struct node *n = node_new();
    if (!n || page_take(&n->shared) < 0) {
        free(n);
        return NULL;
    }
    n->page = n->shared.at;
    n->ino = inode->ino;
    n->page->size_ = sizeof(*n->page);
    n->page->version = 1;
    n->page->ino = inode->ino;
    n->page->durable = 1; // memory is the medium
    RB_INIT(&n->parts);
    LIST_INSERT_HEAD(&table[inode->ino % HASH], n, hash);
    publish(n, inode);
    return n;
}

struct node *node_get(const struct ext_inode *inode, uint32_t uid)
{
    struct node *n = node_find(inode->ino);
    if (n && n->opens) {
        n->opens++;
        return n;
    }
    if (quota_take(uid, COST_NODE) < 0)
        return NULL;
    if (n)
        idle_remove(n);
    else
        n = node_make(inode);
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

bool node_held(uint32_t ino)
{
    struct node *n = node_find(ino);
    if (n && n->opens)
        idle_close(n);
    if (!n || n->opens)
        return n != NULL;
    idle_remove(n);
    node_free(n);
    return false;
}

void node_orphaned(uint32_t ino)
{
    struct node *n = node_find(ino);
    if (!n) {
        ext_inode_drop(&vol, ino);
        return;
    }
    n->orphan = true;
    if (!n->opens) {
        idle_remove(n);
        node_free(n);
        return;
    }
    node_publish(n);
    n->opens++; // it stays while the opens that are only kept go
    idle_close(n);
    node_put(n);
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
    lease_end(n);
    if (!n->written || !seg_harvest(n) || ext_inode_load(&vol, n->ino, &inode) < 0)
        return;
    inode.mtime = inode.ctime = vol.now;
    if (n->user_writes)
        drop_privileges(&inode);
    ext_inode_store(&vol, &inode);
}

void nodes_note_writes(void)
{
    struct node *n;
    for (uint32_t i = 0; i < HASH; i++) {
        LIST_FOREACH (n, &table[i], hash)
            node_note_writes(n);
    }
}

void nodes_leave(void)
{
    struct node *n;
    for (uint32_t i = 0; i < HASH; i++) {
        LIST_FOREACH (n, &table[i], hash)
            seg_leave(n);
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
        lease_end(n);
    if (n && n->user_writes && n->mode & (LX_S_ISUID | LX_S_ISGID))
        node_note_writes(n); // the times are set in any case
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
        n->spare_end = 0;
    return err;
}
