// SPDX-License-Identifier: MIT
/*
 * Terminal emulator: bytes of a program become a grid of cells.
 *
 * It understands what TERM=linux (and the common part of vt100, vt220 and xterm) sends: ECMA-48
 * control sequences, DEC private modes, the alternate screen, scroll regions, character sets, and
 * UTF-8. It knows nothing of how the grid is shown (render.h) or who types (ps2.h).
 *
 * Pure, bounded and safe against any input: every parameter is clamped before use, one input byte
 * costs at most one pass over the grid, and strings (OSC, DCS) are skipped, never stored.
 *
 * The grid. Rows are reached through an index (`line`), so that scrolling rotates indices and
 * clears one row instead of moving cells. `dirty[y]` is set for every row whose cells may have
 * changed since the renderer looked; it compares with what it drew, so a superfluous mark costs
 * time only. A character wider than one column occupies its cell and a VT_WIDE_TAIL cell.
 */
#ifndef TTYD_VT_H
#define TTYD_VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VT_MAX_COLS    512u
#define VT_MAX_ROWS    256u
#define VT_MAX_PARAMS  16u
#define VT_REPLACEMENT 0xfffd /* shown for what is not a character, or outside the BMP */

enum vt_attr {
    VT_BOLD = 1 << 0,
    VT_DIM = 1 << 1,
    VT_UNDERLINE = 1 << 2,
    VT_BLINK = 1 << 3,
    VT_REVERSE = 1 << 4,
    VT_INVISIBLE = 1 << 5,
    VT_ITALIC = 1 << 6,
    VT_WIDE_TAIL = 1 << 7,
};

struct vt_cell {
    uint16_t ch;   /* Unicode */
    uint8_t color; /* foreground | background << 4; 1 red, 2 green, 4 blue, 8 bright */
    uint8_t attr;  /* enum vt_attr */
};

struct vt_pen {
    uint8_t color, attr;
    uint8_t charset[2]; /* G0, G1: 0 ASCII, 1 line drawing, 2 British */
    uint8_t shift;      /* which of them is in use */
};

struct vt_saved {
    uint16_t x, y;
    struct vt_pen pen;
    bool origin;
};

struct vt_ops {
    /* An answer to a request for status: to be taken as if typed. */
    void (*reply)(void *ctx, const uint8_t *bytes, size_t n);
    void (*bell)(void *ctx);
};

enum vt_state {
    VT_GROUND,
    VT_ESC,
    VT_ESC_MID,
    VT_CSI,
    VT_CSI_IGNORE,
    VT_CSI_KEY,
    VT_STRING,
    VT_STRING_ESC,
    VT_OSC,
    VT_PALETTE
};

struct vt {
    const struct vt_ops *ops;
    void *ctx;
    uint16_t cols, rows;
    struct vt_cell *grid[2]; /* normal, alternate */
    uint16_t *line[2];
    uint8_t *dirty;
    uint8_t alt;
    uint16_t x, y;
    uint16_t top, bottom; /* scroll region, inclusive */
    bool wrap_pending;    /* the last column was written: the next character wraps first */
    struct vt_pen pen;
    struct vt_saved saved[2];
    /* modes */
    bool origin, autowrap, insert, newline, reverse_screen, cursor_visible;
    bool cursor_keys_app, keypad_app, bracketed_paste;
    bool keys_changed; /* cursor_keys_app or keypad_app: the keyboard wants to know */
    /* parser */
    enum vt_state state;
    uint16_t param[VT_MAX_PARAMS];
    uint8_t nparam;
    uint8_t marker; /* ? > < = after CSI, or 0 */
    uint8_t mid;    /* intermediate character, or 0 */
    uint32_t point; /* UTF-8 being assembled */
    uint32_t point_min;
    uint8_t point_more;
    uint8_t palette_at;
    uint8_t palette_hex[7];
    uint16_t last_char;   /* for REP */
    uint32_t palette[16]; /* 0xRRGGBB */
    bool palette_changed;
    uint8_t tabs[VT_MAX_COLS / 8];
};

/* Bytes of memory vt_init wants for a screen, 0 if the size is not supported. */
size_t vt_memory(uint32_t cols, uint32_t rows);
/* `memory` (aligned for uint32_t, vt_memory bytes) stays the caller's and must outlive vt. */
void vt_init(struct vt *vt, uint32_t cols, uint32_t rows, void *memory, const struct vt_ops *ops,
             void *ctx);
void vt_feed(struct vt *vt, const uint8_t *bytes, size_t n);
void vt_reset(struct vt *vt);

static inline struct vt_cell *vt_row(const struct vt *vt, uint32_t y)
{
    return vt->grid[vt->alt] + (size_t)vt->line[vt->alt][y] * vt->cols;
}

/* The 16 colours of the Linux console, 0xRRGGBB. */
extern const uint32_t vt_default_palette[16];
/* Nearest of these. */
uint8_t vt_nearest_color(uint32_t rgb);

/* Shared between vt.c, vt_csi.c and vt_grid.c. */
void vt_put(struct vt *vt, uint32_t point);
void vt_index(struct vt *vt);
void vt_reverse_index(struct vt *vt);
void vt_goto(struct vt *vt, uint32_t x, uint32_t y);
void vt_goto_origin(struct vt *vt, uint32_t x, uint32_t y);
void vt_scroll_up(struct vt *vt, uint32_t top, uint32_t bottom, uint32_t n);
void vt_scroll_down(struct vt *vt, uint32_t top, uint32_t bottom, uint32_t n);
void vt_erase(struct vt *vt, uint32_t y, uint32_t from, uint32_t to);
void vt_insert_cells(struct vt *vt, uint32_t n);
void vt_delete_cells(struct vt *vt, uint32_t n);
void vt_tab(struct vt *vt, int steps);
void vt_default_tabs(struct vt *vt);
void vt_save(struct vt *vt);
void vt_restore(struct vt *vt);
void vt_switch(struct vt *vt, bool alt, bool clear);
void vt_touch_all(struct vt *vt);
void vt_csi(struct vt *vt, uint8_t final);

#endif
