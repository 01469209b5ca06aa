// SPDX-License-Identifier: MIT
//
// 300 forks in a row: nothing is used up, every status arrives.
#include "tap.h"

int main(void)
{
    int wrong = 0;
    tap_start();
    for (int i = 0; i < 300; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(i & 0xff);
        wrong += pid < 0 || tap_wait(pid) != (i & 0xff);
    }
    EQ(wrong, 0);
    ERR(waitpid(-1, NULL, WNOHANG), ECHILD);
    return tap_done();
}
