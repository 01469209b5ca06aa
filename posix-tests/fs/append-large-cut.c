// SPDX-License-Identifier: MIT
//
// Long appends of several processes, while another cuts the file to nothing now and then: each
// write is before or after a cut, never in part, and no two share bytes. Bytes nobody wrote do not
// appear.
#include "tap.h"

enum { WRITERS = 3, RECORDS = 30, LENGTH = 50000, CUTS = 20 };

static char record[LENGTH];

static void writer(int w)
{
    int fd = SYS(open("log", O_WRONLY | O_APPEND));
    for (int i = 0; i < RECORDS; i++) {
        memset(record, 'a' + w, LENGTH);
        record[0] = record[LENGTH - 1] = (char)('A' + i);
        NEED(write(fd, record, LENGTH) == LENGTH);
    }
    _exit(0);
}

static void cutter(void)
{
    int fd = SYS(open("log", O_WRONLY));
    for (int i = 0; i < CUTS; i++) {
        SYS(ftruncate(fd, 0));
        tap_sleep(5);
    }
    _exit(0);
}

int main(void)
{
    tap_start();
    tap_tmp();
    tap_put("log", 0644, "");
    pid_t pid[WRITERS + 1];
    for (int w = 0; w <= WRITERS; w++) {
        if ((pid[w] = tap_fork()) != 0)
            continue;
        if (w == WRITERS)
            cutter();
        writer(w);
    }
    for (int w = 0; w <= WRITERS; w++)
        EQ(tap_wait(pid[w]), 0);
    int fd = SYS(open("log", O_RDONLY)), torn = 0, records = 0;
    for (; read(fd, record, LENGTH) == LENGTH; records++) {
        torn += record[0] != record[LENGTH - 1] || record[0] < 'A' || record[0] >= 'A' + RECORDS;
        for (int i = 2; i < LENGTH - 1; i++)
            torn += record[i] != record[1];
    }
    EQ(torn, 0);
    OK(records <= WRITERS * RECORDS);
    EQ(lseek(fd, 0, SEEK_END), (long)records * LENGTH);
    return tap_done();
}
