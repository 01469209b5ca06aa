// SPDX-License-Identifier: MIT
// The console; the concept is in console.h. Its functions are the device behind the console's tty.
#include <string.h>
#include "console.h"

/* --- output --- */

static void screen_write(struct console *c, const uint8_t *bytes, size_t n)
{
    if (!c->has_screen) {
        return;
    }
    vt_feed(&c->vt, bytes, n);
    c->kb.cursor_app = c->vt.cursor_keys_app;
    c->kb.newline = c->vt.newline;
    if (c->dirty_since == 0) {
        c->dirty_since = c->now();
    }
}

static void dev_start(void *dev)
{
    struct console *c = dev;
    uint64_t now = c->now();
    const uint8_t *bytes;
    size_t n, took;

    while (!tty_output_held(c->tty) && (n = ring_peek(&c->tty->out, &bytes)) > 0) {
        took = uart_write(&c->uart, bytes, n, now);
        if (took == 0) {
            break; /* the transmit interrupt brings us back */
        }
        screen_write(c, bytes, took);
        ring_drop(&c->tty->out, took);
    }
}

static void dev_xchar(void *dev, uint8_t ch)
{
    struct console *c = dev;

    uart_urgent(&c->uart, ch);
}

static bool dev_drained(void *dev)
{
    const struct console *c = dev;

    return uart_idle(&c->uart);
}

static void dev_discard(void *dev)
{
    struct console *c = dev;

    uart_discard(&c->uart);
}

static void dev_break(void *dev, bool on)
{
    struct console *c = dev;

    uart_break(&c->uart, on);
}

static void dev_settings(void *dev, const struct lx_termios2 *tio)
{
    struct console *c = dev;

    if (tio->c_ospeed != c->tty->speed) {
        c->tty->speed = tio->c_ospeed;
        uart_set_speed(&c->uart, tio->c_ospeed);
    }
}

static void dev_winsize(void *dev, const struct lx_winsize *ws)
{
    struct console *c = dev;

    if (!c->from_keyboard) {
        c->line_size = *ws;
    }
}

static const struct tty_dev console_dev = {
    .start = dev_start,
    .xchar = dev_xchar,
    .drained = dev_drained,
    .discard = dev_discard,
    .brk = dev_break,
    .settings = dev_settings,
    .winsize = dev_winsize,
    .break_ns = 250000000,
};

/* --- input --- */

static void input_from(struct console *c, bool keyboard)
{
    if (c->from_keyboard != keyboard) {
        c->from_keyboard = keyboard;
        tty_set_winsize(c->tty, keyboard ? &c->screen_size : &c->line_size);
    }
}

static void on_uart(void *ctx, enum uart_event event, uint8_t byte)
{
    struct console *c = ctx;

    input_from(c, false);
    switch (event) {
    case UART_BYTE:
        tty_device_input(c->tty, &byte, 1);
        break;
    case UART_BREAK:
        tty_device_error(c->tty, 0, LDISC_BREAK);
        break;
    case UART_ERROR:
        tty_device_error(c->tty, byte, LDISC_PARITY);
        break;
    case UART_OVERRUN:
        tty_device_error(c->tty, 0, LDISC_OVERRUN);
        break;
    }
}

void console_serve_uart(struct console *c)
{
    c->more |= uart_serve(&c->uart, c->now(), on_uart, c);
}

void console_serve_keyboard(struct console *c)
{
    int code, i;

    for (i = 0; c->has_keyboard && i < 64 && (code = ps2_read(&c->io)) >= 0; i++) {
        uint8_t bytes[PS2_KEY_MAX];
        size_t n = ps2_scan(&c->kb, (uint8_t)code, bytes);
        if (n > 0) {
            input_from(c, true);
            tty_device_input(c->tty, bytes, n);
        }
    }
    c->more |= i == 64;
    if (c->kb.leds_changed) {
        c->kb.leds_changed = false;
        ps2_set_leds(&c->io, c->kb.locks);
    }
}

/* --- the emulator's side --- */

static void on_reply(void *ctx, const uint8_t *bytes, size_t n)
{
    struct console *c = ctx;

    if ((c->from_keyboard || !c->uart.present) && n <= sizeof(c->reply) - c->nreply) {
        memcpy(c->reply + c->nreply, bytes, n);
        c->nreply += n;
    }
}

static void on_bell(void *ctx)
{
    (void)ctx; /* the serial side rings its own */
}

static const struct vt_ops console_vt_ops = {on_reply, on_bell};

uint64_t console_poll(struct console *c)
{
    uint64_t now, due;

    if (c->nreply > 0) {
        size_t n = c->nreply;
        c->nreply = 0;
        tty_device_input(c->tty, c->reply, n);
    }
    tty_sync(c->tty);
    if (c->more) {
        c->more = false;
        return 0;
    }
    if (c->dirty_since == 0) {
        return UINT64_MAX;
    }
    now = c->now();
    due = c->dirty_since + CONSOLE_FRAME_NS;
    if (now < due) {
        return due;
    }
    c->dirty_since = 0;
    render_update(&c->render, &c->vt);
    return UINT64_MAX;
}

/* --- setting up --- */

void console_init(struct console *c, struct tty_server *s, const struct port_io *io,
                  uint64_t (*now)(void), uint16_t uart_base)
{
    memset(c, 0, sizeof(*c));
    c->io = *io;
    c->now = now;
    c->line_size = (struct lx_winsize){.ws_row = 24, .ws_col = 80};
    if (uart_base != 0) {
        uart_init(&c->uart, io, uart_base);
    }
    c->tty = tty_console_new(s, &console_dev, c);
    if (c->tty != NULL) {
        c->tty->speed = 115200;
        tty_set_winsize(c->tty, &c->line_size);
        tty_sync(c->tty);
    }
}

void console_attach_screen(struct console *c, void *vt_memory)
{
    vt_init(&c->vt, c->render.cols, c->render.rows, vt_memory, &console_vt_ops, c);
    c->has_screen = true;
    c->dirty_since = c->now();
    c->screen_size =
        (struct lx_winsize){.ws_row = (uint16_t)c->render.rows, .ws_col = (uint16_t)c->render.cols};
    if (!c->uart.present) {
        input_from(c, true);
    }
}

void console_attach_keyboard(struct console *c)
{
    c->has_keyboard = ps2_init(&c->io) == 0;
}
