// SPDX-License-Identifier: MIT
/*
 * Terminals: ioctl. One table, a handler a line; requests that change the terminal pass job
 * control first (SIGTTOU to a background group), as tcsetattr(3) and its relatives must.
 *
 * A handler finds its structure at the start of r->data; tty_ioctl() has checked that the caller
 * sent all of it, and sends back as much as the request returns.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "tty.h"

typedef long ioctl_fn(struct tty_open *open, const struct tty_caller *who, struct tty_request *r);

static void put_int(struct tty_request *r, uint32_t v)
{
    memcpy(r->data, &v, 4);
}

static int32_t get_int(const struct tty_request *r)
{
    int32_t v;

    memcpy(&v, r->data, 4);
    return v;
}

/* "Not before the output is out": 0, or -EAGAIN with the word to wait on. */
static long want_drained(struct tty_open *open, struct tty_request *r)
{
    if (tty_drained(open->tty)) {
        return 0;
    }
    open->tty->drain_wanted = true;
    r->w[1] = open->tty->page->side[0].out_event;
    /* The last bits leave a UART without telling anybody. */
    r->w[2] = open->tty->server->host->now(open->tty->server->h) + TTY_DRAIN_NS;
    return -EAGAIN;
}

/* --- settings --- */

static long get_termios(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    memcpy(r->data, &open->tty->ld.tio, tty_ioctl_out((uint32_t)r->w[1]));
    return 0;
}

