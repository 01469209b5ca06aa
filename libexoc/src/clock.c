// SPDX-License-Identifier: MIT
#include <exo/exo.h>
#include <proto/clock.h>

exo_ns_t exo_clock_ns(void)
{
    return exo_clock_now();
}
