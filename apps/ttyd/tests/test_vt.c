// SPDX-License-Identifier: MIT
// The terminal emulator by example: answers, modes, colours, character sets, malformed input.
// Whole sessions are compared with another emulator's screens by vtdump.
#include <stdlib.h>
#include "../vt.h"
#include "check.h"

enum { COLS = 20, ROWS = 6 };
static struct vt vt;
static void *memory;
static char replies[1000];
static size_t nreplies;
static int bells;

static void on_reply(void *ctx, const uint8_t *p, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n && nreplies < sizeof(replies); i++) {
        replies[nreplies++] = (char)p[i];
    }
}
static void on_bell(void *ctx)
{
    (void)ctx;
    bells++;
}
static const struct vt_ops ops = {on_reply, on_bell};

static void fresh(void)
{
    free(memory);
    memory = malloc(vt_memory(COLS, ROWS));
    vt_init(&vt, COLS, ROWS, memory, &ops, NULL);
    nreplies = 0;
    bells = 0;
}
static void feed(const char *s)
{
    vt_feed(&vt, (const uint8_t *)s, strlen(s));
}
#define ROW(y, want)                                                                               \
    do {                                                                                           \
        char text_[COLS];                                                                          \
        for (int x_ = 0; x_ < COLS; x_++) {                                                        \
            uint16_t c_ = vt_row(&vt, y)[x_].ch;                                                   \
            text_[x_] = c_ < 0x80 ? (char)c_ : '?';                                                \
        }                                                                                          \
        CHECK_STR(text_, strlen(want), want);                                                      \
    } while (0)
#define CURSOR(cx, cy)                                                                             \
    do {                                                                                           \
        CHECK_EQ(vt.x, cx);                                                                        \
        CHECK_EQ(vt.y, cy);                                                                        \
    } while (0)
static struct vt_cell at(int x, int y)
{
    return vt_row(&vt, (uint32_t)y)[x];
}

static void test_sizes(void)
{
    CHECK_EQ(vt_memory(1, 10), 0);
    CHECK_EQ(vt_memory(VT_MAX_COLS + 1, 10), 0);
    CHECK_EQ(vt_memory(80, VT_MAX_ROWS + 1), 0);
    CHECK(vt_memory(80, 25) >= 2 * 80 * 25 * sizeof(struct vt_cell));
}

static void test_wrap(void)
{
    fresh();
    feed("12345678901234567890");
    CURSOR(19, 0); /* the wrap waits for the next character */
    feed("x");
    ROW(1, "x ");
    CURSOR(1, 1);
    feed("\033[?7l\033[1;19Habcd");
    ROW(0, "123456789012345678ad");
    CURSOR(19, 0);
}

static void test_replies(void)
{
    fresh();
    feed("\033[5n\033[3;4H\033[6n\033[c\033[>c\033Z\033[18t");
    CHECK_STR(replies, nreplies, "\033[0n\033[3;4R\033[?6c\033[>0;10;0c\033[?6c\033[8;6;20t");
    feed("\007");
    CHECK_EQ(bells, 1);
}

static void test_colors(void)
{
    fresh();
    feed("\033[31;44;1mA\033[0mB\033[7;4;97;100mC\033[m\033[38;5;196mD\033[48;2;0;0;255mE");
    CHECK_EQ(at(0, 0).color, 0x41);
    CHECK_EQ(at(0, 0).attr, VT_BOLD);
    CHECK_EQ(at(1, 0).color, 7);
    CHECK_EQ(at(2, 0).color, 0x8f);
    CHECK_EQ(at(2, 0).attr, VT_REVERSE | VT_UNDERLINE);
    CHECK_EQ(at(3, 0).color & 15, vt_nearest_color(0xff0000));
    CHECK_EQ(at(4, 0).color >> 4, vt_nearest_color(0x0000ff));
    CHECK_EQ(vt_nearest_color(0x0000b0), 4);
    CHECK_EQ(vt_nearest_color(0xfefefe), 15);
    feed("\033[44m\033[2K"); /* erased cells take the background */
    CHECK_EQ(at(10, 0).color >> 4, 4);
    feed("\033[38;5m\033[38;2;1mx\033[48mx"); /* cut short */
}

static void test_charsets(void)
{
    fresh();
    feed("\033(0qx\033(Bq\016q\017q\033)B\016q\017");
    CHECK_EQ(at(0, 0).ch, 0x2500);
    CHECK_EQ(at(1, 0).ch, 0x2502);
    CHECK_EQ(at(2, 0).ch, 'q');
    CHECK_EQ(at(3, 0).ch, 0x2500); /* G1 is line drawing from the start, as on the console */
    CHECK_EQ(at(4, 0).ch, 'q');
    CHECK_EQ(at(5, 0).ch, 'q');
}

