// SPDX-License-Identifier: MIT
/*
 * execd's line: the second serial port, by the capabilities init gave (proto/server.h).
 *
 * The transmitter is filled sixteen bytes at a time whenever it is found empty, and the emulated
 * port never overruns: the emulator takes a byte from the host only when there is room for it.
 * Waiting is giving the CPU away, for the one who must empty the line runs on the host, not here.
 * The port's interrupt stays off; see main.c for why nobody needs to be woken.
 *
 * Memory for the relay is a FRAMES capability: one run, so one physical address.
 */
#include <exo/domain.h>
#include <exo/exo.h>
#include <proto/server.h>
#include <proto/start.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "line.h"

enum { BASE = 0x2f8, FIFO = 16 };
enum { DATA = 0, IER = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };
enum { LSR_READY = 1, LSR_THR_EMPTY = 32 };

static const struct libos_start *start;
static exo_handle_t port;
static exo_handle_t memories[4]; // what line_memory has bought
static unsigned nmemories;

static void set(unsigned reg, uint8_t value)
{
    exo_port_io(port, BASE + reg, 1 | EXO_PORT_WRITE, value);
}

static unsigned status(void)
{
    return (unsigned)exo_port_io(port, BASE + LSR, 1, 0);
}

int line_open(int argc, char **argv)
{
    (void)argc;
    start = (const struct libos_start *)getauxval(AT_EXO_START);
    if (!start || start->magic != LIBOS_START_MAGIC || !start->extra[EXECD_X_UART]) {
        fprintf(stderr, "%s: is started by init\n", argv[0]);
        return -1;
    }
    port = start->extra[EXECD_X_UART];
    set(IER, 0);
    set(LCR, 0x83); // divisor 1: 115200 baud
    set(DATA, 1);
    set(IER, 0);
    set(LCR, 3);    // 8 bits, no parity
    set(FCR, 0x07); // FIFOs on and empty
    set(MCR, 0x03); // DTR, RTS
    return 0;
}

void line_write(const uint8_t *bytes, size_t n)
{
    while (n) {
        size_t burst = n < FIFO ? n : FIFO;
        while (!(status() & LSR_THR_EMPTY))
            exo_ctx_yield(0, 0, 0);
        exo_port_string(port, BASE + DATA, bytes, burst, 1);
        bytes += burst;
        n -= burst;
    }
}

size_t line_read(uint8_t *bytes, size_t room)
{
    size_t n = 0;
    while (n < room && (status() & LSR_READY))
        bytes[n++] = (uint8_t)exo_port_io(port, BASE + DATA, 1, 0);
    return n;
}

int line_memory(struct line_memory *memory, size_t size)
{
    struct exo_cap_info info = {.size = sizeof info, .version = EXO_ABI_VERSION};
    uint64_t pages = size / EXO_PAGE_SIZE;
    int64_t frames = exo_frames_alloc(H_BANK, pages, 0, 0);
    if (frames >= 0 && nmemories < sizeof memories / sizeof *memories)
        memories[nmemories++] = (exo_handle_t)frames;
    if (frames < 0 || exo_cap_identify((exo_handle_t)frames, &info) < 0)
        return -1;
    memory->bytes = exo_map((exo_handle_t)frames, 0, pages, EXO_R_READ | EXO_R_WRITE);
    memory->physical = info.first_frame * EXO_PAGE_SIZE;
    memory->size = size;
    return memory->bytes ? 0 : -1;
}

// Windows are not the library OS's and end with this environment: the child that becomes the
// program needs the words too, hence a copy.
const char *line_spec(size_t *bytes)
{
    *bytes = start->extra[EXECD_X_SPEC_BYTES];
    uint64_t pages = (*bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE;
    const char *window = *bytes ? exo_map(start->extra[EXECD_X_SPEC], 0, pages, EXO_R_READ) : NULL;
    char *copy = window ? malloc(*bytes) : NULL;
    if (copy)
        memcpy(copy, window, *bytes);
    exo_cap_delete(start->extra[EXECD_X_SPEC]);
    return copy;
}

void line_drop(void)
{
    exo_cap_delete(start->extra[EXECD_X_UART]);
    exo_cap_delete(start->extra[EXECD_X_IRQ]);
    for (unsigned i = 0; i < nmemories; i++)
        exo_cap_delete(memories[i]);
}
