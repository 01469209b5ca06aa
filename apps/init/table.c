// SPDX-License-Identifier: MIT
// The table of process records: a segment that init fills page by page and everybody maps
// read-only.
//
// A record's index is that of the environment; pages are bought when an index in them is first used
// and kept. Private data (struct proc) stays in init's own memory.
#include "init.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PER_PAGE (EXO_PAGE_SIZE / PROC_REC_SIZE)
#define HASH     256
#define PID_MAX  32768

struct proc_list procs = TAILQ_HEAD_INITIALIZER(procs);
static LIST_HEAD(, proc) hash[HASH];
static struct proc *by_index[PROC_PER_SEGMENT];
static bool page_there[PROC_PER_SEGMENT / PER_PAGE];
static char *records;
static int last_pid = 1;

int table_init(void)
{
    int64_t seg = exo_segment_create(own.bank);
    if (seg < 0)
        return (int)seg;
    own.proctab = (exo_handle_t)seg;
    records = exo_map(own.proctab, 0, 512, EXO_R_READ | EXO_R_WRITE);
    return records ? 0 : -EXO_ENOMEM;
}

static int page_for(uint32_t index)
{
    uint32_t page = index / PER_PAGE;
    if (page_there[page])
        return 0;
    int64_t frame = exo_frames_alloc(own.bank, 1, 0, 0);
    if (frame < 0)
        return -1;
    int64_t err = exo_segment_fill(own.proctab, page, (exo_handle_t)frame, 0,
                                   1 | (uint64_t)(EXO_R_READ | EXO_R_WRITE) << 32);
    exo_cap_delete((exo_handle_t)frame); // the segment holds it
    if (err < 0)
        return -1;
    page_there[page] = true;
    return 0;
}

void wake_word(volatile uint32_t *word)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    exo_wake((uint64_t)word, UINT64_MAX);
}

void rec_begin(struct proc *p)
{
    __atomic_store_n(&p->rec->seq, p->rec->seq + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void rec_end(struct proc *p)
{
    __atomic_store_n(&p->rec->seq, p->rec->seq + 1, __ATOMIC_RELEASE);
}

struct proc *proc_by_env(uint64_t env)
{
    uint32_t index = EXO_ENV_INDEX(env);
    struct proc *p = index < PROC_PER_SEGMENT ? by_index[index] : NULL;
    return p && p->rec->env == env ? p : NULL;
}

struct proc *proc_by_pid(int pid)
{
    struct proc *p;
    if (pid <= 0)
        return NULL;
    LIST_FOREACH (p, &hash[pid % HASH], by_pid) {
        if (p->pid == pid)
            return p;
    }
    return NULL;
}

bool pid_in_use(int pid)
{
    struct proc *p;
    if (proc_by_pid(pid))
        return true;
    TAILQ_FOREACH (p, &procs, all) {
        if (p->rec->pgid == pid || p->rec->sid == pid)
            return true;
    }
    return false;
}

int pid_new(void)
{
    for (int tries = 0; tries < PID_MAX; tries++) {
        last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 2;
        if (!pid_in_use(last_pid))
            return last_pid;
    }
    return 0;
}

uint64_t cookie_new(int pid)
{
    static uint64_t serial;
    return ++serial << 16 | (uint64_t)pid;
}

// The parent's list of children, as the record publishes it.
static void publish_children(struct proc *parent)
{
    struct proc *child, *next;
    parent->rec->first_child =
        LIST_EMPTY(&parent->children) ? 0 : LIST_FIRST(&parent->children)->index;
    LIST_FOREACH (child, &parent->children, sibling) {
        next = LIST_NEXT(child, sibling);
        child->rec->next_sibling = next ? next->index : 0;
    }
}

static void inherit(struct proc_rec *r, const struct proc_rec *from)
{
    r->flags = from->flags & PROC_F_CONFINED;
    r->pgid = from->pgid;
    r->sid = from->sid;
    r->ruid = from->ruid, r->euid = from->euid, r->suid = from->suid;
    r->rgid = from->rgid, r->egid = from->egid, r->sgid = from->sgid;
    r->ngroups = from->ngroups;
    memcpy(r->groups, from->groups, sizeof(r->groups));
    r->tty = from->tty;
    r->nice = from->nice;
    memcpy(r->comm, from->comm, sizeof(r->comm));
    memcpy(r->cmdline, from->cmdline, sizeof(r->cmdline));
}

struct proc *proc_new(struct proc *parent, exo_handle_t env, uint64_t cookie)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(env, &info) < 0)
        return NULL;
    uint32_t index = EXO_ENV_INDEX(info.env);
    if (index >= PROC_PER_SEGMENT || by_index[index] || page_for(index) < 0)
        return NULL;
    struct proc *p = calloc(1, sizeof(*p));
    int pid = (int)(cookie & 0xffff);
    if (!p)
        return NULL;
    p->rec = (struct proc_rec *)(records + (uint64_t)index * PROC_REC_SIZE);
    p->index = index;
    p->pid = pid;
    p->env = env;
    p->cookie = cookie;
    p->parent = parent;
    p->nproc = parent ? parent->nproc : UINT64_MAX;
    p->nproc_max = parent ? parent->nproc_max : UINT64_MAX;
    LIST_INIT(&p->children);
    STAILQ_INIT(&p->queue);
    memset(p->rec, 0, sizeof(*p->rec));
    p->rec->size = sizeof(*p->rec);
    p->rec->version = 1;
    p->rec->env = info.env;
    p->rec->pid = pid;
    if (parent) {
        inherit(p->rec, parent->rec);
        p->rec->ppid = parent->pid;
        LIST_INSERT_HEAD(&parent->children, p, sibling);
        publish_children(parent);
    } else {
        p->rec->pgid = p->rec->sid = pid;
    }
    p->rec->start_ns = exo_clock_ns();
    by_index[index] = p;
    LIST_INSERT_HEAD(&hash[pid % HASH], p, by_pid);
    TAILQ_INSERT_TAIL(&procs, p, all);
    __atomic_store_n(&p->rec->state, PROC_EMBRYO, __ATOMIC_RELEASE);
    return p;
}

