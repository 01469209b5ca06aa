// SPDX-License-Identifier: MIT
/*
 * Terminal emulator: the parser.
 *
 * A state machine over bytes in the manner of ECMA-35/48: C0 controls act in every state except
 * inside strings, ESC begins anew from everywhere, CAN and SUB abandon. UTF-8 is decoded only in
 * the ground state; a malformed sequence becomes one replacement character and its last byte is
 * looked at again, so no byte can hide a control character from us.
 */
#include <string.h>
#include "vt.h"

const uint32_t vt_default_palette[16] = {
    0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
    0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
};

uint8_t vt_nearest_color(uint32_t rgb)
{
    uint32_t best = UINT32_MAX;
    uint8_t found = 7;

    for (uint8_t i = 0; i < 16; i++) {
        uint32_t distance = 0;
        for (int shift = 0; shift < 24; shift += 8) {
            int d = (int)(rgb >> shift & 0xff) - (int)(vt_default_palette[i] >> shift & 0xff);
            distance += (uint32_t)(d * d);
        }
        if (distance < best) {
            best = distance;
            found = i;
        }
    }
    return found;
}

size_t vt_memory(uint32_t cols, uint32_t rows)
{
    if (cols < 2 || cols > VT_MAX_COLS || rows < 2 || rows > VT_MAX_ROWS) {
        return 0;
    }
    return 2 * (size_t)cols * rows * sizeof(struct vt_cell) + 2 * (size_t)rows * sizeof(uint16_t) +
           rows;
}

void vt_init(struct vt *vt, uint32_t cols, uint32_t rows, void *memory, const struct vt_ops *ops,
             void *ctx)
{
    struct vt_cell *cells = memory;

    memset(vt, 0, sizeof(*vt));
    vt->ops = ops;
    vt->ctx = ctx;
    vt->cols = (uint16_t)cols;
    vt->rows = (uint16_t)rows;
    vt->grid[0] = cells;
    vt->grid[1] = cells + (size_t)cols * rows;
    vt->line[0] = (uint16_t *)(cells + 2 * (size_t)cols * rows);
    vt->line[1] = vt->line[0] + rows;
    vt->dirty = (uint8_t *)(vt->line[1] + rows);
    vt_reset(vt);
}

void vt_reset(struct vt *vt)
{
    vt->x = vt->y = vt->top = 0;
    vt->bottom = (uint16_t)(vt->rows - 1);
    vt->pen = (struct vt_pen){.color = 7, .charset = {0, 1}};
    vt->origin = vt->insert = vt->newline = vt->reverse_screen = vt->wrap_pending = false;
    vt->cursor_keys_app = vt->keypad_app = vt->bracketed_paste = false;
    vt->autowrap = vt->cursor_visible = vt->keys_changed = true;
    vt->state = VT_GROUND;
    vt->point_more = 0;
    memcpy(vt->palette, vt_default_palette, sizeof(vt->palette));
    vt->palette_changed = true;
    vt_default_tabs(vt);
    for (int alt = 1; alt >= 0; alt--) {
        vt->alt = (uint8_t)alt;
        for (uint16_t y = 0; y < vt->rows; y++) {
            vt->line[alt][y] = y;
        }
        vt_switch(vt, alt != 0, true);
        vt_save(vt);
    }
    vt_touch_all(vt);
}

static void control(struct vt *vt, uint8_t c)
{
    switch (c) {
    case 7:
        vt->ops->bell(vt->ctx);
        break;
    case '\b':
        vt->x -= vt->x > 0;
        vt->wrap_pending = false;
        break;
    case '\t':
        vt_tab(vt, 1);
        break;
    case '\n':
    case 11:
    case 12:
        vt_index(vt);
        if (vt->newline) {
            vt->x = 0;
        }
        break;
    case '\r':
        vt->x = 0;
        vt->wrap_pending = false;
        break;
    case 14:
        vt->pen.shift = 1;
        break;
    case 15:
        vt->pen.shift = 0;
        break;
    case 24:
    case 26:
        vt->state = VT_GROUND;
        break;
    case 27:
        vt->state = VT_ESC;
        vt->mid = 0;
        break;
    default:
        break;
    }
}

