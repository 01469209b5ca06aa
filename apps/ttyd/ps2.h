// SPDX-License-Identifier: MIT
/*
 * PS/2 keyboard: the i8042 controller and the translation of scan codes (set 1, which the
 * controller makes of the keyboard's set 2) into what a TERM=linux terminal sends. US layout.
 *
 * The decoder is pure; what it is fed is hostile in so far as a keyboard may send anything. The
 * controller's functions use bounded polling only: a dead controller costs a moment, never a hang.
 */
#ifndef TTYD_PS2_H
#define TTYD_PS2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ports.h"

#define PS2_KEY_MAX 8u /* bytes one key press can become */

enum ps2_lock { PS2_SCROLL = 1, PS2_NUM = 2, PS2_CAPS = 4 }; /* as the LED command wants them */

struct ps2 {
    uint8_t prefix;           /* 0xe0 or 0xe1 was seen */
    uint8_t skip;             /* bytes left of a Pause sequence */
    uint8_t shift, ctrl, alt; /* bit 0 left, bit 1 right */
    uint8_t locks;            /* enum ps2_lock */
    uint8_t lock_down;        /* lock keys held: repeats do not toggle */
    bool leds_changed;        /* locks differ from the LEDs */
    bool cursor_app;          /* DECCKM: arrows send ESC O */
    bool newline;             /* Enter sends CR LF */
};

/* One byte from the keyboard; the bytes to be taken as typed go to out. Returns how many. */
size_t ps2_scan(struct ps2 *kb, uint8_t code, uint8_t out[PS2_KEY_MAX]);

/* Set the controller up: keyboard on, interrupt and translation on, mouse off. 0 or -ENODEV. */
int ps2_init(const struct port_io *io);
/* Next byte of the keyboard, or -1. Bytes of a mouse are dropped. */
int ps2_read(const struct port_io *io);
void ps2_set_leds(const struct port_io *io, uint8_t locks);

#endif
