// SPDX-License-Identifier: MIT
// The console whole: program output to line and screen, typing on both, with models of the devices.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include "../console.h"
#include "check.h"

static uint64_t clock_ns;
static uint64_t now(void)
{
    return clock_ns;
}
static uint64_t host_now(void *h)
{
    (void)h;
    return clock_ns;
}
static struct tty_page page;
static struct tty_page *page_new(void *h, struct tty *t)
{
    (void)h, (void)t;
    memset(&page, 0, sizeof(page));
    return &page;
}
static void page_free(void *h, struct tty *t)
{
    (void)h, (void)t;
}
static void host_wake(void *h, const struct tty *t, uint32_t *w)
{
    (void)h, (void)t, (void)w;
}
static int last_sig;
static int kill_group(void *h, int32_t sid, int32_t pgrp, int sig)
{
    (void)h, (void)sid, (void)pgrp;
    last_sig = sig;
    return 0;
}
static int signal_leader(void *h, int32_t sid, int sig)
{
    (void)h, (void)sid, (void)sig;
    return 0;
}
static int32_t group_sid(void *h, int32_t pgrp)
{
    (void)h;
    return pgrp;
}
static void set_ctty(void *h, int32_t sid, uint32_t rdev)
{
    (void)h, (void)sid, (void)rdev;
}
static const struct tty_host host = {page_new,   page_free,     host_wake, host_now, kill_group,
                                     kill_group, signal_leader, group_sid, set_ctty};

static uint8_t scratch, typed_keys[32], typed_line[32];
static int nkeys, key_at, nline, line_at;
static char sent[65536];
static size_t nsent;
static bool line_blocked;

static uint8_t io_in(void *ctx, uint16_t port)
{
    (void)ctx;
    switch (port) {
    case 0x3ff:
        return scratch;
    case 0x3fd:
        return (uint8_t)((line_blocked ? 0 : 0x60) | (line_at < nline));
    case 0x3f8:
        return typed_line[line_at++];
    case 0x3fa:
        return 0xc1;
    case 0x64:
        return key_at < nkeys;
    case 0x60:
        return typed_keys[key_at++];
    default:
        return 0;
    }
}
static void io_out(void *ctx, uint16_t port, uint8_t v)
{
    (void)ctx;
    if (port == 0x3ff) {
        scratch = v;
    }
}
static void io_string(void *ctx, uint16_t port, const uint8_t *p, size_t n)
{
    (void)ctx, (void)port;
    memcpy(sent + nsent, p, n);
    nsent += n;
}
static const struct port_io io = {io_in, io_out, io_string, NULL};

static struct console c;
static struct tty_server server;
static uint16_t text[80 * 25];
static struct render_cell shadow[80 * 25];
static struct tty_open *shell;
static const struct tty_caller who = {.job = {7, 7, 7, 0}};

static void start(bool with_line)
{
    clock_ns = 1000;
    nsent = 0;
    tty_server_init(&server, &host, NULL);
    console_init(&c, &server, &io, now, with_line ? 0x3f8 : 0);
    render_vga_init(&c.render, 80, 25, text, shadow, &io);
    console_attach_screen(&c, malloc(vt_memory(80, 25)));
    c.has_keyboard = true;
    struct tty_request r = {.w = {TTY_OP_OPEN, TTY_RDEV_CONSOLE, 2}};
    tty_request(&server, NULL, &who, &r);
    shell = r.opened;
    CHECK(shell != NULL);
}
static void stop(void)
{
    tty_close(shell);
    free(c.vt.grid[0]);
    free(c.tty->out.buf);
    free(c.tty);
}
static long request(uint64_t op, const char *s, uint8_t *data)
{
    struct tty_request r = {.w = {op, s ? strlen(s) : 100}, .data = data};
    if (s) {
        memcpy(data, s, strlen(s));
        r.in_bytes = strlen(s);
    }
    tty_request(&server, shell, &who, &r);
    return (long)r.w[0];
}
static uint8_t data[TTY_MSG_MAX];
static void keys(const char *codes)
{
    nkeys = (int)strlen(codes);
    key_at = 0;
    memcpy(typed_keys, codes, (size_t)nkeys);
    console_serve_keyboard(&c);
    console_poll(&c);
}
static void line(const char *s)
{
    nline = (int)strlen(s);
    line_at = 0;
    memcpy(typed_line, s, (size_t)nline);
    console_serve_uart(&c);
    console_poll(&c);
}

