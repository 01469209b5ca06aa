// SPDX-License-Identifier: MIT
// Terminals as their clients see them: requests in, answers and events out, job control, ptys.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include "world.h"
#include "check.h"

/* A world of processes: session 100 (leader 100, groups 100 and 110), session 200, orphans 300. */
static int wakes;
static char log_[4096];

static void note(const char *what, int a, int b, int c)
{
    size_t n = strlen(log_);
    snprintf(log_ + n, sizeof(log_) - n, "%s(%d,%d,%d) ", what, a, b, c);
}
static void host_wake(void *h, const struct tty *tty, uint32_t *word)
{
    (void)h, (void)tty, (void)word;
    wakes++;
}
static uint64_t host_now(void *h)
{
    (void)h;
    return clock_ns;
}
static int kill_group(void *h, int32_t sid, int32_t pgrp, int sig)
{
    (void)h;
    note("kill", sid, pgrp, sig);
    return 0;
}
static int stop_group(void *h, int32_t sid, int32_t pgrp, int sig)
{
    (void)h;
    if (pgrp == 300) {
        return -EIO;
    }
    note("stop", sid, pgrp, sig);
    return 0;
}
static int signal_leader(void *h, int32_t sid, int sig)
{
    (void)h;
    if (leader_dead) {
        return -ESRCH;
    }
    if (sig != 0) {
        note("leader", sid, sig, 0);
    }
    return 0;
}
static int32_t group_sid(void *h, int32_t pgrp)
{
    (void)h;
    return pgrp == 100 || pgrp == 110 || pgrp == 300 ? 100 : pgrp == 200 ? 200 : -ESRCH;
}
static void set_ctty(void *h, int32_t sid, uint32_t rdev)
{
    (void)h;
    note("ctty", sid, (int)rdev, 0);
}
static const struct tty_host host = {page_new,   page_free,     host_wake, host_now, kill_group,
                                     stop_group, signal_leader, group_sid, set_ctty};

static uint8_t line[65536];
static size_t line_len;
static bool line_busy;
static void dev_start(void *d)
{
    (void)d;
    if (!line_busy) {
        line_len += ring_get(&console->out, line + line_len, sizeof(line) - line_len);
    }
}
static void dev_xchar(void *d, uint8_t c)
{
    (void)d;
    line[line_len++] = c;
}
static bool dev_drained(void *d)
{
    (void)d;
    return !line_busy;
}
static void dev_discard(void *d)
{
    (void)d;
}
static void dev_brk(void *d, bool on)
{
    (void)d;
    note("break", on, 0, 0);
}
static const struct tty_dev dev = {dev_start, dev_xchar,    dev_drained, dev_discard,
                                   dev_brk,   dev_settings, dev_winsize, 250000000};

static struct tty_server server;
static uint8_t data[TTY_MSG_MAX];
static struct tty_request r;

static const struct tty_caller shell = {.job = {100, 100, 100, 0}};
static const struct tty_caller job = {.job = {111, 110, 100, 0}};
static const struct tty_caller orphan = {.job = {301, 300, 100, 0}};
static const struct tty_caller other = {.job = {200, 200, 200, 0}};
static const struct tty_caller user = {.job = {400, 400, 400, 0}, .uid = 1000, .gid = 1000};

#define LOGGED(want)                                                                               \
    do {                                                                                           \
        CHECK_STR(log_, strlen(log_), want);                                                       \
        log_[0] = 0;                                                                               \
    } while (0)

