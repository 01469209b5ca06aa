// SPDX-License-Identifier: MIT
//
// A pipeline of ten processes, each adding one to every byte: all EOFs travel through.
#include "tap.h"

enum { STAGES = 10, BYTES = 20000 };

int main(void)
{
    int in[2], next[2];
    pid_t pid[STAGES], feeder;
    tap_start();
    SYS(pipe(in));
    feeder = tap_fork();
    if (feeder == 0) {
        unsigned char data[500];
        for (int sent = 0; sent < BYTES; sent += sizeof data) {
            for (size_t i = 0; i < sizeof data; i++)
                data[i] = (sent + i) & 0xff;
            NEED(write(in[1], data, sizeof data) == sizeof data);
        }
        _exit(0);
    }
    SYS(close(in[1]));
    int from = in[0];
    for (int s = 0; s < STAGES; s++) {
        SYS(pipe(next));
        if ((pid[s] = tap_fork()) == 0) {
            unsigned char buf[1234];
            SYS(close(next[0]));
            for (int n; (n = SYS(read(from, buf, sizeof buf))) > 0;) {
                for (int i = 0; i < n; i++)
                    buf[i]++;
                NEED(write(next[1], buf, n) == n);
            }
            _exit(s);
        }
        SYS(close(from));
        SYS(close(next[1]));
        from = next[0];
    }
    unsigned char buf[999];
    long total = 0, wrong = 0;
    for (int n; (n = SYS(read(from, buf, sizeof buf))) > 0;)
        for (int i = 0; i < n; i++, total++)
            wrong += buf[i] != ((total + STAGES) & 0xff);
    EQ(total, BYTES);
    EQ(wrong, 0);
    EQ(tap_wait(feeder), 0);
    for (int s = 0; s < STAGES; s++)
        EQ(tap_wait(pid[s]), s);
    return tap_done();
}