static uint32_t speed_of(uint32_t cflag, uint32_t other)
{
    static const uint32_t low[16] = {0,   50,   75,   110,  134,  150,  200,   300,
                                     600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
    static const uint32_t high[16] = {0,       57600,   115200,  230400,  460800,  500000,
                                      576000,  921600,  1000000, 1152000, 1500000, 2000000,
                                      2500000, 3000000, 3500000, 4000000};
    uint32_t code = cflag & LX_CBAUD;

    if (code == LX_BOTHER) {
        return other;
    }
    return (code & 0010000) ? high[code & 15] : low[code & 15];
}

static long set_termios(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;
    struct lx_termios2 tio = tty->ld.tio;
    uint32_t request = (uint32_t)r->w[1];
    bool wait = request != LX_TCSETS && request != LX_TCSETS2;
    bool flush = request == LX_TCSETSF || request == LX_TCSETSF2;
    long err = wait ? want_drained(open, r) : 0;

    (void)who;
    if (err != 0) {
        return err;
    }
    memcpy(&tio, r->data, tty_ioctl_in(request));
    tio.c_line = LX_N_TTY;
    tio.c_ospeed = speed_of(tio.c_cflag, tio.c_ospeed);
    tio.c_ispeed = tio.c_ospeed;
    if (flush) {
        ldisc_flush_in(&tty->ld);
    }
    ldisc_set_termios(&tty->ld, &tio);
    if (tty->dev != NULL) {
        tty->dev->settings(tty->devp, &tio);
    }
    tty->page_dirty = true;
    tty->in_dirty[0] = true; /* what can be read may have changed */
    return 0;
}

static long get_winsize(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    memcpy(r->data, &open->tty->ws, sizeof(open->tty->ws));
    return 0;
}

static long set_winsize(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct lx_winsize ws;

    (void)who;
    memcpy(&ws, r->data, sizeof(ws));
    tty_set_winsize(open->tty, &ws);
    if (open->tty->dev != NULL) {
        open->tty->dev->winsize(open->tty->devp, &ws);
    }
    return 0;
}

static long get_line_discipline(struct tty_open *open, const struct tty_caller *who,
                                struct tty_request *r)
{
    (void)open;
    (void)who;
    put_int(r, LX_N_TTY);
    return 0;
}

static long set_line_discipline(struct tty_open *open, const struct tty_caller *who,
                                struct tty_request *r)
{
    (void)open;
    (void)who;
    return get_int(r) == LX_N_TTY ? 0 : -EINVAL;
}

/* --- queues and flow --- */

static long input_count(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;

    (void)who;
    put_int(r, open->side ? ring_used(&tty->out) : (uint32_t)ldisc_readable(&tty->ld));
    return 0;
}

static long output_count(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    put_int(r, open->side ? 0 : ring_used(&open->tty->out));
    return 0;
}

static long flush(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;
    uint64_t what = r->w[2];

    (void)who;
    if (what > LX_TCIOFLUSH) {
        return -EINVAL;
    }
    /* The master's input is the terminal's output. */
    bool in = what != (open->side ? LX_TCIFLUSH : LX_TCOFLUSH);
    bool out = what != (open->side ? LX_TCOFLUSH : LX_TCIFLUSH);
    if (in) {
        ldisc_flush_in(&tty->ld);
        tty->out_dirty[1] = true;
    }
    if (out) {
        tty_flush_out(tty);
    }
    return 0;
}

static long flow(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    return r->w[2] > LX_TCION ? -EINVAL : ldisc_xonc(&open->tty->ld, (uint32_t)r->w[2]);
}

static void set_break(struct tty *tty, bool on)
{
    if (tty->dev != NULL) {
        tty->dev->brk(tty->devp, on);
    }
}

static long break_on(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    (void)r;
    set_break(open->tty, true);
    return 0;
}

static long break_off(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    (void)r;
    set_break(open->tty, false);
    return 0;
}

/*
 * TCSBRK: drain, and with argument 0 then a break. The caller comes back until the break has
 * lasted; break_until remembers that it has begun.
 */
static long send_break(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;
    uint64_t now = tty->server->host->now(tty->server->h);
    bool wanted = r->w[2] == 0 || (uint32_t)r->w[1] == LX_TCSBRKP;
    long err = want_drained(open, r);

    (void)who;
    if (err != 0 || !wanted || tty->dev == NULL || tty->dev->break_ns == 0) {
        return err;
    }
    if (tty->break_until == 0) {
        tty->break_until = now + tty->dev->break_ns;
        set_break(tty, true);
    }
    if (now < tty->break_until) {
        r->w[1] = tty->page->side[0].out_event;
        r->w[2] = tty->break_until;
        return -EAGAIN;
    }
    tty->break_until = 0;
    set_break(tty, false);
    return 0;
}

/* --- sessions and groups --- */

static long acquire(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;
    struct tty_server *s = tty->server;
    struct job_tty old = tty->job;
    struct tty *has = tty_of_session(s, who->job.sid);
    bool other = has != NULL && has != tty;
    int err;

    if (open->side == 1) {
        return -ENOTTY;
    }
    err = job_acquire(&tty->job, &who->job, other, (open->flags & 3) != 1, r->w[2] == 1);
    if (err == 1) {
        if (old.sid != 0) {
            s->host->set_ctty(s->h, old.sid, 0);
        }
        s->host->set_ctty(s->h, tty->job.sid, tty->rdev);
        tty->page_dirty = true;
        err = 0;
    }
    return err;
}

static long release(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;
    struct tty_server *s = tty->server;
    int32_t sid = tty->job.sid, hup = 0;
    int result = job_release(&tty->job, &who->job, &hup);

    (void)r;
    if (result == 1) {
        if (hup > 0) {
            s->host->kill_group(s->h, sid, hup, SIGHUP);
            s->host->kill_group(s->h, sid, hup, SIGCONT);
        }
        s->host->set_ctty(s->h, sid, 0);
        tty->page_dirty = true;
    }
    return result;
}

static long get_pgrp(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    if (open->side == 0 && !job_is_ctty(&open->tty->job, &who->job)) {
        return -ENOTTY;
    }
    put_int(r, (uint32_t)open->tty->job.pgrp);
    return 0;
}

static long set_pgrp(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    struct tty *tty = open->tty;
    int32_t pgrp = get_int(r);
    int32_t sid = pgrp > 0 ? tty->server->host->group_sid(tty->server->h, pgrp) : 0;
    int err = job_set_pgrp(&tty->job, &who->job, pgrp, sid > 0 ? sid : 0);

    tty->page_dirty |= err == 0;
    return err;
}

static long get_sid(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    if (open->tty->job.sid == 0 || (open->side == 0 && !job_is_ctty(&open->tty->job, &who->job))) {
        return -ENOTTY;
    }
    put_int(r, (uint32_t)open->tty->job.sid);
    return 0;
}

static long hang_up(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)r;
    if (who->uid != 0) {
        return -EPERM;
    }
    tty_hangup(open->tty, true);
    return 0;
}

/* --- opening --- */

static long set_exclusive(struct tty_open *open, const struct tty_caller *who,
                          struct tty_request *r)
{
    (void)who;
    open->tty->exclusive = (uint32_t)r->w[1] == LX_TIOCEXCL;
    return 0;
}