static long call(struct tty_open *o, const struct tty_caller *who, uint64_t op, uint64_t a,
                 uint64_t b, uint64_t c)
{
    r.w[0] = op;
    r.w[1] = a;
    r.w[2] = b;
    r.w[3] = c;
    r.data = data;
    tty_request(&server, o, who, &r);
    r.in_bytes = 0;
    return (long)r.w[0];
}
static struct tty_open *opened(const struct tty_caller *who, uint32_t rdev, uint32_t flags)
{
    CHECK_EQ(call(NULL, who, TTY_OP_OPEN, rdev, flags, 0), 0);
    return r.opened;
}
static long reads(struct tty_open *o, const struct tty_caller *who, uint64_t n)
{
    return call(o, who, TTY_OP_READ, n, 0, clock_ns);
}
static long writes(struct tty_open *o, const struct tty_caller *who, const char *s)
{
    r.in_bytes = strlen(s);
    memcpy(data, s, r.in_bytes);
    return call(o, who, TTY_OP_WRITE, r.in_bytes, 0, 0);
}
static long ioctls(struct tty_open *o, const struct tty_caller *who, uint32_t req, uint64_t arg)
{
    return call(o, who, TTY_OP_IOCTL, req, arg, 0);
}
static long ioctl_int(struct tty_open *o, const struct tty_caller *who, uint32_t req, int32_t v)
{
    memcpy(data, &v, 4);
    r.in_bytes = 4;
    return ioctls(o, who, req, 0);
}
static int32_t answer(void)
{
    int32_t v;
    memcpy(&v, data, 4);
    return v;
}
static void typed(const char *s)
{
    tty_device_input(console, (const uint8_t *)s, strlen(s));
    tty_sync(console);
}

static void fresh(void)
{
    tty_server_init(&server, &host, NULL);
    console = tty_console_new(&server, &dev, NULL);
    line_len = 0;
    line_busy = leader_dead = false;
    log_[0] = 0;
}
static void finish(void)
{
    free(console->page);
    free(console->out.buf);
    free(console);
    pages--;
    CHECK_EQ(pages, 0);
    CHECK(LIST_EMPTY(&server.accounts));
}

static void test_console(void)
{
    fresh();
    struct tty_open *o = opened(&shell, TTY_RDEV_CONSOLE, 2);
    CHECK_EQ(r.w[3], 1); /* it became the session's */
    LOGGED("ctty(100,1281,0) ");
    CHECK_EQ(reads(o, &shell, 100), -EAGAIN);
    uint32_t seen = (uint32_t)r.w[1];
    CHECK_EQ(console->page->side[0].in_event, seen);
    typed("l");
    CHECK_EQ(console->page->side[0].in_event, seen); /* half a line wakes nobody */
    wakes = 0;
    typed("s\r");
    CHECK(console->page->side[0].in_event != seen);
    CHECK(wakes > 0);
    CHECK(console->page->side[0].poll & POLLIN);
    CHECK_EQ(reads(o, &shell, 100), 3);
    CHECK_STR(data, r.out_bytes, "ls\n");
    CHECK_EQ(writes(o, &shell, "out\n"), 4);
    CHECK_STR(line, line_len, "ls\r\nout\r\n");
    CHECK_EQ(call(o, &shell, TTY_OP_POLL, 0, 0, 0), POLLOUT);
    CHECK_EQ(call(o, &shell, 99, 0, 0, 0), -ENOSYS);
    CHECK_EQ(ioctls(o, &shell, 0x1234, 0), -ENOTTY);
    CHECK_EQ(ioctls(o, &shell, LX_TIOCGPTN, 0), -ENOTTY);
    CHECK_EQ(ioctls(o, &shell, LX_TCSETS, 0), -EINVAL); /* sent no structure */
    CHECK_EQ(ioctls(o, &shell, LX_TIOCSTI, 0), -EIO);
    struct tty_open *t = opened(&job, TTY_RDEV_CTTY, 2);
    CHECK_EQ(call(NULL, &other, TTY_OP_OPEN, TTY_RDEV_CTTY, 2, 0), -ENXIO);
    CHECK_EQ(call(NULL, &shell, TTY_OP_OPEN, TTY_RDEV(7, 7), 2, 0), -ENXIO);
    CHECK_EQ(call(NULL, &user, TTY_OP_OPEN, TTY_RDEV_CONSOLE, 2, 0), -EACCES);
    tty_close(t);
    tty_close(o);
    finish();
}

