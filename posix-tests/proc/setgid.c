// SPDX-License-Identifier: MIT
//
// Group ids and supplementary groups: root sets them, users do not; they are inherited.
#include "tap.h"

int main(void)
{
    gid_t list[8], r, e, s;
    tap_start();
    int n = getgroups(0, NULL);
    OK(n >= 0 && n <= sysconf(_SC_NGROUPS_MAX));
    EQ(setgid(getgid()), 0);
    if (geteuid() != 0) {
        ERR(setgid(0), EPERM);
        return tap_done();
    }
    IN_CHILD("groups") {
        EQ(setgroups(3, (gid_t[]){5, 7, 6}), 0);
        EQ(getgroups(8, list), 3);
        EQ(list[0] + list[1] + list[2], 18);
        EQ(getgroups(0, NULL), 3);
        ERR(getgroups(2, list), EINVAL);
        ERR(getgroups(-1, list), EINVAL);
        EQ(setresgid(10, 11, 12), 0);
        SYS(getresgid(&r, &e, &s));
        OK(r == 10 && e == 11 && s == 12);
        EQ(setuid(1000), 0);
        ERR(setgroups(0, NULL), EPERM);
        EQ(getgroups(8, list), 3);
        ERR(setgid(5), EPERM);
        EQ(setegid(12), 0);
        EQ(getegid(), 12);
        EQ(setgid(10), 0);
        pid_t pid = tap_fork();
        if (pid == 0) {
            EQ(getgroups(8, list), 3);
            EQ(getegid(), 10);
            _exit(0);
        }
        EQ(tap_wait(pid), 0);
    }
    return tap_done();
}
