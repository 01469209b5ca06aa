// SPDX-License-Identifier: MIT
//
// A hundred pipes at once keep their contents apart; closing them all gives everything back, a
// hundred times over.
#include "tap.h"

enum { PIPES = 100 };

int main(void)
{
    static int p[PIPES][2];
    int value, wrong = 0;
    tap_start();
    for (int i = 0; i < PIPES; i++) {
        SYS(pipe(p[i]));
        NEED(write(p[i][1], &i, sizeof i) == sizeof i);
    }
    IN_CHILD("a child reads every second one") {
        for (int i = 0; i < PIPES; i += 2)
            OK(read(p[i][0], &value, sizeof value) == sizeof value && value == i);
    }
    for (int i = 1; i < PIPES; i += 2)
        wrong += read(p[i][0], &value, sizeof value) != sizeof value || value != i;
    EQ(wrong, 0);
    SYS(fcntl(p[0][0], F_SETFL, O_NONBLOCK));
    ERR(read(p[0][0], &value, sizeof value), EAGAIN);
    for (int i = 0; i < PIPES; i++)
        wrong += close(p[i][0]) | close(p[i][1]);
    EQ(wrong, 0);
    for (int i = 0; i < 100 * PIPES; i++) {
        wrong += pipe(p[0]) != 0 || write(p[0][1], "x", 1) != 1;
        wrong += close(p[0][0]) | close(p[0][1]);
    }
    EQ(wrong, 0);
    return tap_done();
}
