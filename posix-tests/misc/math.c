// SPDX-License-Identifier: MIT
//
// Floating point as the ABI starts a process (round to nearest, no traps) and a few exact results;
// the rounding mode survives system calls and switches between processes.
#include "tap.h"
#include <fenv.h>
#include <math.h>
static volatile double one = 1, three = 3, ten = 10, zero, tiny = 4.9406564584124654e-324;

int main(void)
{
    tap_start();
    EQ(fegetround(), FE_TONEAREST);
    EQ(fetestexcept(FE_DIVBYZERO | FE_INVALID), 0);
    OK(isinf(one / zero));
    OK(fetestexcept(FE_DIVBYZERO));
    feclearexcept(FE_ALL_EXCEPT);
    OK(isnan(zero / zero));
    OK(tiny / 2 == 0 && tiny * 2 / 2 == tiny);
    OK(sqrt(2.0) * one == 1.4142135623730951);
    OK(pow(ten, 2) == 100 && floor(-1.5 * one) == -2 && trunc(-1.5 * one) == -1);
    OK(fmod(ten, three) == 1 && remainder(ten, 4) == 2 && hypot(3, 4 * one) == 5);
    OK(rint(2.5 * one) == 2 && round(2.5 * one) == 3 && lrint(3.5 * one) == 4);
    OK(fabs(sin(one) - 0.8414709848078965) < 1e-15 && fabs(exp(one) - M_E) < 1e-15);
    OK(ldexp(one, 1023) * 2 == INFINITY && frexp(8 * one, &(int){0}) == 0.5);
    double nearest = one / three;
    EQ(fesetround(FE_UPWARD), 0);
    double up = one / three;
    OK(up > nearest);
    pid_t pid = tap_fork();
    if (pid == 0) {
        EQ(fegetround(), FE_UPWARD);
        fesetround(FE_DOWNWARD);
        for (int i = 0; i < 5; i++) {
            tap_sleep(2);
            OK(one / three <= nearest && one / three < up);
        }
        _exit(0);
    }
    for (int i = 0; i < 5; i++) {
        tap_sleep(2);
        OK(one / three == up);
    }
    EQ(tap_wait(pid), 0);
    EQ(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    OK(one / three == nearest);
    long double precise = 1.0L / 3;
    OK(precise != (long double)(one / three));
    return tap_done();
}
