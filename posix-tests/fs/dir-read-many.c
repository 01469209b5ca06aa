// SPDX-License-Identifier: MIT
//
// readdir(): 1000 entries come back exactly once each, with "." and "..", whatever their order.
#include "tap.h"

enum { COUNT = 1000 };

int main(void)
{
    static int seen[COUNT];
    char name[32];
    int dots = 0, strange = 0, missing = 0;
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "d/entry-%d", i);
        if (i % 100 == 0)
            SYS(mkdir(name, 0755));
        else
            SYS(close(SYS(open(name, O_WRONLY | O_CREAT, 0644))));
    }
    DIR *dir = opendir("d");
    NEED(dir);
    errno = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        int i = -1;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            dots++;
        else if (sscanf(e->d_name, "entry-%d", &i) == 1 && i >= 0 && i < COUNT)
            seen[i]++;
        else
            strange++;
        OK(i % 100 || e->d_type == DT_UNKNOWN || e->d_type == DT_DIR);
        OK(i != 1 || e->d_type == DT_UNKNOWN || e->d_type == DT_REG);
    }
    EQ(errno, 0);
    EQ(dots, 2);
    EQ(strange, 0);
    for (int i = 0; i < COUNT; i++)
        missing += seen[i] != 1;
    EQ(missing, 0);
    EQ(closedir(dir), 0);
    OK(rmdir("d") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
    return tap_done();
}
