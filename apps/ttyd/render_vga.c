// SPDX-License-Identifier: MIT
/*
 * VGA text mode: two bytes a cell (character, colours) in the adapter's memory, the cursor in the
 * CRT controller (ports 0x3d4/0x3d5), the palette in the DAC. The adapter's font is the BIOS's,
 * code page 437; what it lacks is shown by its nearest relative or '?'.
 */
#include <string.h>
#include "render.h"

enum {
    CRTC = 0x3d4,
    ATTR = 0x3c0,
    ATTR_READ = 0x3c1,
    ATTR_RESET = 0x3da,
    DAC_INDEX = 0x3c8,
    DAC_DATA = 0x3c9
};

static const uint16_t cp437[160] = {
    /* 0x00 */ 0x0020,
    0x263a,
    0x263b,
    0x2665,
    0x2666,
    0x2663,
    0x2660,
    0x2022,
    0x25d8,
    0x25cb,
    0x25d9,
    0x2642,
    0x2640,
    0x266a,
    0x266b,
    0x263c,
    0x25ba,
    0x25c4,
    0x2195,
    0x203c,
    0x00b6,
    0x00a7,
    0x25ac,
    0x21a8,
    0x2191,
    0x2193,
    0x2192,
    0x2190,
    0x221f,
    0x2194,
    0x25b2,
    0x25bc,
    /* 0x80 */ 0x00c7,
    0x00fc,
    0x00e9,
    0x00e2,
    0x00e4,
    0x00e0,
    0x00e5,
    0x00e7,
    0x00ea,
    0x00eb,
    0x00e8,
    0x00ef,
    0x00ee,
    0x00ec,
    0x00c4,
    0x00c5,
    0x00c9,
    0x00e6,
    0x00c6,
    0x00f4,
    0x00f6,
    0x00f2,
    0x00fb,
    0x00f9,
    0x00ff,
    0x00d6,
    0x00dc,
    0x00a2,
    0x00a3,
    0x00a5,
    0x20a7,
    0x0192,
    0x00e1,
    0x00ed,
    0x00f3,
    0x00fa,
    0x00f1,
    0x00d1,
    0x00aa,
    0x00ba,
    0x00bf,
    0x2310,
    0x00ac,
    0x00bd,
    0x00bc,
    0x00a1,
    0x00ab,
    0x00bb,
    0x2591,
    0x2592,
    0x2593,
    0x2502,
    0x2524,
    0x2561,
    0x2562,
    0x2556,
    0x2555,
    0x2563,
    0x2551,
    0x2557,
    0x255d,
    0x255c,
    0x255b,
    0x2510,
    0x2514,
    0x2534,
    0x252c,
    0x251c,
    0x2500,
    0x253c,
    0x255e,
    0x255f,
    0x255a,
    0x2554,
    0x2569,
    0x2566,
    0x2560,
    0x2550,
    0x256c,
    0x2567,
    0x2568,
    0x2564,
    0x2565,
    0x2559,
    0x2558,
    0x2552,
    0x2553,
    0x256b,
    0x256a,
    0x2518,
    0x250c,
    0x2588,
    0x2584,
    0x258c,
    0x2590,
    0x2580,
    0x03b1,
    0x00df,
    0x0393,
    0x03c0,
    0x03a3,
    0x03c3,
    0x00b5,
    0x03c4,
    0x03a6,
    0x0398,
    0x03a9,
    0x03b4,
    0x221e,
    0x03c6,
    0x03b5,
    0x2229,
    0x2261,
    0x00b1,
    0x2265,
    0x2264,
    0x2320,
    0x2321,
    0x00f7,
    0x2248,
    0x00b0,
    0x2219,
    0x00b7,
    0x221a,
    0x207f,
    0x00b2,
    0x25a0,
    0x00a0,
};

