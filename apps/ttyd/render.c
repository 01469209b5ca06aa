// SPDX-License-Identifier: MIT
// Showing the grid: the part both kinds of screen share. See render.h.
#include <string.h>
#include "render.h"

void render_set_shadow(struct render *r, struct render_cell *shadow)
{
    r->shadow = shadow;
    memset(shadow, 0xff, (size_t)r->cols * r->rows * sizeof(*shadow));
}

static struct render_cell resolve(const struct vt *vt, struct vt_cell c)
{
    uint8_t fg = c.color & 15, bg = c.color >> 4;
    struct render_cell out = {.ch = c.ch};

    if ((c.attr & VT_BOLD) && fg < 8) {
        fg += 8;
    } else if ((c.attr & VT_DIM) && fg != bg) {
        fg = 8;
    }
    if (c.attr & VT_BLINK && bg < 8) {
        bg += 8; /* as consoles without blinking do */
    }
    if (((c.attr & VT_REVERSE) != 0) != vt->reverse_screen) {
        uint8_t t = fg;
        fg = bg;
        bg = t;
    }
    if (c.attr & VT_INVISIBLE) {
        fg = bg;
    }
    out.color = (uint8_t)(fg | bg << 4);
    out.flags = c.attr & VT_UNDERLINE ? RENDER_UNDERLINE : 0;
    return out;
}

static void update_row(struct render *r, const struct vt *vt, uint32_t y)
{
    const struct vt_cell *row = vt_row(vt, y);
    struct render_cell *shown = r->shadow + (size_t)y * r->cols;
    bool cursor_here = r->cursor_shown && r->ops->cursor == NULL && y == r->cursor_y;

    for (uint32_t x = 0; x < r->cols; x++) {
        struct render_cell want = resolve(vt, row[x]);
        if (cursor_here && x == r->cursor_x) {
            want.flags |= RENDER_CURSOR;
        }
        if (memcmp(&want, &shown[x], sizeof(want)) != 0) {
            shown[x] = want;
            r->ops->draw(r, x, y, want);
        }
    }
}

void render_update(struct render *r, struct vt *vt)
{
    bool moved =
        r->cursor_x != vt->x || r->cursor_y != vt->y || r->cursor_shown != vt->cursor_visible;

    if (vt->palette_changed) {
        vt->palette_changed = false;
        r->ops->palette(r, vt->palette);
        memset(r->shadow, 0xff, (size_t)r->cols * r->rows * sizeof(*r->shadow));
        vt_touch_all(vt);
    }
    if (moved) {
        vt->dirty[r->cursor_y] = vt->dirty[vt->y] = 1;
        r->cursor_x = vt->x;
        r->cursor_y = vt->y;
        r->cursor_shown = vt->cursor_visible;
    }
    for (uint32_t y = 0; y < r->rows; y++) {
        if (vt->dirty[y]) {
            vt->dirty[y] = 0;
            update_row(r, vt, y);
        }
    }
    if (moved && r->ops->cursor != NULL) {
        r->ops->cursor(r, vt->x, vt->y, vt->cursor_visible);
    }
}
