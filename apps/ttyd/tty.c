// SPDX-License-Identifier: MIT
/*
 * Terminals: reading, writing, publishing, hanging up; the dispatch of requests.
 * The concept is in tty.h. Opening and closing are in tty_open.c, ioctl in tty_ioctl.c.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "tty.h"

bool tty_output_held(const struct tty *tty)
{
    return tty->ld.stopped || tty->ld.tco_stopped;
}

bool tty_is_hung(const struct tty_open *open)
{
    return open->gen != open->tty->gen;
}

bool tty_drained(const struct tty *tty)
{
    /* What a pty's master has not read yet counts as sent, as on Linux. */
    return tty->dev == NULL || (ring_used(&tty->out) == 0 && tty->dev->drained(tty->devp));
}

static size_t writer_room(const struct tty *tty)
{
    size_t room = ring_room(&tty->out);

    return room > TTY_ECHO_ROOM ? room - TTY_ECHO_ROOM : 0;
}

static uint32_t poll_terminal(const struct tty *tty)
{
    uint32_t bits = 0;

    bits |= ldisc_poll_in(&tty->ld) ? POLLIN : 0;
    bits |= writer_room(tty) >= LDISC_OUT_MAX ? POLLOUT : 0;
    return bits;
}

static bool slave_gone(const struct tty *tty)
{
    return tty->slave_was_open && tty->slaves == 0;
}

static uint32_t poll_master(const struct tty *tty)
{
    uint32_t bits = 0;

    bits |= ring_used(&tty->out) > 0 && !tty_output_held(tty) ? POLLIN : 0;
    bits |= ldisc_can_take(&tty->ld) ? POLLOUT : 0;
    bits |= slave_gone(tty) ? POLLHUP : 0;
    return bits;
}

static void bump(struct tty *tty, uint32_t *word)
{
    __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
    tty->server->host->wake(tty->server->h, tty, word);
}

static void publish_settings(struct tty *tty)
{
    struct tty_page *p = tty->page;

    if (!tty->page_dirty) {
        return;
    }
    tty->page_dirty = false;
    __atomic_add_fetch(&p->seq, 1, __ATOMIC_SEQ_CST);
    p->tio = tty->ld.tio;
    p->ws = tty->ws;
    p->sid = tty->job.sid;
    p->pgrp = tty->job.pgrp;
    p->hangups = tty->gen;
    __atomic_add_fetch(&p->seq, 1, __ATOMIC_SEQ_CST);
}

void tty_sync(struct tty *tty)
{
    if (tty->dev != NULL && ring_used(&tty->out) > 0 && !tty_output_held(tty)) {
        tty->dev->start(tty->devp);
    }
    if (tty->drain_wanted && tty_drained(tty)) {
        tty->drain_wanted = false;
        tty->out_dirty[0] = true;
    }
    uint32_t now[2] = {poll_terminal(tty), poll_master(tty)};

    publish_settings(tty);
    for (int side = 0; side < 2; side++) {
        struct tty_side *s = &tty->page->side[side];
        uint32_t gained = now[side] & ~s->poll;

        __atomic_store_n(&s->poll, now[side], __ATOMIC_RELAXED);
        if (tty->in_dirty[side] || (gained & (POLLIN | POLLHUP | POLLERR))) {
            bump(tty, &s->in_event);
        }
        if (tty->out_dirty[side] || (gained & (POLLOUT | POLLHUP | POLLERR))) {
            bump(tty, &s->out_event);
        }
        tty->in_dirty[side] = tty->out_dirty[side] = false;
    }
}

/* Readers with a time limit or a small buffer may be content though poll is not: tell them all. */
static void after_input(struct tty *tty)
{
    if (!ldisc_l(&tty->ld, LX_ICANON) || tty->ld.canon != tty->ld.tail) {
        tty->in_dirty[0] = true;
    }
}

