// SPDX-License-Identifier: MIT
// PS/2 keyboard: scan codes. Tables are indexed by set-1 make codes; see ps2.h.
#include <string.h>
#include "ps2.h"

enum {
    KEY_CTRL = 0x1d,
    KEY_LSHIFT = 0x2a,
    KEY_RSHIFT = 0x36,
    KEY_ALT = 0x38,
    KEY_CAPS = 0x3a,
    KEY_NUM = 0x45,
    KEY_SCROLL = 0x46,
};

static const char plain[0x3a] =
    "\0\033"
    "1234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[0x3a] =
    "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static size_t put_text(uint8_t *out, const char *text)
{
    size_t n = strlen(text);

    // NOLINTNEXTLINE(bugprone-not-null-terminated-result): bytes, no string
    memcpy(out, text, n);
    return n;
}

static size_t function_key(unsigned n, bool shift, uint8_t *out)
{
    static const char *const keys[24] = {
        "\033[[A",  "\033[[B",  "\033[[C",  "\033[[D",  "\033[[E",  "\033[17~",
        "\033[18~", "\033[19~", "\033[20~", "\033[21~", "\033[23~", "\033[24~",
        "\033[25~", "\033[26~", "\033[28~", "\033[29~", "\033[31~", "\033[32~",
        "\033[33~", "\033[34~", "\033[23~", "\033[24~", "\033[23~", "\033[24~",
    };
    return put_text(out, keys[n + (shift ? 12 : 0)]);
}

/* Editing and cursor keys, by their place on the keypad: 0x47 Home .. 0x53 Delete. */
static size_t editing_key(const struct ps2 *kb, uint8_t code, uint8_t *out)
{
    static const char *const keys[13] = {"\033[1~", "\033[A",  "\033[5~", "",        "\033[D",
                                         "\033[G",  "\033[C",  "",        "\033[4~", "\033[B",
                                         "\033[6~", "\033[2~", "\033[3~"};
    size_t n = put_text(out, keys[code - 0x47]);

    if (kb->cursor_app && n == 3 && out[2] <= 'D') {
        out[1] = 'O';
    }
    return n;
}

static uint8_t control_of(uint8_t c)
{
    static const char digits[] = {0, 27, 28, 29, 30, 31, 127}; /* 2 .. 8 */

    if (c >= '@' && c <= '~') {
        return c & 0x1f;
    }
    if (c >= '2' && c <= '8') {
        return (uint8_t)digits[c - '2'];
    }
    return c == ' ' ? 0 : c == '/' || c == '?' ? 31 : c == 127 ? 8 : c;
}

static size_t character(const struct ps2 *kb, uint8_t c, uint8_t *out)
{
    size_t n = 0;

    if (kb->alt != 0) {
        out[n++] = 27;
    }
    out[n++] = kb->ctrl != 0 ? control_of(c) : c;
    if (c == '\r' && kb->newline) {
        out[n++] = '\n';
    }
    return n;
}

static size_t typing_key(const struct ps2 *kb, uint8_t code, uint8_t *out)
{
    uint8_t c = (uint8_t)plain[code];
    bool letter = c >= 'a' && c <= 'z';
    bool upper = (kb->shift != 0) != (letter && (kb->locks & PS2_CAPS));

    if (c == 0) {
        return 0;
    }
    return character(kb, upper ? (uint8_t)shifted[code] : c, out);
}

static size_t keypad_key(const struct ps2 *kb, uint8_t code, uint8_t *out)
{
    static const char digits[] = "789-456+1230.";
    uint8_t c = (uint8_t)digits[code - 0x47];
    bool number = ((kb->locks & PS2_NUM) != 0) != (kb->shift != 0);

    if (c == '-' || c == '+' || number) {
        return character(kb, c, out);
    }
    return editing_key(kb, code, out);
}

/* Returns true if the key is a modifier or a lock. */
static bool modifier(struct ps2 *kb, uint8_t key, bool extended, bool down)
{
    uint8_t *held = NULL;
    uint8_t bit = extended ? 2 : 1, lock = 0;

    switch (key) {
    case KEY_LSHIFT:
    case KEY_RSHIFT:
        if (extended) {
            return true; /* a "fake shift" around editing keys */
        }
        held = &kb->shift;
        bit = key == KEY_LSHIFT ? 1 : 2;
        break;
    case KEY_CTRL:
        held = &kb->ctrl;
        break;
    case KEY_ALT:
        held = &kb->alt;
        break;
    case KEY_CAPS:
        lock = PS2_CAPS;
        break;
    case KEY_NUM:
        lock = PS2_NUM;
        break;
    case KEY_SCROLL:
        lock = extended ? 0 : PS2_SCROLL;
        break;
    default:
        return false;
    }
    if (held != NULL) {
        *held = (uint8_t)(down ? *held | bit : *held & ~bit);
    } else if (lock != 0) {
        if (down && !(kb->lock_down & lock)) {
            kb->locks ^= lock;
            kb->leds_changed = true;
        }
        kb->lock_down = (uint8_t)(down ? kb->lock_down | lock : kb->lock_down & ~lock);
    }
    return true;
}

static size_t pressed(const struct ps2 *kb, uint8_t key, bool extended, uint8_t *out)
{
    if (extended) {
        if (key == 0x1c || key == 0x35) { /* keypad Enter and / */
            return character(kb, key == 0x1c ? '\r' : '/', out);
        }
        return key >= 0x47 && key <= 0x53 ? editing_key(kb, key, out) : 0;
    }
    if (key < sizeof(plain)) {
        return typing_key(kb, key, out);
    }
    if (key >= 0x3b && key <= 0x44) {
        return function_key(key - 0x3bu, kb->shift != 0, out);
    }
    if (key >= 0x47 && key <= 0x53) {
        return keypad_key(kb, key, out);
    }
    if (key == 0x56) { /* the extra key of 102-key boards */
        return character(kb, kb->shift ? '>' : '<', out);
    }
    return key == 0x57 || key == 0x58 ? function_key(key - 0x57u + 10, kb->shift != 0, out) : 0;
}

size_t ps2_scan(struct ps2 *kb, uint8_t code, uint8_t out[PS2_KEY_MAX])
{
    bool extended = kb->prefix == 0xe0;
    uint8_t key = code & 0x7f;

    if (kb->skip > 0) {
        kb->skip--;
        return 0;
    }
    if (code == 0xe1) { /* Pause: e1 1d 45 e1 9d c5, and nothing on release */
        kb->skip = 5;
        kb->prefix = 0;
        return 0;
    }
    if (code == 0xe0) {
        kb->prefix = code;
        return 0;
    }
    kb->prefix = 0;
    if (code == 0xfa || code == 0xfe || code == 0xff || code == 0xaa || code == 0xee) {
        if (code != 0xaa) {
            return 0; /* answers to commands */
        }
    }
    if (modifier(kb, key, extended, code < 0x80) || code >= 0x80) {
        return 0;
    }
    return pressed(kb, key, extended, out);
}
