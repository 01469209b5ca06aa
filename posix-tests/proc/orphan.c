// SPDX-License-Identifier: MIT
//
// Orphans get a new parent (init) that reaps them; the exit of the middle process does not touch
// them, nor their descriptors.
#include "tap.h"

int main(void)
{
    int p[2], info[3] = {0}, go[2];
    tap_start();
    SYS(pipe(p));
    SYS(pipe(go));
    pid_t middle = tap_fork();
    if (middle == 0) {
        pid_t mine = getpid();
        if (tap_fork() == 0) {
            char byte;
            SYS(close(go[1]));
            NEED(read(go[0], &byte, 1) == 0);
            for (int i = 0; i < 400 && getppid() == mine; i++)
                tap_sleep(5);
            int report[3] = {getpid(), getppid(), mine};
            NEED(write(p[1], report, sizeof report) == sizeof report);
            _exit(0);
        }
        _exit(0);
    }
    EQ(tap_wait(middle), 0);
    SYS(close(go[1]));
    SYS(close(p[1]));
    EQ(read(p[0], info, sizeof info), sizeof info);
    OK(info[0] != middle);
    OK(info[1] != middle && info[1] != 0);
    EQ(info[2], middle);
    EQ(read(p[0], info, 1), 0);
    ERR(waitpid(info[0], NULL, 0), ECHILD);
    int gone = 0;
    for (int i = 0; i < 300 && !gone; i++) {
        gone = kill(info[0], 0) == -1 && errno == ESRCH;
        tap_sleep(5);
    }
    if (gone || getenv("POSIX_STRICT"))
        EQ(gone, 1);
    else
        tap_skip("init reaps", "this machine's init is slow or missing");
    return tap_done();
}
