// SPDX-License-Identifier: MIT
//
// umask(): masks what open, mkdir and mkfifo make, returns the old value, keeps nine bits, is
// inherited over fork and private afterwards.
#include "tap.h"

int main(void)
{
    struct stat st;
    tap_start();
    tap_tmp();
    umask(0);
    EQ(umask(027), 0);
    EQ(umask(027), 027);
    SYS(close(SYS(open("f", O_WRONLY | O_CREAT, 0777))));
    SYS(stat("f", &st));
    EQ(st.st_mode & 07777, 0750);
    SYS(mkdir("d", 0777));
    SYS(stat("d", &st));
    EQ(st.st_mode & 0777, 0750);
    SYS(mkfifo("p", 0666));
    SYS(stat("p", &st));
    EQ(st.st_mode & 0777, 0640);
    SYS(chmod("f", 0777));
    SYS(stat("f", &st));
    EQ(st.st_mode & 0777, 0777);
    umask(07777);
    EQ(umask(077), 0777);
    IN_CHILD("inherited and private") {
        EQ(umask(0), 077);
    }
    EQ(umask(022), 077);
    return tap_done();
}