void tty_device_input(struct tty *tty, const uint8_t *bytes, size_t n)
{
    ldisc_input(&tty->ld, bytes, n, tty->server->host->now(tty->server->h), true);
    after_input(tty);
}

void tty_device_error(struct tty *tty, uint8_t c, enum ldisc_error kind)
{
    ldisc_input_error(&tty->ld, c, kind, tty->server->host->now(tty->server->h));
    after_input(tty);
}

void tty_flush_out(struct tty *tty)
{
    ring_drop(&tty->out, ring_used(&tty->out));
    if (tty->dev != NULL) {
        tty->dev->discard(tty->devp);
    }
    tty->out_dirty[0] = true;
}

/* `everyone`: also opens made under the name /dev/console, which survive their sessions. */
void tty_hangup(struct tty *tty, bool everyone)
{
    struct tty_open *o;
    uint32_t old = tty->gen++;

    LIST_FOREACH (o, &tty->opens, link) {
        if (o->side == 1 || (o->gen == old && !everyone && o->rdev == TTY_RDEV_CONSOLE)) {
            o->gen = tty->gen;
        }
    }
    ldisc_flush_in(&tty->ld);
    tty->in_dirty[0] = tty->out_dirty[0] = tty->page_dirty = true;
}

static void signal_foreground(struct tty *tty, int sig)
{
    if (tty->job.sid > 0 && tty->job.pgrp > 0) {
        tty->server->host->kill_group(tty->server->h, tty->job.sid, tty->job.pgrp, sig);
    }
}

void tty_set_winsize(struct tty *tty, const struct lx_winsize *ws)
{
    if (memcmp(&tty->ws, ws, sizeof(*ws)) != 0) {
        tty->ws = *ws;
        tty->page_dirty = true;
        signal_foreground(tty, SIGWINCH);
    }
}

void tty_sessions_check(struct tty_server *s)
{
    struct tty *tty;

    LIST_FOREACH (tty, &s->ttys, link) {
        if (tty->job.sid == 0 || s->host->signal_leader(s->h, tty->job.sid, 0) != -ESRCH) {
            continue;
        }
        signal_foreground(tty, SIGHUP);
        signal_foreground(tty, SIGCONT);
        s->host->set_ctty(s->h, tty->job.sid, 0);
        tty->job = (struct job_tty){0, 0};
        tty->page_dirty = true;
        if (tty->number < 0) {
            tty_hangup(tty, false);
        }
        tty_sync(tty);
    }
}

/* The verdict of job control carried out: 0, -EIO or -TTY_RESTART. */
static int job_enforce(struct tty *tty, const struct tty_caller *who, enum job_verdict verdict,
                       int sig)
{
    if (verdict == JOB_OK) {
        return 0;
    }
    if (verdict == JOB_EIO) {
        return -EIO;
    }
    int err = tty->server->host->stop_group(tty->server->h, who->job.sid, who->job.pgid, sig);
    return err == 0 ? -TTY_RESTART : -EIO;
}

int tty_may_change(struct tty *tty, const struct tty_caller *who)
{
    int sig = 0;
    enum job_verdict v = job_check_change(&tty->job, &who->job, &sig);

    return job_enforce(tty, who, v, sig);
}

static long read_master(struct tty *tty, struct tty_request *r, size_t n)
{
    if (ring_used(&tty->out) > 0 && !tty_output_held(tty)) {
        size_t got = ring_get(&tty->out, r->data, n);

        r->out_bytes = got;
        return (long)got;
    }
    return slave_gone(tty) ? -EIO : -EAGAIN;
}

