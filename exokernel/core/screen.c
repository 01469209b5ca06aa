// SPDX-License-Identifier: MIT
//
// The log on the screen: what a machine says that does not get as far as a terminal server, or
// whose terminal server is gone. We draw while nobody but the first environment holds the screen's
// frames, as their count of capabilities tells, and in a panic; when the screen comes back to us,
// and for a panic, it is cleared. A screen that is full stays as it is: what was said first counts.
//
// A cell is a letter and its colour, or 8 x 16 pixels of the font that the build makes
// (tools/font-gen), white on black in whatever order the colours come. What the boot loader says of
// the screen is checked in screen_open; the early tables map no more than 4 GiB.
// Locking: klock, or a panic.

#include <core/boot.h>
#include <core/log.h>

extern const uint8_t screen_font[][16]; // ' ' to '~'

static const struct exo_boot_screen *const screen = &boot_info.screen;
struct kobj *screen_frames; // once they are somebody's
static uint32_t columns, rows, column, row, cell_bytes, cell_lines;

static void cell_put(uint32_t x, uint32_t y, char c)
{
    volatile uint8_t *at = phys_to_virt(screen->address + (uint64_t)y * cell_lines * screen->pitch +
                                        (uint64_t)x * cell_bytes);

    if (screen->kind == 1)
        at[0] = (uint8_t)c, at[1] = 7;
    for (uint32_t i = 0; screen->kind != 1 && i < cell_lines; i++, at += screen->pitch)
        for (uint32_t k = 0; k < cell_bytes; k++)
            at[k] = screen_font[c - ' '][i] << k * 8 / cell_bytes & 0x80 ? 0xff : 0;
}

void screen_open(void)
{
    bool text = screen->kind == 1;

    cell_bytes = text ? 2 : (screen->bpp + 1u) / 8 * 8;
    cell_lines = text ? 1 : 16;
    columns = screen->width / (text ? 1 : 8);
    rows = screen->height / cell_lines;
    column = row = 0;
    if (!screen->kind || !cell_bytes || (uint64_t)columns * cell_bytes > screen->pitch ||
        screen->address + (uint64_t)screen->pitch * screen->height > 1ull << 32)
        rows = 0;
    for (uint32_t i = 0; i < columns * rows; i++)
        cell_put(i % columns, i / columns, ' ');
}

void screen_put(char c)
{
    static bool were_theirs;
    bool theirs = screen_frames && screen_frames->cap.caps > 1 && !panicking;

    if (were_theirs && !theirs)
        screen_open();
    were_theirs = theirs;
    if (theirs)
        return;
    if (c >= ' ' && c <= '~' && row < rows)
        cell_put(column++, row, c);
    if (c == '\n' || column == columns)
        column = 0, row++;
}
