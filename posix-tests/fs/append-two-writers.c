// SPDX-License-Identifier: MIT
//
// O_APPEND: no intervening write between seeking the end and writing: records of several processes
// with descriptions of their own all arrive whole.
#include "tap.h"

enum { WRITERS = 3, RECORDS = 200, LENGTH = 50 };

int main(void)
{
    tap_start();
    tap_tmp();
    tap_put("log", 0644, "");
    pid_t pid[WRITERS];
    for (int w = 0; w < WRITERS; w++)
        if ((pid[w] = tap_fork()) == 0) {
            char record[LENGTH];
            int fd = SYS(open("log", O_WRONLY | O_APPEND));
            memset(record, 'a' + w, LENGTH);
            for (int i = 0; i < RECORDS; i++)
                NEED(write(fd, record, LENGTH) == LENGTH);
            _exit(0);
        }
    for (int w = 0; w < WRITERS; w++)
        EQ(tap_wait(pid[w]), 0);
    int fd = SYS(open("log", O_RDONLY)), counts[WRITERS] = {0}, torn = 0;
    char record[LENGTH];
    while (read(fd, record, LENGTH) == LENGTH) {
        for (int i = 1; i < LENGTH; i++)
            torn += record[i] != record[0];
        NEED(record[0] >= 'a' && record[0] < 'a' + WRITERS);
        counts[record[0] - 'a']++;
    }
    EQ(torn, 0);
    for (int w = 0; w < WRITERS; w++)
        EQ(counts[w], RECORDS);
    EQ(lseek(fd, 0, SEEK_END), WRITERS * RECORDS * LENGTH);
    return tap_done();
}
