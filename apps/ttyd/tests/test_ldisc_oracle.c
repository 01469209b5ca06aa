// SPDX-License-Identifier: MIT
/*
 * The line discipline against the one of the Linux kernel this test runs on.
 *
 * Random settings and random typing go into a pty and into ours; the echo (what the master reads)
 * and what the slave reads must be equal byte for byte. Left out, because a pty of Linux hands
 * bytes between its sides at times of its own choosing: flushing (NOFLSH is always set) and flow
 * control (STOP is disabled). Those are tested by example in test_ldisc.
 *
 * Without a pty (a build root without /dev/ptmx) the test is skipped: status 77.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "../ldisc.h"
#include "check.h"

static struct ldisc ld;
static uint8_t ours[65536];
static size_t ours_len;

static void op_out(void *ctx, const uint8_t *p, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n && ours_len < sizeof(ours); i++) {
        ours[ours_len++] = p[i];
    }
}
static size_t op_room(void *ctx)
{
    (void)ctx;
    return 4096;
}
static void op_none(void *ctx)
{
    (void)ctx;
}
static void op_flow(void *ctx, bool stopped)
{
    (void)ctx;
    (void)stopped;
}
static void op_xchar(void *ctx, uint8_t c)
{
    (void)ctx;
    (void)c;
}
static void op_sig(void *ctx, int sig)
{
    (void)ctx;
    (void)sig;
}
static const struct ldisc_ops ops = {op_out, op_room, op_none, op_flow, op_xchar, op_sig};

static uint64_t seed;
static uint32_t rnd(uint32_t n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % n;
}

static int open_pair(int *slave)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    int lock = 0;

    if (master < 0 || ioctl(master, LX_TIOCSPTLCK, &lock) != 0) {
        return -1;
    }
    *slave = ioctl(master, LX_TIOCGPTPEER, O_RDWR | O_NOCTTY);
    return *slave < 0 ? -1 : master;
}

/* Read until `want` bytes came and nothing more does. */
static size_t drain(int fd, uint8_t *buf, size_t size, size_t want)
{
    size_t n = 0;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, n < want ? 1000 : 2) <= 0) {
            return n;
        }
        ssize_t r = read(fd, buf + n, size - n);
        if (r <= 0) {
            return n;
        }
        n += (size_t)r;
    }
}

static void random_termios(struct lx_termios2 *t)
{
    static const uint32_t iflags[] = {LX_ICRNL, LX_INLCR, LX_IGNCR, LX_ISTRIP,
                                      LX_IUTF8, LX_IUCLC, LX_PARMRK};
    static const uint32_t lflags[] = {LX_ISIG,   LX_ICANON,  LX_ECHO,   LX_ECHOE,   LX_ECHOK,
                                      LX_ECHONL, LX_ECHOCTL, LX_ECHOKE, LX_ECHOPRT, LX_IEXTEN};
    static const uint32_t oflags[] = {LX_ONLCR, LX_OCRNL, LX_ONOCR, LX_ONLRET, LX_XTABS, LX_OLCUC};

    for (size_t i = 0; i < sizeof(iflags) / 4; i++) {
        t->c_iflag = rnd(4) == 0 ? t->c_iflag ^ iflags[i] : t->c_iflag;
    }
    for (size_t i = 0; i < sizeof(lflags) / 4; i++) {
        t->c_lflag = rnd(6) == 0 ? t->c_lflag ^ lflags[i] : t->c_lflag;
    }
    for (size_t i = 0; i < sizeof(oflags) / 4; i++) {
        t->c_oflag = rnd(6) == 0 ? t->c_oflag ^ oflags[i] : t->c_oflag;
    }
    if (rnd(8) == 0) {
        t->c_oflag &= ~LX_OPOST;
    }
    if (rnd(3) == 0) {
        t->c_cc[LX_VEOL] = ';';
        t->c_cc[LX_VEOL2] = ':';
    }
}

/*
 * `plain`: no byte above 0x7f, for Linux classifies these by Latin-1 (case, words), and we never;
 * and no tab, for without OPOST, and with ECHOPRT, Linux counts only some of the columns.
 */
