// SPDX-License-Identifier: MIT
/*
 * Line discipline, input side: classification of arriving bytes, the canonical queue, read.
 *
 * The order in which the settings act on a byte is Linux's, which POSIX leaves partly open:
 * ISTRIP/IUCLC, literal-next, START/STOP, signals, IXANY, CR/NL mapping, line editing, echo.
 * A byte that is acted upon is never queued; only bytes for the reader reach put().
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "ldisc.h"

static bool is_cc(const struct ldisc *ld, unsigned which, uint8_t c)
{
    return c != LX_VDISABLE && ld->tio.c_cc[which] == c;
}

void ldisc_init(struct ldisc *ld, const struct ldisc_ops *ops, void *ctx)
{
    static const uint8_t cc[LX_NCCS] = {
        [LX_VINTR] = 3,   [LX_VQUIT] = 28,    [LX_VERASE] = 127,  [LX_VKILL] = 21,
        [LX_VEOF] = 4,    [LX_VMIN] = 1,      [LX_VSTART] = 17,   [LX_VSTOP] = 19,
        [LX_VSUSP] = 26,  [LX_VREPRINT] = 18, [LX_VDISCARD] = 15, [LX_VWERASE] = 23,
        [LX_VLNEXT] = 22,
    };
    memset(ld, 0, sizeof(*ld));
    ld->ops = ops;
    ld->ctx = ctx;
    ld->tio.c_iflag = LX_ICRNL | LX_IXON;
    ld->tio.c_oflag = LX_OPOST | LX_ONLCR;
    ld->tio.c_cflag = LX_B38400 | LX_CS8 | LX_CREAD | LX_HUPCL;
    ld->tio.c_lflag =
        LX_ISIG | LX_ICANON | LX_ECHO | LX_ECHOE | LX_ECHOK | LX_ECHOCTL | LX_ECHOKE | LX_IEXTEN;
    memcpy(ld->tio.c_cc, cc, sizeof(cc));
    ld->tio.c_ispeed = ld->tio.c_ospeed = 38400;
}

static uint32_t queue_room(const struct ldisc *ld)
{
    return LDISC_SIZE - (ld->head - ld->tail);
}

static void put(struct ldisc *ld, uint8_t c, enum ldisc_mark mark)
{
    uint32_t at = ld->head % LDISC_SIZE;

    ld->buf[at] = c;
    ld->mark[at] = (uint8_t)mark;
    ld->head++;
}

/* One byte for the reader. The last place is kept for the byte that ends the line. */
static void put_plain(struct ldisc *ld, uint8_t c)
{
    bool twice = c == 0xff && ldisc_i(ld, LX_PARMRK);
    uint32_t need = 1 + (twice ? 1 : 0) + (ldisc_l(ld, LX_ICANON) ? 1 : 0);

    if (queue_room(ld) < need) {
        if (ldisc_i(ld, LX_IMAXBEL)) {
            ldisc_echo_raw(ld, '\a');
        }
        return;
    }
    if (twice) {
        put(ld, c, LDISC_PLAIN);
    }
    put(ld, c, LDISC_PLAIN);
}

static void end_line(struct ldisc *ld, uint8_t c, enum ldisc_mark mark)
{
    if (queue_room(ld) == 0) {
        return;
    }
    put(ld, c, mark);
    ld->canon = ld->head;
}

static void flow_set(struct ldisc *ld, bool stopped)
{
    bool before = ld->stopped || ld->tco_stopped;

    ld->stopped = stopped;
    if (before != (ld->stopped || ld->tco_stopped)) {
        ld->ops->flow(ld->ctx, !before);
    }
}

static void throttle_check(struct ldisc *ld)
{
    uint32_t used = ld->head - ld->tail;

    if (!ldisc_i(ld, LX_IXOFF)) {
        return;
    }
    if (!ld->xoff_sent && used > LDISC_XOFF_AT && ld->tio.c_cc[LX_VSTOP] != LX_VDISABLE) {
        ld->xoff_sent = true;
        ld->ops->xchar(ld->ctx, ld->tio.c_cc[LX_VSTOP]);
    } else if (ld->xoff_sent && used < LDISC_XON_AT) {
        ld->xoff_sent = false;
        ld->ops->xchar(ld->ctx, ld->tio.c_cc[LX_VSTART]);
    }
}

