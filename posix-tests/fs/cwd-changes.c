// SPDX-License-Identifier: MIT
//
// What other processes do to the working directory, to those above it and to those one was in
// before: getcwd tells its path of now, chdir goes to what the name means now and asks for search
// permission each time, "." and ".." lead where they should.
#include "tap.h"

enum { MOVE, MOVE_ABOVE, MOVE_BACK, REMOVE, REMAKE, CLOSE, OPEN, LINK, UNLINK, REPLACE };

static void change(int what)
{
    switch (what) {
    case MOVE:
        SYS(rename("a/b", "a/c"));
        break;
    case MOVE_ABOVE:
        SYS(rename("a", "z/y"));
        break;
    case MOVE_BACK:
        SYS(rename("z/y", "a"));
        SYS(rename("a/c", "a/b"));
        break;
    case REMOVE:
        SYS(rmdir("a/b"));
        break;
    case REMAKE:
        SYS(mkdir("a/b", 0755));
        tap_put("a/b/new", 0644, "");
        break;
    case CLOSE:
        SYS(chmod("a/b", 0700));
        break;
    case OPEN:
        SYS(chmod("a/b", 0755));
        break;
    case LINK:
        SYS(rename("a/b", "b-was"));
        SYS(symlink("../z", "a/b"));
        break;
    case UNLINK:
        SYS(unlink("a/b"));
        SYS(rename("b-was", "a/b"));
        break;
    default:
        SYS(mkdir("a/empty", 0755));
        SYS(rename("a/empty", "a/b"));
    }
}

static char top[PATH_MAX];

static void in(const char *name)
{
    char want[2 * PATH_MAX], got[PATH_MAX];
    snprintf(want, sizeof want, "%s%s", top, name);
    for (int i = 0; i < 3; i++)
        STR(getcwd(got, sizeof got), want);
}

static ino_t number(const char *path)
{
    struct stat st;
    SYS(stat(path, &st));
    return st.st_ino;
}

// To and fro, as often as it takes until nobody has to be asked.
static void wander(void)
{
    for (int i = 0; i < 6; i++) {
        SYS(chdir("a/b"));
        SYS(chdir(".."));
        SYS(chdir("b/."));
        SYS(chdir(top));
    }
}

static void moves(void)
{
    wander();
    SYS(chdir("a/b"));
    ino_t b = number("."), a = number("..");
    in("/a/b");
    tap_other_do(MOVE);
    in("/a/c");
    tap_other_do(MOVE_ABOVE);
    in("/z/y/c");
    EQ(number("."), b);
    EQ(number(".."), a);
    SYS(chdir(".."));
    in("/z/y");
    SYS(chdir(".."));
    in("/z");
    SYS(chdir("/"));
    char root[8];
    STR(getcwd(root, sizeof root), "/");
    SYS(chdir(".."));
    STR(getcwd(root, sizeof root), "/");
    EQ(number("."), number("/"));
    SYS(chdir(top));
    ERR(chdir("a/b"), ENOENT);
    tap_other_do(MOVE_BACK);
    SYS(chdir("a/b"));
    in("/a/b");
    SYS(chdir(top));
}

static void removals(void)
{
    char got[PATH_MAX];
    struct stat st;
    wander();
    ino_t old = number("a/b");
    tap_other_do(REMOVE);
    ERR(chdir("a/b"), ENOENT);
    tap_other_do(REMAKE);
    SYS(chdir("a/b"));
    EQ(stat("new", &st), 0);
    in("/a/b");
    SYS(unlink("new"));
    old = number(".");
    tap_other_do(REPLACE);
    ERR_NULL(getcwd(got, sizeof got), ENOENT);
    EQ(number("."), old);
    ERR(open("file", O_WRONLY | O_CREAT, 0644), ENOENT);
    SYS(chdir(top));
    SYS(chdir("a/b"));
    OK(number(".") != old);
    in("/a/b");
    SYS(chdir(top));
    wander();
    tap_other_do(LINK);
    SYS(chdir("a/b"));
    in("/z");
    SYS(chdir(top));
    tap_other_do(UNLINK);
}

static void permissions(void)
{
    wander();
    int fd = SYS(open("a/b", O_RDONLY | O_DIRECTORY));
    SYS(fchdir(fd));
    SYS(chdir(top));
    tap_other_do(CLOSE);
    number("a/b");
    ERR(chdir("a/b"), EACCES);
    ERR(fchdir(fd), EACCES);
    tap_other_do(OPEN);
    SYS(chdir("a/b"));
    tap_other_do(CLOSE);
    ERR(chdir("."), EACCES);
    ERR(open("..", O_RDONLY), EACCES);
    in("/a/b");
    tap_other_do(OPEN);
    SYS(chdir(".."));
    in("/a");
    SYS(chdir(top));
    SYS(close(fd));
}

int main(void)
{
    tap_start();
    tap_tmp();
    umask(0);
    SYS(chmod(".", 0755));
    SYS(mkdir("a", 0755));
    SYS(mkdir("a/b", 0755));
    SYS(mkdir("z", 0755));
    strcpy(top, tap_dir);
    tap_other_start(change);
    moves();
    removals();
    if (geteuid() == 0) {
        IN_CHILD("somebody else") {
            tap_drop(1000);
            permissions();
        }
    }
    tap_other_end();
    return tap_done();
}
