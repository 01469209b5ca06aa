// SPDX-License-Identifier: MIT
//
// flock(): belongs to the open file description: dup and fork share it, a second open conflicts,
// the last close releases.
#include "tap.h"
#include <sys/file.h>

int main(void)
{
    tap_start();
    tap_tmp();
    int a = SYS(open("f", O_RDWR | O_CREAT, 0644)), b = SYS(open("f", O_RDWR)), c = SYS(dup(a));
    EQ(flock(a, LOCK_EX), 0);
    ERR(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    EQ(flock(c, LOCK_EX | LOCK_NB), 0);
    EQ(flock(c, LOCK_SH | LOCK_NB), 0);
    EQ(flock(b, LOCK_SH | LOCK_NB), 0);
    ERR(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    EQ(flock(b, LOCK_UN), 0);
    EQ(flock(a, LOCK_EX | LOCK_NB), 0);
    SYS(close(a));
    ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    IN_CHILD("shared over fork: the child unlocks for its parent") {
        EQ(flock(c, LOCK_UN), 0);
    }
    EQ(flock(b, LOCK_EX | LOCK_NB), 0);
    SYS(close(b));
    EQ(flock(c, LOCK_EX | LOCK_NB), 0);
    ERR(flock(c, 77), EINVAL);
    ERR(flock(60, LOCK_SH), EBADF);
    return tap_done();
}