static long read_terminal(struct tty *tty, const struct tty_caller *who, struct tty_request *r,
                          size_t n)
{
    struct ldisc_wait w = {
        .now = tty->server->host->now(tty->server->h),
        .start = r->w[3],
        .nonblock = (r->w[2] & TTY_F_NONBLOCK) != 0,
    };
    int sig = 0;
    enum job_verdict v = job_check_read(&tty->job, &who->job, &sig);
    int err = job_enforce(tty, who, v, sig);

    if (err != 0) {
        return err;
    }
    w.start = w.start < w.now ? w.start : w.now;
    long got = ldisc_read(&tty->ld, r->data, n, &w);
    if (got == -EAGAIN) {
        r->w[2] = w.deadline;
    } else if (got > 0) {
        r->out_bytes = (size_t)got;
        tty->atime = w.now;
    }
    return got;
}

static long do_read(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;
    size_t n = r->w[1] < TTY_MSG_MAX ? (size_t)r->w[1] : TTY_MSG_MAX;
    uint32_t seen = tty->page->side[open->side].in_event;
    long got;

    if ((open->flags & 3) == 1) {
        return -EBADF;
    }
    if (tty_is_hung(open) || n == 0) {
        return 0;
    }
    got = open->side ? read_master(tty, r, n) : read_terminal(tty, who, r, n);
    if (got == -EAGAIN) {
        r->w[1] = seen;
        r->w[2] = open->side ? 0 : r->w[2];
    }
    return got;
}

static long do_write(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;
    size_t n = r->w[1] < r->in_bytes ? (size_t)r->w[1] : r->in_bytes;
    uint64_t now = tty->server->host->now(tty->server->h);
    size_t took;

    if ((open->flags & 3) == 0) {
        return -EBADF;
    }
    if (tty_is_hung(open)) {
        return -EIO;
    }
    if (n == 0) {
        return 0;
    }
    if (open->side == 1) {
        took = ldisc_input(&tty->ld, r->data, n, now, false);
        after_input(tty);
    } else {
        int err = ldisc_l(&tty->ld, LX_TOSTOP) ? tty_may_change(tty, who) : 0;
        if (err != 0) {
            return err;
        }
        took = ldisc_write(&tty->ld, r->data, n);
        tty->mtime = now;
    }
    if (took == 0) {
        r->w[1] = tty->page->side[open->side].out_event;
        return -EAGAIN;
    }
    return (long)took;
}

static long do_poll(struct tty_open *open, struct tty_request *r)
{
    struct tty *tty = open->tty;

    r->w[1] = tty->page->side[open->side].in_event;
    r->w[2] = tty->page->side[open->side].out_event;
    if (tty_is_hung(open)) {
        return POLLIN | POLLOUT | POLLERR | POLLHUP;
    }
    return (long)(open->side ? poll_master(tty) : poll_terminal(tty));
}

static long do_stat(const struct tty *tty, struct tty_request *r)
{
    struct tty_stat st = {
        .size = sizeof(st),
        .version = TTY_PROTO_VERSION,
        .rdev = tty->rdev,
        .mode = 0020000 | tty->mode,
        .uid = tty->uid,
        .gid = tty->gid,
        .atime_ns = (int64_t)tty->atime,
        .mtime_ns = (int64_t)tty->mtime,
        .ctime_ns = (int64_t)tty->ctime,
    };
    memcpy(r->data, &st, sizeof(st));
    r->out_bytes = sizeof(st);
    return 0;
}

static bool in_group(const struct tty_caller *who, uint32_t gid)
{
    bool found = who->gid == gid;

    for (uint32_t i = 0; i < who->ngroups && i < TTY_GROUPS; i++) {
        found |= who->groups[i] == gid;
    }
    return found;
}

static long do_chmod(struct tty *tty, const struct tty_caller *who, uint32_t mode)
{
    if (who->uid != 0 && who->uid != tty->uid) {
        return -EPERM;
    }
    tty->mode = mode & 0777;
    return 0;
}

