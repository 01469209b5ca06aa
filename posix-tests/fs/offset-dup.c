// SPDX-License-Identifier: MIT
//
// dup(): copies share offset and status flags; a second open() of the same file does not; the
// close-on-exec flag belongs to the descriptor.
#include "tap.h"

int main(void)
{
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "0123456789");
    int a = SYS(open("f", O_RDWR | O_CLOEXEC)), b = SYS(dup(a)), c = SYS(open("f", O_RDWR));
    EQ(lseek(a, 4, SEEK_SET), 4);
    EQ(lseek(b, 0, SEEK_CUR), 4);
    EQ(lseek(c, 0, SEEK_CUR), 0);
    SYS(fcntl(b, F_SETFL, O_NONBLOCK));
    EQ(fcntl(a, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EQ(fcntl(c, F_GETFL) & O_NONBLOCK, 0);
    EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
    EQ(fcntl(b, F_GETFD), 0);
    SYS(close(a));
    EQ(read(b, (char[1]){0}, 1), 1);
    EQ(lseek(b, 0, SEEK_CUR), 5);
    return tap_done();
}