/* Characters with a relative in the code page. */
static const uint16_t relatives[][2] = {
    {0x2018, '\''}, {0x2019, '\''}, {0x201c, '"'},  {0x201d, '"'},  {0x2013, '-'},  {0x2014, '-'},
    {0x2026, '.'},  {0x25c6, 4},    {0x23ba, 0xc4}, {0x23bb, 0xc4}, {0x23bc, 0xc4}, {0x23bd, '_'},
    {0x2260, '#'},  {0x20ac, 0xee}, {0x256d, 0xda}, {0x256e, 0xbf}, {0x256f, 0xd9}, {0x2570, 0xc0},
};

uint8_t cp437_of(uint16_t ch)
{
    if (ch >= 0x20 && ch < 0x7f) {
        return (uint8_t)ch;
    }
    for (uint32_t i = 1; i < 160; i++) {
        if (cp437[i] == ch) {
            return (uint8_t)(i < 32 ? i : i + 96);
        }
    }
    for (uint32_t i = 0; i < sizeof(relatives) / sizeof(relatives[0]); i++) {
        if (relatives[i][0] == ch) {
            return (uint8_t)relatives[i][1];
        }
    }
    return '?';
}

/* ECMA-48 counts red 1 and blue 4, the VGA the other way round. */
static uint8_t vga_color(uint8_t c)
{
    return (uint8_t)((c & 0xaa) | (c & 0x11) << 2 | (c & 0x44) >> 2);
}

static void vga_draw(struct render *r, uint32_t x, uint32_t y, struct render_cell cell)
{
    volatile uint16_t *at = (volatile uint16_t *)r->memory + (size_t)y * r->cols + x;
    uint8_t color = cell.color;

    if ((cell.flags & RENDER_UNDERLINE) && (color & 15) == 7) {
        color = (uint8_t)((color & 0xf0) | 14); /* it cannot underline: light cyan */
    }
    color = vga_color(color);
    *at = (uint16_t)(cp437_of(cell.ch) | color << 8);
}

static void crtc(struct render *r, uint8_t index, uint8_t value)
{
    port_out(&r->io, CRTC, index);
    port_out(&r->io, CRTC + 1, value);
}

static void vga_cursor(struct render *r, uint32_t x, uint32_t y, bool visible)
{
    uint32_t at = y * r->cols + x;

    crtc(r, 10, visible ? 13 : 0x20);
    crtc(r, 11, 14);
    crtc(r, 14, (uint8_t)(at >> 8));
    crtc(r, 15, (uint8_t)at);
}

static void vga_palette(struct render *r, const uint32_t rgb[16])
{
    /* Where the BIOS lets the attribute controller look colours up. */
    static const uint8_t dac[16] = {0, 1, 2, 3, 4, 5, 20, 7, 56, 57, 58, 59, 60, 61, 62, 63};

    for (uint32_t i = 0; i < 16; i++) {
        uint8_t ansi = vga_color((uint8_t)i);
        port_out(&r->io, DAC_INDEX, dac[i]);
        port_out(&r->io, DAC_DATA, (uint8_t)(rgb[ansi] >> 18 & 63));
        port_out(&r->io, DAC_DATA, (uint8_t)(rgb[ansi] >> 10 & 63));
        port_out(&r->io, DAC_DATA, (uint8_t)(rgb[ansi] >> 2 & 63));
    }
}

static const struct render_ops vga_ops = {vga_draw, vga_palette, vga_cursor};

void render_vga_init(struct render *r, uint32_t cols, uint32_t rows, volatile void *memory,
                     struct render_cell *shadow, const struct port_io *io)
{
    memset(r, 0, sizeof(*r));
    r->ops = &vga_ops;
    r->cols = cols;
    r->rows = rows;
    r->memory = memory;
    r->io = *io;
    r->cursor_x = UINT16_MAX; /* nowhere: the first update moves it */
    r->cursor_y = 0;
    render_set_shadow(r, shadow);
    /* Bit 7 of the colours: a bright background instead of blinking. */
    port_in(io, ATTR_RESET);
    port_out(io, ATTR, 0x30);
    uint8_t mode = port_in(io, ATTR_READ);
    port_in(io, ATTR_RESET);
    port_out(io, ATTR, 0x30);
    port_out(io, ATTR, mode & (uint8_t)~8);
}
