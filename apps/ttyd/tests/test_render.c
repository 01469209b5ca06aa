// SPDX-License-Identifier: MIT
// Screens: what lands in VGA text memory and in a framebuffer, and that only changes are drawn.
#include <errno.h>
#include <stdlib.h>
#include "../render.h"
#include "check.h"

static void on_reply(void *ctx, const uint8_t *p, size_t n)
{
    (void)ctx, (void)p, (void)n;
}
static void on_bell(void *ctx)
{
    (void)ctx;
}
static const struct vt_ops ops = {on_reply, on_bell};
static struct vt vt;
static struct render r;
static void *memory;
static struct render_cell *shadow;

static void start(uint32_t cols, uint32_t rows)
{
    memory = malloc(vt_memory(cols, rows));
    vt_init(&vt, cols, rows, memory, &ops, NULL);
    shadow = malloc(cols * rows * sizeof(*shadow));
}
static void stop(void)
{
    free(memory);
    free(shadow);
}
static void feed(const char *s)
{
    vt_feed(&vt, (const uint8_t *)s, strlen(s));
    render_update(&r, &vt);
}

static uint8_t crtc_index, crtc[32], attr_mode = 0x0c;
static uint8_t io_in(void *ctx, uint16_t port)
{
    (void)ctx;
    return port == 0x3c1 ? attr_mode : 0;
}
static void io_out(void *ctx, uint16_t port, uint8_t v)
{
    (void)ctx;
    if (port == 0x3d4) {
        crtc_index = v & 31;
    } else if (port == 0x3d5) {
        crtc[crtc_index] = v;
    } else if (port == 0x3c0 && v != 0x30) {
        attr_mode = v;
    }
}
static const struct port_io io = {io_in, io_out, NULL, NULL};

static void test_vga(void)
{
    static uint16_t text[80 * 25];

    start(80, 25);
    render_vga_init(&r, 80, 25, text, shadow, &io);
    CHECK_EQ(attr_mode, 0x04); /* no blinking */
    feed("A\033[31;1mB\033[0;7mC\033[0;44m\303\244\033(0q\033(B\342\202\254\346\274\242");
    CHECK_EQ(text[0], 0x0700 | 'A');
    CHECK_EQ(text[1], 0x0c00 | 'B'); /* bright red is VGA's 12 */
    CHECK_EQ(text[2], 0x7000 | 'C');
    CHECK_EQ(text[3], 0x1700 | 0x84); /* a umlaut of code page 437 on blue (VGA 1) */
    CHECK_EQ(text[4], 0x1700 | 0xc4);
    CHECK_EQ(text[6], 0x1700 | '?');
    CHECK_EQ(text[100], 0x0700 | ' ');
    feed("\033[3;5H");
    CHECK_EQ(crtc[14] << 8 | crtc[15], 2 * 80 + 4);
    CHECK_EQ(crtc[10], 13);
    feed("\033[?25l");
    CHECK_EQ(crtc[10], 0x20);
    /* Only what changed is written. */
    memset(text, 0, sizeof(text));
    feed("\033[0m\033[1;1HA\033[10;10Hz");
    CHECK_EQ(text[0], 0);
    CHECK_EQ(text[9 * 80 + 9] & 0xff, 'z');
    int written = 0;
    for (int i = 0; i < 80 * 25; i++) {
        written += text[i] != 0;
    }
    CHECK_EQ(written, 1);
    stop();
    for (uint32_t c = 0; c < 65536; c++) {
        cp437_of((uint16_t)c);
    }
}

static const struct render_format rgb32 = {.pitch = 352,
                                           .bpp = 32,
                                           .red_pos = 16,
                                           .red_size = 8,
                                           .green_pos = 8,
                                           .green_size = 8,
                                           .blue_size = 8};

