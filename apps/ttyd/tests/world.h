// SPDX-License-Identifier: MIT
// The world around the terminals that the tests and the fuzzer share: pages are counted, a clock, a
// console whose line takes any settings.
#ifndef TTYD_TESTS_WORLD_H
#define TTYD_TESTS_WORLD_H

#include <stdlib.h>
#include "../tty.h"

static uint64_t clock_ns;
static int pages;
static bool leader_dead;
static struct tty *console;

static struct tty_page *page_new(void *h, struct tty *tty)
{
    (void)h, (void)tty;
    pages++;
    return calloc(1, sizeof(struct tty_page));
}
static void page_free(void *h, struct tty *tty)
{
    (void)h;
    pages--;
    free(tty->page);
}
static void dev_settings(void *d, const struct lx_termios2 *tio)
{
    (void)d, (void)tio;
}
static void dev_winsize(void *d, const struct lx_winsize *ws)
{
    (void)d, (void)ws;
}

#endif
