// SPDX-License-Identifier: MIT
//
// poll() and select() of two hundred descriptors: the one that becomes ready wakes the sleeper,
// wherever it stands.
#include "tap.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>

enum { PIPES = 200 };

static int p[PIPES][2];

int main(void)
{
    static struct pollfd f[PIPES];
    static const int picks[] = {0, 63, 64, 137, PIPES - 1};
    struct rlimit limit;
    tap_start();
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max < 1024 ? limit.rlim_max : 1024;
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < PIPES; i++) {
        SYS(pipe(p[i]));
        f[i] = (struct pollfd){p[i][0], POLLIN, 0};
    }
    for (int i = 0; i < 5; i++) {
        int pick = picks[i];
        EQ(poll(f, PIPES, 0), 0);
        pid_t pid = tap_fork();
        if (pid == 0) {
            tap_sleep(10);
            tap_post(p[pick][1]);
            _exit(0);
        }
        EQ(poll(f, PIPES, -1), 1);
        EQ(f[pick].revents, POLLIN);
        fd_set set;
        FD_ZERO(&set);
        for (int j = 0; j < PIPES; j++)
            FD_SET(p[j][0], &set);
        EQ(select(p[PIPES - 1][1] + 1, &set, NULL, NULL, NULL), 1);
        EQ(FD_ISSET(p[pick][0], &set) != 0, 1);
        tap_await(p[pick][0]);
        EQ(tap_wait(pid), 0);
    }
    for (int i = 0; i < PIPES; i++)
        tap_post(p[i][1]);
    EQ(poll(f, PIPES, -1), PIPES);
    return tap_done();
}
