// SPDX-License-Identifier: MIT
//
// Creating and removing hundreds of files, twice over the same names: nothing of the first round
// shines through, all space of names is reused.
#include "tap.h"

enum { COUNT = 300 };

int main(void)
{
    char name[32];
    struct stat st;
    tap_start();
    tap_tmp();
    for (int round = 0; round < 2; round++) {
        int bad = 0;
        for (int i = 0; i < COUNT; i++) {
            snprintf(name, sizeof name, "file%d", i);
            int fd = SYS(open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
            SYS(fstat(fd, &st));
            bad += st.st_size != 0;
            bad += write(fd, &i, sizeof i) != sizeof i;
            SYS(close(fd));
        }
        for (int i = 0; i < COUNT; i += 7) {
            int value = -1;
            snprintf(name, sizeof name, "file%d", i);
            int fd = SYS(open(name, O_RDONLY));
            bad += read(fd, &value, sizeof value) != sizeof value || value != i;
            SYS(close(fd));
        }
        for (int i = 0; i < COUNT; i++) {
            snprintf(name, sizeof name, "file%d", (i * 7) % COUNT);
            bad += unlink(name) != 0;
            bad += stat(name, &st) != -1 || errno != ENOENT;
        }
        EQ(bad, 0);
    }
    SYS(mkdir("d", 0755));
    EQ(rmdir("d"), 0);
    return tap_done();
}
