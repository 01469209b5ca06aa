// SPDX-License-Identifier: MIT
//
// setuid(), seteuid(), setreuid(), setresuid(): root loses all by setuid; the saved id allows the
// way back only after seteuid; users may switch only among their own three ids.
#include "tap.h"

int main(void)
{
    uid_t r, e, s;
    tap_start();
    EQ(setuid(getuid()), 0);
    if (geteuid() != 0) {
        ERR(setuid(0), EPERM);
        ERR(seteuid(0), EPERM);
        ERR(setreuid(0, 0), EPERM);
        ERR(setgid(0), EPERM);
        ERR(setgroups(0, NULL), EPERM);
        return tap_done();
    }
    IN_CHILD("setuid by root is final") {
        EQ(setuid(1000), 0);
        SYS(getresuid(&r, &e, &s));
        OK(r == 1000 && e == 1000 && s == 1000);
        ERR(setuid(0), EPERM);
        ERR(seteuid(0), EPERM);
        ERR(setuid(1001), EPERM);
        EQ(setuid(1000), 0);
    }
    IN_CHILD("seteuid keeps the way back") {
        EQ(seteuid(1000), 0);
        EQ(getuid(), 0);
        EQ(geteuid(), 1000);
        ERR(seteuid(1001), EPERM);
        EQ(seteuid(0), 0);
        EQ(setresuid(1, 2, 3), 0);
        EQ(getuid(), 1);
        EQ(geteuid(), 2);
        EQ(seteuid(3), 0);
        EQ(seteuid(1), 0);
        EQ(setuid(3), 0);
        SYS(getresuid(&r, &e, &s));
        OK(r == 1 && e == 3 && s == 3);
        EQ(setreuid(3, 1), 0);
        SYS(getresuid(&r, &e, &s));
        OK(r == 3 && e == 1 && s == 1);
        ERR(setresuid(0, -1, -1), EPERM);
        EQ(setresuid(-1, -1, -1), 0);
    }
    EQ(geteuid(), 0);
    return tap_done();
}