static void test_both(void)
{
    start(true);
    CHECK_EQ(request(TTY_OP_WRITE, "hi\n", data), 3);
    CHECK_STR(sent, nsent, "hi\r\n");
    text[0] = 0;
    CHECK(console_poll(&c) == 1000 + CONSOLE_FRAME_NS); /* not drawn yet */
    CHECK_EQ(text[0], 0);
    clock_ns += CONSOLE_FRAME_NS;
    CHECK(console_poll(&c) == UINT64_MAX);
    CHECK_EQ(text[0] & 0xff, 'h');
    keys("\x26\x1f\x1c");
    CHECK_EQ(request(TTY_OP_READ, NULL, data), 3);
    CHECK_STR(data, 3, "ls\n");
    line("id\r");
    CHECK_EQ(request(TTY_OP_READ, NULL, data), 3);
    CHECK_STR(sent, nsent, "hi\r\nls\r\nid\r\n");
    stop();
}

static void test_who_answers(void)
{
    start(true);
    struct lx_termios2 t = c.tty->ld.tio;
    t.c_lflag = 0;
    t.c_cc[LX_VMIN] = 0;
    ldisc_set_termios(&c.tty->ld, &t);
    CHECK_EQ(c.tty->ws.ws_row, 24);
    request(TTY_OP_WRITE, "\033[6n", data);
    console_poll(&c);
    CHECK_EQ(request(TTY_OP_READ, NULL, data), 0); /* the line's terminal will answer */
    last_sig = 0;
    keys("\x1e");
    CHECK_EQ(c.tty->ws.ws_row, 25);
    CHECK_EQ(last_sig, SIGWINCH);
    CHECK_EQ(request(TTY_OP_READ, NULL, data), 1);
    request(TTY_OP_WRITE, "\033[6n", data);
    console_poll(&c);
    CHECK_EQ(request(TTY_OP_READ, NULL, data), 6);
    CHECK_STR(data, 6, "\033[1;1R");
    line("x");
    CHECK_EQ(c.tty->ws.ws_row, 24);
    stop();
}

static void test_screen_alone(void)
{
    start(false);
    CHECK_EQ(c.tty->ws.ws_row, 25);
    CHECK_EQ(request(TTY_OP_WRITE, "\033[?1hx", data), 6);
    CHECK(c.kb.cursor_app);
    CHECK_EQ(nsent, 0);
    stop();
}

/* A line nobody reads holds the console up for a while, then the screen goes on without it. */
static void test_stuck_line(void)
{
    static char big[4000];
    long n, total = 0;

    start(true);
    line_blocked = true;
    memset(big, 'x', sizeof(big) - 1);
    while ((n = request(TTY_OP_WRITE, big, data)) > 0) {
        total += n;
    }
    CHECK_EQ(n, -EAGAIN);
    CHECK(total > 16384);
    clock_ns += UART_STUCK_NS + 1;
    console_poll(&c);
    CHECK_EQ(request(TTY_OP_WRITE, "END", data), 3);
    clock_ns += CONSOLE_FRAME_NS;
    console_poll(&c);
    CHECK_EQ(ring_used(&c.tty->out), 0);
    line_blocked = false;
    stop();
}

int main(void)
{
    test_both();
    test_who_answers();
    test_screen_alone();
    test_stuck_line();
    return check_done();
}
