// SPDX-License-Identifier: MIT
//
// FIFOs: open blocks until the other side comes, O_NONBLOCK opens for reading at once and gives
// ENXIO for writing without a reader; EOF when the last writer leaves, and life after EOF.
#include "tap.h"

int main(void)
{
    char buf[16];
    struct stat st;
    tap_start();
    tap_tmp();
    signal(SIGPIPE, SIG_IGN);
    EQ(mkfifo("p", 0644), 0);
    ERR(mkfifo("p", 0644), EEXIST);
    ERR(mkfifo("none/p", 0644), ENOENT);
    ERR(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
    int r = open("p", O_RDONLY | O_NONBLOCK);
    OK(r >= 0);
    EQ(read(r, buf, 1), 0);
    int w = open("p", O_WRONLY | O_NONBLOCK);
    OK(w >= 0);
    ERR(read(r, buf, 1), EAGAIN);
    EQ(write(w, "hello", 5), 5);
    EQ(read(r, buf, 16), 5);
    SYS(fstat(w, &st));
    OK(S_ISFIFO(st.st_mode));
    ERR(lseek(r, 0, SEEK_SET), ESPIPE);
    SYS(close(r));
    ERR(write(w, "x", 1), EPIPE);
    SYS(close(w));
    pid_t pid = tap_fork();
    if (pid == 0) {
        tap_sleep(30);
        int fd = SYS(open("p", O_WRONLY));
        EQ(write(fd, "one", 3), 3);
        SYS(close(fd));
        fd = SYS(open("p", O_WRONLY));
        EQ(write(fd, "two", 3), 3);
        _exit(0);
    }
    r = open("p", O_RDONLY);
    OK(r >= 0);
    int total = 0;
    while (total < 6) {
        ssize_t n = SYS(read(r, buf + total, 16 - total));
        total += n;
        if (n == 0)
            tap_sleep(5);
    }
    OK(!memcmp(buf, "onetwo", 6));
    EQ(tap_wait(pid), 0);
    EQ(read(r, buf, 1), 0);
    EQ(unlink("p"), 0);
    return tap_done();
}
