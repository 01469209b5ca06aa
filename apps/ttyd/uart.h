// SPDX-License-Identifier: MIT
/*
 * 16550 serial port.
 *
 * Input comes by interrupt from the receive FIFO. Output waits in a ring and goes out 16 bytes at a
 * time whenever the transmit FIFO is empty, driven by the transmit interrupt, which is enabled only
 * while the ring holds something. Every loop is bounded: a line that never stops interrupting gets
 * a share of attention, not all of it.
 *
 * A line that takes nothing for UART_STUCK_NS while the ring is full is stuck (nobody reads the
 * other end): its output is then dropped until it moves again, so that a console that is also a
 * screen goes on.
 */
#ifndef TTYD_UART_H
#define TTYD_UART_H

#include <stdbool.h>
#include "ports.h"
#include "ring.h"

#define UART_RING     16384u
#define UART_STUCK_NS 2000000000ull

struct uart {
    struct port_io io;
    uint16_t base;
    bool present, fifo, stuck;
    uint8_t ier;
    uint64_t moved_ns; /* when a byte last went out, or the ring was last empty */
    struct ring tx;
    uint8_t memory[UART_RING];
};

enum uart_event { UART_BYTE, UART_BREAK, UART_ERROR, UART_OVERRUN };
typedef void uart_sink(void *ctx, enum uart_event event, uint8_t c);

/* Probe and set up: 115200 8N1. False if nothing is there. */
bool uart_init(struct uart *u, const struct port_io *io, uint16_t base);
/*
 * Serve an interrupt: hand over what came, go on sending. True: the line still asks for attention,
 * and since its interrupt is an edge it must be served again.
 */
bool uart_serve(struct uart *u, uint64_t now, uart_sink *sink, void *ctx);
/* Queue bytes; returns how many were taken (all, when the line is absent or stuck). */
size_t uart_write(struct uart *u, const uint8_t *bytes, size_t n, uint64_t now);
/* One byte ahead of all queued ones. */
void uart_urgent(struct uart *u, uint8_t c);
bool uart_idle(const struct uart *u); /* ring empty and the shift register too */
void uart_discard(struct uart *u);
void uart_break(struct uart *u, bool on);
void uart_set_speed(struct uart *u, uint32_t baud);

#endif
