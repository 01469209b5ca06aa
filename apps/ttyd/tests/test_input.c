// SPDX-License-Identifier: MIT
// Keyboard and serial port against models of their hardware.
#include <errno.h>
#include <stdlib.h>
#include "../ps2.h"
#include "../uart.h"
#include "check.h"

/* --- scan codes --- */

static struct ps2 kb;
static uint8_t got[256];
static size_t ngot;

static void keys(const char *codes, size_t n)
{
    ngot = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t out[PS2_KEY_MAX];
        size_t k = ps2_scan(&kb, (uint8_t)codes[i], out);
        memcpy(got + ngot, out, k);
        ngot += k;
    }
}
#define KEYS(codes, want)                                                                          \
    do {                                                                                           \
        keys(codes, sizeof(codes) - 1);                                                            \
        CHECK_STR(got, ngot, want);                                                                \
    } while (0)

static void test_typing(void)
{
    memset(&kb, 0, sizeof(kb));
    KEYS("\x26\xa6\x1f\x9f\x1c\x9c", "ls\r");
    KEYS("\x2a\x1e\x9e\xaa\x1e", "Aa");
    KEYS("\x36\x02\xb6\x02", "!1");
    KEYS("\x3a\xba\x1e\x02\x2a\x1e\xaa\x3a\xba", "A1a"); /* caps: letters only, shift undoes */
    KEYS("\x1d\x2e\x39\x1a\x2b\x03\x35\x0e\x9d", "\003\000\033\034\000\037\010");
    KEYS("\xe0\x1d\x20\xe0\x9d\x20", "\004d");
    KEYS("\x38\x21\xb8", "\033f");
    KEYS("\x01\x0e\x0f\x39", "\033\177\t ");
    KEYS("\x3a\x3a\x3a\xba\x1e\x3a\xba", "A"); /* repeats of a held lock key */
    CHECK_EQ(kb.locks, 0);
}

static void test_editing_keys(void)
{
    memset(&kb, 0, sizeof(kb));
    KEYS("\xe0\x48\xe0\xc8\xe0\x50\xe0\x4b\xe0\x4d", "\033[A\033[B\033[D\033[C");
    KEYS("\xe0\x47\xe0\x4f\xe0\x49\xe0\x51\xe0\x52\xe0\x53",
         "\033[1~\033[4~\033[5~\033[6~\033[2~\033[3~");
    kb.cursor_app = true;
    KEYS("\xe0\x48\xe0\x4d\xe0\x47", "\033OA\033OC\033[1~");
    kb.cursor_app = false;
    KEYS("\x3b\x3f\x40\x44\x57\x58", "\033[[A\033[[E\033[17~\033[21~\033[23~\033[24~");
    KEYS("\x2a\x3b\xaa", "\033[25~");
    KEYS("\x47\x48\x4e", "\033[1~\033[A+");
    KEYS("\x45\xc5\x47\x48\x53\xe0\x1c\xe0\x35", "78.\r/");
    CHECK_EQ(kb.locks, PS2_NUM);
    CHECK(kb.leds_changed);
    KEYS("\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa\x1e", "\033[Aa"); /* fake shift */
    KEYS("\xe1\x1d\x45\xe1\x9d\xc5\x1e", "a");               /* Pause */
    CHECK_EQ(kb.locks, PS2_NUM);
    KEYS("\xe0\x2a\xe0\x37\xe0\xb7\xe0\xaa\x1e", "a"); /* Print Screen */
    KEYS("\xfa\xfe\x1e", "a");
    for (int c = 0; c < 65536; c++) { /* no pair of bytes overflows */
        char pair[2] = {(char)(c >> 8), (char)c};
        keys(pair, 2);
    }
}

/* --- a model of the i8042 --- */

static struct {
    uint8_t queue[32], status, config, pending_command;
    int head, tail;
    bool present, deaf, keyboard_on;
    uint8_t leds, want_leds;
} ctl;

static void answer(uint8_t c)
{
    ctl.queue[ctl.head++ % 32] = c;
}
static uint8_t ctl_in(void *ctx, uint16_t port)
{
    (void)ctx;
    if (!ctl.present) {
        return 0xff;
    }
    if (port == 0x64) {
        return (uint8_t)((ctl.head != ctl.tail ? 1 : 0) | (ctl.deaf ? 2 : 0));
    }
    return ctl.head != ctl.tail ? ctl.queue[ctl.tail++ % 32] : 0;
}
static void ctl_out(void *ctx, uint16_t port, uint8_t v)
{
    (void)ctx;
    if (port == 0x64) {
        ctl.pending_command = v;
        if (v == 0x20) {
            answer(ctl.config);
        }
    } else if (ctl.pending_command == 0x60) {
        ctl.config = v;
        ctl.pending_command = 0;
    } else {
        ctl.keyboard_on |= v == 0xf4;
        if (ctl.want_leds) {
            ctl.leds = v;
        }
        ctl.want_leds = v == 0xed;
        answer(0xfa);
    }
}
static const struct port_io ctl_io = {ctl_in, ctl_out, NULL, NULL};