static void test_backpressure(void)
{
    static char big[TTY_MSG_MAX];
    fresh();
    struct tty_open *o = opened(&shell, TTY_RDEV_CONSOLE, 2);
    long n, total = 0;

    line_busy = true;
    memset(big, 'x', sizeof(big) - 1);
    while ((n = writes(o, &shell, big)) > 0) {
        total += n;
    }
    CHECK_EQ(n, -EAGAIN);
    CHECK(total > 15000 && total < 16384);
    uint32_t seen = (uint32_t)r.w[1];
    CHECK(!(console->page->side[0].poll & POLLOUT));
    struct lx_termios t = {0};
    memcpy(data, &t, sizeof(t));
    r.in_bytes = sizeof(t);
    CHECK_EQ(ioctls(o, &shell, LX_TCSETSW, 0), -EAGAIN); /* not drained */
    line_busy = false;
    tty_sync(console); /* as the device does when it has room */
    CHECK(console->page->side[0].out_event != seen);
    CHECK_EQ(ioctls(o, &shell, LX_TCSBRK, 1), 0);
    CHECK_EQ(ioctls(o, &shell, LX_TCSBRK, 0), -EAGAIN);
    CHECK_EQ(r.w[2], clock_ns + 250000000);
    clock_ns += 250000000;
    CHECK_EQ(ioctls(o, &shell, LX_TCSBRK, 0), 0);
    log_[0] = 0;
    tty_close(o);
    finish();
}

static void test_flow_control(void)
{
    fresh();
    struct tty_open *o = opened(&shell, TTY_RDEV_CONSOLE, 2);
    typed("\023");
    CHECK_EQ(writes(o, &shell, "held"), 4);
    CHECK_EQ(line_len, 0);
    CHECK_EQ(ioctls(o, &shell, LX_TCSBRK, 1), -EAGAIN);
    uint32_t seen = (uint32_t)r.w[1];
    CHECK(r.w[2] > clock_ns);
    typed("\021");
    CHECK(console->page->side[0].out_event != seen); /* who waits for the end of output hears */
    CHECK_STR(line, line_len, "held");
    tty_close(o);
    finish();
}

static void test_job_control(void)
{
    fresh();
    struct tty_open *o = opened(&shell, TTY_RDEV_CONSOLE, 2);
    log_[0] = 0;
    typed("data\n");
    CHECK_EQ(reads(o, &job, 10), -TTY_RESTART);
    LOGGED("stop(100,110,21) "); /* SIGTTIN */
    CHECK_EQ(reads(o, &orphan, 10), -EIO);
    CHECK_EQ(call(o, &job, TTY_OP_READ, 10, TTY_F_TTIN_OFF, 0), -EIO);
    CHECK_EQ(writes(o, &job, "bg"), 2); /* no TOSTOP */
    CHECK_EQ(ioctl_int(o, &job, LX_TIOCSPGRP, 110), -TTY_RESTART);
    LOGGED("stop(100,110,22) "); /* SIGTTOU */
    memcpy(data, &(int32_t){110}, 4);
    r.in_bytes = 4;
    CHECK_EQ(call(o, &job, TTY_OP_IOCTL, LX_TIOCSPGRP, 0, TTY_F_TTOU_OFF), 0);
    CHECK_EQ(console->page->pgrp, 110);
    CHECK_EQ(reads(o, &job, 10), 5);
    typed("\003");
    LOGGED("kill(100,110,2) ");
    CHECK_EQ(ioctl_int(o, &job, LX_TIOCSPGRP, 200), -EPERM); /* another session's */
    CHECK_EQ(ioctl_int(o, &job, LX_TIOCSPGRP, 555), -ESRCH);
    CHECK_EQ(ioctl_int(o, &job, LX_TIOCSPGRP, -1), -EINVAL);
    CHECK_EQ(ioctl_int(o, &other, LX_TIOCSPGRP, 200), -ENOTTY);
    CHECK_EQ(ioctls(o, &other, LX_TIOCGPGRP, 0), -ENOTTY);
    CHECK_EQ(ioctls(o, &job, LX_TIOCGSID, 0), 0);
    CHECK_EQ(answer(), 100);
    struct lx_termios2 t = console->ld.tio;
    t.c_lflag |= LX_TOSTOP;
    ldisc_set_termios(&console->ld, &t);
    CHECK_EQ(writes(o, &shell, "bg"), -TTY_RESTART);
    CHECK_EQ(writes(o, &orphan, "bg"), -EIO);
    tty_close(o);
    finish();
}