static size_t random_typing(uint8_t *b, size_t max, bool plain)
{
    static const char *const pieces[] = {"a",    "b c",      "foo_bar baz", "\t",           "\177",
                                         "\177", "\177\177", "\27",         "\25",          "\26",
                                         "\22",  "\n",       "\r",          "\1",           "\3",
                                         ";",    ":",        "\303\244",    "\342\202\254", "Q",
                                         " \t ", "\10",      "\34",         "\7",           "\377"};
    size_t n = 0;

    while (n + 16 < max) {
        const char *p = pieces[rnd(sizeof(pieces) / sizeof(pieces[0]))];
        if (plain && ((p[0] & 0x80) || strchr(p, '\t'))) {
            continue;
        }
        memcpy(b + n, p, strlen(p));
        n += strlen(p);
        if (rnd(12) == 0) {
            b[n++] = 4;
        }
    }
    return n;
}

static void compare(const char *what, unsigned round, const struct lx_termios2 *t,
                    const uint8_t *typed, size_t ntyped, const uint8_t *got, size_t ngot,
                    const uint8_t *want, size_t nwant)
{
    check_count++;
    if (ngot == nwant && memcmp(got, want, ngot) == 0) {
        return;
    }
    check_failures++;
    fprintf(stderr, "round %u: %s differs; iflag %o oflag %o lflag %o\n", round, what, t->c_iflag,
            t->c_oflag, t->c_lflag);
    check_print("typed", typed, ntyped);
    check_print("ours ", got, ngot);
    check_print("linux", want, nwant);
}

static int one_round(unsigned round)
{
    uint8_t typed[80], theirs[4096], mine[4096];
    struct lx_termios2 t;
    int slave, master = open_pair(&slave);

    if (master < 0) {
        return -1;
    }
    seed = round * 7919 + 1;
    ldisc_init(&ld, &ops, NULL);
    ours_len = 0;
    t = ld.tio;
    t.c_lflag |= LX_NOFLSH;
    t.c_cc[LX_VSTOP] = t.c_cc[LX_VSTART] = 0;
    random_termios(&t);
    ldisc_set_termios(&ld, &t);
    if (ioctl(slave, LX_TCSETS2, &t) != 0) {
        return -1;
    }
    size_t n =
        random_typing(typed, sizeof(typed),
                      (t.c_iflag & LX_IUCLC) || (t.c_oflag & LX_OLCUC) || !(t.c_iflag & LX_IUTF8) ||
                          !(t.c_oflag & LX_OPOST) || (t.c_lflag & LX_ECHOPRT));

    /* A prompt first: the column where a line begins matters to erased tabs. */
    const char *prompt = "x\n $ ";
    ldisc_write(&ld, (const uint8_t *)prompt, strlen(prompt));
    (void)!write(slave, prompt, strlen(prompt));
    size_t got = drain(master, theirs, sizeof(theirs), ours_len);
    ldisc_input(&ld, typed, n, 0, false);
    (void)!write(master, typed, n);
    got += drain(master, theirs + got, sizeof(theirs) - got, ours_len - got);
    compare("echo", round, &t, typed, n, ours, ours_len, theirs, got);

    fcntl(slave, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 64; i++) {
        size_t size = 1 + rnd(12);
        struct ldisc_wait w = {.nonblock = true};
        int avail = 0;

        ioctl(slave, LX_FIONREAD, &avail);
        CHECK_EQ(ldisc_readable(&ld), avail);
        ssize_t a = ldisc_read(&ld, mine, size, &w);
        ssize_t b = read(slave, theirs, size);
        b = b < 0 ? -errno : b;
        CHECK_EQ(a, b);
        if (a > 0 && a == b) {
            compare("read", round, &t, typed, n, mine, (size_t)a, theirs, (size_t)b);
        }
        if (a < 0 || a != b) {
            break;
        }
    }
    close(slave);
    close(master);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned first = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
    unsigned last = argc > 1 ? first + 1 : 400;

    for (unsigned round = first; round < last && check_failures < 10; round++) {
        if (one_round(round) != 0) {
            printf("no pty here: skipped\n");
            return 77;
        }
    }
    return check_done();
}
