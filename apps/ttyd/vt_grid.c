// SPDX-License-Identifier: MIT
/*
 * Terminal emulator: operations on the grid.
 *
 * Every function here accepts any argument and clamps it; 0 <= x < cols, 0 <= y < rows and
 * top < bottom < rows hold before and after each (a screen has at least two rows).
 */
#include <string.h>
#include "vt.h"

static struct vt_cell blank(const struct vt *vt)
{
    return (struct vt_cell){.ch = ' ', .color = vt->pen.color};
}

void vt_touch_all(struct vt *vt)
{
    memset(vt->dirty, 1, vt->rows);
}

/* Clear cells [from, to) of a row with the current background. */
void vt_erase(struct vt *vt, uint32_t y, uint32_t from, uint32_t to)
{
    struct vt_cell *row = vt_row(vt, y);
    struct vt_cell b = blank(vt);

    to = to < vt->cols ? to : vt->cols;
    for (uint32_t x = from; x < to; x++) {
        row[x] = b;
    }
    vt->dirty[y] = 1;
}

void vt_scroll_up(struct vt *vt, uint32_t top, uint32_t bottom, uint32_t n)
{
    uint16_t *line = vt->line[vt->alt];
    uint16_t moved[VT_MAX_ROWS];
    uint32_t height = bottom - top + 1;

    n = n < height ? n : height;
    memcpy(moved, line + top, n * sizeof(*line));
    memmove(line + top, line + top + n, (height - n) * sizeof(*line));
    memcpy(line + bottom + 1 - n, moved, n * sizeof(*line));
    for (uint32_t y = bottom + 1 - n; y <= bottom; y++) {
        vt_erase(vt, y, 0, vt->cols);
    }
    memset(vt->dirty + top, 1, height);
}

void vt_scroll_down(struct vt *vt, uint32_t top, uint32_t bottom, uint32_t n)
{
    uint16_t *line = vt->line[vt->alt];
    uint16_t moved[VT_MAX_ROWS];
    uint32_t height = bottom - top + 1;

    n = n < height ? n : height;
    memcpy(moved, line + bottom + 1 - n, n * sizeof(*line));
    memmove(line + top + n, line + top, (height - n) * sizeof(*line));
    memcpy(line + top, moved, n * sizeof(*line));
    for (uint32_t y = top; y < top + n; y++) {
        vt_erase(vt, y, 0, vt->cols);
    }
    memset(vt->dirty + top, 1, height);
}

void vt_index(struct vt *vt)
{
    if (vt->y == vt->bottom) {
        vt_scroll_up(vt, vt->top, vt->bottom, 1);
    } else if (vt->y + 1 < vt->rows) {
        vt->y++;
    }
    vt->wrap_pending = false;
}

void vt_reverse_index(struct vt *vt)
{
    if (vt->y == vt->top) {
        vt_scroll_down(vt, vt->top, vt->bottom, 1);
    } else if (vt->y > 0) {
        vt->y--;
    }
    vt->wrap_pending = false;
}

void vt_goto(struct vt *vt, uint32_t x, uint32_t y)
{
    vt->x = (uint16_t)(x < vt->cols ? x : vt->cols - 1u);
    vt->y = (uint16_t)(y < vt->rows ? y : vt->rows - 1u);
    vt->wrap_pending = false;
}

/* Absolute addressing: relative to the scroll region, and kept inside it, in origin mode. */
void vt_goto_origin(struct vt *vt, uint32_t x, uint32_t y)
{
    if (vt->origin) {
        y += vt->top;
        y = y < vt->bottom ? y : vt->bottom;
    }
    vt_goto(vt, x, y);
}

void vt_insert_cells(struct vt *vt, uint32_t n)
{
    struct vt_cell *row = vt_row(vt, vt->y);
    uint32_t right = (uint32_t)vt->cols - vt->x;

    n = n < right ? n : right;
    memmove(row + vt->x + n, row + vt->x, (right - n) * sizeof(*row));
    vt_erase(vt, vt->y, vt->x, vt->x + n);
    vt->wrap_pending = false;
}

