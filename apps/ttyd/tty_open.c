// SPDX-License-Identifier: MIT
/*
 * Terminals: making, opening and closing; ptys; who pays.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "tty.h"

#define O_ACCMODE_BITS  3u
#define LX_O_NOCTTY_BIT 0400u

/* --- the line discipline's view of a tty --- */

static void op_out(void *ctx, const uint8_t *bytes, size_t n)
{
    struct tty *tty = ctx;

    ring_put(&tty->out, bytes, n);
    tty->in_dirty[1] = true;
}

static size_t op_room(void *ctx)
{
    const struct tty *tty = ctx;
    size_t room = ring_room(&tty->out);

    return room > TTY_ECHO_ROOM ? room - TTY_ECHO_ROOM : 0;
}

static void op_flush_out(void *ctx)
{
    tty_flush_out(ctx);
}

static void op_flow(void *ctx, bool stopped)
{
    struct tty *tty = ctx;

    tty->in_dirty[1] |= !stopped;
}

static void op_xchar(void *ctx, uint8_t c)
{
    struct tty *tty = ctx;

    if (tty->dev != NULL) {
        tty->dev->xchar(tty->devp, c);
    } else {
        op_out(ctx, &c, 1);
    }
}

static void op_sig(void *ctx, int sig)
{
    struct tty *tty = ctx;

    if (tty->job.sid > 0 && tty->job.pgrp > 0) {
        tty->server->host->kill_group(tty->server->h, tty->job.sid, tty->job.pgrp, sig);
    }
}

static const struct ldisc_ops tty_ldisc_ops = {op_out,  op_room,  op_flush_out,
                                               op_flow, op_xchar, op_sig};

/* --- accounts --- */

static struct tty_account *account_of(struct tty_server *s, uint32_t uid)
{
    struct tty_account *a;

    LIST_FOREACH (a, &s->accounts, link) {
        if (a->uid == uid) {
            return a;
        }
    }
    a = calloc(1, sizeof(*a));
    if (a != NULL) {
        a->uid = uid;
        a->server = s;
        LIST_INSERT_HEAD(&s->accounts, a, link);
    }
    return a;
}

static void account_close(struct tty_account *a)
{
    if (a->bytes == 0) {
        LIST_REMOVE(a, link);
        free(a);
    }
}

/* Of what all users but root may hold together, one may hold the half. */
static size_t user_share(const struct tty_server *s)
{
    return s->users_max / 2 < TTY_SHARE ? s->users_max / 2 : TTY_SHARE;
}

static int account_take(struct tty_server *s, uint32_t uid, size_t bytes, struct tty_account **out)
{
    struct tty_account *a = account_of(s, uid);

    if (a == NULL) {
        return -ENOMEM;
    }
    if (uid != 0 && (bytes > s->users_max - s->users_bytes || bytes > user_share(s) - a->bytes)) {
        account_close(a);
        return -ENOSPC;
    }
    a->bytes += bytes;
    s->users_bytes += uid != 0 ? bytes : 0;
    *out = a;
    return 0;
}

static void account_give(struct tty_account *a, size_t bytes)
{
    a->bytes -= bytes;
    a->server->users_bytes -= a->uid != 0 ? bytes : 0;
    account_close(a);
}

/* --- making and unmaking --- */

void tty_server_init(struct tty_server *s, const struct tty_host *host, void *h)
{
    s->host = host;
    s->h = h;
    s->users_max = TTY_USERS;
    s->users_bytes = 0;
    LIST_INIT(&s->ttys);
    LIST_INIT(&s->accounts);
}

static struct tty *tty_new(struct tty_server *s, uint32_t rdev, uint32_t out_size)
{
    struct tty *tty = calloc(1, sizeof(*tty));

    if (tty == NULL) {
        return NULL;
    }
    tty->server = s;
    tty->rdev = rdev;
    tty->out = (struct ring){.buf = malloc(out_size), .size = out_size};
    ldisc_init(&tty->ld, &tty_ldisc_ops, tty);
    LIST_INIT(&tty->opens);
    tty->ctime = tty->atime = tty->mtime = s->host->now(s->h);
    tty->page = tty->out.buf != NULL ? s->host->page_new(s->h, tty) : NULL;
    if (tty->page == NULL) {
        free(tty->out.buf);
        free(tty);
        return NULL;
    }
    tty->page->size = sizeof(struct tty_page);
    tty->page->version = TTY_PROTO_VERSION;
    tty->page->rdev = rdev;
    tty->page_dirty = true;
    return tty;
}