static void test_framebuffer(void)
{
    enum { W = 84, H = 50 };
    uint32_t bytes = 352 * H;
    uint8_t *fb = calloc(1, bytes);

    CHECK_EQ(render_fb_init(&r, W, H, &rgb32, fb, bytes), 0);
    CHECK_EQ(r.cols, 10);
    CHECK_EQ(r.rows, 3);
    start(r.cols, r.rows);
    render_set_shadow(&r, shadow);
    feed("\033[31mA");
    const uint8_t *glyph = font_glyph('A');
    int wrong = 0, lit = 0;
    for (int y = 0; y < 16; y++) {
        for (int x = 0; x < 8; x++) {
            uint32_t want = glyph[y] >> (7 - x) & 1 ? 0xaa0000 : 0;
            uint32_t pixel;
            memcpy(&pixel, fb + y * 352 + x * 4, 4);
            wrong += pixel != want;
            lit += want != 0;
        }
    }
    CHECK_EQ(wrong, 0);
    CHECK(lit > 10);
    uint32_t under_cursor;
    memcpy(&under_cursor, fb + 15 * 352 + 8 * 4, 4);
    CHECK_EQ(under_cursor, 0xaaaaaa);
    feed("\033[3;1H");
    memcpy(&under_cursor, fb + 15 * 352 + 8 * 4, 4);
    CHECK_EQ(under_cursor, 0); /* it moved away */
    stop();
    free(fb);
}

static void test_formats(void)
{
    struct render_format f16 = {.pitch = 200,
                                .bpp = 16,
                                .red_pos = 11,
                                .red_size = 5,
                                .green_pos = 5,
                                .green_size = 6,
                                .blue_size = 5};
    struct render_format f24 = rgb32;
    uint8_t *fb = calloc(1, 300 * 48);

    CHECK_EQ(render_fb_init(&r, 80, 48, &f16, fb, 300 * 48), 0);
    start(r.cols, r.rows);
    render_set_shadow(&r, shadow);
    feed("\033[97;107mX");
    CHECK_EQ(fb[0] | fb[1] << 8, 0xffff);
    stop();
    f24.bpp = 24;
    f24.pitch = 241;
    CHECK_EQ(render_fb_init(&r, 80, 48, &f24, fb, 300 * 48), 0);
    start(r.cols, r.rows);
    render_set_shadow(&r, shadow);
    feed("\033[3;10H\033[41mX"); /* the last cell: ASan watches the end */
    CHECK_EQ(fb[32 * 241 + 9 * 24 + 2], 0xaa);
    stop();

    struct render_format bad = rgb32;
    CHECK_EQ(render_fb_init(&r, 80, 48, &bad, fb, 100), -EINVAL); /* larger than what is mapped */
    bad.pitch = 100;
    CHECK_EQ(render_fb_init(&r, 80, 48, &bad, fb, 300 * 48), -EINVAL);
    bad = rgb32;
    bad.bpp = 8;
    CHECK_EQ(render_fb_init(&r, 80, 40, &bad, fb, 300 * 48), -EINVAL);
    bad = rgb32;
    bad.red_pos = 30;
    CHECK_EQ(render_fb_init(&r, 80, 40, &bad, fb, 352 * 40), -EINVAL);
    bad = rgb32;
    bad.pitch = UINT32_MAX;
    CHECK_EQ(render_fb_init(&r, 80, UINT32_MAX, &bad, fb, 300 * 48), -EINVAL);
    free(fb);
}

static void test_font(void)
{
    CHECK(font_glyph('A') != font_glyph('B'));
    CHECK(font_glyph(0x2500) != font_glyph(VT_REPLACEMENT));
    CHECK(font_glyph(0x4e2d) == font_glyph(VT_REPLACEMENT)); /* has no glyph */
    for (uint32_t i = 1; i < font_map_length; i++) {
        if (font_map[i].ch <= font_map[i - 1].ch) {
            CHECK(!"ascending");
        }
    }
}

int main(void)
{
    test_vga();
    test_framebuffer();
    test_formats();
    test_font();
    return check_done();
}
