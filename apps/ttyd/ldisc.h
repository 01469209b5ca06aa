// SPDX-License-Identifier: MIT
/*
 * The line discipline: what stands between the bytes of a line (serial, keyboard, pty master) and
 * the bytes a program reads and writes. POSIX.1-2017 ch. 11 with Linux's extensions (termios(3)).
 *
 * Pure: no calls to the system, no allocation, no clock. Time, output, signals and flow control
 * come and go through `struct ldisc_ops`, so that the same code serves the console, ptys and the
 * host tests. Every byte that arrives is hostile: whatever the settings in `tio`, no sequence of
 * calls may touch memory outside the structure.
 *
 * The input queue. `buf` is a ring; head, canon and tail count bytes ever queued and are reduced
 * modulo LDISC_SIZE on use. tail <= canon <= head and head - tail <= LDISC_SIZE always hold.
 *      tail ...... canon ...... head
 *      | lines       | line being edited
 * In canonical mode only [tail, canon) can be read; mark[] tells which bytes end a line and which
 * stand for an EOF character (they end a line and are never copied out). In raw mode all of
 * [tail, head) can be read and marks mean nothing.
 *
 * Locking: none; one thread owns a tty.
 */
#ifndef TTYD_LDISC_H
#define TTYD_LDISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <lx/termios.h>

#define LDISC_SIZE    4096u /* input queue: MAX_INPUT */
#define LDISC_OUT_MAX 8u    /* one written byte becomes at most this many (a tab) */
#define LDISC_XOFF_AT 3072u /* IXOFF: stop the sender above, restart it below LDISC_XON_AT */
#define LDISC_XON_AT  1024u

struct ldisc_ops {
    /* Queue n bytes for the line. Bytes without room are lost (only echo can meet that). */
    void (*out)(void *ctx, const uint8_t *bytes, size_t n);
    /* How many bytes a writer may queue now. */
    size_t (*room)(void *ctx);
    /* Forget what is queued for the line. */
    void (*flush_out)(void *ctx);
    /* `stopped` changed: hold or resume draining of the output queue. */
    void (*flow)(void *ctx, bool stopped);
    /* Send one byte ahead of the output queue and regardless of flow control (IXOFF). */
    void (*xchar)(void *ctx, uint8_t c);
    /* Signal the foreground process group. */
    void (*sig)(void *ctx, int sig);
};

enum ldisc_mark { LDISC_PLAIN, LDISC_EOL, LDISC_EOF };
enum ldisc_error { LDISC_BREAK, LDISC_PARITY, LDISC_OVERRUN };

struct ldisc {
    struct lx_termios2 tio;
    const struct ldisc_ops *ops;
    void *ctx;
    uint32_t head, canon, tail;
    uint32_t column;       /* output column as OPOST knows it */
    uint32_t canon_column; /* column where the line being edited began */
    uint64_t last_ns;      /* when the newest byte arrived: VTIME between bytes */
    bool lnext;            /* the next byte is literal */
    bool erasing;          /* inside a \.../ of ECHOPRT */
    bool stopped;          /* by the STOP character */
    bool tco_stopped;      /* by TCXONC */
    bool xoff_sent;
    uint8_t buf[LDISC_SIZE];
    uint8_t mark[LDISC_SIZE];
};

/* Linux's default settings (cooked, echoing), empty queue. */
void ldisc_init(struct ldisc *ld, const struct ldisc_ops *ops, void *ctx);

/*
 * Bytes from the line at time `now` (ns, monotonic). Returns how many were taken. With `lossy`
 * all are: what finds the queue full is lost with a bell (a keyboard cannot be held back).
 * Without, taking ends at the first byte without room, unless that could never come to an end: a
 * canonical line that fills the queue loses its surplus in either case.
 */
size_t ldisc_input(struct ldisc *ld, const uint8_t *bytes, size_t n, uint64_t now, bool lossy);

/* A break, a byte with wrong parity or framing, or an overrun (IGNBRK, BRKINT, INPCK, PARMRK). */
void ldisc_input_error(struct ldisc *ld, uint8_t c, enum ldisc_error kind, uint64_t now);

/* Bytes from a program, post-processed to ops->out. Returns how many were taken (0 = no room). */
size_t ldisc_write(struct ldisc *ld, const uint8_t *bytes, size_t n);

struct ldisc_wait {
    uint64_t now;   /* in: ns */
    uint64_t start; /* in: when this read first asked, ns; VTIME with VMIN = 0 counts from it */
    bool nonblock;  /* in */
    uint64_t
        deadline; /* out, with -EAGAIN: ask again at this time even if nothing arrived; 0 none */
};

/*
 * One read(2) of up to n bytes. Returns the count (0 = end of file or time-out) or -EAGAIN: not
 * yet (w->deadline) or, with nonblock, nothing there. ICANON, VMIN and VTIME as in POSIX ch. 11.
 */
ssize_t ldisc_read(struct ldisc *ld, uint8_t *out, size_t n, struct ldisc_wait *w);

size_t ldisc_readable(const struct ldisc *ld); /* FIONREAD */
bool ldisc_poll_in(const struct ldisc *ld);    /* would read(2) return now */
/* Whether ldisc_input would take at least one byte without losing it. */
bool ldisc_can_take(const struct ldisc *ld);

/* New settings; pending input is kept and reinterpreted as Linux does on a change of ICANON. */
void ldisc_set_termios(struct ldisc *ld, const struct lx_termios2 *tio);

void ldisc_flush_in(struct ldisc *ld);
/* TCXONC, LX_TCOOFF..LX_TCION. Returns 0 or -EINVAL. */
int ldisc_xonc(struct ldisc *ld, uint32_t action);

/* Shared between ldisc.c and ldisc_out.c. */
void ldisc_echo_raw(struct ldisc *ld, uint8_t c);
void ldisc_echo(struct ldisc *ld, uint8_t c);
void ldisc_erase(struct ldisc *ld, uint8_t c, unsigned which);
void ldisc_finish_erasing(struct ldisc *ld);

static inline bool ldisc_l(const struct ldisc *ld, uint32_t flag)
{
    return (ld->tio.c_lflag & flag) != 0;
}
static inline bool ldisc_i(const struct ldisc *ld, uint32_t flag)
{
    return (ld->tio.c_iflag & flag) != 0;
}
static inline bool ldisc_o(const struct ldisc *ld, uint32_t flag)
{
    return (ld->tio.c_oflag & flag) != 0;
}
static inline uint8_t ldisc_at(const struct ldisc *ld, uint32_t pos)
{
    return ld->buf[pos % LDISC_SIZE];
}
static inline bool ldisc_is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}
static inline bool ldisc_is_continuation(const struct ldisc *ld, uint8_t c)
{
    return ldisc_i(ld, LX_IUTF8) && (c & 0xc0) == 0x80;
}

#endif
