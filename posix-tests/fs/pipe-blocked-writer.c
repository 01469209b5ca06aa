// SPDX-License-Identifier: MIT
//
// A writer blocked on a full pipe goes on as soon as there is room, and a large write delivers all
// its bytes in order.
#include "tap.h"

enum { TOTAL = 300000 };

int main(void)
{
    int p[2];
    tap_start();
    SYS(pipe(p));
    pid_t pid = tap_fork();
    if (pid == 0) {
        unsigned char *data = malloc(TOTAL);
        for (int i = 0; i < TOTAL; i++)
            data[i] = (i * 7 + i / 256) & 0xff;
        NEED(write(p[1], data, TOTAL) == TOTAL);
        _exit(0);
    }
    SYS(close(p[1]));
    tap_sleep(30);
    unsigned char buf[3000];
    long total = 0, wrong = 0, step = 1;
    for (long n; (n = read(p[0], buf, step)) > 0; step = step * 3 % 2999 + 1)
        for (long i = 0; i < n; i++, total++)
            wrong += buf[i] != ((total * 7 + total / 256) & 0xff);
    EQ(total, TOTAL);
    EQ(wrong, 0);
    EQ(tap_wait(pid), 0);
    return tap_done();
}
