// SPDX-License-Identifier: MIT
//
// From a call's number to its handler: a table made from calls.def, whose entries take the
// arguments from the context's registers. Every call is counted for its environment and leaves a
// record in the trace ring.

#include <core/dispatch.h>
#include <core/trace.h>
#include <x86/cpu.h>

#define NOMEM_REPEATS 16
#define NOMEM_WORK    1024

#define A(reg) (ctx->regs.reg)
#define CALLN(name, ...)                                                                           \
    static int64_t call_##name(struct ctx *ctx)                                                    \
    {                                                                                              \
        return sys_##name(__VA_ARGS__);                                                            \
    }
#define CALL1(nr, name, ...) CALLN(name, A(rdi))
#define CALL2(nr, name, ...) CALLN(name, A(rdi), A(rsi))
#define CALL3(nr, name, ...) CALLN(name, A(rdi), A(rsi), A(rdx))
#define CALL4(nr, name, ...) CALLN(name, A(rdi), A(rsi), A(rdx), A(r10))
#define CALL5(nr, name, ...) CALLN(name, A(rdi), A(rsi), A(rdx), A(r10), A(r8))
#define CALLX(nr, name, ...) CALLN(name, ctx)
#include <exo/calls.def>

static const struct {
    int64_t (*handler)(struct ctx *ctx);
    const char *name;
} calls[EXO_CALL_LIMIT] = {
#define CALL(nr, name, ...) [nr] = {call_##name, #name},
#include <exo/calls.def>
};

const char *call_name(uint32_t number)
{
    return number < EXO_CALL_LIMIT && calls[number].name ? calls[number].name : "?";
}

int64_t dispatch(struct ctx *ctx)
{
    uint32_t number = (uint32_t)ctx->regs.rax;
    struct exo_trace *record = trace_begin(ctx, number);
    int64_t result = -EXO_ENOSYS;

    ctx->env->info->entries++;
    if (number < EXO_CALL_LIMIT && calls[number].handler)
        result = calls[number].handler(ctx);
    // Memory that is on its way back counts as free: a call that failed has changed nothing and may
    // be repeated.
    for (unsigned n = 0; result == -EXO_ENOMEM && n < NOMEM_REPEATS && mem_work(0); n++) {
        mem_work(NOMEM_WORK);
        result = calls[number].handler(ctx);
    }
    record->result = result; // EXO_TRACE_ASLEEP is CALL_NO_RESULT
    return result;
}
// NOLINTNEXTLINE(misc-redundant-expression): so that it stays that way
_Static_assert(EXO_TRACE_ASLEEP == CALL_NO_RESULT, "one value");
