// SPDX-License-Identifier: MIT
//
// Several readers of one pipe: every byte goes to exactly one of them and all see EOF.
#include "tap.h"

enum { READERS = 4, TOTAL = 4000 };

int main(void)
{
    int p[2], result[2], sum = 0, part;
    tap_start();
    SYS(pipe(p));
    SYS(pipe(result));
    pid_t pid[READERS];
    for (int r = 0; r < READERS; r++)
        if ((pid[r] = tap_fork()) == 0) {
            char buf[7];
            int mine = 0;
            SYS(close(p[1]));
            for (int n; (n = SYS(read(p[0], buf, sizeof buf))) > 0;)
                mine += n;
            NEED(write(result[1], &mine, sizeof mine) == sizeof mine);
            _exit(0);
        }
    SYS(close(p[0]));
    for (int i = 0; i < TOTAL / 4; i++)
        NEED(write(p[1], "abcd", 4) == 4);
    SYS(close(p[1]));
    for (int r = 0; r < READERS; r++) {
        EQ(tap_wait(pid[r]), 0);
        NEED(read(result[0], &part, sizeof part) == sizeof part);
        sum += part;
    }
    EQ(sum, TOTAL);
    return tap_done();
}
