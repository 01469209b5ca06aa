// SPDX-License-Identifier: MIT
//
// readv(), writev(): gather and scatter in order across empty pieces; EINVAL for counts that are
// negative, above IOV_MAX, or whose sum overflows.
#include "tap.h"
#include <sys/uio.h>

int main(void)
{
    char a[4] = "", b[4] = "", c[8] = "";
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0600)), p[2];
    struct iovec out[] = {{"abc", 3}, {"", 0}, {"de", 2}, {"fghij", 5}};
    EQ(writev(fd, out, 4), 10);
    STR(tap_get("f"), "abcdefghij");
    SYS(lseek(fd, 0, SEEK_SET));
    struct iovec in[] = {{a, 3}, {NULL, 0}, {b, 3}, {c, 7}};
    EQ(readv(fd, in, 4), 10);
    STR(a, "abc");
    STR(b, "def");
    STR(c, "ghij");
    EQ(readv(fd, in, 4), 0);
    ERR(writev(fd, out, -1), EINVAL);
    ERR(readv(fd, in, IOV_MAX + 1), EINVAL);
    struct iovec huge[] = {{a, 1}, {b, (size_t)SSIZE_MAX + 1}};
    ERR(writev(fd, huge, 2), EINVAL);
    EQ(lseek(fd, 0, SEEK_CUR), 10);
    SYS(pipe(p));
    EQ(writev(p[1], out, 4), 10);
    memset(c, 0, sizeof c);
    EQ(readv(p[0], in, 4), 10);
    STR(c, "ghij");
    struct iovec *many = calloc(IOV_MAX, sizeof *many);
    for (int i = 0; i < IOV_MAX; i++)
        many[i] = (struct iovec){"x", 1};
    EQ(writev(fd, many, IOV_MAX), IOV_MAX);
    EQ(lseek(fd, 0, SEEK_END), 10 + IOV_MAX);
    return tap_done();
}
