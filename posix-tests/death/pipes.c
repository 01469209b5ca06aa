// SPDX-License-Identifier: MIT
// Pipes: what is written is whole or not there, a lock held by the dead is taken over, the other
// side sees the end.
#include "death.h"
#include <poll.h>

#define RECORD 64
#define PLAYED 3

static int p[2];

static void record(char *at, unsigned n)
{
    memset(at, 'a' + (int)n, RECORD);
}

// The number of the record, or -1 when it is not one.
static int number_of(const char *at)
{
    char whole[RECORD];
    unsigned n = (unsigned)(at[0] - 'a');

    record(whole, n);
    return n < 26 && !memcmp(whole, at, RECORD) ? (int)n : -1;
}

static void put(unsigned n)
{
    char r[RECORD];

    record(r, n);
    IS(write(p[1], r, RECORD), RECORD);
}

// Reads records first, first + 1, ... until there is another, which is returned; -1 at the end.
static int get(unsigned *count, unsigned first)
{
    char r[RECORD];

    for (*count = 0;; ++*count) {
        ssize_t n = read(p[0], r, RECORD);
        if (n == 0)
            return -1;
        IS(n, RECORD);
        if (n != RECORD)
            return -1;
        int got = number_of(r);
        HOLDS(got >= 0);
        if (got < 0 || (unsigned)got != first + *count)
            return got;
    }
}

static void set(void)
{
    IS(pipe(p), 0);
}

static void enter_writer(void)
{
    close(p[0]);
}

static void play_write(void)
{
    char r[RECORD];

    for (unsigned i = 0; i < PLAYED; i++) {
        record(r, i);
        MUST(write(p[1], r, RECORD) == RECORD);
        stage->count++;
    }
}

#define OURS 20 // the survivor's own record

static void after_write(bool whole)
{
    unsigned theirs, more;

    put(OURS); // the lock of the dead is no obstacle
    close(p[1]);
    IS(get(&theirs, 0), OURS);
    HOLDS(theirs >= stage->count && theirs <= stage->count + 1);
    if (whole)
        IS(theirs, PLAYED);
    IS(get(&more, 0), -1);
    IS(more, 0);
    close(p[0]);
}

// --- a full pipe

static unsigned woken;

static void set_full(void)
{
    char block[4096];

    set();
    memset(block, 'z', sizeof(block));
    for (unsigned i = 0; i < 65536 / sizeof(block); i++)
        IS(write(p[1], block, sizeof(block)), sizeof(block));
    woken = 0;
}

static void take_block(unsigned blocks)
{
    char block[4096];

    while (blocks--)
        IS(read(p[0], block, sizeof(block)), sizeof(block));
}

static bool wake_writer(void)
{
    if (woken)
        return false;
    woken = 16;
    take_block(16);
    return true;
}

static void after_full(bool whole)
{
    take_block(16 - woken);
    after_write(whole);
}

// --- reading

static void set_filled(void)
{
    set();
    for (unsigned i = 0; i <= PLAYED; i++)
        put(i);
}

static void enter_reader(void)
{
    close(p[1]);
}

static void play_read(void)
{
    char r[RECORD];

    for (unsigned i = 0; i < PLAYED; i++) {
        MUST(read(p[0], r, RECORD) == RECORD);
        MUST(number_of(r) == (int)i);
        stage->count++;
    }
}

// What the dead did not take is there for others, and then nobody reads any more.
static void after_read(bool whole)
{
    char r[RECORD];

    IS(read(p[0], r, RECORD), RECORD);
    int first = number_of(r);
    HOLDS(first >= (int)stage->count && first <= (int)stage->count + 1);
    if (whole)
        IS(first, PLAYED);
    for (int i = first + 1; i <= PLAYED; i++) {
        IS(read(p[0], r, RECORD), RECORD);
        IS(number_of(r), i);
    }
    close(p[0]);
    IS(write(p[1], r, RECORD), -1);
    IS(errno, EPIPE);
    close(p[1]);
}

static void set_empty(void)
{
    set();
    woken = 0;
}

static bool wake_reader(void)
{
    if (woken)
        return false;
    for (; woken <= PLAYED; woken++)
        put(woken);
    return true;
}

static void after_empty(bool whole)
{
    wake_reader();
    after_read(whole);
}

static void play_poll(void)
{
    struct pollfd f = {p[0], POLLIN, 0};

    MUST(poll(&f, 1, 1000000) == 1);
    stage->count++;
}

static void after_poll(bool whole)
{
    (void)whole;
    stage->count = 0;
    after_empty(false);
}

// While the writer is stopped another writes; the stop is never with the lock held.
static void meanwhile_write(void)
{
    put(OURS);
}

static void after_write_stopped(bool whole)
{
    char r[RECORD];

    (void)whole;
    close(p[1]);
    unsigned theirs = 0, ours = 0;
    while (read(p[0], r, RECORD) == RECORD) {
        int n = number_of(r);
        HOLDS(n == OURS || n == (int)theirs);
        *(n == OURS ? &ours : &theirs) += 1;
    }
    HOLDS(theirs <= PLAYED && ours <= 1);
    close(p[0]);
}

// --- making and closing

static void play_make(void)
{
    int mine[2];

    MUST(pipe(mine) == 0);
    stage->count++;
    MUST(close(mine[0]) == 0);
    MUST(close(p[1]) == 0);
    MUST(close(mine[1]) == 0);
    MUST(dup2(p[0], 40) == 40);
    MUST(close(40) == 0);
}

static void after_make(bool whole)
{
    char c;

    (void)whole;
    close(p[1]);
    IS(read(p[0], &c, 1), 0);
    close(p[0]);
}

const struct scene pipe_scenes[] = {
    {.name = "pipe-write",
     .set = set,
     .enter = enter_writer,
     .play = play_write,
     .after = after_write},
    {.name = "pipe-share",
     .set = set,
     .enter = enter_writer,
     .play = play_write,
     .meanwhile = meanwhile_write,
     .after = after_write_stopped},
    {.name = "crowd-pipe",
     .set = set,
     .enter = enter_writer,
     .play = play_write,
     .meanwhile = meanwhile_write,
     .after = after_write_stopped,
     .crowd = 22},
    {.name = "pipe-full",
     .set = set_full,
     .enter = enter_writer,
     .play = play_write,
     .wake = wake_writer,
     .after = after_full},
    {.name = "pipe-read",
     .set = set_filled,
     .enter = enter_reader,
     .play = play_read,
     .after = after_read},
    {.name = "pipe-empty",
     .set = set_empty,
     .enter = enter_reader,
     .play = play_read,
     .wake = wake_reader,
     .after = after_empty},
    {.name = "pipe-poll",
     .set = set_empty,
     .enter = enter_reader,
     .play = play_poll,
     .wake = wake_reader,
     .after = after_poll},
    {.name = "pipe-make", .set = set, .play = play_make, .after = after_make},
    {0},
};
