// SPDX-License-Identifier: MIT
//
// mkstemp(), mkdtemp(), tmpfile(): names of their own, mode 0600 or 0700, EINVAL without the six
// Xs.
#include "tap.h"

int main(void)
{
    struct stat st;
    char a[] = "fileXXXXXX", b[] = "fileXXXXXX", d[] = "dirXXXXXX", bad[] = "fileXXX";
    tap_start();
    tap_tmp();
    umask(0);
    int fa = mkstemp(a), fb = mkstemp(b);
    OK(fa >= 0 && fb >= 0);
    OK(strcmp(a, b));
    OK(!strncmp(a, "file", 4) && strcmp(a, "fileXXXXXX"));
    SYS(stat(a, &st));
    EQ(st.st_mode, S_IFREG | 0600);
    EQ(write(fa, "x", 1), 1);
    EQ(lseek(fa, 0, SEEK_SET), 0);
    EQ(read(fa, (char[1]){0}, 1), 1);
    ERR(mkstemp(bad), EINVAL);
    STR(mkdtemp(d), d);
    SYS(stat(d, &st));
    EQ(st.st_mode & ~S_ISGID, S_IFDIR | 0700);
    char nowhere[] = "none/XXXXXX";
    ERR(mkstemp(nowhere), ENOENT);
    return tap_done();
}