void proc_adopt(struct proc *child, struct proc *parent)
{
    struct proc *old = child->parent;
    LIST_REMOVE(child, sibling);
    publish_children(old);
    child->parent = parent;
    child->rec->ppid = parent->pid;
    LIST_INSERT_HEAD(&parent->children, child, sibling);
    publish_children(parent);
}

// A process that continues in another environment (set-id exec): its record moves, its pid stays.
int proc_move(struct proc *p, exo_handle_t env, uint64_t cookie)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(env, &info) < 0)
        return -1;
    uint32_t index = EXO_ENV_INDEX(info.env);
    if (index >= PROC_PER_SEGMENT || by_index[index] || page_for(index) < 0)
        return -1;
    struct proc_rec *new = (struct proc_rec *)(records + (uint64_t)index * PROC_REC_SIZE);
    memcpy(new, p->rec, sizeof(*new));
    new->env = info.env;
    new->utime_ns += EXO_ENVS[p->index].cpu_ns;
    memset(p->rec, 0, sizeof(*p->rec));
    by_index[p->index] = NULL;
    by_index[index] = p;
    p->rec = new;
    p->index = index;
    p->env = env;
    p->cookie = cookie;
    struct proc *child;
    publish_children(p);
    if (p->parent)
        publish_children(p->parent);
    LIST_FOREACH (child, &p->children, sibling)
        child->rec->ppid = p->pid;
    return 0;
}

void proc_free(struct proc *p)
{
    LIST_REMOVE(p, sibling);
    publish_children(p->parent);
    LIST_REMOVE(p, by_pid);
    TAILQ_REMOVE(&procs, p, all);
    signal_drop_queue(p);
    job_leave(p);
    by_index[p->index] = NULL;
    // Whom it sent signals to may ask for a while who that was.
    struct proc_rec was = {.env = p->rec->env, .pid = p->rec->pid, .ruid = p->rec->ruid};
    memcpy(p->rec, &was, sizeof(was));
    exo_cap_delete(p->env);
    free(p);
}