static void test_controlling_terminal(void)
{
    fresh();
    struct tty_open *o = opened(&shell, TTY_RDEV_CONSOLE, 2 | 0400); /* O_NOCTTY */
    CHECK_EQ(r.w[3], 0);
    CHECK_EQ(ioctls(o, &job, LX_TIOCSCTTY, 0), -EPERM); /* not a leader */
    CHECK_EQ(ioctls(o, &shell, LX_TIOCSCTTY, 0), 0);
    CHECK_EQ(ioctls(o, &shell, LX_TIOCSCTTY, 0), 0);
    CHECK_EQ(ioctls(o, &other, LX_TIOCSCTTY, 0), -EPERM);
    log_[0] = 0;
    CHECK_EQ(ioctls(o, &other, LX_TIOCSCTTY, 1), 0); /* root steals */
    LOGGED("ctty(100,0,0) ctty(200,1281,0) ");
    CHECK_EQ(ioctls(o, &job, LX_TIOCNOTTY, 0), -ENOTTY);
    CHECK_EQ(ioctls(o, &other, LX_TIOCNOTTY, 0), 1);
    LOGGED("kill(200,200,1) kill(200,200,18) ctty(200,0,0) ");
    CHECK_EQ(ioctls(o, &shell, LX_TIOCSCTTY, 0), 0);
    CHECK_EQ(ioctls(o, &job, LX_TIOCNOTTY, 0), 0); /* only that process */
    CHECK_EQ(call(o, &job, TTY_OP_IOCTL, LX_TIOCGPGRP, 0, TTY_F_NOCTTY), -ENOTTY);
    tty_close(o);
    finish();
}

static void test_session_end(void)
{
    fresh();
    struct tty_open *o = opened(&shell, TTY_RDEV_CONSOLE, 2);
    struct tty_open *t = opened(&shell, TTY_RDEV(4, 64), 2); /* the line by another name */
    log_[0] = 0;
    tty_sessions_check(&server);
    LOGGED("");
    leader_dead = true;
    uint32_t hangups = console->page->hangups;
    tty_sessions_check(&server);
    LOGGED("kill(100,100,1) kill(100,100,18) ctty(100,0,0) ");
    CHECK(console->page->hangups != hangups);
    CHECK_EQ(console->page->sid, 0);
    CHECK_EQ(reads(t, &shell, 10), 0);
    CHECK_EQ(writes(t, &shell, "x"), -EIO);
    CHECK_EQ(ioctls(t, &shell, LX_TCGETS, 0), -EIO);
    CHECK(call(t, &shell, TTY_OP_POLL, 0, 0, 0) & POLLHUP);
    CHECK_EQ(writes(o, &shell, "x"), 1); /* /dev/console survives */
    tty_close(t);
    tty_close(o);
    finish();
}

static void test_winsize(void)
{
    struct lx_winsize ws = {50, 132, 0, 0};
    fresh();
    struct tty_open *o = opened(&shell, TTY_RDEV_CONSOLE, 2);
    log_[0] = 0;
    for (int i = 0; i < 2; i++) {
        memcpy(data, &ws, sizeof(ws));
        r.in_bytes = sizeof(ws);
        CHECK_EQ(ioctls(o, &shell, LX_TIOCSWINSZ, 0), 0);
    }
    LOGGED("kill(100,100,28) "); /* SIGWINCH, once */
    CHECK_EQ(console->page->ws.ws_col, 132);
    CHECK_EQ(console->page->seq % 2, 0);
    tty_close(o);
    finish();
}

