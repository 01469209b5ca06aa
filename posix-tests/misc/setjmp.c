// SPDX-License-Identifier: MIT
//
// setjmp(), longjmp(): values, 0 becomes 1, volatile locals keep what they got, out of deep
// recursion.
#include "tap.h"
#include <setjmp.h>
static jmp_buf at;

__attribute__((noinline)) static int dive(int n)
{
    volatile char room[100];
    room[n % 100] = n;
    if (n < 0)
        return 0;
    if (n == 0)
        longjmp(at, 7);
    return dive(n - 1) + room[n % 100];
}

int main(void)
{
    volatile int count = 0, kept = 5;
    tap_start();
    int value = setjmp(at);
    if (value == 0) {
        kept = 6;
        dive(500);
    }
    EQ(value, 7);
    EQ(kept, 6);
    value = setjmp(at);
    if (count++ < 100)
        longjmp(at, 0);
    EQ(value, 1);
    EQ(count, 101);
    return tap_done();
}
