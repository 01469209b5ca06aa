// SPDX-License-Identifier: MIT
//
// What one process changes about a name is seen by every other at once, however often the others
// have looked before: making, removing, renaming, modes, owners, sizes, links, and what lies below
// a directory that has moved or was closed.
#include "tap.h"

// The other process carries out one change at a time.
enum {
    CHMOD_FILE,
    CHMOD_BACK,
    APPEND,
    MAKE,
    REMOVE,
    MOVE_DIR,
    MOVE_BACK,
    CLOSE_DIR,
    OPEN_DIR,
    LINK,
    REPLACE,
    SWAP_TYPE
};

static void change(int what)
{
    int fd;
    switch (what) {
    case CHMOD_FILE:
        SYS(chmod("d/f", 0600));
        break;
    case CHMOD_BACK:
        SYS(chmod("d/f", 0644));
        break;
    case APPEND:
        SYS(fd = open("d/f", O_WRONLY | O_APPEND));
        EQ(write(fd, "12345", 5), 5);
        close(fd);
        break;
    case MAKE:
        tap_put("d/new", 0640, "x");
        break;
    case REMOVE:
        SYS(unlink("d/new"));
        break;
    case MOVE_DIR:
        SYS(rename("d", "other/e"));
        break;
    case MOVE_BACK:
        SYS(rename("other/e", "d"));
        break;
    case CLOSE_DIR:
        SYS(chmod("d", 0700));
        break;
    case OPEN_DIR:
        SYS(chmod("d", 0755));
        break;
    case LINK:
        SYS(link("d/f", "d/g"));
        break;
    case REPLACE:
        SYS(rename("d/g", "d/h"));
        break;
    default:
        SYS(unlink("d/h"));
        SYS(mkdir("d/h", 0755));
    }
}

static void look(const char *path)
{
    struct stat st;
    for (int i = 0; i < 3; i++) {
        stat(path, &st);
        access(path, R_OK);
    }
}

static void everything(void)
{
    static const char *const all[] = {"d/f",       "d/new", "d",   "other",
                                      "other/e/f", "d/g",   "d/h", "d/h/in"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        look(all[i]);
}

#define LET(what) (everything(), tap_other_do(what))

static void as_owner(void)
{
    struct stat st, before;
    SYS(stat("d/f", &before));
    LET(CHMOD_FILE);
    SYS(stat("d/f", &st));
    EQ(st.st_mode & 07777, 0600);
    LET(CHMOD_BACK);
    SYS(stat("d/f", &st));
    EQ(st.st_mode & 07777, 0644);
    LET(APPEND);
    SYS(stat("d/f", &st));
    EQ(st.st_size, before.st_size + 5);
    LET(MAKE);
    SYS(stat("d/new", &st));
    EQ(st.st_mode & 07777, 0640);
    LET(REMOVE);
    ERR(stat("d/new", &st), ENOENT);
    ERR(open("d/new", O_RDONLY), ENOENT);
    ERR(access("d/new", F_OK), ENOENT);
    LET(MOVE_DIR);
    ERR(stat("d/f", &st), ENOENT);
    ERR(lstat("d", &st), ENOENT);
    SYS(stat("other/e/f", &st));
    EQ(st.st_ino, before.st_ino);
    LET(MOVE_BACK);
    ERR(stat("other/e/f", &st), ENOENT);
    SYS(stat("d/f", &st));
    EQ(st.st_ino, before.st_ino);
    LET(LINK);
    SYS(stat("d/f", &st));
    EQ(st.st_nlink, 2);
    SYS(stat("d/g", &st));
    EQ(st.st_ino, before.st_ino);
    LET(REPLACE);
    ERR(stat("d/g", &st), ENOENT);
    SYS(stat("d/h", &st));
    EQ(st.st_nlink, 2);
    LET(SWAP_TYPE);
    SYS(stat("d/h", &st));
    OK(S_ISDIR(st.st_mode));
    ERR(stat("d/h/in", &st), ENOENT);
    SYS(stat("d/f", &st));
    EQ(st.st_nlink, 1);
}

static void as_other(void)
{
    struct stat st;
    LET(CLOSE_DIR);
    ERR(stat("d/f", &st), EACCES);
    ERR(access("d/f", F_OK), EACCES);
    ERR(open("d/f", O_RDONLY), EACCES);
    ERR(stat("d/none", &st), EACCES);
    SYS(stat("d", &st));
    EQ(st.st_mode & 07777, 0700);
    LET(OPEN_DIR);
    SYS(stat("d/f", &st));
    EQ(access("d/f", R_OK), 0);
    ERR(access("d/f", W_OK), EACCES);
    LET(CHMOD_FILE);
    ERR(access("d/f", R_OK), EACCES);
    ERR(open("d/f", O_RDONLY), EACCES);
    SYS(stat("d/f", &st));
    LET(CHMOD_BACK);
    EQ(access("d/f", R_OK), 0);
}

// What root has seen is not for who it becomes.
static void as_less(void)
{
    struct stat st;
    look("d/f");
    close(SYS(open("d/f", O_RDONLY)));
    SYS(seteuid(1000));
    ERR(stat("d/f", &st), EACCES);
    ERR(open("d/f", O_RDONLY), EACCES);
    SYS(seteuid(0));
    SYS(stat("d/f", &st));
    IN_CHILD("a child that is somebody else") {
        look("d/f");
        tap_drop(1000);
        ERR(stat("d/f", &st), EACCES);
        ERR(open("d/f", O_RDONLY), EACCES);
    }
}

// A name that is moved to and fro is always one of the two.
static void race(void)
{
    int stop[2];
    SYS(pipe(stop));
    tap_put("a", 0644, "");
    pid_t pid = tap_fork();
    if (pid == 0) {
        for (int i = 0; i < 300; i++) {
            SYS(rename("a", "b"));
            SYS(chmod("b", i & 1 ? 0644 : 0600));
            SYS(rename("b", "a"));
        }
        tap_post(stop[1]);
        _exit(0);
    }
    struct stat want, st;
    while (stat("a", &want) < 0)
        ;
    SYS(fcntl(stop[0], F_SETFL, O_NONBLOCK));
    int strange = 0;
    for (char byte; read(stop[0], &byte, 1) != 1;) {
        static const char *const names[] = {"a", "b"};
        for (int i = 0; i < 2; i++) {
            if (stat(names[i], &st) == 0)
                strange += st.st_ino != want.st_ino || st.st_nlink != 1 || st.st_size != 0;
            else
                strange += errno != ENOENT;
        }
    }
    EQ(strange, 0);
    EQ(tap_wait(pid), 0);
    SYS(stat("a", &st));
    ERR(stat("b", &st), ENOENT);
}

int main(void)
{
    tap_start();
    tap_tmp();
    umask(0);
    SYS(chmod(".", 0755));
    SYS(mkdir("d", 0755));
    SYS(mkdir("other", 0755));
    tap_put("d/f", 0644, "four");
    tap_other_start(change);
    as_owner();
    SYS(rmdir("d/h"));
    SYS(chmod(".", 0700)); // what others may not know is known to us
    as_owner();
    if (geteuid() == 0)
        as_less();
    SYS(chmod(".", 0755));
    if (geteuid() == 0) {
        IN_CHILD("somebody else") {
            tap_drop(1000);
            as_other();
        }
    }
    tap_other_end();
    race();
    return tap_done();
}