/* DEC special graphics, 0x5f..0x7e. */
static uint32_t from_charset(const struct vt *vt, uint32_t c)
{
    static const uint16_t graphics[32] = {
        0x00a0, 0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, 0x00b1, 0x2424, 0x240b,
        0x2518, 0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c,
        0x2524, 0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7,
    };
    uint8_t set = vt->pen.charset[vt->pen.shift];

    if (set == 1 && c >= 0x5f && c <= 0x7e) {
        return graphics[c - 0x5f];
    }
    return set == 2 && c == '#' ? 0xa3 : c;
}

static void utf8_start(struct vt *vt, uint8_t c)
{
    if (c >= 0xc2 && c <= 0xdf) {
        vt->point = c & 0x1f;
        vt->point_more = 1;
        vt->point_min = 0x80;
    } else if ((c & 0xf0) == 0xe0) {
        vt->point = c & 0x0f;
        vt->point_more = 2;
        vt->point_min = 0x800;
    } else if (c >= 0xf0 && c <= 0xf4) {
        vt->point = c & 0x07;
        vt->point_more = 3;
        vt->point_min = 0x10000;
    } else {
        vt_put(vt, VT_REPLACEMENT);
    }
}

static void ground(struct vt *vt, uint8_t c)
{
    if (vt->point_more > 0) {
        if ((c & 0xc0) == 0x80) {
            vt->point = vt->point << 6 | (c & 0x3f);
            if (--vt->point_more == 0) {
                bool bad = vt->point < vt->point_min || vt->point > 0x10ffff ||
                           (vt->point >= 0xd800 && vt->point <= 0xdfff);
                if (bad || vt->point >= 0xa0) { /* C1 controls show nothing */
                    vt_put(vt, bad ? VT_REPLACEMENT : vt->point);
                }
            }
            return;
        }
        vt->point_more = 0;
        vt_put(vt, VT_REPLACEMENT);
    }
    if (c < 0x20) {
        control(vt, c);
    } else if (c < 0x7f) {
        vt_put(vt, from_charset(vt, c));
    } else if (c > 0x7f) {
        utf8_start(vt, c);
    }
}

static void align_test(struct vt *vt)
{
    for (uint32_t y = 0; y < vt->rows; y++) {
        vt_erase(vt, y, 0, vt->cols);
        for (uint32_t x = 0; x < vt->cols; x++) {
            vt_row(vt, y)[x].ch = 'E';
        }
    }
    vt->top = 0;
    vt->bottom = (uint16_t)(vt->rows - 1);
    vt_goto(vt, 0, 0);
}

static void escape_mid(struct vt *vt, uint8_t c)
{
    if (vt->mid == '(' || vt->mid == ')') {
        vt->pen.charset[vt->mid == ')'] = c == '0' ? 1 : c == 'A' ? 2 : 0;
    } else if (vt->mid == '#' && c == '8') {
        align_test(vt);
    }
}

static void csi_begin(struct vt *vt)
{
    memset(vt->param, 0, sizeof(vt->param));
    vt->nparam = 1;
    vt->marker = vt->mid = 0;
    vt->state = VT_CSI;
}

static void escape(struct vt *vt, uint8_t c)
{
    vt->state = VT_GROUND;
    if (c >= 0x20 && c < 0x30) {
        vt->mid = c;
        vt->state = VT_ESC_MID;
        return;
    }
    switch (c) {
    case '[':
        csi_begin(vt);
        break;
    case ']':
        vt->state = VT_OSC;
        break;
    case 'P':
    case 'X':
    case '^':
    case '_':
        vt->state = VT_STRING;
        break;
    case '7':
        vt_save(vt);
        break;
    case '8':
        vt_restore(vt);
        break;
    case 'D':
        vt_index(vt);
        break;
    case 'E':
        vt->x = 0;
        vt_index(vt);
        break;
    case 'H':
        vt->tabs[vt->x / 8] |= (uint8_t)(1u << vt->x % 8);
        break;
    case 'M':
        vt_reverse_index(vt);
        break;
    case 'Z':
        vt->ops->reply(vt->ctx, (const uint8_t *)"\033[?6c", 5);
        break;
    case 'c':
        vt_reset(vt);
        break;
    case '=':
    case '>':
        vt->keypad_app = c == '=';
        vt->keys_changed = true;
        break;
    default:
        break;
    }
}

