// SPDX-License-Identifier: MIT
//
// Writes of up to PIPE_BUF bytes of many processes never mix, though the pipe is full most of the
// time and records do not divide its size.
#include "tap.h"

enum { WRITERS = 4, RECORDS = 25 };

static const int lengths[WRITERS] = {PIPE_BUF, PIPE_BUF - 3, 1001, 77};

struct head {
    int writer, number;
};

int main(void)
{
    int p[2], next[WRITERS] = {0}, torn = 0, order = 0;

    union {
        struct head head;
        unsigned char bytes[PIPE_BUF];
    } r;

    pid_t pid[WRITERS];
    tap_start();
    SYS(pipe(p));
    for (int w = 0; w < WRITERS; w++)
        if ((pid[w] = tap_fork()) == 0) {
            memset(&r, 'a' + w, sizeof r);
            for (int i = 0; i < RECORDS; i++) {
                r.head = (struct head){w, i};
                NEED(write(p[1], &r, lengths[w]) == lengths[w]);
            }
            _exit(0);
        }
    SYS(close(p[1]));
    FILE *in = fdopen(p[0], "r");
    while (fread(&r.head, sizeof r.head, 1, in) == 1) {
        int w = r.head.writer;
        NEED(w >= 0 && w < WRITERS);
        order += r.head.number != next[w]++;
        size_t rest = lengths[w] - sizeof r.head;
        NEED(fread(r.bytes + sizeof r.head, 1, rest, in) == rest);
        for (int i = sizeof r.head; i < lengths[w]; i++)
            torn += r.bytes[i] != 'a' + w;
    }
    EQ(torn, 0);
    EQ(order, 0);
    for (int w = 0; w < WRITERS; w++) {
        EQ(next[w], RECORDS);
        EQ(tap_wait(pid[w]), 0);
    }
    return tap_done();
}
