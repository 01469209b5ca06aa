// SPDX-License-Identifier: MIT
/*
 * The exec channel: frames on a serial line between the host's relay (tools/relay.c) and execd.
 *
 * A frame is a kind, a payload length (two bytes, little-endian) and the payload. Each direction
 * has kinds of its own. The line neither loses nor adds bytes, so there is no checksum and no
 * resync: a length beyond FRAME_MAX means that the other side is broken, and the reader says so.
 *
 * Each byte on the line costs an emulated port access at both ends, microseconds; so what is long
 * does not travel on it. The relay shares the machine's memory: a frame then carries a physical
 * address, which an exokernel's programs know, and the relay copies from or to there. Memory named
 * in a frame is left alone until the answer: FRAME_DONE for output, FRAME_GIVE for input.
 *
 * Input is pulled: the host sends nothing that was not asked for, so nothing can pile up in the
 * guest.
 *
 * Pure code without a C library below it: the same file serves the host, execd and the tests.
 */
#ifndef EXECD_FRAME_H
#define EXECD_FRAME_H

#include <stddef.h>
#include <stdint.h>

enum frame_kind {
    FRAME_NONE = 0,
    // guest to host
    FRAME_OUT = 1,   // bytes of the program's standard output
    FRAME_ERR = 2,   // bytes of its standard error
    FRAME_EXIT = 3,  // int32: exit status, 128 + signal for a death by signal
    FRAME_READY = 4, // the guest reads its line now; sent once, before anything else
    FRAME_BULK = 5,  // struct frame_bulk: output that lies in memory
    FRAME_WANT = 6,  // struct frame_bulk (kind 0): memory for standard input; one at a time
    // host to guest
    FRAME_GIVE = 1, // uint32: so many bytes of standard input are there; 0: its end
    FRAME_DONE = 2, // the memory of the oldest FRAME_BULK is the guest's again
    // either
    FRAME_BAD = 255, // made by frame_take alone: the stream is not one of frames
};

#define FRAME_HEAD       3
#define FRAME_MAX        4096 // longest payload
#define FRAME_BULK_BYTES 13   // payload of FRAME_BULK and FRAME_WANT
#define FRAME_BULK_MAX   (1u << 20)

struct frame_reader {
    size_t have;
    uint8_t bytes[FRAME_HEAD + FRAME_MAX];
};

struct frame {
    uint8_t kind;
    uint16_t length;
    const uint8_t *payload; // inside the reader: valid until its next use
};

struct frame_bulk {
    uint64_t address; // physical
    uint32_t length;  // 1 to FRAME_BULK_MAX
    uint8_t kind;     // FRAME_OUT, FRAME_ERR or 0
};

// Take up to n bytes; return how many were taken. *out is the frame they complete, or has kind
// FRAME_NONE (all n were taken) or FRAME_BAD.
size_t frame_take(struct frame_reader *r, const uint8_t *data, size_t n, struct frame *out);

// Write the head of a frame. length <= FRAME_MAX.
void frame_head(uint8_t head[FRAME_HEAD], enum frame_kind kind, size_t length);

void frame_put32(uint8_t *p, uint32_t value);
uint32_t frame_get32(const uint8_t *p);

void frame_bulk_put(uint8_t p[FRAME_BULK_BYTES], const struct frame_bulk *bulk);

// 0, or -1 if the frame is no sound FRAME_BULK or FRAME_WANT.
int frame_bulk_get(const struct frame *f, struct frame_bulk *bulk);

#endif
