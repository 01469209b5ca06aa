// SPDX-License-Identifier: MIT
/*
 * Terminal emulator: control sequences (CSI ... final).
 *
 * Parameters are at most 32767 each and at most VT_MAX_PARAMS; a missing one is 0, which most
 * sequences read as 1 (`count`). Unknown sequences are ignored, as terminals do.
 */
#include "vt.h"

static uint32_t arg(const struct vt *vt, uint32_t i)
{
    return i < vt->nparam ? vt->param[i] : 0;
}

static uint32_t count(const struct vt *vt, uint32_t i)
{
    uint32_t v = arg(vt, i);
    return v == 0 ? 1 : v;
}

static void reply_text(struct vt *vt, const char *text)
{
    size_t n = 0;

    while (text[n] != 0) {
        n++;
    }
    vt->ops->reply(vt->ctx, (const uint8_t *)text, n);
}

static char *put_number(char *p, uint32_t v)
{
    char digits[10];
    int n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    while (n > 0) {
        *p++ = digits[--n];
    }
    return p;
}

static void reply_pair(struct vt *vt, const char *head, uint32_t a, uint32_t b, char final)
{
    char text[40], *p = text;

    while (*head != 0) {
        *p++ = *head++;
    }
    p = put_number(p, a);
    *p++ = ';';
    p = put_number(p, b);
    *p++ = final;
    *p = 0;
    reply_text(vt, text);
}

static uint8_t color_256(uint32_t n)
{
    if (n < 16) {
        return (uint8_t)n;
    }
    if (n >= 232) {
        uint32_t gray = 8 + (n - 232) * 10;
        return vt_nearest_color(gray << 16 | gray << 8 | gray);
    }
    static const uint8_t level[6] = {0, 95, 135, 175, 215, 255};
    n -= 16;
    return vt_nearest_color((uint32_t)level[n / 36] << 16 | (uint32_t)level[n / 6 % 6] << 8 |
                            level[n % 6]);
}

/* 38 and 48: returns how many parameters were used up beyond the first. */
static uint32_t extended_color(const struct vt *vt, uint32_t i, uint8_t *color)
{
    if (arg(vt, i + 1) == 5) {
        *color = color_256(arg(vt, i + 2) & 0xff);
        return 2;
    }
    if (arg(vt, i + 1) == 2) {
        uint32_t rgb =
            (arg(vt, i + 2) & 0xff) << 16 | (arg(vt, i + 3) & 0xff) << 8 | (arg(vt, i + 4) & 0xff);
        *color = vt_nearest_color(rgb);
        return 4;
    }
    return 1;
}

static void set_fg(struct vt *vt, uint8_t c)
{
    vt->pen.color = (uint8_t)((vt->pen.color & 0xf0) | c);
}

static void set_bg(struct vt *vt, uint8_t c)
{
    vt->pen.color = (uint8_t)((vt->pen.color & 0x0f) | c << 4);
}

static void sgr_attr(struct vt *vt, uint32_t p)
{
    static const struct {
        uint8_t code, set, clear;
    } table[] = {
        {1, VT_BOLD, 0},           {2, VT_DIM, 0},
        {3, VT_ITALIC, 0},         {4, VT_UNDERLINE, 0},
        {5, VT_BLINK, 0},          {6, VT_BLINK, 0},
        {7, VT_REVERSE, 0},        {8, VT_INVISIBLE, 0},
        {21, VT_UNDERLINE, 0},     {23, 0, VT_ITALIC},
        {22, 0, VT_BOLD | VT_DIM}, {24, 0, VT_UNDERLINE},
        {25, 0, VT_BLINK},         {27, 0, VT_REVERSE},
        {28, 0, VT_INVISIBLE},
    };

    for (uint32_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].code == p) {
            vt->pen.attr = (uint8_t)((vt->pen.attr | table[i].set) & ~table[i].clear);
        }
    }
    if (p >= 10 && p <= 12) {
        vt->pen.shift = p != 10; /* the console's alternate fonts: line drawing */
    }
}

static void sgr(struct vt *vt)
{
    for (uint32_t i = 0; i < vt->nparam; i++) {
        uint32_t p = vt->param[i];
        uint8_t color = 7;

        if (p == 0) {
            vt->pen.color = 7;
            vt->pen.attr = 0;
        } else if (p >= 30 && p <= 37) {
            set_fg(vt, (uint8_t)(p - 30));
        } else if (p >= 40 && p <= 47) {
            set_bg(vt, (uint8_t)(p - 40));
        } else if (p >= 90 && p <= 97) {
            set_fg(vt, (uint8_t)(p - 90 + 8));
        } else if (p >= 100 && p <= 107) {
            set_bg(vt, (uint8_t)(p - 100 + 8));
        } else if (p == 38) {
            i += extended_color(vt, i, &color);
            set_fg(vt, color);
        } else if (p == 48) {
            color = 0;
            i += extended_color(vt, i, &color);
            set_bg(vt, color);
        } else if (p == 39) {
            set_fg(vt, 7);
        } else if (p == 49) {
            set_bg(vt, 0);
        } else {
            sgr_attr(vt, p);
        }
    }
}

