// SPDX-License-Identifier: MIT
/*
 * Line discipline, output side: post-processing (OPOST), echo, and the visual part of erasing.
 *
 * The column is what OPOST believes the cursor to be in. It counts characters, not bytes, when
 * IUTF8 is set, and takes every character for one column wide, as Linux does; programs that place
 * the cursor themselves do not depend on it. What moves the cursor to the left margin also moves
 * the place where the line being edited is taken to begin.
 */
#include "ldisc.h"

/* Expand one byte into at most LDISC_OUT_MAX bytes; returns how many. */
static size_t opost(struct ldisc *ld, uint8_t c, uint8_t out[LDISC_OUT_MAX])
{
    uint32_t spaces;

    switch (c) {
    case '\n':
        if (ldisc_o(ld, LX_ONLRET)) {
            ld->column = 0;
        }
        ld->canon_column = ldisc_o(ld, LX_ONLCR) ? 0 : ld->column;
        if (ldisc_o(ld, LX_ONLCR)) {
            ld->column = 0;
            out[0] = '\r';
            out[1] = '\n';
            return 2;
        }
        break;
    case '\r':
        if (ldisc_o(ld, LX_ONOCR) && ld->column == 0) {
            return 0;
        }
        if (ldisc_o(ld, LX_OCRNL)) {
            c = '\n';
            if (!ldisc_o(ld, LX_ONLRET)) {
                break;
            }
        }
        ld->column = ld->canon_column = 0;
        break;
    case '\t':
        spaces = 8 - (ld->column & 7);
        ld->column += spaces;
        if ((ld->tio.c_oflag & LX_TABDLY) == LX_XTABS) {
            for (uint32_t i = 0; i < spaces; i++) {
                out[i] = ' ';
            }
            return spaces;
        }
        break;
    case '\b':
        ld->column -= ld->column > 0;
        break;
    default:
        if (!ldisc_is_control(c)) {
            if (ldisc_o(ld, LX_OLCUC) && c >= 'a' && c <= 'z') {
                c = (uint8_t)(c - ('a' - 'A'));
            }
            ld->column += !ldisc_is_continuation(ld, c);
        }
        break;
    }
    out[0] = c;
    return 1;
}

size_t ldisc_write(struct ldisc *ld, const uint8_t *bytes, size_t n)
{
    uint8_t chunk[256];
    size_t used = 0, i = 0;
    size_t room = ld->ops->room(ld->ctx);

    if (!ldisc_o(ld, LX_OPOST)) {
        n = n < room ? n : room;
        if (n > 0) {
            ld->ops->out(ld->ctx, bytes, n);
        }
        return n;
    }
    for (; i < n && room >= LDISC_OUT_MAX; i++) {
        size_t k = opost(ld, bytes[i], chunk + used);

        used += k;
        room -= k;
        if (used > sizeof(chunk) - LDISC_OUT_MAX) {
            ld->ops->out(ld->ctx, chunk, used);
            used = 0;
        }
    }
    if (used > 0) {
        ld->ops->out(ld->ctx, chunk, used);
    }
    return i;
}

void ldisc_echo_raw(struct ldisc *ld, uint8_t c)
{
    uint8_t out[LDISC_OUT_MAX] = {c};
    size_t n = ldisc_o(ld, LX_OPOST) ? opost(ld, c, out) : 1;

    ld->ops->out(ld->ctx, out, n);
}

void ldisc_echo(struct ldisc *ld, uint8_t c)
{
    if (ldisc_l(ld, LX_ECHOCTL) && ldisc_is_control(c) && c != '\t') {
        ldisc_echo_raw(ld, '^');
        ldisc_echo_raw(ld, c ^ 0x40);
    } else {
        ldisc_echo_raw(ld, c);
    }
}

void ldisc_finish_erasing(struct ldisc *ld)
{
    if (ld->erasing) {
        ldisc_echo_raw(ld, '/');
        ld->erasing = false;
    }
}

static void rub_out(struct ldisc *ld)
{
    ldisc_echo_raw(ld, '\b');
    ldisc_echo_raw(ld, ' ');
    ldisc_echo_raw(ld, '\b');
}

/* Step back over the tab that stood at `head`: its width follows from what precedes it. */
static void rub_out_tab(struct ldisc *ld)
{
    uint32_t columns = 0;
    bool tab = false;

    for (uint32_t i = ld->head; i != ld->canon && !tab;) {
        uint8_t c = ldisc_at(ld, --i);

        tab = c == '\t';
        if (tab) {
            break;
        }
        if (ldisc_is_control(c)) {
            columns += ldisc_l(ld, LX_ECHOCTL) ? 2 : 0;
        } else {
            columns += !ldisc_is_continuation(ld, c);
        }
    }
    if (!tab) {
        columns += ld->canon_column;
    }
    for (uint32_t n = 8 - (columns & 7); n > 0; n--) {
        ldisc_echo_raw(ld, '\b');
    }
}

/* Show that the character of `len` bytes at `head` is gone. */
static void show_erased(struct ldisc *ld, uint32_t len, uint8_t key, unsigned which)
{
    uint8_t c = ldisc_at(ld, ld->head);

    if (ldisc_l(ld, LX_ECHOPRT)) {
        if (!ld->erasing) {
            ldisc_echo_raw(ld, '\\');
            ld->erasing = true;
        }
        ldisc_echo(ld, c);
        for (uint32_t i = 1; i < len; i++) {
            ldisc_echo_raw(ld, ldisc_at(ld, ld->head + i));
        }
    } else if (which == LX_VERASE && !ldisc_l(ld, LX_ECHOE)) {
        ldisc_echo(ld, key);
    } else if (c == '\t') {
        rub_out_tab(ld);
    } else if (!ldisc_is_control(c)) {
        rub_out(ld);
    } else if (ldisc_l(ld, LX_ECHOCTL)) {
        rub_out(ld);
        rub_out(ld);
    }
}

static bool is_word(uint8_t c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c >= 0x80;
}

/* ERASE, WERASE or KILL (`which`) typed as the byte `key`. */
void ldisc_erase(struct ldisc *ld, uint8_t key, unsigned which)
{
    const uint32_t visual = LX_ECHOK | LX_ECHOKE | LX_ECHOE;
    bool echo = ldisc_l(ld, LX_ECHO);
    bool in_word = false;

    if (ld->head == ld->canon) {
        return;
    }
    if (which == LX_VKILL && (!echo || (ld->tio.c_lflag & visual) != visual)) {
        ld->head = ld->canon;
        if (echo) {
            ldisc_finish_erasing(ld);
            ldisc_echo(ld, key);
            if (ldisc_l(ld, LX_ECHOK)) {
                ldisc_echo_raw(ld, '\n');
            }
        }
        return;
    }
    while (ld->head != ld->canon) {
        uint32_t at = ld->head - 1;

        while (at != ld->canon && ldisc_is_continuation(ld, ldisc_at(ld, at))) {
            at--;
        }
        if (which == LX_VWERASE) {
            bool word = is_word(ldisc_at(ld, at));
            if (in_word && !word) {
                break;
            }
            in_word |= word;
        }
        uint32_t len = ld->head - at;
        ld->head = at;
        if (echo) {
            show_erased(ld, len, key, which);
        }
        if (which == LX_VERASE) {
            break;
        }
    }
    if (ld->head == ld->canon && echo) {
        ldisc_finish_erasing(ld);
    }
}
