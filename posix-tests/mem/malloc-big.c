// SPDX-License-Identifier: MIT
//
// Large blocks come and go many times without using memory up: 60 rounds of 8 MB, each touched.
#include "tap.h"

int main(void)
{
    int bad = 0;
    tap_start();
    for (int i = 0; i < 60; i++) {
        char *p = malloc(8 << 20);
        NEED(p);
        for (int at = 0; at < 8 << 20; at += 65536)
            p[at] = i + 1;
        for (int at = 0; at < 8 << 20; at += 65536)
            bad += p[at] != (char)(i + 1);
        free(p);
    }
    EQ(bad, 0);
    char *grow = NULL;
    for (size_t size = 4096; size <= 4 << 20; size *= 2) {
        grow = realloc(grow, size);
        NEED(grow);
        grow[size - 1] = 'g';
        bad += size > 4096 && grow[size / 2 - 1] != 'g';
    }
    EQ(bad, 0);
    free(grow);
    return tap_done();
}
