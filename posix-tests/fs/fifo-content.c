// SPDX-License-Identifier: MIT
//
// What is in a FIFO lasts as long as anybody has it open, and no longer; a writer that comes and
// goes does not let another writer in, a reader does.
#include "tap.h"

int main(void)
{
    char buf[8];
    int go[2];
    tap_start();
    tap_tmp();
    SYS(mkfifo("f", 0600));
    ERR(open("f", O_WRONLY | O_NONBLOCK), ENXIO);
    int a = SYS(open("f", O_RDWR));
    EQ(write(a, "left", 4), 4);
    int r = SYS(open("f", O_RDONLY | O_NONBLOCK));
    SYS(close(a));
    EQ(read(r, buf, 2), 2); // there while the reader is
    EQ(read(r, buf, 8), 2);
    EQ(read(r, buf, 8), 0);
    a = SYS(open("f", O_WRONLY | O_NONBLOCK));
    EQ(write(a, "lost", 4), 4);
    SYS(close(a));
    SYS(close(r));
    a = SYS(open("f", O_RDWR | O_NONBLOCK));
    ERR(read(a, buf, 8), EAGAIN);
    SYS(close(a));
    SYS(pipe(go));
    pid_t pid[2];
    for (int i = 0; i < 2; i++) {
        if ((pid[i] = tap_fork()) == 0) {
            tap_post(go[1]);
            int w = SYS(open("f", O_WRONLY)); // both wait for a reader, and not for each other
            EQ(write(w, "x", 1), 1);
            _exit(0);
        }
        tap_await(go[0]);
        tap_sleep(20);
    }
    EQ(waitpid(-1, NULL, WNOHANG), 0);
    r = SYS(open("f", O_RDONLY));
    int got = 0;
    while (got < 2) { // the second writer may still be opening when the first has gone
        ssize_t n = read(r, buf, 8);
        if (n < 0)
            break;
        got += (int)n;
        if (n == 0)
            tap_sleep(5);
    }
    EQ(got, 2);
    for (int i = 0; i < 2; i++)
        EQ(tap_wait(pid[i]), 0);
    return tap_done();
}
