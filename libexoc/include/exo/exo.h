// SPDX-License-Identifier: MIT
/*
 * The research interface: every kernel call, for programs that want less between them and the
 * machine than POSIX. Link with -lexoc.
 *
 * The calls themselves, exo_<name>(...), are inline (<exo/stubs.h>, generated from
 * <exo/calls.def>), as are the exposed tables (<exo/info.h>). What stands here is what needs more
 * than one instruction on top of them. A program that uses this interface shares its environment
 * with the library OS: the handles of its own table that the library OS needs are not hidden from
 * it, and harming them harms the program alone.
 */
#ifndef EXO_EXO_H
#define EXO_EXO_H

#include <exo/types.h>
#include <exo/errors.h>
#include <exo/memlayout.h>
#include <exo/info.h>
#include <exo/ctx.h>
#include <exo/calls.h>
#include <exo/stubs.h>

#ifdef __cplusplus
extern "C" {
#endif

// The monotonic clock in nanoseconds since boot, from the exposed calibration: no kernel entry.
exo_ns_t exo_clock_ns(void);

// What an error of a kernel call means. Takes either sign, 0 included; never NULL.
const char *exo_error_text(int64_t error);

#ifdef __cplusplus
}
#endif
#endif
