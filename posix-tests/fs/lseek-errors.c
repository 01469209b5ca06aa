// SPDX-License-Identifier: MIT
//
// lseek(): EINVAL for a bad whence or an offset below zero, with the offset unchanged; ESPIPE on
// pipes and FIFOs; offsets beyond 4 GB work.
#include "tap.h"

int main(void)
{
    int p[2];
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600));
    EQ(write(fd, "0123456789", 10), 10);
    ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    ERR(lseek(fd, -11, SEEK_CUR), EINVAL);
    ERR(lseek(fd, -11, SEEK_END), EINVAL);
    ERR(lseek(fd, 0, 99), EINVAL);
    EQ(lseek(fd, 0, SEEK_CUR), 10);
    EQ(lseek(fd, 5LL << 30, SEEK_SET), 5LL << 30);
    EQ(lseek(fd, 1, SEEK_CUR), (5LL << 30) + 1);
    EQ(read(fd, (char[1]){0}, 1), 0);
    SYS(pipe(p));
    ERR(lseek(p[0], 0, SEEK_CUR), ESPIPE);
    ERR(lseek(p[1], 0, SEEK_SET), ESPIPE);
    ERR(pread(p[0], (char[1]){0}, 1, 0), ESPIPE);
    ERR(pwrite(p[1], "x", 1, 0), ESPIPE);
    ERR(pread(fd, (char[1]){0}, 1, -1), EINVAL);
    ERR(pwrite(fd, "x", 1, -1), EINVAL);
    return tap_done();
}
