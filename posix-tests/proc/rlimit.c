// SPDX-License-Identifier: MIT
//
// getrlimit(), setrlimit(): soft up to hard, hard only down without privilege, inherited by fork
// and exec.
#include "tap.h"
#include <sys/resource.h>

int main(int argc, char **argv)
{
    static const int which[] = {RLIMIT_CORE,  RLIMIT_CPU,    RLIMIT_DATA, RLIMIT_FSIZE,
                                RLIMIT_STACK, RLIMIT_NOFILE, RLIMIT_AS};
    struct rlimit l;
    if (argc > 1)
        return getrlimit(RLIMIT_NOFILE, &l) ? 99 : (int)l.rlim_cur;
    tap_start();
    const char *self = tap_self(argv);
    for (size_t i = 0; i < sizeof which / sizeof *which; i++) {
        EQ(getrlimit(which[i], &l), 0);
        OK(l.rlim_cur <= l.rlim_max);
    }
    ERR(getrlimit(999, &l), EINVAL);
    ERR(setrlimit(999, &l), EINVAL);
    IN_CHILD("as a user") {
        tap_drop(1000);
        l = (struct rlimit){50, 60};
        EQ(setrlimit(RLIMIT_NOFILE, &l), 0);
        l = (struct rlimit){60, 60};
        EQ(setrlimit(RLIMIT_NOFILE, &l), 0);
        l = (struct rlimit){60, 61};
        ERR(setrlimit(RLIMIT_NOFILE, &l), EPERM);
        l = (struct rlimit){61, 60};
        ERR(setrlimit(RLIMIT_NOFILE, &l), EINVAL);
        SYS(getrlimit(RLIMIT_NOFILE, &l));
        EQ(l.rlim_cur, 60);
    }
    pid_t pid = tap_fork();
    if (pid == 0) {
        l = (struct rlimit){55, 60};
        SYS(setrlimit(RLIMIT_NOFILE, &l));
        execl(self, self, "child", NULL);
        _exit(98);
    }
    EQ(tap_wait(pid), 55);
    return tap_done();
}
