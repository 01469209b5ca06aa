// SPDX-License-Identifier: MIT
// Frames of the exec channel: every way of cutting a stream gives the same frames. Prints TAP.
#include <stdio.h>
#include <string.h>

#include "frame.h"

static int tests, failures;

static void check(int ok, const char *what)
{
    tests++;
    failures += !ok;
    printf("%sok %d - %s\n", ok ? "" : "not ", tests, what);
}

static size_t stream_make(uint8_t *p)
{
    static const uint16_t lengths[] = {0, 1, 2, 255, 256, FRAME_MAX, 3};
    uint8_t *start = p;
    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        frame_head(p, (enum frame_kind)(i % 5 + 1), lengths[i]);
        memset(p + FRAME_HEAD, (int)i + 'a', lengths[i]);
        p += FRAME_HEAD + lengths[i];
    }
    return (size_t)(p - start);
}

static int frame_sound(const struct frame *f, unsigned i)
{
    static const uint16_t lengths[] = {0, 1, 2, 255, 256, FRAME_MAX, 3};
    if (i > 6 || f->kind != i % 5 + 1 || f->length != lengths[i])
        return 0;
    for (unsigned k = 0; k < f->length; k++)
        if (f->payload[k] != i + 'a')
            return 0;
    return 1;
}

// Feed the stream in pieces of `piece` bytes.
static int cut(const uint8_t *stream, size_t n, size_t piece)
{
    static struct frame_reader reader;
    struct frame f;
    unsigned seen = 0;
    memset(&reader, 0, sizeof reader);
    for (size_t at = 0; at < n;) {
        size_t end = at + piece < n ? at + piece : n;
        while (at < end) {
            at += frame_take(&reader, stream + at, end - at, &f);
            if (f.kind != FRAME_NONE && !frame_sound(&f, seen++))
                return 0;
        }
    }
    return seen == 7;
}

static void test_bad(void)
{
    static struct frame_reader reader;
    struct frame f;
    uint8_t head[FRAME_HEAD];
    frame_head(head, FRAME_OUT, FRAME_MAX + 1);
    frame_take(&reader, head, sizeof head, &f);
    check(f.kind == FRAME_BAD, "a length beyond the bound is refused at once");
    memset(&reader, 0, sizeof reader);
    frame_head(head, FRAME_NONE, 0);
    frame_take(&reader, head, sizeof head, &f);
    check(f.kind == FRAME_BAD, "kind 0 is refused");
}

static void test_bulk(void)
{
    uint8_t bytes[FRAME_BULK_BYTES];
    struct frame_bulk a = {.address = 0x123456789abcdefull, .length = 70000, .kind = FRAME_ERR}, b;
    struct frame f = {.kind = FRAME_BULK, .length = sizeof bytes, .payload = bytes};
    frame_bulk_put(bytes, &a);
    check(frame_bulk_get(&f, &b) == 0 && a.address == b.address && a.length == b.length &&
              a.kind == b.kind,
          "a bulk frame survives the trip");
    bytes[12] = FRAME_EXIT;
    check(frame_bulk_get(&f, &b) < 0, "bulk of a strange kind is refused");
    bytes[12] = FRAME_OUT;
    frame_put32(bytes + 8, FRAME_BULK_MAX + 1);
    check(frame_bulk_get(&f, &b) < 0, "bulk beyond the bound is refused");
    frame_put32(bytes + 8, 0);
    check(frame_bulk_get(&f, &b) < 0, "bulk of nothing is refused");
    f.length--;
    check(frame_bulk_get(&f, &b) < 0, "a bulk frame of another length is refused");
}

int main(void)
{
    static uint8_t stream[8 * (FRAME_MAX + FRAME_HEAD)];
    size_t n = stream_make(stream);
    int good = 1;
    for (size_t piece = 1; piece < 600; piece++)
        good &= cut(stream, n, piece);
    check(good, "frames come out whole, however the stream is cut");
    check(cut(stream, n, n), "many frames at once");
    test_bad();
    test_bulk();
    printf("1..%d\n", tests);
    return failures != 0;
}
