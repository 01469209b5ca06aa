// SPDX-License-Identifier: MIT
//
// nftw(), scandir(): walk a tree before and after its children, without following links.
#include "tap.h"
#include <ftw.h>
static int dirs, files, links, order;

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    dirs += type == FTW_DP;
    files += type == FTW_F;
    links += type == FTW_SL;
    order += type == FTW_DP && !strcmp(path + at->base, "b") && files == 0;
    return 0;
}

static int stop(const char *path, const struct stat *st, int type)
{
    (void)path, (void)st, (void)type;
    return 42;
}

static int no_dots(const struct dirent *e)
{
    return *e->d_name != '.';
}

int main(void)
{
    struct dirent **list;
    tap_start();
    tap_tmp();
    SYS(mkdir("a", 0755));
    SYS(mkdir("a/b", 0755));
    tap_put("a/b/f", 0644, "");
    tap_put("a/g", 0644, "");
    tap_put("a/c", 0644, "");
    SYS(symlink("..", "a/l"));
    EQ(nftw("a", visit, 8, FTW_PHYS | FTW_DEPTH), 0);
    EQ(dirs, 2);
    EQ(files, 3);
    EQ(links, 1);
    EQ(order, 0);
    EQ(ftw("a", stop, 8), 42);
    EQ(scandir("a", &list, no_dots, alphasort), 4);
    STR(list[0]->d_name, "b");
    STR(list[1]->d_name, "c");
    STR(list[3]->d_name, "l");
    ERR(scandir("none", &list, NULL, NULL), ENOENT);
    return tap_done();
}
