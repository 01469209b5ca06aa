// SPDX-License-Identifier: MIT
//
// sendfile(): from a file into a pipe and a file, with and without an offset of its own.
#include "tap.h"
#include <sys/sendfile.h>

int main(void)
{
    char buf[16] = "";
    int p[2];
    off_t offset = 2;
    tap_start();
    tap_tmp();
    tap_put("in", 0644, "0123456789");
    int in = SYS(open("in", O_RDONLY)), out = SYS(open("out", O_RDWR | O_CREAT, 0644));
    SYS(pipe(p));
    ssize_t n = sendfile(p[1], in, &offset, 4);
    if (n == -1 && errno == ENOSYS)
        tap_skip_all("no sendfile");
    EQ(n, 4);
    EQ(offset, 6);
    EQ(lseek(in, 0, SEEK_CUR), 0);
    EQ(read(p[0], buf, 16), 4);
    STR(buf, "2345");
    EQ(sendfile(out, in, NULL, 7), 7);
    EQ(lseek(in, 0, SEEK_CUR), 7);
    EQ(sendfile(out, in, NULL, 100), 3);
    EQ(sendfile(out, in, NULL, 100), 0);
    STR(tap_get("out"), "0123456789");
    ERR(sendfile(out, 60, NULL, 1), EBADF);
    ERR(sendfile(in, in, NULL, 1), EBADF);
    return tap_done();
}
