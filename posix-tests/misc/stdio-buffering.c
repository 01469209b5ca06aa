// SPDX-License-Identifier: MIT
//
// setvbuf(), fflush(): full buffering writes late, line buffering at newlines, none at once; fflush
// and fclose write the rest; fork without flush would double it.
#include "tap.h"

static long size(const char *path)
{
    struct stat st;
    SYS(stat(path, &st));
    return st.st_size;
}

int main(void)
{
    tap_start();
    tap_tmp();
    FILE *f = fopen("full", "w");
    NEED(f);
    EQ(setvbuf(f, NULL, _IOFBF, 4096), 0);
    EQ(fputs("some text\n", f) >= 0, 1);
    EQ(size("full"), 0);
    EQ(fflush(f), 0);
    EQ(size("full"), 10);
    for (int i = 0; i < 1000; i++)
        fputs("0123456789", f);
    OK(size("full") >= 4096 && size("full") <= 10010);
    EQ(fclose(f), 0);
    EQ(size("full"), 10010);
    f = fopen("line", "w");
    EQ(setvbuf(f, NULL, _IOLBF, 4096), 0);
    fputs("part", f);
    EQ(size("line"), 0);
    fputs(" end\nmore", f);
    OK(size("line") >= 9);
    fclose(f);
    EQ(size("line"), 13);
    f = fopen("none", "w");
    EQ(setvbuf(f, NULL, _IONBF, 0), 0);
    putc('x', f);
    EQ(size("none"), 1);
    fclose(f);
    f = fopen("twice", "w");
    fputs("x", f);
    pid_t pid = tap_fork();
    if (pid == 0) {
        fclose(f);
        _exit(0);
    }
    EQ(tap_wait(pid), 0);
    fclose(f);
    STR(tap_get("twice"), "xx");
    EQ(fflush(NULL), 0);
    f = fopen("/dev/full", "w");
    if (f) {
        fputs("x", f);
        ERR(fflush(f), ENOSPC);
        OK(ferror(f));
    }
    return tap_done();
}