static void dec_mode(struct vt *vt, uint32_t mode, bool on)
{
    switch (mode) {
    case 1:
        vt->cursor_keys_app = on;
        vt->keys_changed = true;
        break;
    case 5:
        vt->reverse_screen = on;
        vt_touch_all(vt);
        break;
    case 6:
        vt->origin = on;
        vt_goto_origin(vt, 0, 0);
        break;
    case 7:
        vt->autowrap = on;
        vt->wrap_pending = false;
        break;
    case 25:
        vt->cursor_visible = on;
        vt->dirty[vt->y] = 1;
        break;
    case 47:
        vt_switch(vt, on, false);
        break;
    case 1047:
        vt_switch(vt, on, on);
        break;
    case 1048:
        (on ? vt_save : vt_restore)(vt);
        break;
    case 1049:
        if (on && !vt->alt) {
            vt_save(vt);
            vt_switch(vt, true, true);
        } else if (!on && vt->alt) {
            vt_switch(vt, false, false);
            vt_restore(vt);
        }
        break;
    case 2004:
        vt->bracketed_paste = on;
        break;
    default: /* mouse reports and others: no such device here */
        break;
    }
}

static void set_mode(struct vt *vt, bool on)
{
    for (uint32_t i = 0; i < vt->nparam; i++) {
        uint32_t mode = vt->param[i];

        if (vt->marker == '?') {
            dec_mode(vt, mode, on);
        } else if (mode == 4) {
            vt->insert = on;
        } else if (mode == 20) {
            vt->newline = on;
        }
    }
}

static void erase_rows(struct vt *vt, uint32_t from, uint32_t to)
{
    for (uint32_t y = from; y < to; y++) {
        vt_erase(vt, y, 0, vt->cols);
    }
}

static void erase_display(struct vt *vt)
{
    uint32_t what = arg(vt, 0);

    if (what == 0) {
        vt_erase(vt, vt->y, vt->x, vt->cols);
        erase_rows(vt, vt->y + 1u, vt->rows);
    } else if (what == 1) {
        erase_rows(vt, 0, vt->y);
        vt_erase(vt, vt->y, 0, vt->x + 1u);
    } else if (what <= 3) {
        erase_rows(vt, 0, vt->rows);
    }
    vt->wrap_pending = false;
}

static void erase_line(struct vt *vt)
{
    uint32_t what = arg(vt, 0);

    if (what <= 2) {
        vt_erase(vt, vt->y, what == 0 ? vt->x : 0, what == 1 ? vt->x + 1u : vt->cols);
        vt->wrap_pending = false;
    }
}

static void insert_lines(struct vt *vt, bool insert)
{
    if (vt->y < vt->top || vt->y > vt->bottom) {
        return;
    }
    if (insert) {
        vt_scroll_down(vt, vt->y, vt->bottom, count(vt, 0));
    } else {
        vt_scroll_up(vt, vt->y, vt->bottom, count(vt, 0));
    }
    vt->wrap_pending = false;
}

static void move_vertical(struct vt *vt, bool up)
{
    uint32_t n = count(vt, 0);

    /* The margins stop the cursor if it starts inside them. */
    if (up) {
        uint32_t limit = vt->y >= vt->top ? vt->top : 0;
        vt_goto(vt, vt->x, vt->y - limit > n ? vt->y - n : limit);
    } else {
        uint32_t limit = vt->y <= vt->bottom ? vt->bottom : vt->rows - 1u;
        vt_goto(vt, vt->x, limit - vt->y > n ? vt->y + n : limit);
    }
}

static void set_margins(struct vt *vt)
{
    uint32_t top = count(vt, 0), bottom = arg(vt, 1);

    if (bottom == 0 || bottom > vt->rows) {
        bottom = vt->rows;
    }
    if (top >= bottom) {
        return;
    }
    vt->top = (uint16_t)(top - 1);
    vt->bottom = (uint16_t)(bottom - 1);
    vt_goto_origin(vt, 0, 0);
}

static void report_status(struct vt *vt)
{
    if (arg(vt, 0) == 5) {
        reply_text(vt, "\033[0n");
    } else if (arg(vt, 0) == 6) {
        uint32_t y = vt->origin && vt->y >= vt->top ? vt->y - (uint32_t)vt->top : vt->y;
        reply_pair(vt, "\033[", y + 1u, vt->x + 1u, 'R');
    }
}

static void clear_tabs(struct vt *vt)
{
    if (arg(vt, 0) == 0) {
        vt->tabs[vt->x / 8] &= (uint8_t) ~(1u << vt->x % 8);
    } else if (arg(vt, 0) == 3) {
        for (uint32_t i = 0; i < sizeof(vt->tabs); i++) {
            vt->tabs[i] = 0;
        }
    }
}

