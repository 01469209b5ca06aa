// SPDX-License-Identifier: MIT
/*
 * Terminal server: kernel and init. See host.h.
 *
 * Opens. A badge is an index into `slots` and its generation. The service endpoint is derived for
 * each open with a watch: when the last copy a client holds is gone, the kernel reports the
 * handle. Badges come from the kernel and cannot be forged; the generation guards against a call
 * that was on its way when its open was closed.
 *
 * Pages. A tty's page is a FRAMES capability of its own, of which clients get read-only children.
 * When the tty goes these are revoked, the page is cleared and kept for the next one.
 *
 * init is called and never calls: see proto/tty.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <exo/domain.h>
#include <proto/proc.h>
#include <proto/start.h>
#include "host.h"

struct exo_ctx *host_ctx(void)
{
    struct exo_ctx *ctx;

    __asm__("mov %%gs:0x08, %0" : "=r"(ctx));
    return ctx;
}

/* --- processes --- */

static const volatile struct proc_rec *record_of(exo_env_id_t env)
{
    uint32_t index = EXO_ENV_INDEX(env);

    if (index >= PROC_PER_SEGMENT) {
        return NULL;
    }
    return (const volatile struct proc_rec *)(LIBOS_PROCTAB + (uint64_t)index * PROC_REC_SIZE);
}

static void copy_record(const volatile struct proc_rec *rec, struct tty_caller *who)
{
    memset(who, 0, sizeof(*who));
    who->job.pid = rec->pid;
    who->job.pgid = rec->pgid;
    who->job.sid = rec->sid;
    who->uid = rec->euid;
    who->gid = rec->egid;
    who->ngroups = rec->ngroups < TTY_GROUPS ? rec->ngroups : TTY_GROUPS;
    for (uint32_t i = 0; i < who->ngroups; i++) {
        who->groups[i] = rec->groups[i];
    }
}

bool host_caller(exo_env_id_t env, struct tty_caller *who)
{
    const volatile struct proc_rec *rec = record_of(env);

    for (int tries = 0; rec != NULL && tries < 1000; tries++) {
        uint32_t seq = __atomic_load_n(&rec->seq, __ATOMIC_ACQUIRE);
        if (seq & 1) {
            exo_ctx_yield(0, 0, 0); /* init is at it */
            continue;
        }
        bool mine = rec->env == env && rec->state != PROC_FREE;
        copy_record(rec, who);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (rec->seq == seq) {
            return mine;
        }
    }
    return false;
}

static long ask_init(uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
    struct exo_msg m = {.w = {PROC_OP_GROUP, op, a, b, c}};
    int64_t err;

    do {
        m.meta = EXO_META(0, 0);
        err = exo_call(H_INIT, &m);
    } while (err == -EXO_EINTR);
    return err < 0 ? -EIO : (long)m.w[0];
}

static int kill_group(void *h, int32_t sid, int32_t pgrp, int sig)
{
    (void)h;
    return (int)ask_init(PROC_GROUP_KILL, (uint64_t)pgrp, (uint64_t)sig, (uint64_t)sid);
}

static int stop_group(void *h, int32_t sid, int32_t pgrp, int sig)
{
    (void)h;
    return (int)ask_init(PROC_GROUP_STOP, (uint64_t)pgrp, (uint64_t)sig, (uint64_t)sid);
}

static int signal_leader(void *h, int32_t sid, int sig)
{
    (void)h;
    return (int)ask_init(PROC_GROUP_LEADER, (uint64_t)sid, (uint64_t)sig, 0);
}

static int32_t group_sid(void *h, int32_t pgrp)
{
    (void)h;
    return (int32_t)ask_init(PROC_GROUP_SID, (uint64_t)pgrp, 0, 0);
}

static void set_ctty(void *h, int32_t sid, uint32_t rdev)
{
    (void)h;
    ask_init(PROC_GROUP_CTTY, (uint64_t)sid, rdev, 0);
}

static uint64_t now(void *h)
{
    (void)h;
    return exo_clock_ns();
}

/* --- pages --- */

struct page {
    struct page *next;
    exo_handle_t cap;
    uint64_t frame;
    void *va;
};
static struct page *spare_pages;

static struct page *page_buy(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    struct page *p = calloc(1, sizeof(*p));
    int64_t cap = p != NULL ? exo_frames_alloc(H_BANK, 1, 0, 0) : -EXO_ENOMEM;

    if (cap < 0) {
        free(p);
        return NULL;
    }
    p->cap = (exo_handle_t)cap;
    p->va = exo_map(p->cap, 0, 1, EXO_R_READ | EXO_R_WRITE);
    if (p->va == NULL || exo_cap_identify(p->cap, &info) < 0) {
        exo_cap_delete(p->cap);
        free(p);
        return NULL;
    }
    p->frame = info.first_frame;
    return p;
}

static struct tty_page *page_new(void *h, struct tty *tty)
{
    struct page *p = spare_pages;

    (void)h;
    if (p != NULL) {
        spare_pages = p->next;
    } else {
        p = page_buy();
    }
    if (p == NULL) {
        return NULL;
    }
    tty->page_host = p;
    return p->va;
}

