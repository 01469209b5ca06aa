// SPDX-License-Identifier: MIT
// The line discipline: every setting by example. test_ldisc_oracle compares it with Linux's.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include "../ldisc.h"
#include "check.h"

static struct ldisc ld;
static uint8_t out[65536];
static size_t out_len, room_left;
static int sigs[16], nsigs, flushes;
static bool flow_stopped;
static uint8_t xchars[16];
static int nxchars;

static void op_out(void *ctx, const uint8_t *p, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n && out_len < sizeof(out); i++) {
        out[out_len++] = p[i];
    }
    room_left -= n < room_left ? n : room_left;
}
static size_t op_room(void *ctx)
{
    (void)ctx;
    return room_left;
}
static void op_flush(void *ctx)
{
    (void)ctx;
    flushes++;
}
static void op_flow(void *ctx, bool stopped)
{
    (void)ctx;
    flow_stopped = stopped;
}
static void op_xchar(void *ctx, uint8_t c)
{
    (void)ctx;
    if (nxchars < 16) {
        xchars[nxchars++] = c;
    }
}
static void op_sig(void *ctx, int sig)
{
    (void)ctx;
    if (nsigs < 16) {
        sigs[nsigs++] = sig;
    }
}
static const struct ldisc_ops ops = {op_out, op_room, op_flush, op_flow, op_xchar, op_sig};

static void fresh(void)
{
    ldisc_init(&ld, &ops, NULL);
    out_len = 0;
    room_left = sizeof(out);
    nsigs = flushes = nxchars = 0;
    flow_stopped = false;
}

static void type_n(const char *s, size_t n)
{
    ldisc_input(&ld, (const uint8_t *)s, n, 1000, true);
}
#define TYPE(s) type_n(s, sizeof(s) - 1)

static uint8_t in[8192];
static ssize_t get_n(size_t n)
{
    struct ldisc_wait w = {.now = 1000, .start = 1000};
    return ldisc_read(&ld, in, n, &w);
}
#define GET(want)                                                                                  \
    do {                                                                                           \
        ssize_t n_ = get_n(sizeof(in));                                                            \
        CHECK_STR(in, n_ < 0 ? 0 : (size_t)n_, want);                                              \
    } while (0)
#define ECHOED(want)                                                                               \
    do {                                                                                           \
        CHECK_STR(out, out_len, want);                                                             \
        out_len = 0;                                                                               \
    } while (0)

static void set(uint32_t ion, uint32_t ioff, uint32_t lon, uint32_t loff)
{
    struct lx_termios2 t = ld.tio;
    t.c_iflag = (t.c_iflag | ion) & ~ioff;
    t.c_lflag = (t.c_lflag | lon) & ~loff;
    ldisc_set_termios(&ld, &t);
}
static void set_cc(unsigned which, uint8_t c)
{
    struct lx_termios2 t = ld.tio;
    t.c_cc[which] = c;
    ldisc_set_termios(&ld, &t);
}
static void set_out(uint32_t oflag)
{
    struct lx_termios2 t = ld.tio;
    t.c_oflag = oflag;
    ldisc_set_termios(&ld, &t);
}

static void test_canonical_lines(void)
{
    fresh();
    TYPE("hello");
    CHECK_EQ(get_n(100), -EAGAIN);
    CHECK(!ldisc_poll_in(&ld));
    CHECK_EQ(ldisc_readable(&ld), 0);
    TYPE("\rnext\n");
    CHECK(ldisc_poll_in(&ld));
    CHECK_EQ(ldisc_readable(&ld), 11);
    GET("hello\n");
    CHECK_EQ(get_n(2), 2);
    GET("xt\n");
    CHECK_EQ(get_n(100), -EAGAIN);
    ECHOED("hello\r\nnext\r\n");
    CHECK_EQ(get_n(0), 0);
}

static void test_eof(void)
{
    fresh();
    TYPE("\4");
    CHECK_EQ(ldisc_readable(&ld), 0);
    CHECK(ldisc_poll_in(&ld));
    CHECK_EQ(get_n(10), 0);
    CHECK_EQ(get_n(10), -EAGAIN);
    TYPE("abc\4");
    GET("abc");
    CHECK_EQ(get_n(10), -EAGAIN);
    TYPE("abc\4x\n");
    CHECK_EQ(get_n(3), 3); /* exactly full: the EOF goes with it */
    GET("x\n");
    TYPE("abc\4");
    CHECK_EQ(get_n(2), 2);
    CHECK_EQ(get_n(2), 1);
    CHECK_EQ(get_n(2), -EAGAIN);
    TYPE("\26\4\n"); /* literal ^D is data */
    GET("\4\n");
}