static void test_pty(void)
{
    fresh();
    struct tty_open *m = opened(&user, TTY_RDEV_PTMX, 2);
    CHECK_EQ(r.w[2], 1);
    struct tty_page *page = m->tty->page;
    CHECK_EQ(ioctls(m, &user, LX_TIOCGPTN, 0), 0);
    CHECK_EQ(answer(), 0);
    CHECK_EQ(call(NULL, &user, TTY_OP_OPEN, TTY_RDEV_PTS(0), 2, 0), -EIO); /* locked */
    CHECK_EQ(ioctl_int(m, &user, LX_TIOCSPTLCK, 0), 0);
    CHECK_EQ(reads(m, &user, 10), -EAGAIN);
    CHECK_EQ(
        call(NULL, &(struct tty_caller){.uid = 1001, .gid = 1}, TTY_OP_OPEN, TTY_RDEV_PTS(0), 2, 0),
        -EACCES);
    struct tty_open *s = opened(&user, TTY_RDEV_PTS(0), 2);
    CHECK_EQ(r.w[3], 1);
    log_[0] = 0;
    CHECK_EQ(writes(m, &user, "hi\n\003"), 4);
    LOGGED("kill(400,400,2) ");
    CHECK_EQ(writes(m, &user, "yo\n"), 3);
    CHECK(page->side[0].poll & POLLIN);
    CHECK_EQ(ioctls(s, &user, LX_FIONREAD, 0), 0);
    CHECK_EQ(answer(), 3);
    CHECK_EQ(reads(s, &user, 10), 3);
    CHECK_EQ(reads(m, &user, 100), 6); /* echo: ^C came with a flush of what was before */
    CHECK_STR(data, r.out_bytes, "^Cyo\r\n");
    CHECK_EQ(writes(s, &user, "a\n"), 2);
    CHECK(page->side[1].poll & POLLIN);
    CHECK_EQ(reads(m, &user, 100), 3);
    tty_close(s);
    CHECK(page->side[1].poll & POLLHUP);
    CHECK_EQ(reads(m, &user, 100), -EIO);
    s = opened(&user, TTY_RDEV_PTS(0), 2);
    CHECK_EQ(reads(m, &user, 100), -EAGAIN); /* open again */
    log_[0] = 0;
    tty_close(m);
    LOGGED("ctty(400,0,0) leader(400,1,0) leader(400,18,0) kill(400,400,1) kill(400,400,18) ");
    CHECK_EQ(reads(s, &user, 10), 0);
    CHECK_EQ(writes(s, &user, "x"), -EIO);
    CHECK_EQ(call(NULL, &user, TTY_OP_OPEN, TTY_RDEV_PTS(0), 2, 0), -EIO);
    tty_close(s);
    CHECK_EQ(call(NULL, &user, TTY_OP_OPEN, TTY_RDEV_PTS(0), 2, 0), -ENXIO);
    finish();
}

static void test_pty_backpressure(void)
{
    static char big[TTY_MSG_MAX];
    fresh();
    struct tty_open *m = opened(&user, TTY_RDEV_PTMX, 2);
    CHECK_EQ(ioctls(m, &user, LX_TIOCGPTPEER, 2 | 0400), -EIO);
    CHECK_EQ(ioctl_int(m, &user, LX_TIOCSPTLCK, 0), 0);
    CHECK_EQ(ioctls(m, &user, LX_TIOCGPTPEER, 2 | 0400), 0);
    struct tty_open *s = r.opened;
    struct lx_termios2 t = m->tty->ld.tio;
    t.c_lflag = 0;
    t.c_oflag = 0;
    ldisc_set_termios(&m->tty->ld, &t);
    memset(big, 'x', sizeof(big) - 1);
    long n = 0, total = 0;
    for (; n >= 0; total += n) {
        n = writes(m, &user, big);
        n = n > 0 ? n : -1;
    }
    total++;
    CHECK(total > 4000 && total <= 4096);
    uint32_t seen = (uint32_t)r.w[1];
    CHECK_EQ(reads(s, &user, 4096), total);
    CHECK(m->tty->page->side[1].out_event != seen); /* the master may go on */
    tty_close(s);
    tty_close(m);
    finish();
}

static void test_limits(void)
{
    struct tty_open *m[1000];
    int n = 0;
    long err = 0;

    fresh();
    while (n < 1000 && (err = call(NULL, &user, TTY_OP_OPEN, TTY_RDEV_PTMX, 2, 0)) == 0) {
        m[n++] = r.opened;
    }
    CHECK_EQ(err, -ENOSPC);
    CHECK(n > 60 && n < 200);
    struct tty_open *root = opened(&shell, TTY_RDEV_PTMX, 2); /* others are not affected */
    CHECK_EQ(root->tty->number, n);
    tty_close(root);
    tty_close(m[5]);
    m[5] = opened(&user, TTY_RDEV_PTMX, 2);
    CHECK_EQ(m[5]->tty->number, 5); /* the lowest free number */
    CHECK_EQ(call(NULL, &user, TTY_OP_LIST, 3, 0, 0), n - 3);
    CHECK_EQ(answer(), 3);
    while (n > 0) {
        tty_close(m[--n]);
    }
    server.users_max = 1 << 20; /* of all together; each of them has its half at most */
    struct tty_caller many = user;
    for (many.uid = 2000; many.uid < 2003; many.uid++) {
        int before = n;
        while (n < 1000 && (err = call(NULL, &many, TTY_OP_OPEN, TTY_RDEV_PTMX, 2, 0)) == 0) {
            m[n++] = r.opened;
        }
        CHECK_EQ(err, -ENOSPC);
        CHECK(many.uid < 2002 ? n - before > 10 : n - before < 2);
    }
    root = opened(&shell, TTY_RDEV_PTMX, 2);
    tty_close(root);
    while (n > 0) {
        tty_close(m[--n]);
    }
    CHECK_EQ(server.users_bytes, 0);
    finish();
}

