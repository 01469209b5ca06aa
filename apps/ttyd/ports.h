// SPDX-License-Identifier: MIT
// Access to I/O ports as the drivers see it: the server's capability in the machine, a model in the
// tests.
#ifndef TTYD_PORTS_H
#define TTYD_PORTS_H

#include <stddef.h>
#include <stdint.h>

struct port_io {
    uint8_t (*in)(void *ctx, uint16_t port);
    void (*out)(void *ctx, uint16_t port, uint8_t value);
    /* n bytes to one port, one after the other. */
    void (*out_string)(void *ctx, uint16_t port, const uint8_t *bytes, size_t n);
    void *ctx;
};

static inline uint8_t port_in(const struct port_io *io, uint16_t port)
{
    return io->in(io->ctx, port);
}
static inline void port_out(const struct port_io *io, uint16_t port, uint8_t value)
{
    io->out(io->ctx, port, value);
}

#endif