/* Repeat the last character, a row at most: three bytes of input must not buy unbounded work. */
static void repeat(struct vt *vt)
{
    uint32_t n = count(vt, 0);
    uint32_t c = vt->last_char;

    for (n = n < vt->cols ? n : vt->cols; n > 0 && c != 0; n--) {
        vt_put(vt, c);
    }
}

static void soft_reset(struct vt *vt)
{
    vt->origin = vt->insert = vt->wrap_pending = false;
    vt->cursor_keys_app = vt->keypad_app = false;
    vt->autowrap = vt->cursor_visible = vt->keys_changed = true;
    vt->top = 0;
    vt->bottom = (uint16_t)(vt->rows - 1);
    vt->pen = (struct vt_pen){.color = 7, .charset = {0, 1}};
}

static void csi_move(struct vt *vt, uint8_t final)
{
    uint32_t n = count(vt, 0);

    switch (final) {
    case 'A':
        move_vertical(vt, true);
        break;
    case 'B':
    case 'e':
        move_vertical(vt, false);
        break;
    case 'C':
    case 'a':
        vt_goto(vt, vt->x + n, vt->y);
        break;
    case 'D':
        vt_goto(vt, vt->x > n ? vt->x - n : 0, vt->y);
        break;
    case 'E':
        move_vertical(vt, false);
        vt->x = 0;
        break;
    case 'F':
        move_vertical(vt, true);
        vt->x = 0;
        break;
    case 'G':
    case '`':
        vt_goto(vt, n - 1, vt->y);
        break;
    case 'd':
        vt_goto_origin(vt, vt->x, n - 1);
        break;
    case 'I':
        vt_tab(vt, (int)n);
        break;
    case 'Z':
        vt_tab(vt, -(int)n);
        break;
    default: /* H, f */
        vt_goto_origin(vt, count(vt, 1) - 1, n - 1);
        break;
    }
}

static void csi_edit(struct vt *vt, uint8_t final)
{
    uint32_t n = count(vt, 0);

    switch (final) {
    case '@':
        vt_insert_cells(vt, n);
        break;
    case 'P':
        vt_delete_cells(vt, n);
        break;
    case 'X':
        vt_erase(vt, vt->y, vt->x, vt->x + n);
        vt->wrap_pending = false;
        break;
    case 'J':
        erase_display(vt);
        break;
    case 'K':
        erase_line(vt);
        break;
    case 'L':
    case 'M':
        insert_lines(vt, final == 'L');
        break;
    case 'S':
        vt_scroll_up(vt, vt->top, vt->bottom, n);
        break;
    case 'T':
        vt_scroll_down(vt, vt->top, vt->bottom, n);
        break;
    default: /* b */
        repeat(vt);
        break;
    }
}

static void csi_marked(struct vt *vt, uint8_t final)
{
    if (vt->marker == '?' && (final == 'h' || final == 'l')) {
        set_mode(vt, final == 'h');
    } else if (vt->marker == '?' && (final == 'J' || final == 'K')) {
        csi_edit(vt, final); /* selective erase: nothing is protected here */
    } else if (vt->marker == '>' && final == 'c') {
        reply_text(vt, "\033[>0;10;0c");
    }
}

void vt_csi(struct vt *vt, uint8_t final)
{
    if (vt->mid != 0) {
        if (vt->mid == '!' && final == 'p') {
            soft_reset(vt);
        }
        return;
    }
    if (vt->marker != 0) {
        csi_marked(vt, final);
        return;
    }
    switch (final) {
    case 'm':
        sgr(vt);
        break;
    case 'h':
    case 'l':
        set_mode(vt, final == 'h');
        break;
    case 'r':
        set_margins(vt);
        break;
    case 's':
        vt_save(vt);
        break;
    case 'u':
        vt_restore(vt);
        break;
    case 'c':
        reply_text(vt, "\033[?6c");
        break;
    case 'n':
        report_status(vt);
        break;
    case 'g':
        clear_tabs(vt);
        break;
    case 't':
        if (arg(vt, 0) == 18) {
            reply_pair(vt, "\033[8;", vt->rows, vt->cols, 't');
        }
        break;
    case 'A':
    case 'B':
    case 'C':
    case 'D':
    case 'E':
    case 'F':
    case 'G':
    case 'H':
    case 'I':
    case 'Z':
    case '`':
    case 'a':
    case 'd':
    case 'e':
    case 'f':
        csi_move(vt, final);
        break;
    case '@':
    case 'P':
    case 'X':
    case 'J':
    case 'K':
    case 'L':
    case 'M':
    case 'S':
    case 'T':
    case 'b':
        csi_edit(vt, final);
        break;
    default:
        break;
    }
}