void ldisc_flush_in(struct ldisc *ld)
{
    ld->tail = ld->canon = ld->head;
    ld->lnext = false;
    ld->erasing = false;
    throttle_check(ld);
}

static void raise_signal(struct ldisc *ld, uint8_t c, int sig)
{
    if (!ldisc_l(ld, LX_NOFLSH)) {
        ldisc_flush_in(ld);
        ld->ops->flush_out(ld->ctx);
    }
    if (ldisc_i(ld, LX_IXON)) {
        flow_set(ld, false);
    }
    if (ldisc_l(ld, LX_ECHO)) {
        ldisc_echo(ld, c);
    }
    ld->ops->sig(ld->ctx, sig);
}

/* START, STOP and the signal characters. True: the byte is used up. */
static bool take_control(struct ldisc *ld, uint8_t c)
{
    if (ldisc_i(ld, LX_IXON)) {
        if (is_cc(ld, LX_VSTART, c)) {
            flow_set(ld, false);
            return true;
        }
        if (is_cc(ld, LX_VSTOP, c)) {
            flow_set(ld, true);
            return true;
        }
    }
    if (ldisc_l(ld, LX_ISIG)) {
        int sig = is_cc(ld, LX_VINTR, c)   ? SIGINT
                  : is_cc(ld, LX_VQUIT, c) ? SIGQUIT
                  : is_cc(ld, LX_VSUSP, c) ? SIGTSTP
                                           : 0;
        if (sig != 0) {
            raise_signal(ld, c, sig);
            return true;
        }
    }
    return false;
}

static void reprint(struct ldisc *ld, uint8_t c)
{
    ldisc_finish_erasing(ld);
    ldisc_echo(ld, c);
    ldisc_echo_raw(ld, '\n');
    for (uint32_t i = ld->canon; i != ld->head; i++) {
        ldisc_echo(ld, ldisc_at(ld, i));
    }
}

/* Editing and line ends of canonical mode. True: the byte is used up. */
static bool take_canonical(struct ldisc *ld, uint8_t c)
{
    bool iexten = ldisc_l(ld, LX_IEXTEN);

    if (is_cc(ld, LX_VERASE, c)) {
        ldisc_erase(ld, c, LX_VERASE);
    } else if (is_cc(ld, LX_VKILL, c)) {
        ldisc_erase(ld, c, LX_VKILL);
    } else if (iexten && is_cc(ld, LX_VWERASE, c)) {
        ldisc_erase(ld, c, LX_VWERASE);
    } else if (iexten && is_cc(ld, LX_VLNEXT, c)) {
        ld->lnext = true;
        if (ldisc_l(ld, LX_ECHO)) {
            ldisc_finish_erasing(ld);
            if (ldisc_l(ld, LX_ECHOCTL)) {
                ldisc_echo_raw(ld, '^');
                ldisc_echo_raw(ld, '\b');
            }
        }
    } else if (iexten && ldisc_l(ld, LX_ECHO) && is_cc(ld, LX_VREPRINT, c)) {
        reprint(ld, c);
    } else if (c == '\n') {
        if (ldisc_l(ld, LX_ECHO) || ldisc_l(ld, LX_ECHONL)) {
            ldisc_echo_raw(ld, '\n');
        }
        end_line(ld, c, LDISC_EOL);
    } else if (is_cc(ld, LX_VEOF, c)) {
        end_line(ld, c, LDISC_EOF);
    } else if (is_cc(ld, LX_VEOL, c) || (iexten && is_cc(ld, LX_VEOL2, c))) {
        if (ldisc_l(ld, LX_ECHO)) {
            ldisc_echo(ld, c);
        }
        end_line(ld, c, LDISC_EOL);
    } else {
        return false;
    }
    return true;
}

/* `literal`: a newline is shown as ^J like other control characters, not acted out (as on Linux).
 */
static void echo_plain(struct ldisc *ld, uint8_t c, bool literal)
{
    if (!ldisc_l(ld, LX_ECHO)) {
        return;
    }
    ldisc_finish_erasing(ld);
    if (ld->head == ld->canon) {
        ld->canon_column = ld->column;
    }
    if (c == '\n' && !literal) {
        ldisc_echo_raw(ld, c);
    } else {
        ldisc_echo(ld, c);
    }
}

