// SPDX-License-Identifier: MIT
//
// A process that executes itself 40 times keeps its pid and its descriptors; nothing piles up.
#include "tap.h"

int main(int argc, char **argv)
{
    char left[16], pid_text[16];
    if (argc > 3) {
        int n = atoi(argv[1]);
        if (getpid() != atoi(argv[2]) || lseek(atoi(argv[3]), 1, SEEK_CUR) != 41 - n)
            return 1;
        snprintf(left, sizeof left, "%d", n - 1);
        if (n > 1)
            execl(argv[0], argv[0], left, argv[2], argv[3], NULL);
        return n == 1 ? 0 : 2;
    }
    tap_start();
    const char *self = tap_self(argv);
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    pid_t pid = tap_fork();
    if (pid == 0) {
        snprintf(pid_text, sizeof pid_text, "%d", getpid());
        snprintf(left, sizeof left, "%d", fd);
        execl(self, self, "40", pid_text, left, NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 0);
    EQ(lseek(fd, 0, SEEK_CUR), 40);
    return tap_done();
}
