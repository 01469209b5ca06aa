// SPDX-License-Identifier: MIT
//
// 200 children alive at the same time, each with a pid of its own, and all reaped.
#include "tap.h"

enum { CHILDREN = 200 };

int main(void)
{
    static pid_t pid[CHILDREN];
    int ready[2], go[2], same = 0, wrong = 0;
    tap_start();
    SYS(pipe(ready));
    SYS(pipe(go));
    for (int i = 0; i < CHILDREN; i++)
        if ((pid[i] = tap_fork()) == 0) {
            tap_post(ready[1]);
            tap_await(go[0]);
            _exit(i & 127);
        }
    for (int i = 0; i < CHILDREN; i++)
        tap_await(ready[0]);
    for (int i = 0; i < CHILDREN; i++) {
        wrong += kill(pid[i], 0) != 0;
        for (int j = 0; j < i; j++)
            same += pid[i] == pid[j];
    }
    EQ(same, 0);
    for (int i = 0; i < CHILDREN; i++)
        tap_post(go[1]);
    for (int i = 0; i < CHILDREN; i++)
        wrong += tap_wait(pid[i]) != (i & 127);
    EQ(wrong, 0);
    ERR(wait(NULL), ECHILD);
    return tap_done();
}
