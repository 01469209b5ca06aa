// SPDX-License-Identifier: MIT
/*
 * The console: one terminal that is at once the serial line and the screen with its keyboard.
 *
 * Output goes to both. Input comes from both; where the last key was pressed decides two things a
 * terminal has only one of: the window size, and who answers a request for status (a terminal at
 * the other end of the line answers by itself, and the emulator must not answer a second time).
 *
 * Each part may be missing. Drawing is put off until output pauses, at most CONSOLE_FRAME_NS.
 */
#ifndef TTYD_CONSOLE_H
#define TTYD_CONSOLE_H

#include "ps2.h"
#include "render.h"
#include "tty.h"
#include "uart.h"

#define CONSOLE_FRAME_NS 20000000ull

struct console {
    struct tty *tty;
    struct port_io io;
    uint64_t (*now)(void);
    struct uart uart;
    struct ps2 kb;
    struct vt vt;
    struct render render;
    bool has_keyboard, has_screen;
    bool from_keyboard;   /* the last input came from there */
    bool more;            /* a device was left unfinished: serve again */
    uint64_t dirty_since; /* the screen is behind since then; 0 it is not */
    struct lx_winsize line_size, screen_size;
    uint8_t reply[64]; /* the emulator's answers, to be typed */
    size_t nreply;
};

/* uart_base 0: no serial line. Screen and keyboard are attached before or after. NULL tty: no
 * memory. */
void console_init(struct console *c, struct tty_server *s, const struct port_io *io,
                  uint64_t (*now)(void), uint16_t uart_base);
/* c->render must be set up; memory as for vt_init, for render.cols x render.rows. */
void console_attach_screen(struct console *c, void *vt_memory);
void console_attach_keyboard(struct console *c);

/* Interrupts (or suspicion of one). */
void console_serve_uart(struct console *c);
void console_serve_keyboard(struct console *c);
/* After every event: deliver answers, publish, draw when it is time. Returns when to be called
 * again, ns, or UINT64_MAX. */
uint64_t console_poll(struct console *c);

#endif