static void page_free(void *h, struct tty *tty)
{
    struct page *p = tty->page_host;

    (void)h;
    while (exo_cap_revoke(p->cap) == -EXO_EAGAIN) {
    }
    memset(p->va, 0, EXO_PAGE_SIZE);
    p->next = spare_pages;
    spare_pages = p;
}

exo_handle_t host_page_handle(const struct tty *tty)
{
    return ((const struct page *)tty->page_host)->cap;
}

/* The word was changed with a full barrier; who went to sleep before that is counted. */
static void wake(void *h, const struct tty *tty, uint32_t *word)
{
    const struct page *p = tty->page_host;

    (void)h;
    if (EXO_FRAMES[p->frame].sleepers != 0) {
        exo_wake((uint64_t)word, INT_MAX);
    }
}

const struct tty_host host_ops = {
    .page_new = page_new,
    .page_free = page_free,
    .wake = wake,
    .now = now,
    .kill_group = kill_group,
    .stop_group = stop_group,
    .signal_leader = signal_leader,
    .group_sid = group_sid,
    .set_ctty = set_ctty,
};

/* --- opens --- */

static struct slot {
    struct tty_open *open;
    uint32_t gen;
} * slots;
static uint32_t nslots;

static struct slot *slot_new(void)
{
    for (uint32_t i = 0; i < nslots; i++) {
        if (slots[i].open == NULL) {
            return &slots[i];
        }
    }
    uint32_t more = nslots == 0 ? 64 : nslots * 2;
    struct slot *grown = realloc(slots, more * sizeof(*slots));
    if (grown == NULL) {
        return NULL;
    }
    struct slot *first = grown + nslots;
    memset(first, 0, (more - nslots) * sizeof(*slots));
    slots = grown;
    nslots = more;
    return first;
}

struct tty_open *host_open_by_badge(uint64_t badge)
{
    uint32_t index = (uint32_t)badge - 1;

    if (index >= nslots || slots[index].gen != (uint32_t)(badge >> 32)) {
        return NULL;
    }
    return slots[index].open;
}

struct tty_open *host_open_by_handle(exo_handle_t handle)
{
    for (uint32_t i = 0; i < nslots; i++) {
        if (slots[i].open != NULL && slots[i].open->host_cap == handle) {
            return slots[i].open;
        }
    }
    return NULL;
}

int64_t host_open_publish(exo_handle_t service, struct tty_open *open)
{
    struct slot *slot = slot_new();
    int64_t cap;

    if (slot == NULL) {
        return -EXO_ENOMEM;
    }
    slot->gen++;
    cap = exo_cap_derive(service, EXO_R_CALL,
                         (uint64_t)slot->gen << 32 | ((uint64_t)(slot - slots) + 1),
                         EXO_DERIVE_BADGE | EXO_DERIVE_WATCH, 0);
    if (cap < 0) {
        return cap;
    }
    slot->open = open;
    open->host_cap = (exo_handle_t)cap;
    return cap;
}

void host_open_forget(struct tty_open *open)
{
    for (uint32_t i = 0; i < nslots; i++) {
        if (slots[i].open == open) {
            slots[i].open = NULL;
        }
    }
    if (open->host_cap != 0) {
        exo_cap_delete(open->host_cap);
    }
}

/* --- ports --- */

static struct range {
    exo_handle_t cap;
    uint32_t first, count;
} ranges[8];
static uint32_t nranges;

uint16_t host_ports_add(exo_handle_t ioport)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};

    if (ioport == 0 || nranges == sizeof(ranges) / sizeof(ranges[0]) ||
        exo_cap_identify(ioport, &info) < 0 || info.type != EXO_CAP_IOPORT) {
        return 0;
    }
    ranges[nranges++] = (struct range){ioport, (uint32_t)(info.badge >> 32), (uint32_t)info.badge};
    return (uint16_t)(info.badge >> 32);
}

static exo_handle_t ports_of(uint16_t port)
{
    for (uint32_t i = 0; i < nranges; i++) {
        if (port - ranges[i].first < ranges[i].count) {
            return ranges[i].cap;
        }
    }
    return 0;
}

/* What we hold no capability for reads as a bus with nothing on it. */
static uint8_t io_in(void *ctx, uint16_t port)
{
    exo_handle_t cap = ports_of(port);

    (void)ctx;
    return cap == 0 ? 0xff : (uint8_t)exo_port_io(cap, port, 1, 0);
}

static void io_out(void *ctx, uint16_t port, uint8_t value)
{
    exo_handle_t cap = ports_of(port);

    (void)ctx;
    if (cap != 0) {
        exo_port_io(cap, port, 1 | EXO_PORT_WRITE, value);
    }
}

static void io_out_string(void *ctx, uint16_t port, const uint8_t *bytes, size_t n)
{
    exo_handle_t cap = ports_of(port);

    (void)ctx;
    if (cap != 0) {
        exo_port_string(cap, port, bytes, n, 1);
    }
}

const struct port_io host_io = {io_in, io_out, io_out_string, NULL};