void vt_delete_cells(struct vt *vt, uint32_t n)
{
    struct vt_cell *row = vt_row(vt, vt->y);
    uint32_t right = (uint32_t)vt->cols - vt->x;

    n = n < right ? n : right;
    memmove(row + vt->x, row + vt->x + n, (right - n) * sizeof(*row));
    vt_erase(vt, vt->y, vt->cols - n, vt->cols);
    vt->wrap_pending = false;
}

void vt_default_tabs(struct vt *vt)
{
    memset(vt->tabs, 1, sizeof(vt->tabs)); /* bit 0 of each byte: every eighth column */
}

void vt_tab(struct vt *vt, int steps)
{
    for (; steps > 0 && vt->x + 1 < vt->cols; steps--) {
        do {
            vt->x++;
        } while (vt->x + 1 < vt->cols && !(vt->tabs[vt->x / 8] >> (vt->x % 8) & 1));
    }
    for (; steps < 0 && vt->x > 0; steps++) {
        do {
            vt->x--;
        } while (vt->x > 0 && !(vt->tabs[vt->x / 8] >> (vt->x % 8) & 1));
    }
    vt->wrap_pending = false;
}

void vt_save(struct vt *vt)
{
    vt->saved[vt->alt] = (struct vt_saved){vt->x, vt->y, vt->pen, vt->origin};
}

void vt_restore(struct vt *vt)
{
    const struct vt_saved *s = &vt->saved[vt->alt];

    vt->pen = s->pen;
    vt->origin = s->origin;
    vt_goto(vt, s->x, s->y);
}

void vt_switch(struct vt *vt, bool alt, bool clear)
{
    if (vt->alt != alt) {
        vt->alt = alt;
        vt_touch_all(vt);
    }
    if (clear) {
        for (uint32_t y = 0; y < vt->rows; y++) {
            vt_erase(vt, y, 0, vt->cols);
        }
    }
}

/* Columns a character takes: 0 for what combines with its predecessor, 2 for East Asian wide. */
static uint32_t width_of(uint32_t c)
{
    static const struct {
        uint32_t first, last, width;
    } ranges[] = {
        {0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},   {0x0591, 0x05bd, 0},   {0x064b, 0x065f, 0},
        {0x1100, 0x115f, 2},   {0x1ab0, 0x1aff, 0},   {0x1dc0, 0x1dff, 0},   {0x200b, 0x200f, 0},
        {0x2028, 0x202e, 0},   {0x2060, 0x2064, 0},   {0x20d0, 0x20f0, 0},   {0x2e80, 0x303e, 2},
        {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},
        {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xfeff, 0xfeff, 0},   {0xff00, 0xff60, 2},
        {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2},
        {0x20000, 0x3fffd, 2}, {0xe0100, 0xe01ef, 0},
    };

    for (size_t i = 0; c >= 0x300 && i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last) {
            return ranges[i].width;
        }
    }
    return 1;
}

/* A wide character loses its other half when one half is overwritten. */
static void unpair(struct vt *vt, struct vt_cell *row, uint32_t x)
{
    if ((row[x].attr & VT_WIDE_TAIL) && x > 0) {
        row[x - 1].ch = ' ';
    }
    if (x + 1u < vt->cols && (row[x + 1].attr & VT_WIDE_TAIL)) {
        row[x + 1] = blank(vt);
    }
}

void vt_put(struct vt *vt, uint32_t point)
{
    uint32_t width = width_of(point);

    if (width == 0) {
        return;
    }
    if (vt->wrap_pending || (width == 2 && vt->x + 1u == vt->cols && vt->autowrap)) {
        vt->x = 0;
        vt_index(vt);
    }
    if (vt->insert) {
        vt_insert_cells(vt, width);
    }
    struct vt_cell *row = vt_row(vt, vt->y);
    unpair(vt, row, vt->x);
    vt->last_char = (uint16_t)(point <= 0xffff ? point : VT_REPLACEMENT);
    row[vt->x] = (struct vt_cell){vt->last_char, vt->pen.color, vt->pen.attr};
    vt->dirty[vt->y] = 1;
    if (width == 2 && vt->x + 1u < vt->cols) {
        vt->x++;
        unpair(vt, row, vt->x);
        row[vt->x] = (struct vt_cell){' ', vt->pen.color, vt->pen.attr | VT_WIDE_TAIL};
    }
    if (vt->x + 1u < vt->cols) {
        vt->x++;
    } else {
        vt->wrap_pending = vt->autowrap;
    }
}