static void csi_byte(struct vt *vt, uint8_t c)
{
    uint16_t *p = &vt->param[vt->nparam - 1];

    if (c >= '0' && c <= '9') {
        uint32_t v = *p * 10u + (c - '0');
        *p = (uint16_t)(v < 32767 ? v : 32767);
    } else if (c == ';' || c == ':') {
        if (vt->nparam == VT_MAX_PARAMS) {
            vt->state = VT_CSI_IGNORE;
        } else {
            vt->nparam++;
        }
    } else if (c >= '<' && c <= '?') {
        vt->marker = c;
    } else if (c == '[' && vt->nparam == 1 && *p == 0 && vt->marker == 0) {
        vt->state = VT_CSI_KEY; /* the Linux console's own function keys, echoed: ESC [ [ A */
    } else if (c >= 0x20 && c < 0x30) {
        vt->mid = c;
    } else if (c >= 0x40 && c < 0x7f) {
        vt->state = VT_GROUND;
        vt_csi(vt, c);
    }
}

/* OSC, and the Linux console's two sequences that look like one but have no terminator. */
static void osc_byte(struct vt *vt, uint8_t c)
{
    if (c == 'R') {
        memcpy(vt->palette, vt_default_palette, sizeof(vt->palette));
        vt->palette_changed = true;
        vt->state = VT_GROUND;
    } else if (c == 'P') {
        vt->palette_at = 0;
        vt->state = VT_PALETTE;
    } else {
        vt->state = VT_STRING;
    }
}

static void palette_byte(struct vt *vt, uint8_t c)
{
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;

    if (digit < 0) {
        vt->state = VT_GROUND;
        return;
    }
    vt->palette_hex[vt->palette_at++] = (uint8_t)digit;
    if (vt->palette_at == 7) {
        uint32_t rgb = 0;
        for (int i = 1; i < 7; i++) {
            rgb = rgb << 4 | vt->palette_hex[i];
        }
        vt->palette[vt->palette_hex[0]] = rgb;
        vt->palette_changed = true;
        vt->state = VT_GROUND;
    }
}

/* Inside OSC, DCS, SOS, PM, APC: everything up to BEL or ESC \ is nothing to us. */
static void string_byte(struct vt *vt, uint8_t c)
{
    if (c == 7 || c == 24 || c == 26) {
        vt->state = VT_GROUND;
    } else if (c == 27) {
        vt->state = VT_STRING_ESC;
    }
}

static void step(struct vt *vt, uint8_t c)
{
    if (vt->state == VT_STRING || (vt->state == VT_OSC && c < 0x20)) {
        string_byte(vt, c);
        return;
    }
    if (vt->state == VT_STRING_ESC) {
        if (c == '\\') {
            vt->state = VT_GROUND;
        } else {
            escape(vt, c);
        }
        return;
    }
    if (c < 0x20) {
        control(vt, c);
        return;
    }
    switch (vt->state) {
    case VT_ESC:
        escape(vt, c);
        break;
    case VT_ESC_MID:
        if (c >= 0x30) {
            escape_mid(vt, c);
            vt->state = VT_GROUND;
        }
        break;
    case VT_CSI:
        csi_byte(vt, c);
        break;
    case VT_CSI_IGNORE:
        vt->state = c >= 0x40 && c < 0x7f ? VT_GROUND : VT_CSI_IGNORE;
        break;
    case VT_OSC:
        osc_byte(vt, c);
        break;
    case VT_PALETTE:
        palette_byte(vt, c);
        break;
    default: /* VT_CSI_KEY */
        vt->state = VT_GROUND;
        break;
    }
}

void vt_feed(struct vt *vt, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (vt->state == VT_GROUND) {
            ground(vt, bytes[i]);
        } else {
            step(vt, bytes[i]);
        }
    }
}
