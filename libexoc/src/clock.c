// SPDX-License-Identifier: MIT
/*
 * The clock from the exposed page. The kernel changes the calibration rarely and marks the change
 * by an odd sequence number; a reader that saw the number change reads again.
 */
#include <exo/exo.h>

exo_ns_t exo_clock_ns(void)
{
    uint32_t seq;
    uint64_t ns;

    do {
        seq = __atomic_load_n(&EXO_INFO->clock_seq, __ATOMIC_ACQUIRE);
        uint64_t ticks = __builtin_ia32_rdtsc() - EXO_INFO->tsc_base;
        unsigned __int128 scaled = (unsigned __int128)ticks * EXO_INFO->tsc_mult;
        ns = EXO_INFO->tsc_ns + (uint64_t)(scaled >> EXO_INFO->tsc_shift);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((seq & 1) || seq != EXO_INFO->clock_seq);
    return ns;
}
