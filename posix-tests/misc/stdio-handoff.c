// SPDX-License-Identifier: MIT
//
// A child that reads the same input by stdio: fflush() or exit() of the parent's input stream
// leaves the descriptor's offset where reading stopped (POSIX 2.5.1).
#include "tap.h"

int main(void)
{
    char line[32];
    tap_start();
    tap_tmp();
    tap_put("in", 0644, "first\nsecond\nthird\n");
    int fd = SYS(open("in", O_RDONLY));
    FILE *f = fdopen(fd, "r");
    STR(fgets(line, sizeof line, f), "first\n");
    EQ(fflush(f), 0);
    EQ(lseek(fd, 0, SEEK_CUR), 6);
    IN_CHILD("reads the second line") {
        EQ(read(fd, line, 7), 7);
        OK(!memcmp(line, "second\n", 7));
    }
    EQ(lseek(fd, 0, SEEK_CUR), 13);
    EQ(fseek(f, 0, SEEK_CUR), 0);
    STR(fgets(line, sizeof line, f), "third\n");
    return tap_done();
}
