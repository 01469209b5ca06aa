// SPDX-License-Identifier: MIT
//
// A ring of fixed records, the newest overwriting the oldest. A record is written at a call's entry
// and completed at its return; of a call that sleeps the result stays EXO_TRACE_ASLEEP. Locking:
// klock.

#include <core/log.h>
#include <core/trace.h>
#include <x86/cpu.h>

#define RECORDS 1024u

static struct exo_trace ring[RECORDS];
static uint64_t next = 1;

struct exo_trace *trace_begin(struct ctx *ctx, uint32_t number)
{
    struct exo_trace *record = &ring[next % RECORDS];

    record->sequence = next++;
    record->tsc = rdtsc();
    record->env = ctx->env->index;
    record->ctx = (uint16_t)ctx->index;
    record->number = (uint16_t)number;
    record->args[0] = ctx->regs.rdi;
    record->args[1] = ctx->regs.rsi;
    record->args[2] = ctx->regs.rdx;
    record->args[3] = ctx->regs.r10;
    record->result = EXO_TRACE_ASLEEP;
    return record;
}

bool trace_get(uint64_t *cursor, struct exo_trace *record)
{
    uint64_t oldest = next > RECORDS ? next - RECORDS : 1;
    uint64_t at = *cursor < oldest ? oldest : *cursor;

    if (at >= next)
        return false;
    *record = ring[at % RECORDS];
    *cursor = at + 1;
    return true;
}

void trace_print(unsigned count)
{
    uint64_t at = next > count ? next - count : 1;
    struct exo_trace r;

    while (trace_get(&at, &r)) {
        log_printf("  %lu env %u.%u %s(%lx, %lx, %lx, %lx)", r.sequence, r.env, r.ctx,
                   call_name(r.number), r.args[0], r.args[1], r.args[2], r.args[3]);
        if (r.result == EXO_TRACE_ASLEEP)
            log_printf(" asleep\n");
        else
            log_printf(" = %ld\n", r.result);
    }
}
