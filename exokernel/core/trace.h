// SPDX-License-Identifier: MIT
// The trace ring: the last kernel calls of all environments, for machine_trace and for panic.
#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

#include <stdbool.h>
#include <exo/calls.h>

struct ctx;
// Its result may be filled in at once.
struct exo_trace *trace_begin(struct ctx *ctx, uint32_t number);
// The first record at or after *cursor, which moves on.
bool trace_get(uint64_t *cursor, struct exo_trace *record);
void trace_print(unsigned count); // the last ones, to the log
const char *call_name(uint32_t number);

#endif
