// SPDX-License-Identifier: MIT
//
// File time stamps come from the same clock as time(): never from the future, never long past.
#include "tap.h"

int main(void)
{
    struct stat st;
    struct timespec a, b;
    tap_start();
    tap_tmp();
    for (int i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%d", i);
        SYS(clock_gettime(CLOCK_REALTIME, &a));
        tap_put(name, 0644, "x");
        SYS(clock_gettime(CLOCK_REALTIME, &b));
        SYS(stat(name, &st));
        OK(st.st_mtim.tv_sec >= a.tv_sec - 1 && st.st_mtim.tv_sec <= b.tv_sec);
        OK(st.st_mtim.tv_nsec >= 0 && st.st_mtim.tv_nsec < 1000000000);
        tap_sleep(20);
    }
    return tap_done();
}