static long get_exclusive(struct tty_open *open, const struct tty_caller *who,
                          struct tty_request *r)
{
    (void)who;
    put_int(r, open->tty->exclusive);
    return 0;
}

static long get_device(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    put_int(r, open->side ? TTY_RDEV_PTMX : open->tty->rdev);
    return 0;
}

static long refused(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)open;
    (void)who;
    (void)r;
    return -EIO; /* TIOCSTI: typing into other people's terminals */
}

static long get_number(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    put_int(r, (uint32_t)open->tty->number);
    return 0;
}

static long set_lock(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    open->tty->locked = get_int(r) != 0;
    return 0;
}

static long get_lock(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    (void)who;
    put_int(r, open->tty->locked);
    return 0;
}

static long open_peer(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    bool ctty = false;
    int err = tty_open_slave(open->tty, (uint32_t)r->w[2], who, &r->opened, &ctty);

    if (err == 0) {
        r->w[1] = open->tty->rdev;
        r->w[2] = 0;
        r->w[3] = ctty;
    }
    return err;
}

enum { ANY = 0, CHANGES = 1, MASTER = 2 };

static const struct {
    uint32_t request;
    uint32_t kind; /* CHANGES: job control; MASTER: of a pty's master only */
    ioctl_fn *fn;
} table[] = {
    {LX_TCGETS, ANY, get_termios},
    {LX_TCGETS2, ANY, get_termios},
    {LX_TCSETS, CHANGES, set_termios},
    {LX_TCSETSW, CHANGES, set_termios},
    {LX_TCSETSF, CHANGES, set_termios},
    {LX_TCSETS2, CHANGES, set_termios},
    {LX_TCSETSW2, CHANGES, set_termios},
    {LX_TCSETSF2, CHANGES, set_termios},
    {LX_TIOCGWINSZ, ANY, get_winsize},
    {LX_TIOCSWINSZ, ANY, set_winsize},
    {LX_TIOCGPGRP, ANY, get_pgrp},
    {LX_TIOCSPGRP, CHANGES, set_pgrp},
    {LX_TIOCGSID, ANY, get_sid},
    {LX_TIOCSCTTY, ANY, acquire},
    {LX_TIOCNOTTY, ANY, release},
    {LX_FIONREAD, ANY, input_count},
    {LX_TIOCOUTQ, ANY, output_count},
    {LX_TCFLSH, CHANGES, flush},
    {LX_TCXONC, CHANGES, flow},
    {LX_TCSBRK, CHANGES, send_break},
    {LX_TCSBRKP, CHANGES, send_break},
    {LX_TIOCSBRK, CHANGES, break_on},
    {LX_TIOCCBRK, CHANGES, break_off},
    {LX_TIOCGETD, ANY, get_line_discipline},
    {LX_TIOCSETD, CHANGES, set_line_discipline},
    {LX_TIOCEXCL, ANY, set_exclusive},
    {LX_TIOCNXCL, ANY, set_exclusive},
    {LX_TIOCGEXCL, ANY, get_exclusive},
    {LX_TIOCGDEV, ANY, get_device},
    {LX_TIOCVHANGUP, ANY, hang_up},
    {LX_TIOCSTI, ANY, refused},
    {LX_TIOCGPTN, MASTER, get_number},
    {LX_TIOCSPTLCK, MASTER, set_lock},
    {LX_TIOCGPTLCK, MASTER, get_lock},
    {LX_TIOCGPTPEER, MASTER, open_peer},
};

long tty_ioctl(struct tty_open *open, const struct tty_caller *who, struct tty_request *r)
{
    uint32_t request = (uint32_t)r->w[1];
    size_t i = 0;

    while (i < sizeof(table) / sizeof(table[0]) && table[i].request != request) {
        i++;
    }
    if (i == sizeof(table) / sizeof(table[0])) {
        return -ENOTTY;
    }
    if (tty_is_hung(open)) {
        return -EIO;
    }
    if (table[i].kind == MASTER && open->side == 0) {
        return -ENOTTY;
    }
    if (r->in_bytes < tty_ioctl_in(request)) {
        return -EINVAL;
    }
    if (table[i].kind == CHANGES && open->side == 0) {
        int err = tty_may_change(open->tty, who);
        if (err != 0) {
            return err;
        }
    }
    long result = table[i].fn(open, who, r);
    r->out_bytes = result >= 0 ? tty_ioctl_out(request) : 0;
    return result;
}
