// SPDX-License-Identifier: MIT
// Frames of the exec channel (see frame.h). A frame is collected whole before it is shown: payloads
// are short, and what acts on a frame need not care where the line was cut.
#include "frame.h"

static size_t wanted(const struct frame_reader *r)
{
    if (r->have < FRAME_HEAD)
        return FRAME_HEAD;
    return FRAME_HEAD + (size_t)(r->bytes[1] | r->bytes[2] << 8);
}

size_t frame_take(struct frame_reader *r, const uint8_t *data, size_t n, struct frame *out)
{
    size_t taken = 0;
    out->kind = FRAME_NONE;
    if (r->have >= FRAME_HEAD && r->have == wanted(r))
        r->have = 0;
    while (taken < n) {
        r->bytes[r->have++] = data[taken++];
        size_t whole = wanted(r);
        if (whole > sizeof r->bytes) {
            out->kind = FRAME_BAD;
            return taken;
        }
        if (r->have < FRAME_HEAD || r->have < whole)
            continue;
        out->kind = r->bytes[0];
        out->length = (uint16_t)(whole - FRAME_HEAD);
        out->payload = r->bytes + FRAME_HEAD;
        if (out->kind == FRAME_NONE)
            out->kind = FRAME_BAD;
        return taken;
    }
    return taken;
}

void frame_head(uint8_t head[FRAME_HEAD], enum frame_kind kind, size_t length)
{
    head[0] = (uint8_t)kind;
    head[1] = (uint8_t)length;
    head[2] = (uint8_t)(length >> 8);
}

void frame_put32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

uint32_t frame_get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void frame_bulk_put(uint8_t p[FRAME_BULK_BYTES], const struct frame_bulk *bulk)
{
    frame_put32(p, (uint32_t)bulk->address);
    frame_put32(p + 4, (uint32_t)(bulk->address >> 32));
    frame_put32(p + 8, bulk->length);
    p[12] = bulk->kind;
}

int frame_bulk_get(const struct frame *f, struct frame_bulk *bulk)
{
    if (f->length != FRAME_BULK_BYTES)
        return -1;
    bulk->address = frame_get32(f->payload) | (uint64_t)frame_get32(f->payload + 4) << 32;
    bulk->length = frame_get32(f->payload + 8);
    bulk->kind = f->payload[12];
    if (bulk->length == 0 || bulk->length > FRAME_BULK_MAX)
        return -1;
    if (f->kind == FRAME_WANT)
        return bulk->kind == 0 ? 0 : -1;
    return bulk->kind == FRAME_OUT || bulk->kind == FRAME_ERR ? 0 : -1;
}
