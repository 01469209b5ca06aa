// SPDX-License-Identifier: MIT
//
// exit() runs atexit functions in reverse order and then flushes stdio; _exit() does neither.
#include "tap.h"

static void one(void)
{
    printf("one ");
}

static void two(void)
{
    printf("two ");
    atexit(one);
}

static const char *run(int how)
{
    tap_put("out", 0600, "");
    pid_t pid = tap_fork();
    if (pid == 0) {
        int fd = SYS(open("out", O_WRONLY));
        SYS(dup2(fd, 1));
        setvbuf(stdout, NULL, _IOFBF, 4096);
        atexit(one);
        atexit(two);
        printf("text ");
        if (how == 0)
            exit(300);
        if (how == 1)
            _exit(44);
        if (how == 2)
            _Exit(44);
        abort();
    }
    EQ(tap_wait(pid), how == 3 ? 128 + SIGABRT : 44);
    return tap_get("out");
}

int main(void)
{
    tap_start();
    tap_tmp();
    STR(run(0), "text two one one ");
    STR(run(1), "");
    STR(run(2), "");
    STR(run(3), "");
    return tap_done();
}
