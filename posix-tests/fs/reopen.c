// SPDX-License-Identifier: MIT
//
// A file that was opened and closed many times is opened anew each time: at its beginning, with the
// flags of this open, without the locks of the last, and it is what the name refers to now.
#include "tap.h"

#include <sys/file.h>

static void often(const char *path)
{
    for (int i = 0; i < 5; i++) {
        char byte;
        int fd = open(path, O_RDONLY);
        if (fd >= 0 && read(fd, &byte, i & 1) >= 0)
            close(fd);
    }
}

// Another process, which was there before, changes the file.
enum { REPLACE, CUT, REMOVE, MAKE, RENEW, TO_DIR, CLOSE, LOCK };

static void change(int what)
{
    int fd;
    switch (what) {
    case REPLACE:
        tap_put("tmp", 0644, "two");
        SYS(rename("tmp", "f"));
        break;
    case CUT:
        SYS(truncate("f", 1));
        break;
    case REMOVE:
        SYS(unlink("f"));
        break;
    case MAKE:
        tap_put("f", 0644, "three");
        break;
    case RENEW:
        SYS(unlink("f"));
        tap_put("f", 0644, "four");
        break;
    case TO_DIR:
        SYS(unlink("f"));
        SYS(mkdir("f", 0755));
        break;
    case CLOSE:
        SYS(chmod("f", 0600));
        break;
    default:
        SYS(fd = open("f", O_RDONLY));
        EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
        close(fd);
    }
}

static void let(int what)
{
    often("f");
    tap_other_do(what);
}

static void changed_by_others(void)
{
    struct stat st;
    let(REPLACE);
    STR(tap_get("f"), "two");
    let(CUT);
    STR(tap_get("f"), "t");
    let(REMOVE);
    ERR(open("f", O_RDONLY), ENOENT);
    let(MAKE);
    STR(tap_get("f"), "three");
    let(RENEW);
    STR(tap_get("f"), "four");
    SYS(stat("f", &st));
    EQ(st.st_size, 4);
    let(TO_DIR);
    SYS(stat("f", &st));
    OK(S_ISDIR(st.st_mode));
    SYS(rmdir("f"));
}

static void same_process(void)
{
    int fd, other;
    char buf[8] = "";
    often("f");
    SYS(fd = open("f", O_RDONLY));
    SYS(other = open("f", O_RDONLY | O_NONBLOCK));
    EQ(read(fd, buf, 3), 3);
    EQ(read(other, buf, 1), 1);
    EQ(buf[0], 'o');
    EQ(lseek(fd, 0, SEEK_CUR), 3);
    OK(fcntl(other, F_GETFL) & O_NONBLOCK);
    OK(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
    close(fd);
    close(other);
    SYS(fd = open("f", O_RDONLY | O_CLOEXEC));
    EQ(lseek(fd, 0, SEEK_CUR), 0);
    OK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    OK(!(fcntl(fd, F_GETFL) & O_NONBLOCK));
    SYS(other = dup(fd));
    EQ(read(other, buf, 2), 2);
    close(fd);
    EQ(lseek(other, 0, SEEK_CUR), 2);
    close(other);
    often("f");
    SYS(unlink("f"));
    ERR(open("f", O_RDONLY), ENOENT);
    tap_put("f", 0644, "new one");
    STR(tap_get("f"), "new one");
    often("f");
    SYS(fd = open("f", O_RDONLY));
    SYS(rename("f", "g"));
    tap_put("f", 0644, "second");
    STR(tap_get("f"), "second");
    STR(tap_get("g"), "new one");
    EQ(read(fd, buf, 3), 3);
    EQ(memcmp(buf, "new", 3), 0);
    close(fd);
}

static void locks(void)
{
    int fd;
    often("f");
    SYS(fd = open("f", O_RDONLY));
    SYS(flock(fd, LOCK_EX));
    close(fd);
    let(LOCK); // it went with the file
    SYS(fd = open("f", O_RDONLY));
    EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
    IN_CHILD("a lock of an open file holds") {
        int own;
        SYS(own = open("f", O_RDONLY));
        ERR(flock(own, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    }
    close(fd);
}

static void shared_by_fork(void)
{
    int fd;
    char buf[4];
    often("f");
    SYS(fd = open("f", O_RDONLY));
    IN_CHILD("the position is shared") {
        EQ(read(fd, buf, 2), 2);
        often("f");
    }
    EQ(lseek(fd, 0, SEEK_CUR), 2);
    close(fd);
    often("f");
    SYS(fd = open("f", O_RDONLY));
    EQ(lseek(fd, 0, SEEK_CUR), 0);
    close(fd);
}

int main(void)
{
    tap_start();
    tap_tmp();
    umask(0);
    SYS(chmod(".", 0777));
    tap_put("f", 0644, "one");
    tap_other_start(change);
    same_process();
    tap_put("f", 0644, "one");
    changed_by_others();
    tap_put("f", 0644, "five");
    locks();
    shared_by_fork();
    if (geteuid() == 0) {
        IN_CHILD("permission is asked for each time") {
            struct stat st;
            tap_drop(1000);
            let(CLOSE);
            SYS(stat("f", &st));
            ERR(open("f", O_RDONLY), EACCES);
        }
    }
    tap_other_end();
    return tap_done();
}