static void test_controller(void)
{
    memset(&ctl, 0, sizeof(ctl));
    CHECK_EQ(ps2_init(&ctl_io), -ENODEV);
    ctl.present = true;
    ctl.config = 0x12;
    answer(0x55); /* left over from the firmware */
    CHECK_EQ(ps2_init(&ctl_io), 0);
    CHECK_EQ(ctl.config, 0x41);
    CHECK(ctl.keyboard_on);
    CHECK_EQ(ps2_read(&ctl_io), -1);
    answer(0x1e);
    CHECK_EQ(ps2_read(&ctl_io), 0x1e);
    ps2_set_leds(&ctl_io, 4);
    CHECK_EQ(ctl.leds, 4);
    ctl.deaf = true; /* never ready: an error, not a hang */
    CHECK_EQ(ps2_init(&ctl_io), -ENODEV);
}

/* --- a model of the 16550 --- */

static struct {
    uint8_t reg[8], in[64], in_lsr[64], out[65536];
    int in_head, in_tail;
    size_t nout;
    bool busy, present;
    int strings;
} hw;

static uint8_t hw_in(void *ctx, uint16_t port)
{
    int reg = port - 0x3f8;
    (void)ctx;
    if (!hw.present) {
        return 0xff;
    }
    if (reg == 0) {
        return hw.in_head != hw.in_tail ? hw.in[hw.in_tail++ % 64] : 0;
    }
    if (reg == 5) {
        return (uint8_t)((hw.in_head != hw.in_tail ? 1 | hw.in_lsr[hw.in_tail % 64] : 0) |
                         (hw.busy ? 0 : 0x60));
    }
    return reg == 2 ? 0xc1 : hw.reg[reg];
}
static void hw_out(void *ctx, uint16_t port, uint8_t v)
{
    (void)ctx;
    if (port == 0x3f8 && !(hw.reg[3] & 0x80)) {
        hw.out[hw.nout++ % sizeof(hw.out)] = v;
    } else {
        hw.reg[port - 0x3f8] = v;
    }
}
static void hw_string(void *ctx, uint16_t port, const uint8_t *p, size_t n)
{
    hw.strings++;
    CHECK(n <= 16);
    for (size_t i = 0; i < n; i++) {
        hw_out(ctx, port, p[i]);
    }
}
static const struct port_io hw_io = {hw_in, hw_out, hw_string, NULL};

static void arrive(uint8_t c, uint8_t lsr)
{
    hw.in[hw.in_head % 64] = c;
    hw.in_lsr[hw.in_head++ % 64] = lsr;
}

static char events[64];
static void sink(void *ctx, enum uart_event e, uint8_t c)
{
    (void)ctx;
    size_t n = strlen(events);
    events[n] = e == UART_BYTE ? (char)c : "?BEO"[e];
    events[n + 1] = 0;
}

static struct uart u;

static void test_uart(void)
{
    memset(&hw, 0, sizeof(hw));
    CHECK(!uart_init(&u, &hw_io, 0x3f8));
    CHECK_EQ(uart_write(&u, (const uint8_t *)"x", 1, 0), 1); /* absent: swallowed */
    CHECK(uart_idle(&u));
    hw.present = true;
    CHECK(uart_init(&u, &hw_io, 0x3f8));
    CHECK_EQ(hw.reg[3], 3);
    CHECK_EQ(hw.reg[4], 0x0b);
    CHECK_EQ(hw.reg[1], 5);
    arrive('a', 0);
    arrive(0, 0x10);
    arrive('x', 4);
    arrive('b', 2);
    uart_serve(&u, 0, sink, NULL);
    CHECK_STR(events, strlen(events), "aBEOb");

    hw.strings = 0;
    CHECK_EQ(uart_write(&u, (const uint8_t *)"0123456789012345678901234567890123456789", 40, 0),
             40);
    CHECK_EQ(hw.nout, 40);
    CHECK_EQ(hw.strings, 3); /* one call for 16 bytes */
    CHECK_EQ(hw.reg[1], 5);

    hw.busy = true;
    CHECK_EQ(uart_write(&u, (const uint8_t *)"wait", 4, 0), 4);
    CHECK_EQ(hw.nout, 40);
    CHECK_EQ(hw.reg[1], 7); /* tell me when there is room */
    CHECK(!uart_idle(&u));
    hw.busy = false;
    uart_serve(&u, 0, sink, NULL);
    CHECK_EQ(hw.nout, 44);
    CHECK_EQ(hw.reg[1], 5);
    CHECK(uart_idle(&u));
    uart_break(&u, true);
    CHECK_EQ(hw.reg[3], 0x43);
    uart_break(&u, false);
    uart_set_speed(&u, 9600);
    CHECK_EQ(hw.reg[3], 3);
}

static void test_uart_stuck(void)
{
    static uint8_t big[UART_RING + 100];

    memset(&hw, 0, sizeof(hw));
    hw.present = hw.busy = true;
    CHECK(uart_init(&u, &hw_io, 0x3f8));
    CHECK_EQ(uart_write(&u, big, sizeof(big), 1), UART_RING);
    CHECK_EQ(uart_write(&u, big, 10, 1000), 0);
    CHECK_EQ(uart_write(&u, big, 10, UART_STUCK_NS + 2), 10); /* given up: the screen goes on */
    CHECK(uart_idle(&u));
    hw.busy = false;
    uart_serve(&u, UART_STUCK_NS + 3, sink, NULL);
    CHECK(!u.stuck);
}

int main(void)
{
    test_typing();
    test_editing_keys();
    test_controller();
    test_uart();
    test_uart_stuck();
    return check_done();
}