static void test_utf8(void)
{
    fresh();
    feed("\303\244\342\202\254");
    CHECK_EQ(at(0, 0).ch, 0xe4);
    CHECK_EQ(at(1, 0).ch, 0x20ac);
    feed("\r\360\237\230\200x"); /* outside the BMP: wide, replaced */
    CHECK_EQ(at(0, 0).ch, VT_REPLACEMENT);
    CHECK_EQ(at(2, 0).ch, 'x');
    feed("\r\303(\300\257\355\240\200\377z"); /* cut, overlong, surrogate, never valid */
    CHECK_EQ(at(0, 0).ch, VT_REPLACEMENT);
    CHECK_EQ(at(1, 0).ch, '(');
    feed("\033[2J\033[H\340\200\257b\302\205c"); /* overlong slash; a C1 control */
    CHECK_EQ(at(0, 0).ch, VT_REPLACEMENT);
    CHECK_EQ(at(1, 0).ch, 'b');
    CHECK_EQ(at(2, 0).ch, 'c');
    feed("\033[2J\033[H\342\202\033[2Cy"); /* an escape inside a character is not swallowed */
    CHECK_EQ(at(0, 0).ch, VT_REPLACEMENT);
    CHECK_EQ(at(3, 0).ch, 'y');
    feed("\033[2J\033[He\314\201f"); /* combining */
    CHECK_EQ(at(1, 0).ch, 'f');
    feed("\r\346\274\242Z\033[1;2Hq"); /* half of a wide character overwritten */
    CHECK_EQ(at(0, 0).ch, ' ');
    CHECK_EQ(at(1, 0).ch, 'q');
}

static void test_regions(void)
{
    fresh();
    feed("a\r\nb\r\nc\r\nd\r\ne\r\nf\033[2;4r");
    CURSOR(0, 0);
    feed("\033[4;1H\nX");
    ROW(0, "a");
    ROW(1, "c");
    ROW(2, "d");
    ROW(3, "X");
    ROW(4, "e");
    feed("\033[2;1H\033MY");
    ROW(1, "Y");
    ROW(2, "c");
    feed("\033[?6h\033[1;1HO");
    ROW(1, "O");
    feed("\033[9;1HP"); /* kept inside */
    ROW(3, "P");
    feed("\033[?6l\033[r\033[99T\033[99S\033[99L\033[99M\033[99@\033[99P\033[99X");
    feed("\033[32767;32767H");
    CURSOR(19, 5);
    feed("\033[5;2r\033[0;0r\033[3;3r"); /* impossible regions change nothing */
    CHECK_EQ(vt.top, 0);
    CHECK_EQ(vt.bottom, ROWS - 1);
}

static void test_alternate(void)
{
    fresh();
    feed("shell\033[2;3H\033[?1049hvi");
    ROW(0, "     ");
    feed("\033[?1049l");
    ROW(0, "shell");
    CURSOR(2, 1);
}

static void test_tabs(void)
{
    fresh();
    feed("\tx");
    CURSOR(9, 0);
    feed("\r\033[3g\033[5G\033H\r\ty");
    CHECK_EQ(at(4, 0).ch, 'y');
    feed("\t\t\t");
    CURSOR(19, 0);
    feed("\033[Z");
    CURSOR(4, 0);
}

static void test_strings(void)
{
    fresh();
    feed("\033]0;title\007A\033Pq#0;\033\\B\033_x\033\\C\033]P4aabbccD\033]RE\033[[FG");
    ROW(0, "ABCDEG");
    feed("\033]P4aabbcc");
    CHECK_EQ(vt.palette[4], 0xaabbcc);
    feed("\033c");
    CHECK_EQ(vt.palette[4], vt_default_palette[4]);
    feed("\033[1;2\030X\033[3\032Y"); /* CAN and SUB abandon */
    ROW(0, "XY");
    feed("\r\033[1\r2CZ"); /* a control inside a sequence acts at once; CUF 12 */
    CHECK_EQ(at(12, 0).ch, 'Z');
    feed("\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18mW"); /* too many parameters */
    CHECK_EQ(at(13, 0).ch, 'W');
}

static void test_modes(void)
{
    fresh();
    feed("\033[?1h\033=\033[?25l");
    CHECK(vt.cursor_keys_app && vt.keypad_app && !vt.cursor_visible);
    feed("\033[!p");
    CHECK(!vt.cursor_keys_app && vt.cursor_visible);
    feed("abc\r\033[4hX\033[4lY");
    ROW(0, "XYbc");
    feed("\033[20h\nN");
    CURSOR(1, 1);
    feed("\033#8");
    ROW(3, "EEEEEEEEEEEEEEEEEEEE");
    feed("\033[H\033[2Jr\033[4b");
    ROW(0, "rrrrr ");
    feed("\033[2J\033[Hr\033[1000b"); /* a row at most */
    CURSOR(1, 1);
    feed("\033[2J\033[Hr\033[4b");
    feed("\0337\033[5;5H\0338Q");
    CHECK_EQ(at(5, 0).ch, 'Q');
}

/* Any bytes: the cursor and the region stay where they belong; ASan watches the grid. */
static void test_hostile(void)
{
    static const char bits[] =
        "\033\033\033[[[?;;0123456789ABCDHJKLMPSTXZ@hlmrncsubdgt#(%]P\n\r\t\b";

    srandom(11);
    fresh();
    for (int i = 0; i < 300000; i++) {
        uint8_t b[8];
        for (int k = 0; k < 8; k++) {
            b[k] = random() % 5 ? (uint8_t)bits[random() % (long)(sizeof(bits) - 1)]
                                : (uint8_t)random();
        }
        vt_feed(&vt, b, 8);
        nreplies = 0;
        if (vt.x >= COLS || vt.y >= ROWS || vt.top >= vt.bottom || vt.bottom >= ROWS) {
            CHECK(!"bounds");
            return;
        }
    }
}

int main(void)
{
    test_sizes();
    test_wrap();
    test_replies();
    test_colors();
    test_charsets();
    test_utf8();
    test_regions();
    test_alternate();
    test_tabs();
    test_strings();
    test_modes();
    test_hostile();
    free(memory);
    return check_done();
}
