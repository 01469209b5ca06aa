// SPDX-License-Identifier: MIT
//
// Signals from another process as fast as it can while this one works: all calls keep their
// results, nothing is lost, nothing is done twice.
#include "tap.h"
static volatile sig_atomic_t count;

static void note(int sig)
{
    (void)sig;
    count++;
}

int main(void)
{
    char buf[64], back[64];
    int p[2], wrong = 0;
    tap_start();
    tap_tmp();
    SYS(pipe(p));
    struct sigaction sa = {.sa_handler = note, .sa_flags = SA_RESTART};
    SYS(sigaction(SIGUSR1, &sa, NULL));
    pid_t pid = tap_fork();
    if (pid == 0) {
        while (kill(getppid(), SIGUSR1) == 0)
            tap_sleep(1);
        _exit(0);
    }
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    for (int i = 0; i < 1500 || count < 10; i++) {
        memset(buf, i & 0x7f, sizeof buf);
        wrong += write(p[1], buf, sizeof buf) != sizeof buf;
        wrong += read(p[0], back, sizeof back) != sizeof back || memcmp(buf, back, sizeof buf) != 0;
        wrong += pwrite(fd, buf, sizeof buf, i % 100 * 64) != sizeof buf;
        wrong += pread(fd, back, 64, i % 100 * 64) != 64 || memcmp(buf, back, 64) != 0;
        if (i % 100 == 0) {
            pid_t child = fork();
            if (child == 0)
                _exit(i / 100 & 15);
            wrong += tap_wait(child) != (i / 100 & 15);
        }
        char *block = malloc(1000 + i % 5000);
        memset(block, i, 1000);
        free(block);
    }
    SYS(kill(pid, SIGKILL));
    EQ(tap_wait(pid), 128 + SIGKILL);
    EQ(wrong, 0);
    OK(count >= 10);
    return tap_done();
}