static void test_eol(void)
{
    fresh();
    set_cc(LX_VEOL, ';');
    set_cc(LX_VEOL2, ':');
    TYPE("a;b:");
    GET("a;");
    GET("b:");
    set(0, 0, 0, LX_IEXTEN);
    TYPE("c:");
    CHECK_EQ(get_n(9), -EAGAIN);
}

static void test_erase(void)
{
    fresh();
    TYPE("abx\177c\177\177\177\177z\n");
    GET("z\n");
    ECHOED("abx\b \bc\b \b\b \b\b \bz\r\n");
    TYPE("\1\177\n");
    GET("\n");
    ECHOED("^A\b \b\b \b\r\n");
    TYPE("foo bar_2  \27x\n");
    GET("foo x\n");
    fresh();
    TYPE("abc\25d\n");
    GET("d\n");
    ECHOED("abc\b \b\b \b\b \bd\r\n");
    set(0, 0, 0, LX_ECHOKE);
    TYPE("abc\25d\n");
    GET("d\n");
    ECHOED("abc^U\r\nd\r\n");
    set(0, 0, 0, LX_ECHOE);
    TYPE("ab\177\n");
    GET("a\n");
    ECHOED("ab^?\r\n");
}

static void test_erase_tab(void)
{
    fresh();
    ldisc_write(&ld, (const uint8_t *)"$ ", 2);
    out_len = 0;
    TYPE("ab\t\177");
    ECHOED("ab\t\b\b\b\b"); /* prompt 2 + ab 2: the tab was 4 wide */
    TYPE("\25\t\t\177");
    ECHOED("\b \b\b \b\t\t\b\b\b\b\b\b\b\b");
}

static void test_erase_utf8(void)
{
    fresh();
    set(LX_IUTF8, 0, 0, 0);
    TYPE("a\303\244\342\202\254\177");
    ECHOED("a\303\244\342\202\254\b \b");
    TYPE("\n");
    GET("a\303\244\n");
    TYPE("\200\200\177\177x\n"); /* garbage can be rubbed out too */
    GET("x\n");
}

static void test_echoprt(void)
{
    fresh();
    set(0, 0, LX_ECHOPRT, 0);
    TYPE("abc\177\177d\n");
    GET("ad\n");
    ECHOED("abc\\cb/d\r\n");
}

static void test_lnext_reprint(void)
{
    fresh();
    TYPE("a\26\3b\26\n\n");
    CHECK_EQ(nsigs, 0);
    GET("a\3b\n\n");
    ECHOED("a^\b^Cb^\b^J\r\n");
    TYPE("one\nx\1y\22");
    out_len = 0;
    TYPE("\22");
    ECHOED("^R\r\nx^Ay");
}

static void test_signals(void)
{
    fresh();
    TYPE("old\nabc\3");
    CHECK_EQ(nsigs, 1);
    CHECK_EQ(sigs[0], SIGINT);
    CHECK_EQ(flushes, 1);
    CHECK_EQ(get_n(10), -EAGAIN);
    TYPE("\34\32");
    CHECK_EQ(sigs[1], SIGQUIT);
    CHECK_EQ(sigs[2], SIGTSTP);
    fresh();
    set(0, 0, LX_NOFLSH, 0);
    TYPE("abc\3\n");
    CHECK_EQ(flushes, 0);
    GET("abc\n");
    set(0, 0, 0, LX_ISIG);
    TYPE("\3\n");
    CHECK_EQ(nsigs, 1);
    GET("\3\n");
    set(0, 0, LX_ISIG, 0);
    set_cc(LX_VINTR, LX_VDISABLE);
    type_n("\0\3\n", 3);
    CHECK_EQ(nsigs, 1);
    CHECK_EQ(get_n(10), 3);
}

static void test_input_flags(void)
{
    fresh();
    set(LX_IGNCR, 0, 0, 0);
    TYPE("a\rb\n");
    GET("ab\n");
    fresh();
    set(LX_INLCR, LX_ICRNL, 0, 0);
    TYPE("a\n\r\4");
    GET("a\r\r");
    fresh();
    set(LX_ISTRIP | LX_IUCLC, 0, 0, 0);
    TYPE("\301BC\n");
    GET("abc\n");
}

static void test_raw(void)
{
    fresh();
    set(0, 0, 0, LX_ICANON | LX_ECHO | LX_ISIG | LX_IEXTEN);
    TYPE("a\3\4\177\n");
    GET("a\3\4\177\n");
    CHECK_EQ(out_len, 0);
}

static ssize_t timed(uint64_t now, uint64_t start, bool nonblock, uint64_t *deadline)
{
    struct ldisc_wait w = {.now = now, .start = start, .nonblock = nonblock};
    ssize_t n = ldisc_read(&ld, in, 10, &w);
    *deadline = w.deadline;
    return n;
}

