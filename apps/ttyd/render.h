// SPDX-License-Identifier: MIT
/*
 * Showing the emulator's grid: VGA text memory or a linear framebuffer.
 *
 * A shadow holds what every place of the screen shows, colours resolved. An update looks only at
 * rows the emulator marked, compares, and draws the places that differ; so a scroll costs what it
 * changes to the eye, and drawing may be put off until a burst of output is over. The cursor is a
 * flag of its place on a framebuffer and a register on VGA.
 */
#ifndef TTYD_RENDER_H
#define TTYD_RENDER_H

#include "ports.h"
#include "vt.h"

enum render_flags { RENDER_UNDERLINE = 1, RENDER_CURSOR = 2 };

struct render_cell {
    uint16_t ch;
    uint8_t color; /* foreground | background << 4 */
    uint8_t flags;
};

struct render;
struct render_ops {
    void (*draw)(struct render *r, uint32_t x, uint32_t y, struct render_cell cell);
    void (*palette)(struct render *r, const uint32_t rgb[16]);
    void (*cursor)(struct render *r, uint32_t x, uint32_t y, bool visible); /* NULL: draw it */
};

struct render_format { /* of a framebuffer pixel */
    uint32_t pitch, bpp;
    uint8_t red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct render {
    const struct render_ops *ops;
    uint32_t cols, rows;
    struct render_cell *shadow; /* cols * rows; all ones: unknown, draw */
    uint16_t cursor_x, cursor_y;
    bool cursor_shown;
    volatile uint8_t *memory; /* VGA text cells or pixels */
    struct render_format format;
    uint32_t pixel[16];
    struct port_io io;
};

/* A screen of cols x rows at `memory` (mapped, 2 bytes a cell). shadow: cols * rows cells, the
 * caller's. */
void render_vga_init(struct render *r, uint32_t cols, uint32_t rows, volatile void *memory,
                     struct render_cell *shadow, const struct port_io *io);

/*
 * A framebuffer of width x height pixels in `bytes` bytes of mapped memory. Computes cols and rows
 * (whole glyphs; at most VT_MAX_*) and returns 0, or -EINVAL if the description is impossible. The
 * caller then provides the shadow by render_set_shadow().
 */
int render_fb_init(struct render *r, uint32_t width, uint32_t height,
                   const struct render_format *format, volatile void *memory, uint64_t bytes);
void render_set_shadow(struct render *r, struct render_cell *shadow);

/* Bring the screen up to date. vt must have r->cols x r->rows. */
void render_update(struct render *r, struct vt *vt);

/* The font (generated): 8 x 16 glyph of a character, or of the replacement character. */
const uint8_t *font_glyph(uint16_t ch);

struct font_entry {
    uint16_t ch, glyph;
};
extern const uint8_t font_glyphs[][16];
extern const struct font_entry font_map[]; /* ascending by ch */
extern const uint32_t font_map_length;

/* The code of code page 437, which the VGA's own font has, for a character. */
uint8_t cp437_of(uint16_t ch);

#endif