static void test_owner(void)
{
    fresh();
    struct tty_open *m = opened(&user, TTY_RDEV_PTMX, 2);
    CHECK_EQ(call(NULL, &user, TTY_OP_CHMOD, TTY_RDEV_PTS(0), 0600, 0), 0);
    CHECK_EQ(call(NULL, &user, TTY_OP_CHOWN, TTY_RDEV_PTS(0), 0, UINT32_MAX), -EPERM);
    CHECK_EQ(call(NULL, &user, TTY_OP_STAT, TTY_RDEV_PTS(0), 0, 0), 0);
    struct tty_stat st;
    memcpy(&st, data, sizeof(st));
    CHECK_EQ(st.mode, 020600);
    CHECK_EQ(st.uid, 1000);
    CHECK_EQ(call(NULL, &user, TTY_OP_CHMOD, TTY_RDEV_CONSOLE, 0666, 0), -EPERM);
    tty_close(m);
    finish();
}

/* Any words, any bytes: a defined answer, and every page comes back. */
static void test_hostile(void)
{
    struct tty_open *open[32] = {0};
    static const struct tty_caller *const who[] = {&shell, &job, &orphan, &other, &user};

    srandom(3);
    fresh();
    for (int i = 0; i < 100000; i++) {
        struct tty_open **o = &open[random() % 32];
        if (*o != NULL && random() % 20 == 0) {
            tty_close(*o);
            *o = NULL;
            continue;
        }
        static const uint32_t reqs[] = {LX_TCGETS,    LX_TCSETS,      LX_TCSETSF,   LX_TIOCSPGRP,
                                        LX_TIOCSCTTY, LX_TIOCSPTLCK,  LX_TIOCNOTTY, LX_TCFLSH,
                                        LX_TCXONC,    LX_TIOCGPTPEER, LX_TCSBRK,    LX_TIOCVHANGUP,
                                        LX_FIONREAD,  LX_TIOCSWINSZ};
        static const uint32_t devs[] = {TTY_RDEV_CONSOLE, TTY_RDEV_PTMX, TTY_RDEV_CTTY,
                                        TTY_RDEV_PTS(0), TTY_RDEV_PTS(1)};
        uint64_t op = (uint64_t)(random() % 12);
        uint64_t a = op == TTY_OP_IOCTL  ? reqs[random() % 14]
                     : op == TTY_OP_OPEN ? devs[random() % 5]
                                         : (uint64_t)(random() % 5000);
        r.in_bytes = (size_t)(random() % 100);
        for (size_t k = 0; k < 100; k++) {
            data[k] = (uint8_t)(random() % 4 ? random() % 40 : random());
        }
        clock_ns += (uint64_t)(random() % 1000000000);
        leader_dead = random() % 50 == 0;
        call(*o, who[random() % 5], op, a, (uint64_t)random() % 9, (uint64_t)random() % 16);
        if (r.opened != NULL) {
            struct tty_open **slot = &open[random() % 32];
            if (*slot != NULL) {
                tty_close(r.opened);
            } else {
                *slot = r.opened;
            }
        }
        if (random() % 100 == 0) {
            tty_sessions_check(&server);
        }
        CHECK(r.out_bytes <= TTY_MSG_MAX);
        line_len = 0;
        log_[0] = 0;
    }
    for (int i = 0; i < 32; i++) {
        if (open[i] != NULL) {
            tty_close(open[i]);
        }
    }
    finish();
}

int main(void)
{
    test_console();
    test_backpressure();
    test_flow_control();
    test_job_control();
    test_controlling_terminal();
    test_session_end();
    test_winsize();
    test_pty();
    test_pty_backpressure();
    test_limits();
    test_owner();
    test_hostile();
    return check_done();
}
