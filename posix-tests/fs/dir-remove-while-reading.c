// SPDX-License-Identifier: MIT
//
// readdir() while entries vanish: entries that stay are all seen once; removing what was just
// returned (rm -r does) empties the directory.
#include "tap.h"

enum { COUNT = 300 };

int main(void)
{
    char name[32];
    int kept = 0, removed = 0;
    tap_start();
    tap_tmp();
    SYS(mkdir("d", 0755));
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "d/%s-%d", i % 3 ? "go" : "stay", i);
        SYS(close(SYS(open(name, O_WRONLY | O_CREAT, 0644))));
    }
    DIR *dir = opendir("d");
    NEED(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        kept += !strncmp(e->d_name, "stay", 4);
        if (strncmp(e->d_name, "go", 2))
            continue;
        removed++;
        EQ(unlinkat(dirfd(dir), e->d_name, 0), 0);
    }
    EQ(kept, COUNT / 3);
    EQ(removed, COUNT - COUNT / 3);
    rewinddir(dir);
    int left = 0;
    for (struct dirent *e; (e = readdir(dir));)
        left += *e->d_name != '.';
    EQ(left, COUNT / 3);
    closedir(dir);
    return tap_done();
}