static void test_vmin_vtime(void)
{
    const uint64_t ds = 100000000;
    uint64_t dl;

    fresh();
    set(0, 0, 0, LX_ICANON | LX_ECHO);
    set_cc(LX_VMIN, 3);
    set_cc(LX_VTIME, 0);
    TYPE("ab");
    CHECK_EQ(timed(0, 0, false, &dl), -EAGAIN);
    CHECK_EQ(dl, 0);
    CHECK(!ldisc_poll_in(&ld));
    CHECK_EQ(timed(0, 0, true, &dl), 2); /* O_NONBLOCK takes what there is */
    CHECK_EQ(timed(0, 0, true, &dl), -EAGAIN);
    TYPE("abc");
    CHECK(ldisc_poll_in(&ld));
    CHECK_EQ(timed(0, 0, false, &dl), 3);
    TYPE("abcd");
    CHECK_EQ(get_n(2), 2); /* a buffer smaller than VMIN is enough */
    CHECK_EQ(get_n(2), 2);

    set_cc(LX_VTIME, 2); /* between bytes */
    CHECK_EQ(timed(50 * ds, 0, false, &dl), -EAGAIN);
    CHECK_EQ(dl, 0); /* no timer before the first byte */
    ldisc_input(&ld, (const uint8_t *)"x", 1, 10 * ds, true);
    CHECK_EQ(timed(11 * ds, 5 * ds, false, &dl), -EAGAIN);
    CHECK_EQ(dl, 12 * ds);
    CHECK_EQ(timed(13 * ds, 12 * ds, false, &dl), -EAGAIN); /* was there before the call */
    CHECK_EQ(dl, 14 * ds);
    CHECK_EQ(timed(14 * ds, 12 * ds, false, &dl), 1);

    set_cc(LX_VMIN, 0);
    CHECK_EQ(timed(1 * ds, 0, false, &dl), -EAGAIN);
    CHECK_EQ(dl, 2 * ds);
    CHECK_EQ(timed(1 * ds, 0, true, &dl), -EAGAIN);
    CHECK_EQ(timed(2 * ds, 0, false, &dl), 0);
    TYPE("q");
    CHECK_EQ(timed(0, 0, false, &dl), 1);
    set_cc(LX_VTIME, 0);
    CHECK_EQ(timed(0, 0, false, &dl), 0);
    CHECK_EQ(timed(0, 0, true, &dl), 0);
}

static void test_mode_change(void)
{
    fresh();
    TYPE("par");
    set(0, 0, 0, LX_ICANON);
    GET("par");
    TYPE("xyz");
    set(0, 0, LX_ICANON, 0);
    CHECK(ldisc_poll_in(&ld));
    GET("xyz");
    TYPE("tial\n");
    GET("tial\n");
}

static void test_flow(void)
{
    fresh();
    TYPE("\23");
    CHECK(flow_stopped);
    TYPE("a");
    CHECK(flow_stopped);
    TYPE("\21");
    CHECK(!flow_stopped);
    set(LX_IXANY, 0, 0, 0);
    TYPE("\23q");
    CHECK(!flow_stopped);
    TYPE("\23");
    set(0, LX_IXON, 0, 0);
    CHECK(!flow_stopped);
    TYPE("\23");
    CHECK(!flow_stopped);
    CHECK_EQ(ldisc_xonc(&ld, LX_TCOOFF), 0);
    CHECK(flow_stopped);
    CHECK_EQ(ldisc_xonc(&ld, LX_TCOON), 0);
    CHECK(!flow_stopped);
    CHECK_EQ(ldisc_xonc(&ld, LX_TCIOFF), 0);
    CHECK_EQ(ldisc_xonc(&ld, LX_TCION), 0);
    CHECK_STR(xchars, (size_t)nxchars, "\23\21");
    CHECK_EQ(ldisc_xonc(&ld, 4), -EINVAL);
}

static void test_ixoff(void)
{
    fresh();
    set(LX_IXOFF, 0, 0, LX_ICANON | LX_ECHO);
    for (int i = 0; i < 3100; i++) {
        TYPE("x");
    }
    CHECK_STR(xchars, (size_t)nxchars, "\23");
    get_n(2000);
    CHECK_EQ(nxchars, 1);
    get_n(200);
    CHECK_STR(xchars, (size_t)nxchars, "\23\21");
}