static void take_byte(struct ldisc *ld, uint8_t c)
{
    if (ldisc_i(ld, LX_ISTRIP)) {
        c &= 0x7f;
    }
    if (ldisc_i(ld, LX_IUCLC) && ldisc_l(ld, LX_IEXTEN) && c >= 'A' && c <= 'Z') {
        c = (uint8_t)(c + ('a' - 'A'));
    }
    if (ld->lnext) {
        ld->lnext = false;
        echo_plain(ld, c, true);
        put_plain(ld, c);
        return;
    }
    if (take_control(ld, c)) {
        return;
    }
    if (ld->stopped && ldisc_i(ld, LX_IXON) && ldisc_i(ld, LX_IXANY)) {
        flow_set(ld, false);
    }
    uint8_t typed = c;
    if (c == '\r') {
        if (ldisc_i(ld, LX_IGNCR)) {
            return;
        }
        c = ldisc_i(ld, LX_ICRNL) ? '\n' : c;
    } else if (c == '\n' && ldisc_i(ld, LX_INLCR)) {
        c = '\r';
    }
    if (ldisc_l(ld, LX_ICANON) && take_canonical(ld, c)) {
        return;
    }
    echo_plain(ld, c, typed == '\n');
    put_plain(ld, c);
}

bool ldisc_can_take(const struct ldisc *ld)
{
    if (ldisc_l(ld, LX_ICANON) && ld->canon == ld->tail) {
        return true;
    }
    return queue_room(ld) > 2;
}

size_t ldisc_input(struct ldisc *ld, const uint8_t *bytes, size_t n, uint64_t now, bool lossy)
{
    size_t i = 0;

    for (; i < n && (lossy || ldisc_can_take(ld)); i++) {
        take_byte(ld, bytes[i]);
    }
    if (i > 0) {
        ld->last_ns = now;
    }
    throttle_check(ld);
    return i;
}

static void input_break(struct ldisc *ld)
{
    if (ldisc_i(ld, LX_IGNBRK)) {
        return;
    }
    if (ldisc_i(ld, LX_BRKINT)) {
        ldisc_flush_in(ld);
        ld->ops->flush_out(ld->ctx);
        ld->ops->sig(ld->ctx, SIGINT);
        return;
    }
    if (ldisc_i(ld, LX_PARMRK) && queue_room(ld) > 3) {
        put(ld, 0xff, LDISC_PLAIN);
        put(ld, 0, LDISC_PLAIN);
    }
    put_plain(ld, 0);
}

void ldisc_input_error(struct ldisc *ld, uint8_t c, enum ldisc_error kind, uint64_t now)
{
    ld->last_ns = now;
    if (kind == LDISC_BREAK) {
        input_break(ld);
    } else if (kind == LDISC_PARITY && !ldisc_i(ld, LX_INPCK)) {
        ldisc_input(ld, &c, 1, now, true);
    } else if (kind == LDISC_PARITY && !ldisc_i(ld, LX_IGNPAR)) {
        if (!ldisc_i(ld, LX_PARMRK)) {
            put_plain(ld, 0);
        } else if (queue_room(ld) > 3) {
            put(ld, 0xff, LDISC_PLAIN);
            put(ld, 0, LDISC_PLAIN);
            put(ld, c, LDISC_PLAIN);
        }
    }
    /* An overrun lost bytes already; there is nothing to queue. */
}

size_t ldisc_readable(const struct ldisc *ld)
{
    size_t n = 0;

    if (!ldisc_l(ld, LX_ICANON)) {
        return ld->head - ld->tail;
    }
    for (uint32_t i = ld->tail; i != ld->canon; i++) {
        n += ld->mark[i % LDISC_SIZE] != LDISC_EOF;
    }
    return n;
}

bool ldisc_poll_in(const struct ldisc *ld)
{
    uint32_t min = 1;

    if (ldisc_l(ld, LX_ICANON)) {
        return ld->canon != ld->tail;
    }
    if (ld->tio.c_cc[LX_VTIME] == 0 && ld->tio.c_cc[LX_VMIN] != 0) {
        min = ld->tio.c_cc[LX_VMIN];
    }
    return ld->head - ld->tail >= min;
}