static long do_chown(struct tty *tty, const struct tty_caller *who, uint32_t uid, uint32_t gid)
{
    bool owner = who->uid == tty->uid;
    bool uid_ok = uid == UINT32_MAX || uid == tty->uid;
    bool gid_ok = gid == UINT32_MAX || in_group(who, gid);

    if (who->uid != 0 && !(owner && uid_ok && gid_ok)) {
        return -EPERM;
    }
    tty->uid = uid == UINT32_MAX ? tty->uid : uid;
    tty->gid = gid == UINT32_MAX ? tty->gid : gid;
    return 0;
}

static long do_list(struct tty_server *s, struct tty_request *r)
{
    const struct tty *tty;
    uint32_t found = 0;
    uint64_t next = 0;

    LIST_FOREACH (tty, &s->ttys, link) {
        if (tty->number < 0 || (uint64_t)tty->number < r->w[1] || !tty->master) {
            continue;
        }
        if (found == TTY_MSG_MAX / 4) {
            next = (uint64_t)tty->number;
            break;
        }
        memcpy(r->data + 4ul * found++, &tty->number, 4);
    }
    r->out_bytes = 4ul * found;
    r->w[1] = next;
    return (long)found;
}

static long on_service(struct tty_server *s, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty;
    bool ctty = false;
    long err;

    switch (r->w[0]) {
    case TTY_OP_OPEN:
        err = tty_open_request(s, (uint32_t)r->w[1], (uint32_t)r->w[2], who, &r->opened, &ctty);
        if (err == 0) {
            r->w[1] = r->opened->tty->rdev;
            r->w[2] = r->opened->side;
            r->w[3] = ctty;
        }
        return err;
    case TTY_OP_LIST:
        return do_list(s, r);
    case TTY_OP_STAT:
    case TTY_OP_CHMOD:
    case TTY_OP_CHOWN:
        tty = tty_by_rdev(s, (uint32_t)r->w[1]);
        if (tty == NULL) {
            return -ENXIO;
        }
        return r->w[0] == TTY_OP_STAT    ? do_stat(tty, r)
               : r->w[0] == TTY_OP_CHMOD ? do_chmod(tty, who, (uint32_t)r->w[2])
                                         : do_chown(tty, who, (uint32_t)r->w[2], (uint32_t)r->w[3]);
    default:
        return -ENOSYS;
    }
}

static long on_open(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    switch (r->w[0]) {
    case TTY_OP_READ:
        return do_read(open, who, r);
    case TTY_OP_WRITE:
        return do_write(open, who, r);
    case TTY_OP_IOCTL:
        return tty_ioctl(open, who, r);
    case TTY_OP_POLL:
        return do_poll(open, r);
    case TTY_OP_STAT:
        return do_stat(open->tty, r);
    case TTY_OP_CHMOD:
        return do_chmod(open->tty, who, (uint32_t)r->w[2]);
    case TTY_OP_CHOWN:
        return do_chown(open->tty, who, (uint32_t)r->w[2], (uint32_t)r->w[3]);
    default:
        return -ENOSYS;
    }
}

void tty_request(struct tty_server *s, struct tty_open *open, const struct tty_caller *who,
                 struct tty_request *r)
{
    struct tty_caller full = *who;
    uint64_t op = r->w[0];
    uint64_t flags = op == TTY_OP_IOCTL                        ? r->w[3]
                     : op == TTY_OP_READ || op == TTY_OP_WRITE ? r->w[2]
                                                               : 0;

    r->out_bytes = 0;
    r->opened = NULL;
    full.job.flags = (who->uid == 0 ? JOB_ROOT : 0) | (flags & TTY_F_TTIN_OFF ? JOB_TTIN_OFF : 0) |
                     (flags & TTY_F_TTOU_OFF ? JOB_TTOU_OFF : 0) |
                     (flags & TTY_F_NOCTTY ? JOB_NOCTTY : 0);
    long result = open != NULL ? on_open(open, &full, r) : on_service(s, &full, r);
    r->w[0] = (uint64_t)result;
    if (open != NULL) {
        tty_sync(open->tty);
    }
}
