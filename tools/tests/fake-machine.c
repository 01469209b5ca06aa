// SPDX-License-Identifier: MIT
/*
 * A machine that is none, for the tests of the relay: takes QEMU's command line as the relay makes
 * it, finds its serial lines, memory and spec there, and plays guest and program at once. The
 * program's first word says what to play.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame.h"

static int data = -1, logging = -1;
static const char *memory_path, *spec_path;
static char *words[64];
static int nwords;

static void put(int kind, const void *bytes, size_t n)
{
    uint8_t head[FRAME_HEAD];
    frame_head(head, (enum frame_kind)kind, n);
    if (write(data, head, sizeof head) != sizeof head || write(data, bytes, n) != (ssize_t)n)
        exit(9);
}

static void put_exit(uint32_t status)
{
    uint8_t bytes[4];
    frame_put32(bytes, status);
    put(FRAME_EXIT, bytes, 4);
}

static void get(struct frame *f)
{
    static struct frame_reader reader;
    uint8_t byte;
    do {
        if (read(data, &byte, 1) != 1)
            exit(9);
        frame_take(&reader, &byte, 1, f);
    } while (f->kind == FRAME_NONE);
}

static void arguments_read(char **argv)
{
    for (; *argv; argv++) {
        char *at;
        if ((at = strstr(*argv, "id=data,fd=")))
            data = atoi(at + 11);
        if ((at = strstr(*argv, "id=log,fd=")))
            logging = atoi(at + 10);
        if ((at = strstr(*argv, "mem-path=")))
            memory_path = at + 9;
        if (strcmp(*argv, "-initrd") == 0) {
            at = strrchr(argv[1], ',');
            spec_path = at ? at + 1 : argv[1];
        }
    }
    *strchr(spec_path, ' ') = 0;
}

static void spec_read(void)
{
    static char spec[1 << 20];
    int fd = open(spec_path, O_RDONLY);
    ssize_t n = read(fd, spec, sizeof spec - 1);
    for (char *p = spec; p < spec + n && nwords < 63; p += strlen(p) + 1)
        words[nwords++] = p;
}

static void put_bulk(int kind, uint64_t address, uint32_t length, uint8_t which)
{
    struct frame_bulk bulk = {.address = address, .length = length, .kind = which};
    uint8_t bytes[FRAME_BULK_BYTES];
    frame_bulk_put(bytes, &bulk);
    put(kind, bytes, sizeof bytes);
}

static char *memory_map(void)
{
    int fd = open(memory_path, O_RDWR);
    return mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

// Standard input comes to 2 MiB, and goes out again in short frames.
static void play_cat(void)
{
    const uint8_t *memory = (const uint8_t *)memory_map() + (2 << 20);
    struct frame f;
    for (;;) {
        put_bulk(FRAME_WANT, 2 << 20, 100000, 0);
        get(&f);
        if (f.kind != FRAME_GIVE || f.length != 4)
            break;
        uint32_t n = frame_get32(f.payload);
        if (n == 0)
            break;
        for (uint32_t at = 0; at < n; at += FRAME_MAX)
            put(FRAME_OUT, memory + at, n - at < FRAME_MAX ? n - at : FRAME_MAX);
    }
    put_exit(f.kind == FRAME_GIVE ? 0 : 99);
}

// The byte pattern lies at 1 MiB; the relay must have read it before it says so.
static void play_bulk(uint64_t address)
{
    struct frame f;
    char *memory = memory_map() + (1 << 20);
    for (int i = 0; i < 300000; i++)
        memory[i] = (char)('a' + i % 26);
    put_bulk(FRAME_BULK, address, 300000, FRAME_OUT);
    get(&f);
    memset(memory, '!', 300000);
    put_exit(f.kind == FRAME_DONE ? 0 : 98);
}

static void play_words(void)
{
    for (int i = 0; i < nwords; i++) {
        put(FRAME_OUT, words[i], strlen(words[i]));
        put(FRAME_OUT, "|", 1);
    }
    put(FRAME_ERR, "to stderr\n", 10);
    put_exit(0);
}

static int play(const char *name)
{
    if (strcmp(name, "words") == 0)
        play_words();
    else if (strcmp(name, "cat") == 0)
        play_cat();
    else if (strcmp(name, "status") == 0)
        put_exit((uint32_t)atoi(words[2]));
    else if (strcmp(name, "bulk") == 0)
        play_bulk(1 << 20);
    else if (strcmp(name, "bulk-outside") == 0)
        play_bulk(strtoull(words[2], NULL, 0));
    else if (strcmp(name, "want-outside") == 0)
        put_bulk(FRAME_WANT, strtoull(words[2], NULL, 0), 1, 0);
    else if (strcmp(name, "hang") == 0) {
        dprintf(logging, "%d\n", (int)getpid());
        pause();
    } else if (strcmp(name, "garbage") == 0)
        put(77, "x", 1);
    else if (strcmp(name, "long") == 0 && write(data, "\1\377\377", 3) != 3)
        return 9;
    else if (strcmp(name, "disorder") == 0) {
        put_exit(0);
        return 3;
    }
    return strcmp(name, "die") == 0 ? 35 : 1; // 1 is the exit device written with 0
}

int main(int argc, char **argv)
{
    (void)argc;
    arguments_read(argv);
    spec_read();
    dprintf(logging, "a line of the log\n");
    if (strcmp(words[1], "unready") != 0)
        put(FRAME_READY, "", 0);
    return play(words[1]);
}
