// SPDX-License-Identifier: MIT
//
// open(): the access mode is a property of the description: reading a write-only descriptor and
// writing a read-only one are EBADF, and F_GETFL reports the mode.
#include "tap.h"

int main(void)
{
    char byte;
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "x");
    int r = SYS(open("f", O_RDONLY)), w = SYS(open("f", O_WRONLY)), b = SYS(open("f", O_RDWR));
    ERR(write(r, "y", 1), EBADF);
    ERR(read(w, &byte, 1), EBADF);
    ERR(pread(w, &byte, 1, 0), EBADF);
    ERR(pwrite(r, "y", 1, 0), EBADF);
    ERR(ftruncate(r, 0), EINVAL);
    EQ(fcntl(r, F_GETFL) & O_ACCMODE, O_RDONLY);
    EQ(fcntl(w, F_GETFL) & O_ACCMODE, O_WRONLY);
    EQ(fcntl(b, F_GETFL) & O_ACCMODE, O_RDWR);
    EQ(fcntl(b, F_GETFL) & (O_CREAT | O_EXCL | O_TRUNC), 0);
    SYS(fcntl(r, F_SETFL, O_RDWR));
    EQ(fcntl(r, F_GETFL) & O_ACCMODE, O_RDONLY);
    SYS(chmod("f", 0));
    EQ(read(r, &byte, 1), 1);
    EQ(write(w, "z", 1), 1);
    return tap_done();
}
