// SPDX-License-Identifier: MIT
//
// rename() onto an existing name: at every moment the name refers to the old file or to the new
// one; a reader never misses it and never sees a part.
#include "tap.h"

enum { ROUNDS = 150 };

int main(void)
{
    int stop[2];
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "version");
    SYS(pipe(stop));
    pid_t pid = tap_fork();
    if (pid == 0) {
        for (int i = 0; i < ROUNDS; i++) {
            tap_put("tmp", 0644, "version");
            SYS(rename("tmp", "f"));
        }
        tap_post(stop[1]);
        _exit(0);
    }
    SYS(fcntl(stop[0], F_SETFL, O_NONBLOCK));
    int missing = 0, partial = 0;
    for (char byte; read(stop[0], &byte, 1) != 1;) {
        char buf[16];
        int fd = open("f", O_RDONLY);
        missing += fd < 0;
        if (fd < 0)
            continue;
        partial += read(fd, buf, sizeof buf) != 7;
        close(fd);
    }
    EQ(missing, 0);
    EQ(partial, 0);
    EQ(tap_wait(pid), 0);
    return tap_done();
}