static size_t pty_bytes(void)
{
    return sizeof(struct tty) + TTY_OUT_PTY + 4096; /* and its page */
}

static void tty_free(struct tty *tty)
{
    LIST_REMOVE(tty, link);
    tty->server->host->page_free(tty->server->h, tty);
    account_give(tty->account, pty_bytes());
    free(tty->out.buf);
    free(tty);
}

struct tty *tty_console_new(struct tty_server *s, const struct tty_dev *dev, void *devp)
{
    struct tty *tty = tty_new(s, TTY_RDEV_CONSOLE, TTY_OUT_DEV);

    if (tty == NULL) {
        return NULL;
    }
    tty->dev = dev;
    tty->devp = devp;
    tty->number = -1;
    tty->gid = 5; /* group tty, for write(1) and the like */
    tty->mode = 0620;
    tty->ld.tio.c_cflag = LX_B115200 | LX_CS8 | LX_CREAD | LX_HUPCL | LX_CLOCAL;
    tty->ld.tio.c_ispeed = tty->ld.tio.c_ospeed = 115200;
    tty->ld.tio.c_iflag |= LX_IUTF8;
    LIST_INSERT_HEAD(&s->ttys, tty, link);
    tty_sync(tty);
    return tty;
}

static int pty_new(struct tty_server *s, const struct tty_caller *who, struct tty **out)
{
    struct tty_account *account;
    struct tty *tty, *t, *before = NULL;
    int32_t number = 0;
    int err = account_take(s, who->uid, pty_bytes(), &account);

    if (err != 0) {
        return err;
    }
    LIST_FOREACH (t, &s->ttys, link) {
        if (t->number > number) {
            break;
        }
        before = t;
        number = t->number + 1;
    }
    /* 16 majors of 256 numbers is what device numbers of this form can name. */
    tty = number < 16 * 256 ? tty_new(s, TTY_RDEV_PTS(number), TTY_OUT_PTY) : NULL;
    if (tty == NULL) {
        account_give(account, pty_bytes());
        return number < 16 * 256 ? -ENOMEM : -ENOSPC;
    }
    tty->number = number;
    tty->account = account;
    tty->uid = who->uid;
    tty->gid = 5;
    tty->mode = 0620;
    tty->locked = true;
    if (before != NULL) {
        LIST_INSERT_AFTER(before, tty, link);
    } else {
        LIST_INSERT_HEAD(&s->ttys, tty, link);
    }
    *out = tty;
    return 0;
}

/* --- opening and closing --- */

struct tty *tty_by_rdev(struct tty_server *s, uint32_t rdev)
{
    struct tty *tty;

    if (rdev == TTY_RDEV(4, 0) || rdev == TTY_RDEV(4, 1) || rdev == TTY_RDEV(4, 64)) {
        rdev = TTY_RDEV_CONSOLE;
    }
    LIST_FOREACH (tty, &s->ttys, link) {
        if (tty->rdev == rdev) {
            return tty;
        }
    }
    return NULL;
}

struct tty *tty_of_session(struct tty_server *s, int32_t sid)
{
    struct tty *tty;

    LIST_FOREACH (tty, &s->ttys, link) {
        if (sid > 0 && tty->job.sid == sid) {
            return tty;
        }
    }
    return NULL;
}

static bool may_open(const struct tty *tty, const struct tty_caller *who, uint32_t flags)
{
    uint32_t access = flags & O_ACCMODE_BITS;
    uint32_t want = access == 0 ? 4 : access == 1 ? 2 : 6;
    uint32_t bits = tty->mode & 7;
    bool group = who->gid == tty->gid;

    if (who->uid == 0) {
        return true;
    }
    for (uint32_t i = 0; i < who->ngroups && i < TTY_GROUPS; i++) {
        group |= who->groups[i] == tty->gid;
    }
    if (who->uid == tty->uid) {
        bits = tty->mode >> 6 & 7;
    } else if (group) {
        bits = tty->mode >> 3 & 7;
    }
    return (bits & want) == want;
}

