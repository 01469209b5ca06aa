// SPDX-License-Identifier: MIT
/*
 * Linear framebuffer: 16, 24 or 32 bits a pixel, 8 x 16 glyphs.
 *
 * The firmware's description of the framebuffer is checked once, against the bytes mapped, so that
 * drawing needs no checks: every place (x, y) with x < cols and y < rows lies inside. Pixels are
 * written left to right and never read: memory of a display is slow to read.
 */
#include <errno.h>
#include <string.h>
#include "render.h"

enum { GLYPH_WIDTH = 8, GLYPH_HEIGHT = 16 };

// NOLINTNEXTLINE(misc-no-recursion): once
const uint8_t *font_glyph(uint16_t ch)
{
    uint32_t low = 0, high = font_map_length;

    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (font_map[mid].ch == ch) {
            return font_glyphs[font_map[mid].glyph];
        }
        if (font_map[mid].ch < ch) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return ch == VT_REPLACEMENT ? font_glyphs[0] : font_glyph(VT_REPLACEMENT);
}

static void row_32(volatile uint8_t *at, uint8_t bits, uint32_t fg, uint32_t bg)
{
    volatile uint32_t *p = (volatile uint32_t *)at;

    for (int i = 7; i >= 0; i--) {
        *p++ = bits >> i & 1 ? fg : bg;
    }
}

static void row_24(volatile uint8_t *at, uint8_t bits, uint32_t fg, uint32_t bg)
{
    for (int i = 7; i >= 0; i--) {
        uint32_t c = bits >> i & 1 ? fg : bg;
        *at++ = (uint8_t)c;
        *at++ = (uint8_t)(c >> 8);
        *at++ = (uint8_t)(c >> 16);
    }
}

static void row_16(volatile uint8_t *at, uint8_t bits, uint32_t fg, uint32_t bg)
{
    volatile uint16_t *p = (volatile uint16_t *)at;

    for (int i = 7; i >= 0; i--) {
        *p++ = (uint16_t)(bits >> i & 1 ? fg : bg);
    }
}

static void fb_draw(struct render *r, uint32_t x, uint32_t y, struct render_cell cell)
{
    const uint8_t *glyph = font_glyph(cell.ch);
    uint32_t bytes = r->format.bpp / 8;
    uint32_t fg = r->pixel[cell.color & 15], bg = r->pixel[cell.color >> 4];
    volatile uint8_t *at =
        r->memory + (size_t)y * GLYPH_HEIGHT * r->format.pitch + (size_t)x * GLYPH_WIDTH * bytes;

    for (uint32_t line = 0; line < GLYPH_HEIGHT; line++, at += r->format.pitch) {
        uint8_t bits = glyph[line];
        if ((cell.flags & RENDER_UNDERLINE) && line == 13) {
            bits = 0xff;
        }
        if ((cell.flags & RENDER_CURSOR) && line >= 14) {
            bits = (uint8_t)~bits;
        }
        if (bytes == 4) {
            row_32(at, bits, fg, bg);
        } else if (bytes == 3) {
            row_24(at, bits, fg, bg);
        } else {
            row_16(at, bits, fg, bg);
        }
    }
}

static uint32_t channel(uint32_t value8, uint8_t pos, uint8_t size)
{
    return size >= 8 ? value8 << (pos + size - 8) : (value8 >> (8 - size)) << pos;
}

static void fb_palette(struct render *r, const uint32_t rgb[16])
{
    const struct render_format *f = &r->format;

    for (int i = 0; i < 16; i++) {
        r->pixel[i] = channel(rgb[i] >> 16 & 255, f->red_pos, f->red_size) |
                      channel(rgb[i] >> 8 & 255, f->green_pos, f->green_size) |
                      channel(rgb[i] & 255, f->blue_pos, f->blue_size);
    }
}

static const struct render_ops fb_ops = {fb_draw, fb_palette, NULL};

static bool channel_ok(uint32_t pos, uint32_t size, uint32_t bpp)
{
    return size > 0 && size <= 16 && pos + size <= bpp && pos + size <= 32;
}

int render_fb_init(struct render *r, uint32_t width, uint32_t height, const struct render_format *f,
                   volatile void *memory, uint64_t bytes)
{
    uint32_t bpp = f->bpp == 15 ? 16 : f->bpp;
    uint32_t align = bpp == 24 ? 1 : bpp / 8;

    if ((bpp != 16 && bpp != 24 && bpp != 32) || (uint64_t)width * (bpp / 8) > f->pitch ||
        f->pitch > (1u << 20) || height > (1u << 16) || (uint64_t)f->pitch * height > bytes ||
        f->pitch % align != 0 || (uintptr_t)memory % align != 0) {
        return -EINVAL;
    }
    if (!channel_ok(f->red_pos, f->red_size, bpp) ||
        !channel_ok(f->green_pos, f->green_size, bpp) ||
        !channel_ok(f->blue_pos, f->blue_size, bpp)) {
        return -EINVAL;
    }
    memset(r, 0, sizeof(*r));
    r->ops = &fb_ops;
    r->cols = width / GLYPH_WIDTH;
    r->rows = height / GLYPH_HEIGHT;
    r->cols = r->cols < VT_MAX_COLS ? r->cols : VT_MAX_COLS;
    r->rows = r->rows < VT_MAX_ROWS ? r->rows : VT_MAX_ROWS;
    r->memory = memory;
    r->format = *f;
    r->format.bpp = bpp;
    return r->cols < 2 || r->rows < 2 ? -EINVAL : 0;
}
