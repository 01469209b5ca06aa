// SPDX-License-Identifier: MIT
// For boot-test: under QEMU's -icount shift=0 the time stamp counter counts instructions since
// power-on.
#include <stdio.h>
#include <x86intrin.h>

int main(void)
{
    return printf("%llu instructions\n", (unsigned long long)__rdtsc()) < 0;
}
