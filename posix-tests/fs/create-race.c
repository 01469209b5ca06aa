// SPDX-License-Identifier: MIT
//
// O_EXCL, mkdir() and link() are atomic: of several processes that race for a name exactly one
// wins each round.
#include "tap.h"

enum { RACERS = 4, ROUNDS = 50 };

static int wins(int round, int way)
{
    char name[32];
    snprintf(name, sizeof name, "%d-%d", way, round);
    if (way == 0)
        return mkdir(name, 0755) == 0;
    if (way == 1)
        return link("target", name) == 0;
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int main(void)
{
    int result[2];
    tap_start();
    tap_tmp();
    tap_put("target", 0644, "");
    SYS(pipe(result));
    for (int way = 0; way < 3; way++) {
        pid_t pid[RACERS];
        for (int r = 0; r < RACERS; r++)
            if ((pid[r] = tap_fork()) == 0) {
                int won = 0;
                for (int i = 0; i < ROUNDS; i++)
                    won += wins(i, way);
                NEED(write(result[1], &won, sizeof won) == sizeof won);
                _exit(0);
            }
        int total = 0, won;
        for (int r = 0; r < RACERS; r++) {
            EQ(tap_wait(pid[r]), 0);
            NEED(read(result[0], &won, sizeof won) == sizeof won);
            total += won;
        }
        EQ(total, ROUNDS);
    }
    return tap_done();
}
