// SPDX-License-Identifier: MIT
// Hostile clients of the terminal server: requests made of the fuzzer's bytes, from processes of
// several sessions and users, on terminals, masters and the service, with bytes coming in on the
// line between them. When every open is closed nothing is left.
//
// A step in the input: what (3 bits) and on which open, who, six bytes of arguments with what they
// stand for, length, data.
#include <errno.h>
#include <string.h>
#include "world.h"

enum { OPENS = 12 };

static const uint8_t *in, *end;
static struct tty_open *opens[OPENS];

static uint8_t next(void)
{
    return in < end ? *in++ : 0;
}

static void host_wake(void *h, const struct tty *tty, uint32_t *word)
{
    (void)h, (void)tty, (void)word;
}
static uint64_t host_now(void *h)
{
    (void)h;
    return clock_ns += 1000;
}
static int signal_group(void *h, int32_t sid, int32_t pgrp, int sig)
{
    (void)h, (void)sid, (void)sig;
    return pgrp == 300 ? -EIO : 0;
}
static int signal_leader(void *h, int32_t sid, int sig)
{
    (void)h, (void)sid, (void)sig;
    return leader_dead ? -ESRCH : 0;
}
static int32_t group_sid(void *h, int32_t pgrp)
{
    (void)h;
    return pgrp >= 100 && pgrp < 400 ? pgrp / 100 * 100 : -ESRCH;
}
static void set_ctty(void *h, int32_t sid, uint32_t rdev)
{
    (void)h, (void)sid, (void)rdev;
}
static const struct tty_host host = {page_new,     page_free,     host_wake, host_now, signal_group,
                                     signal_group, signal_leader, group_sid, set_ctty};

static void dev_start(void *d)
{
    static uint8_t line[65536];
    (void)d;
    ring_get(&console->out, line, sizeof(line));
}
static void dev_xchar(void *d, uint8_t c)
{
    (void)d, (void)c;
}
static bool dev_drained(void *d)
{
    (void)d;
    return next() & 1;
}
static void dev_nothing(void *d)
{
    (void)d;
}
static void dev_brk(void *d, bool on)
{
    (void)d, (void)on;
}
static const struct tty_dev device = {.start = dev_start,
                                      .xchar = dev_xchar,
                                      .drained = dev_drained,
                                      .discard = dev_nothing,
                                      .brk = dev_brk,
                                      .settings = dev_settings,
                                      .winsize = dev_winsize};

static uint64_t argument(void)
{
    static const uint64_t usual[] = {0,
                                     1,
                                     2,
                                     3,
                                     4,
                                     64,
                                     100,
                                     110,
                                     200,
                                     300,
                                     400,
                                     4095,
                                     4096,
                                     4097,
                                     1 << 20,
                                     UINT32_MAX,
                                     INT64_MAX,
                                     1ull << 63,
                                     TTY_RDEV_CTTY,
                                     TTY_RDEV_CONSOLE,
                                     TTY_RDEV_PTMX,
                                     TTY_RDEV_PTS(0),
                                     TTY_RDEV_PTS(1),
                                     TTY_RDEV_PTS(4095),
                                     LX_TCGETS,
                                     LX_TCSETS,
                                     LX_TCSETSW,
                                     LX_TCSETSF,
                                     LX_TCGETS2,
                                     LX_TCSETS2,
                                     LX_TIOCGWINSZ,
                                     LX_TIOCSWINSZ,
                                     LX_TIOCGPGRP,
                                     LX_TIOCSPGRP,
                                     LX_TIOCGSID,
                                     LX_TIOCSCTTY,
                                     LX_TIOCNOTTY,
                                     LX_FIONREAD,
                                     LX_TIOCOUTQ,
                                     LX_TCFLSH,
                                     LX_TCXONC,
                                     LX_TCSBRK,
                                     LX_TCSBRKP,
                                     LX_TIOCEXCL,
                                     LX_TIOCNXCL,
                                     LX_TIOCVHANGUP,
                                     LX_TIOCSTI,
                                     LX_TIOCGPTN,
                                     LX_TIOCSPTLCK,
                                     LX_TIOCGPTPEER};
    uint8_t kind = next();
    if (kind < 2 * sizeof(usual) / sizeof(usual[0]))
        return usual[kind / 2];
    return kind < 200 ? next() : (uint64_t)next() << (next() & 63);
}

static struct tty_caller somebody(void)
{
    uint8_t which = next();
    int32_t sid = 100 + which % 3 * 100;
    struct tty_caller who = {
        .job = {.pid = which & 64 ? sid : sid + 5, .pgid = sid + (which & 8 ? 10 : 0), .sid = sid}};
    who.uid = which & 32 ? 0 : 1000 + (which >> 7);
    who.gid = who.uid;
    who.ngroups = which & 4 ? 1 : 0;
    who.groups[0] = 5;
    return who;
}

static void keep(struct tty_open *open)
{
    for (int i = 0; i < OPENS; i++) {
        if (opens[i] == NULL) {
            opens[i] = open;
            return;
        }
    }
    tty_close(open);
}

static void request(struct tty_server *s, struct tty_open *open)
{
    uint8_t *data = malloc(TTY_MSG_MAX); // so that the sanitizer sees its bounds
    struct tty_caller who = somebody();
    struct tty_request r = {.data = data};
    r.w[0] = next() % (TTY_OP_LIMIT + 1);
    for (int i = 1; i < 6; i++)
        r.w[i] = argument();
    size_t sent = argument();
    r.in_bytes = sent < TTY_MSG_MAX ? sent : TTY_MSG_MAX;
    memset(data, next(), TTY_MSG_MAX);
    for (size_t i = 0; i < r.in_bytes && i < 64 && in < end; i++)
        data[i] = next();
    tty_request(s, open, &who, &r);
    if (r.out_bytes > TTY_MSG_MAX)
        __builtin_trap();
    if (r.opened != NULL)
        keep(r.opened);
    free(data);
}

static void line_input(void)
{
    uint8_t bytes[32];
    size_t n = next() % sizeof(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = next();
    tty_device_input(console, bytes, n);
    tty_sync(console);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tty_server s;
    in = data;
    end = data + size;
    pages = 0;
    leader_dead = false;
    tty_server_init(&s, &host, NULL);
    console = tty_console_new(&s, &device, NULL);
    while (in < end) {
        uint8_t step = next();
        struct tty_open **open = &opens[step / 8 % OPENS];
        if (step % 8 == 0 && *open != NULL) {
            tty_close(*open);
            *open = NULL;
        } else if (step % 8 == 1) {
            line_input();
        } else if (step % 8 == 2) {
            leader_dead = step & 64;
            tty_sessions_check(&s);
        } else {
            request(&s, step % 8 == 3 ? NULL : *open);
        }
    }
    for (int i = 0; i < OPENS; i++) {
        if (opens[i] != NULL)
            tty_close(opens[i]);
        opens[i] = NULL;
    }
    if (pages != 1 || LIST_FIRST(&s.ttys) != console || LIST_NEXT(console, link) != NULL)
        __builtin_trap(); // a pty is left
    for (struct tty_account *a = LIST_FIRST(&s.accounts), *b; a != NULL; a = b) {
        b = LIST_NEXT(a, link);
        __builtin_trap(); // somebody still pays for something
    }
    free(console->page);
    free(console->out.buf);
    free(console);
    return 0;
}
