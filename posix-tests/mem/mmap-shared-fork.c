// SPDX-License-Identifier: MIT
//
// MAP_SHARED memory, anonymous or of a file, stays one memory over fork in every direction; private
// memory does not; separate processes mapping one file share it.
#include "tap.h"
#include <sys/mman.h>

int main(void)
{
    tap_start();
    tap_tmp();
    int fd = SYS(open("f", O_RDWR | O_CREAT, 0644));
    SYS(ftruncate(fd, 8192));
    const int rw = PROT_READ | PROT_WRITE;
    volatile int *anon = mmap(NULL, 65536, rw, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    volatile int *file = mmap(NULL, 8192, rw, MAP_SHARED, fd, 0);
    volatile int *priv = mmap(NULL, 8192, rw, MAP_PRIVATE, fd, 0);
    NEED(anon != MAP_FAILED && file != MAP_FAILED && priv != MAP_FAILED);
    EQ(anon[100], 0);
    anon[0] = file[0] = 1;
    priv[500] = 1;
    IN_CHILD("child writes") {
        EQ(anon[0] + file[0] + priv[500], 3);
        anon[1] = file[1] = 2;
        anon[16000] = 9;
        priv[500] = 2;
        volatile int *own = mmap(NULL, 8192, rw, MAP_SHARED, SYS(open("f", O_RDWR)), 0);
        NEED(own != MAP_FAILED);
        EQ(own[0], 1);
        own[1000] = 7;
    }
    EQ(anon[1], 2);
    EQ(file[1], 2);
    EQ(anon[16000], 9);
    EQ(priv[500], 1);
    EQ(file[1000], 7);
    pid_t pid = tap_fork();
    if (pid == 0) {
        for (int i = 0; i < 2000; i++)
            __sync_fetch_and_add(&anon[50], 1);
        _exit(0);
    }
    for (int i = 0; i < 2000; i++)
        __sync_fetch_and_add(&anon[50], 1);
    EQ(tap_wait(pid), 0);
    EQ(anon[50], 4000);
    int value;
    EQ(pread(fd, &value, sizeof value, 4000), sizeof value);
    EQ(value, 7);
    return tap_done();
}