static int open_new(struct tty *tty, uint32_t rdev, uint32_t flags, uint8_t side,
                    const struct tty_caller *who, struct tty_open **out)
{
    struct tty_open *open = calloc(1, sizeof(*open));
    int err = -ENOMEM;

    if (open != NULL) {
        err = account_take(tty->server, who->uid, sizeof(*open), &open->account);
    }
    if (err != 0) {
        free(open);
        return err;
    }
    open->tty = tty;
    open->rdev = rdev;
    open->flags = flags & O_ACCMODE_BITS;
    open->gen = tty->gen;
    open->side = side;
    LIST_INSERT_HEAD(&tty->opens, open, link);
    *out = open;
    return 0;
}

static int open_terminal(struct tty *tty, uint32_t rdev, uint32_t flags,
                         const struct tty_caller *who, struct tty_open **out, bool *ctty)
{
    struct tty_server *s = tty->server;
    int err;

    if (tty->number >= 0 && (tty->locked || !tty->master)) {
        return -EIO;
    }
    if (tty->exclusive && who->uid != 0) {
        return -EBUSY;
    }
    err = open_new(tty, rdev, flags, 0, who, out);
    if (err != 0) {
        return err;
    }
    tty->slaves++;
    tty->slave_was_open = true;
    if (!(flags & LX_O_NOCTTY_BIT) &&
        job_acquire_on_open(&tty->job, &who->job, tty_of_session(s, who->job.sid) != NULL,
                            (flags & O_ACCMODE_BITS) != 1)) {
        *ctty = true;
        tty->page_dirty = true;
        s->host->set_ctty(s->h, who->job.sid, tty->rdev);
    }
    tty_sync(tty);
    return 0;
}

int tty_open_slave(struct tty *tty, uint32_t flags, const struct tty_caller *who,
                   struct tty_open **out, bool *ctty)
{
    return open_terminal(tty, tty->rdev, flags, who, out, ctty);
}

int tty_open_request(struct tty_server *s, uint32_t rdev, uint32_t flags,
                     const struct tty_caller *who, struct tty_open **out, bool *ctty)
{
    struct tty *tty;
    int err;

    if ((flags & O_ACCMODE_BITS) == 3) {
        return -EINVAL;
    }
    if (rdev == TTY_RDEV_PTMX) {
        err = pty_new(s, who, &tty);
        if (err != 0) {
            return err;
        }
        err = open_new(tty, rdev, flags, 1, who, out);
        if (err != 0) {
            tty_free(tty);
            return err;
        }
        tty->master = true;
        tty_sync(tty);
        return 0;
    }
    tty = rdev == TTY_RDEV_CTTY ? tty_of_session(s, who->job.sid) : tty_by_rdev(s, rdev);
    if (tty == NULL) {
        return -ENXIO;
    }
    if (rdev != TTY_RDEV_CTTY && !may_open(tty, who, flags)) {
        return -EACCES;
    }
    return open_terminal(tty, rdev == TTY_RDEV_CTTY ? tty->rdev : rdev, flags, who, out, ctty);
}

/* The line to the terminal is gone: its session learns it by SIGHUP, its programs by end of file.
 */
static void master_closed(struct tty *tty)
{
    struct tty_server *s = tty->server;
    struct job_tty job = tty->job;

    tty->master = false;
    tty_hangup(tty, true);
    tty->job = (struct job_tty){0, 0};
    tty->page_dirty = true;
    if (job.sid > 0) {
        s->host->set_ctty(s->h, job.sid, 0);
        s->host->signal_leader(s->h, job.sid, SIGHUP);
        s->host->signal_leader(s->h, job.sid, SIGCONT);
        if (job.pgrp > 0) {
            s->host->kill_group(s->h, job.sid, job.pgrp, SIGHUP);
            s->host->kill_group(s->h, job.sid, job.pgrp, SIGCONT);
        }
    }
}

void tty_close(struct tty_open *open)
{
    struct tty *tty = open->tty;

    LIST_REMOVE(open, link);
    if (open->side == 1) {
        master_closed(tty);
    } else if (--tty->slaves == 0) {
        tty->exclusive = false;
        tty->in_dirty[1] = true;
    }
    account_give(open->account, sizeof(*open));
    free(open);
    if (tty->number >= 0 && !tty->master && tty->slaves == 0) {
        tty_free(tty);
    } else {
        tty_sync(tty);
    }
}