static ssize_t read_line(struct ldisc *ld, uint8_t *out, size_t n)
{
    size_t got = 0;
    uint8_t mark = LDISC_PLAIN;

    if (ld->canon == ld->tail) {
        return -EAGAIN;
    }
    while (got < n && ld->tail != ld->canon && mark == LDISC_PLAIN) {
        mark = ld->mark[ld->tail % LDISC_SIZE];
        if (mark != LDISC_EOF) {
            out[got++] = ldisc_at(ld, ld->tail);
        }
        ld->tail++;
    }
    /* An EOF right behind a full buffer belongs to this read, or the next would see a false end. */
    if (mark == LDISC_PLAIN && ld->tail != ld->canon &&
        ld->mark[ld->tail % LDISC_SIZE] == LDISC_EOF) {
        ld->tail++;
    }
    return (ssize_t)got;
}

static ssize_t take_raw(struct ldisc *ld, uint8_t *out, size_t n)
{
    size_t have = ld->head - ld->tail;
    size_t take = have < n ? have : n;

    for (size_t i = 0; i < take; i++) {
        out[i] = ldisc_at(ld, ld->tail++);
    }
    ld->canon = ld->head;
    return (ssize_t)take;
}

static ssize_t read_raw(struct ldisc *ld, uint8_t *out, size_t n, struct ldisc_wait *w)
{
    size_t have = ld->head - ld->tail;
    size_t min = ld->tio.c_cc[LX_VMIN];
    uint64_t time = ld->tio.c_cc[LX_VTIME] * 100000000ull;
    size_t enough = min == 0 ? 1 : (min < n ? min : n);
    uint64_t base;

    if (have >= enough || (have > 0 && w->nonblock) || (min == 0 && time == 0)) {
        return take_raw(ld, out, n);
    }
    if (w->nonblock || time == 0 || (min > 0 && have == 0)) {
        return -EAGAIN;
    }
    /* VMIN = 0: one timer from the call on. Otherwise it restarts with each byte. */
    base = min > 0 && ld->last_ns > w->start ? ld->last_ns : w->start;
    if (w->now >= base + time) {
        return take_raw(ld, out, n);
    }
    w->deadline = base + time;
    return -EAGAIN;
}

ssize_t ldisc_read(struct ldisc *ld, uint8_t *out, size_t n, struct ldisc_wait *w)
{
    ssize_t got;

    w->deadline = 0;
    if (n == 0) {
        return 0;
    }
    got = ldisc_l(ld, LX_ICANON) ? read_line(ld, out, n) : read_raw(ld, out, n, w);
    if (got >= 0) {
        throttle_check(ld);
    }
    return got;
}

void ldisc_set_termios(struct ldisc *ld, const struct lx_termios2 *tio)
{
    uint32_t changed = ld->tio.c_lflag ^ tio->c_lflag;
    bool ixon_off = ldisc_i(ld, LX_IXON) && !(tio->c_iflag & LX_IXON);

    ld->tio = *tio;
    if (changed & LX_ICANON) {
        /* What is there stays readable at once: into canonical mode as one line without an end. */
        for (uint32_t i = ld->tail; i != ld->head; i++) {
            ld->mark[i % LDISC_SIZE] = LDISC_PLAIN;
        }
        if (ld->head != ld->tail) {
            ld->mark[(ld->head - 1) % LDISC_SIZE] = LDISC_EOL;
        }
        ld->canon = ld->head;
        ld->lnext = false;
        ld->erasing = false;
    }
    if (ixon_off) {
        flow_set(ld, false);
    }
    if (!ldisc_i(ld, LX_IXOFF) && ld->xoff_sent) {
        ld->xoff_sent = false;
        ld->ops->xchar(ld->ctx, ld->tio.c_cc[LX_VSTART]);
    }
}

int ldisc_xonc(struct ldisc *ld, uint32_t action)
{
    bool before = ld->stopped || ld->tco_stopped;

    switch (action) {
    case LX_TCOOFF:
        ld->tco_stopped = true;
        break;
    case LX_TCOON:
        ld->tco_stopped = false;
        ld->stopped = false;
        break;
    case LX_TCIOFF:
    case LX_TCION: {
        uint8_t c = ld->tio.c_cc[action == LX_TCIOFF ? LX_VSTOP : LX_VSTART];
        if (c != LX_VDISABLE) {
            ld->ops->xchar(ld->ctx, c);
        }
        return 0;
    }
    default:
        return -EINVAL;
    }
    if (before != (ld->stopped || ld->tco_stopped)) {
        ld->ops->flow(ld->ctx, !before);
    }
    return 0;
}
