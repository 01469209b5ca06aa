// SPDX-License-Identifier: MIT
/*
 * A byte queue over memory of a power-of-two size. head and tail count bytes ever put and taken.
 * Nothing is overwritten: put takes what fits.
 */
#ifndef TTYD_RING_H
#define TTYD_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
    uint8_t *buf;
    uint32_t size;
    uint32_t head, tail;
};

static inline uint32_t ring_used(const struct ring *r)
{
    return r->head - r->tail;
}
static inline uint32_t ring_room(const struct ring *r)
{
    return r->size - ring_used(r);
}
static inline size_t ring_put(struct ring *r, const uint8_t *bytes, size_t n)
{
    size_t room = ring_room(r);

    n = n < room ? n : room;
    for (size_t i = 0; i < n; i++) {
        r->buf[r->head++ & (r->size - 1)] = bytes[i];
    }
    return n;
}
/* The longest run of queued bytes that lies contiguous in memory. */
static inline size_t ring_peek(const struct ring *r, const uint8_t **bytes)
{
    uint32_t at = r->tail & (r->size - 1);
    uint32_t run = r->size - at;

    *bytes = r->buf + at;
    return ring_used(r) < run ? ring_used(r) : run;
}
static inline void ring_drop(struct ring *r, size_t n)
{
    r->tail += (uint32_t)n;
}
static inline size_t ring_get(struct ring *r, uint8_t *bytes, size_t n)
{
    size_t used = ring_used(r);

    n = n < used ? n : used;
    for (size_t i = 0; i < n; i++) {
        bytes[i] = r->buf[r->tail++ & (r->size - 1)];
    }
    return n;
}

#endif
