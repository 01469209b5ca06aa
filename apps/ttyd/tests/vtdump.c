// SPDX-License-Identifier: MIT
// Feeds a recorded stream of terminal output to the emulator and compares the screen with a text
// file:
//   vtdump COLS ROWS STREAM [SCREEN]
// Without SCREEN it prints the screen. The last line is "cursor X Y". The expected screens in
// data/ were made by another emulator (make_golden.py), not by this one.
#include <stdlib.h>
#include "../vt.h"
#include "check.h"

static void on_reply(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx, (void)bytes, (void)n;
}
static void on_bell(void *ctx)
{
    (void)ctx;
}
static const struct vt_ops ops = {on_reply, on_bell};

static size_t put_utf8(char *p, uint16_t c)
{
    if (c < 0x80) {
        p[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        p[0] = (char)(0xc0 | c >> 6);
        p[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    p[0] = (char)(0xe0 | c >> 12);
    p[1] = (char)(0x80 | (c >> 6 & 0x3f));
    p[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

static size_t dump(const struct vt *vt, char *text)
{
    size_t n = 0;

    for (uint32_t y = 0; y < vt->rows; y++) {
        size_t end = n;
        for (uint32_t x = 0; x < vt->cols; x++) {
            const struct vt_cell *c = &vt_row(vt, y)[x];
            if (c->attr & VT_WIDE_TAIL) {
                continue;
            }
            n += put_utf8(text + n, c->ch);
            end = c->ch != ' ' ? n : end;
        }
        n = end;
        text[n++] = '\n';
    }
    return n + (size_t)sprintf(text + n, "cursor %u %u\n", vt->x, vt->y);
}

static char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *buf = malloc(1 << 20);

    if (f == NULL || buf == NULL) {
        perror(path);
        exit(1);
    }
    *n = fread(buf, 1, 1 << 20, f);
    fclose(f);
    return buf;
}

int main(int argc, char **argv)
{
    struct vt vt;
    size_t n, want_n, got_n;

    if (argc < 4) {
        return 2;
    }
    uint32_t cols = (uint32_t)atoi(argv[1]), rows = (uint32_t)atoi(argv[2]);
    void *memory = malloc(vt_memory(cols, rows));
    char *text = malloc(4 * (size_t)cols * rows + 100);
    char *stream = slurp(argv[3], &n);
    vt_init(&vt, cols, rows, memory, &ops, NULL);
    /* In two unequal parts: a sequence may be cut anywhere. */
    vt_feed(&vt, (uint8_t *)stream, n / 3);
    vt_feed(&vt, (uint8_t *)stream + n / 3, n - n / 3);
    got_n = dump(&vt, text);
    if (argc > 4) {
        char *want = slurp(argv[4], &want_n);
        CHECK(got_n == want_n && memcmp(text, want, got_n) == 0);
        if (check_failures) {
            fprintf(stderr, "got:\n%.*s\nwant:\n%.*s", (int)got_n, text, (int)want_n, want);
        }
        free(want);
    } else {
        fwrite(text, 1, got_n, stdout);
    }
    free(stream);
    free(text);
    free(memory);
    return argc > 4 ? check_done() : 0;
}
