// SPDX-License-Identifier: MIT
//
// Record locks between processes: shared and exclusive, ranges that split and join, F_GETLK names
// the holder, whence other than SEEK_SET, modes of the descriptor.
#include "tap.h"
static int fd;

static int try_lock(int type, long start, long length)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, F_SETLK, &l);
}

static pid_t holder(int type, long start, long length)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    SYS(fcntl(fd, F_GETLK, &l));
    return l.l_type == F_UNLCK ? 0 : l.l_pid;
}

int main(void)
{
    tap_start();
    tap_tmp();
    tap_put("f", 0644, "0123456789");
    fd = SYS(open("f", O_RDWR));
    EQ(try_lock(F_WRLCK, 0, 100), 0);
    EQ(try_lock(F_UNLCK, 40, 20), 0);
    EQ(try_lock(F_RDLCK, 200, 0), 0);
    EQ(holder(F_WRLCK, 0, 100), 0);
    IN_CHILD("another process") {
        pid_t parent = getppid();
        EQ(holder(F_RDLCK, 10, 1), parent);
        EQ(holder(F_WRLCK, 40, 20), 0);
        EQ(holder(F_RDLCK, 1L << 40, 1), 0);
        EQ(holder(F_WRLCK, 1L << 40, 1), parent);
        OK(try_lock(F_RDLCK, 39, 1) == -1 && (errno == EAGAIN || errno == EACCES));
        EQ(try_lock(F_WRLCK, 40, 20), 0);
        OK(try_lock(F_WRLCK, 40, 21) == -1 && (errno == EAGAIN || errno == EACCES));
        EQ(try_lock(F_RDLCK, 300, 5), 0);
        OK(try_lock(F_WRLCK, 300, 5) == -1 && (errno == EAGAIN || errno == EACCES));
        SYS(lseek(fd, 50, SEEK_SET));
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = -15, .l_len = 4};
        EQ(fcntl(fd, F_GETLK, &l), 0);
        EQ(l.l_pid, parent);
        EQ(l.l_whence, SEEK_SET);
        EQ(l.l_start, 0);
        EQ(l.l_len, 40);
    }
    EQ(try_lock(F_WRLCK, 40, 20), 0);
    struct flock bad = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = -1, .l_len = 1};
    ERR(fcntl(fd, F_SETLK, &bad), EINVAL);
    bad.l_type = 77;
    ERR(fcntl(fd, F_SETLK, &bad), EINVAL);
    fd = SYS(open("f", O_RDONLY));
    ERR(try_lock(F_WRLCK, 500, 1), EBADF);
    return tap_done();
}
