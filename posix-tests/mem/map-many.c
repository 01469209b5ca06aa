// SPDX-License-Identifier: MIT
//
// Hundreds of mappings with holes between them, in random order, each with contents of its own;
// unmapping one never touches its neighbours.
#include "tap.h"
#include <sys/mman.h>

enum { MAPS = 300 };

int main(void)
{
    static char *map[MAPS];
    int wrong = 0;
    tap_start();
    for (int i = 0; i < MAPS; i++) {
        map[i] = mmap(NULL, (i % 5 + 1) * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
        NEED(map[i] != MAP_FAILED);
        memset(map[i], i & 0xff, (i % 5 + 1) * 4096);
    }
    for (int k = 0; k < MAPS; k += 2) {
        int i = k * 7 % MAPS;
        wrong += munmap(map[i], (i % 5 + 1) * 4096) != 0;
        map[i] = NULL;
    }
    for (int i = 0; i < MAPS; i++) {
        if (!map[i])
            map[i] = mmap(NULL, (i % 5 + 1) * 4096, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        else
            for (int at = 0; at < (i % 5 + 1) * 4096; at += 511)
                wrong += map[i][at] != (char)(i & 0xff);
    }
    EQ(wrong, 0);
    for (int i = 1; i < MAPS; i += 2)
        SYS(mprotect(map[i], 4096, PROT_READ));
    IN_CHILD("after fork") {
        for (int i = 0; i < MAPS; i++)
            EQ(map[i][0] == 0 || map[i][0] == (char)(i & 0xff), 1);
    }
    for (int i = 0; i < MAPS; i++)
        wrong += munmap(map[i], (i % 5 + 1) * 4096) != 0;
    EQ(wrong, 0);
    return tap_done();
}
