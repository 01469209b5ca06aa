// SPDX-License-Identifier: MIT
//
// A tree of forks (each child forks two more): 15 processes report through one pipe, exit statuses
// climb up.
#include "tap.h"

static int node(int depth, int out)
{
    int count = 1;
    char byte = 'n';
    NEED(write(out, &byte, 1) == 1);
    for (int i = 0; i < 2 && depth > 0; i++) {
        pid_t pid = tap_fork();
        if (pid == 0)
            _exit(node(depth - 1, out));
        count += tap_wait(pid);
    }
    return count;
}

int main(void)
{
    int p[2], n = 0;
    char byte;
    tap_start();
    SYS(pipe(p));
    EQ(node(3, p[1]), 15);
    SYS(close(p[1]));
    while (read(p[0], &byte, 1) == 1)
        n++;
    EQ(n, 15);
    return tap_done();
}
