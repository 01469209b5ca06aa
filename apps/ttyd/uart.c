// SPDX-License-Identifier: MIT
// 16550 serial port; the concept is in uart.h. Register names are the data sheet's.
#include <string.h>
#include "uart.h"

enum { THR = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4 };
enum {
    LSR_READY = 1,
    LSR_OVERRUN = 2,
    LSR_PARITY = 4,
    LSR_FRAME = 8,
    LSR_BREAK = 16,
    LSR_THR_EMPTY = 32,
    LSR_IDLE = 64
};
enum { LCR_8N1 = 3, LCR_BREAK = 64, LCR_DIVISOR = 128 };

static uint8_t get(const struct uart *u, unsigned reg)
{
    return port_in(&u->io, (uint16_t)(u->base + reg));
}

static void set(const struct uart *u, unsigned reg, uint8_t v)
{
    port_out(&u->io, (uint16_t)(u->base + reg), v);
}

void uart_set_speed(struct uart *u, uint32_t baud)
{
    uint32_t divisor = baud > 0 && baud <= 115200 ? 115200 / baud : 1;

    if (!u->present || baud == 0) {
        return;
    }
    set(u, LCR, LCR_8N1 | LCR_DIVISOR);
    set(u, 0, (uint8_t)divisor);
    set(u, 1, (uint8_t)(divisor >> 8));
    set(u, LCR, LCR_8N1);
}

bool uart_init(struct uart *u, const struct port_io *io, uint16_t base)
{
    memset(u, 0, sizeof(*u));
    u->io = *io;
    u->base = base;
    u->tx = (struct ring){.buf = u->memory, .size = UART_RING};
    set(u, SCR, 0x5a);
    u->present = get(u, SCR) == 0x5a;
    if (!u->present) {
        return false;
    }
    set(u, IER, 0);
    uart_set_speed(u, 115200);
    set(u, FCR, 0xc7); /* FIFOs on and cleared, interrupt at 14 bytes or after a pause */
    u->fifo = (get(u, IIR) & 0xc0) == 0xc0;
    set(u, MCR, 0x0b); /* DTR, RTS, and OUT2, which lets the interrupt through */
    for (int i = 0; i < 16 && (get(u, LSR) & LSR_READY); i++) {
        get(u, THR);
    }
    u->ier = IER_RX | IER_LINE;
    set(u, IER, u->ier);
    return true;
}

static void want_tx(struct uart *u, bool on)
{
    uint8_t ier = (uint8_t)(on ? u->ier | IER_TX : u->ier & ~IER_TX);

    if (ier != u->ier) {
        u->ier = ier;
        set(u, IER, ier);
    }
}

/* Fill the transmit FIFO as long as it is found empty. */
static void pump(struct uart *u, uint64_t now)
{
    for (int i = 0; i < 64 && ring_used(&u->tx) > 0 && (get(u, LSR) & LSR_THR_EMPTY); i++) {
        const uint8_t *bytes;
        size_t n = ring_peek(&u->tx, &bytes);
        size_t burst = u->fifo ? 16 : 1;

        n = n < burst ? n : burst;
        u->io.out_string(u->io.ctx, (uint16_t)(u->base + THR), bytes, n);
        ring_drop(&u->tx, n);
        u->moved_ns = now;
        u->stuck = false;
    }
    if (ring_used(&u->tx) == 0) {
        u->moved_ns = now;
        u->stuck = false;
    }
    want_tx(u, ring_used(&u->tx) > 0);
}

size_t uart_write(struct uart *u, const uint8_t *bytes, size_t n, uint64_t now)
{
    size_t took = 0;

    if (!u->present) {
        return n;
    }
    if (ring_used(&u->tx) == 0) {
        u->moved_ns = now;
    }
    for (int i = 0; i < 8 && took < n; i++) {
        took += ring_put(&u->tx, bytes + took, n - took);
        pump(u, now);
    }
    if (took < n && !u->stuck && now - u->moved_ns > UART_STUCK_NS) {
        u->stuck = true;
    }
    return u->stuck ? n : took;
}

static void deliver(uint8_t lsr, uint8_t c, uart_sink *sink, void *ctx)
{
    if (lsr & LSR_OVERRUN) {
        sink(ctx, UART_OVERRUN, 0);
    }
    if (lsr & LSR_BREAK) {
        sink(ctx, UART_BREAK, 0);
    } else if (lsr & (LSR_PARITY | LSR_FRAME)) {
        sink(ctx, UART_ERROR, c);
    } else {
        sink(ctx, UART_BYTE, c);
    }
}

static void receive(struct uart *u, uart_sink *sink, void *ctx)
{
    for (int i = 0; i < 256; i++) {
        uint8_t lsr = get(u, LSR);
        if (!(lsr & LSR_READY) || lsr == 0xff) {
            break;
        }
        deliver(lsr, get(u, THR), sink, ctx);
    }
}

bool uart_serve(struct uart *u, uint64_t now, uart_sink *sink, void *ctx)
{
    for (int i = 0; u->present && i < 8; i++) {
        receive(u, sink, ctx);
        pump(u, now);
        if (get(u, IIR) & 1) { /* nothing pending; reading it also ends the transmit interrupt */
            return false;
        }
    }
    return u->present;
}

void uart_urgent(struct uart *u, uint8_t c)
{
    if (u->present) {
        set(u, THR, c);
    }
}

bool uart_idle(const struct uart *u)
{
    return !u->present || u->stuck || (ring_used(&u->tx) == 0 && (get(u, LSR) & LSR_IDLE));
}

void uart_discard(struct uart *u)
{
    ring_drop(&u->tx, ring_used(&u->tx));
}

void uart_break(struct uart *u, bool on)
{
    if (u->present) {
        set(u, LCR, (uint8_t)(LCR_8N1 | (on ? LCR_BREAK : 0)));
    }
}
