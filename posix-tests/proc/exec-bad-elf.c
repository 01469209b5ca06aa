// SPDX-License-Identifier: MIT
//
// exec: damaged ELF files are refused with an error or kill the new image; neither the system nor
// other processes suffer.
#include "tap.h"

int main(int argc, char **argv)
{
    static unsigned char image[4 << 20];
    if (argc > 1)
        return 5;
    tap_start();
    int fd = SYS(open(tap_self(argv), O_RDONLY)), survived = 0;
    tap_tmp();
    long size = SYS(read(fd, image, sizeof image));
    NEED(size > 1000 && size < (long)sizeof image);
    for (int at = 0; at < 64 + 56 * 4; at += 3) {
        fd = SYS(open("bad", O_WRONLY | O_CREAT | O_TRUNC, 0755));
        image[at] ^= 0xff;
        NEED(write(fd, image, size) == size);
        image[at] ^= 0xff;
        SYS(close(fd));
        pid_t pid = tap_fork();
        if (pid == 0) {
            alarm(5);
            execl("./bad", "bad", "child", NULL);
            _exit(7);
        }
        survived += tap_wait(pid) >= 0;
    }
    EQ(survived, (64 + 56 * 4 + 2) / 3);
    fd = SYS(open("cut", O_WRONLY | O_CREAT | O_TRUNC, 0755));
    NEED(write(fd, image, 300) == 300);
    SYS(close(fd));
    pid_t pid = tap_fork();
    if (pid == 0) {
        execl("./cut", "cut", "child", NULL);
        _exit(7);
    }
    int status = tap_wait(pid);
    OK(status == 7 || status > 128);
    return tap_done();
}
