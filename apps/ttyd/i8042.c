// SPDX-License-Identifier: MIT
// PS/2 keyboard: the controller (ports 0x60 data, 0x64 status and command). See ps2.h.
#include <errno.h>
#include "ps2.h"

enum { DATA = 0x60, STATUS = 0x64 };
enum { OUT_FULL = 1, IN_FULL = 2, FROM_MOUSE = 0x20 };
enum { PATIENCE = 5000 }; /* polls: each is at least a microsecond of port access */

static bool wait_writable(const struct port_io *io)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (!(port_in(io, STATUS) & IN_FULL)) {
            return true;
        }
    }
    return false;
}

static int wait_byte(const struct port_io *io)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (port_in(io, STATUS) & OUT_FULL) {
            return port_in(io, DATA);
        }
    }
    return -1;
}

static bool command(const struct port_io *io, uint8_t c)
{
    if (!wait_writable(io)) {
        return false;
    }
    port_out(io, STATUS, c);
    return true;
}

static bool send(const struct port_io *io, uint8_t c)
{
    if (!wait_writable(io)) {
        return false;
    }
    port_out(io, DATA, c);
    return true;
}

static void drain(const struct port_io *io)
{
    for (int i = 0; i < 64 && (port_in(io, STATUS) & OUT_FULL); i++) {
        port_in(io, DATA);
    }
}

int ps2_init(const struct port_io *io)
{
    int config;

    if (port_in(io, STATUS) == 0xff) {
        return -ENODEV; /* nothing answers there */
    }
    if (!command(io, 0xad) || !command(io, 0xa7)) { /* both devices off while we look */
        return -ENODEV;
    }
    drain(io);
    if (!command(io, 0x20) || (config = wait_byte(io)) < 0) {
        return -ENODEV;
    }
    config |= 0x41;  /* keyboard interrupt, translation to set 1 */
    config &= ~0x12; /* keyboard clock on, no mouse interrupt */
    if (!command(io, 0x60) || !send(io, (uint8_t)config) || !command(io, 0xae)) {
        return -ENODEV;
    }
    send(io, 0xf4); /* let the keyboard report keys */
    wait_byte(io);  /* its acknowledgement */
    drain(io);
    return 0;
}

int ps2_read(const struct port_io *io)
{
    for (int i = 0; i < 16; i++) {
        uint8_t status = port_in(io, STATUS);
        if (status == 0xff || !(status & OUT_FULL)) {
            return -1;
        }
        uint8_t c = port_in(io, DATA);
        if (!(status & FROM_MOUSE)) {
            return c;
        }
    }
    return -1;
}

void ps2_set_leds(const struct port_io *io, uint8_t locks)
{
    if (send(io, 0xed) && wait_byte(io) == 0xfa) {
        send(io, locks & 7);
        wait_byte(io);
    }
}
