// SPDX-License-Identifier: MIT
//
// A handler at an arbitrary instruction leaves every register as it was: general, x87, SSE and
// flags. A timer fires into loops that check their own arithmetic.
#include "tap.h"
#include <math.h>
#include <sys/time.h>
static volatile sig_atomic_t count;
static volatile double sink;

static void disturb(int sig)
{
    int saved = errno;
    (void)sig;
    count++;
    errno = 12345;
    sink = sqrt(count * 3.7) / 1.1;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; movaps %%xmm0, %%xmm7; movaps %%xmm0, %%xmm15; "
                     "fldpi; fldl2e; faddp; fstp %%st(0); std; cld; cmp %%eax, %%eax"
                     :
                     :
                     : "xmm0", "xmm7", "xmm15", "cc");
    errno = saved;
}

int main(void)
{
    struct itimerval t = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
    long wrong = 0;
    tap_start();
    signal(SIGALRM, disturb);
    SYS(setitimer(ITIMER_REAL, &t, NULL));
    for (long round = 0; count < 15 && round < 1000000; round++) {
        double sum = 0, product = 1;
        long double x87 = 0;
        unsigned long hash = 5381, a = 1, b = 2, c = 3;
        for (int i = 1; i <= 1000; i++) {
            sum += i * 0.5;
            product = product * 1.0001 + 0.25;
            x87 += i * 0.25L;
            hash = hash * 33 + i;
            a += b ^ c, b = (b << 7 | b >> 57) + i, c += a * 3;
        }
        static double first_product;
        static unsigned long first_hash, first_mix;
        if (round == 0)
            first_product = product, first_hash = hash, first_mix = a ^ b ^ c;
        wrong += sum != 250250.0 || x87 != 125125.0L || product != first_product;
        wrong += hash != first_hash || (a ^ b ^ c) != first_mix;
    }
    SYS(setitimer(ITIMER_REAL, &off, NULL));
    tap_alarm();
    OK(count >= 15);
    EQ(wrong, 0);
    return tap_done();
}
