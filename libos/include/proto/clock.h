// SPDX-License-Identifier: MIT
// The monotonic clock, read from the information page and the time stamp counter without a call.
// The kernel changes the calibration rarely and marks the change by an odd sequence number; a
// reader that saw the number change reads again.
#ifndef PROTO_CLOCK_H
#define PROTO_CLOCK_H
#include <exo/info.h>

// Nanoseconds since the machine started.
static inline uint64_t exo_clock_now(void)
{
    const volatile struct exo_info *info = EXO_INFO;
    uint64_t base, ns, mult;
    uint32_t seq, shift, lo, hi;

    do {
        seq = info->clock_seq;
        base = info->tsc_base;
        ns = info->tsc_ns;
        mult = info->tsc_mult;
        shift = info->tsc_shift;
        __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    } while ((seq & 1) || seq != info->clock_seq);
    base = ((uint64_t)hi << 32 | lo) - base;
    return ns + (uint64_t)((unsigned __int128)base * mult >> shift);
}

#endif