static void test_queue_limit(void)
{
    fresh();
    set(LX_IMAXBEL, 0, 0, 0);
    for (int i = 0; i < 5000; i++) {
        TYPE("x");
    }
    CHECK_EQ(out[4200], '\a');
    TYPE("\n"); /* the line can still be ended */
    CHECK_EQ(get_n(8000), 4096);
    CHECK_EQ(in[4095], '\n');
    /* Without loss: a full raw queue takes nothing more, and a canonical one with lines neither. */
    set(0, 0, 0, LX_ICANON | LX_ECHO);
    memset(in, 'y', sizeof(in));
    size_t took = ldisc_input(&ld, in, 8000, 1, false);
    CHECK(took > 4000 && took < 4097);
    CHECK_EQ(ldisc_input(&ld, in, 1, 1, false), 0);
    get_n(100);
    CHECK_EQ(ldisc_input(&ld, in, 1, 1, false), 1);
}

static size_t written(const char *s)
{
    out_len = 0;
    return ldisc_write(&ld, (const uint8_t *)s, strlen(s));
}

static void test_opost(void)
{
    fresh();
    written("a\nb");
    ECHOED("a\r\nb");
    set_out(LX_OPOST | LX_OCRNL);
    written("a\rb");
    ECHOED("a\nb");
    fresh();
    set_out(LX_OPOST | LX_ONOCR);
    written("\ra\r\rb");
    ECHOED("a\rb");
    fresh();
    set_out(LX_OPOST | LX_XTABS | LX_ONLCR);
    written("ab\tc\n\t");
    ECHOED("ab      c\r\n        ");
    set_out(LX_OPOST | LX_OLCUC | LX_ONLRET);
    written("ab\nc");
    ECHOED("AB\nC");
    set_out(0);
    written("a\n\tb\r");
    ECHOED("a\n\tb\r");
}

static void test_backpressure(void)
{
    fresh();
    room_left = 20;
    size_t n = written("0123456789012345678901234567890123456789");
    CHECK(n <= 20 && n >= 12);
    CHECK_EQ(out_len, n);
    CHECK_EQ(written("x"), 0);
    set_out(0);
    room_left = 5;
    CHECK_EQ(written("0123456789"), 5);
}

static void test_errors(void)
{
    fresh();
    set(LX_BRKINT, 0, 0, 0);
    TYPE("abc");
    ldisc_input_error(&ld, 0, LDISC_BREAK, 1);
    CHECK_EQ(sigs[0], SIGINT);
    TYPE("\n");
    GET("\n");
    fresh();
    set(LX_PARMRK | LX_INPCK, 0, 0, LX_ICANON | LX_ECHO);
    ldisc_input_error(&ld, 0, LDISC_BREAK, 1);
    CHECK_STR(in, (size_t)get_n(10), "\377\0\0");
    ldisc_input_error(&ld, 'x', LDISC_PARITY, 1);
    CHECK_STR(in, (size_t)get_n(10), "\377\0x");
    TYPE("\377");
    CHECK_STR(in, (size_t)get_n(10), "\377\377");
    set(LX_IGNBRK | LX_IGNPAR, 0, 0, 0);
    ldisc_input_error(&ld, 0, LDISC_BREAK, 1);
    ldisc_input_error(&ld, 'x', LDISC_PARITY, 1);
    CHECK_EQ(get_n(10), -EAGAIN);
}

/* Any bytes under any settings keep the queue's invariants; ASan watches the rest. */
static void test_hostile(void)
{
    srandom(7);
    fresh();
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t n = (size_t)(random() % 64);

        for (size_t i = 0; i < n; i++) {
            bytes[i] = (uint8_t)(random() % 3 ? random() % 33 : random());
        }
        if (random() % 16 == 0) {
            struct lx_termios2 t = ld.tio;
            t.c_iflag = (uint32_t)random() & 0x7fff;
            t.c_lflag = (uint32_t)random() & 0x1ffff;
            t.c_oflag = (uint32_t)random() & 0x1fff;
            t.c_cc[random() % LX_NCCS] = (uint8_t)random();
            ldisc_set_termios(&ld, &t);
        }
        room_left = (size_t)(random() % 100);
        out_len = 0;
        ldisc_input(&ld, bytes, n, (uint64_t)round, random() & 1);
        ldisc_write(&ld, bytes, n);
        ldisc_input_error(&ld, 'e', (enum ldisc_error)(random() % 3), 1);
        if (random() % 8 == 0) {
            get_n((size_t)(random() % 300));
        }
        if (ld.head - ld.tail > LDISC_SIZE || ld.canon - ld.tail > ld.head - ld.tail) {
            CHECK(!"queue indices");
            return;
        }
    }
}

int main(void)
{
    test_canonical_lines();
    test_eof();
    test_eol();
    test_erase();
    test_erase_tab();
    test_erase_utf8();
    test_echoprt();
    test_lnext_reprint();
    test_signals();
    test_input_flags();
    test_raw();
    test_vmin_vtime();
    test_mode_change();
    test_flow();
    test_ixoff();
    test_queue_limit();
    test_opost();
    test_backpressure();
    test_errors();
    test_hostile();
    return check_done();
}
