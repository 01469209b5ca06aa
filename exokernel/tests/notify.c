// SPDX-License-Identifier: MIT
// Notification bits: upcall when unmasked and not nested, once for each arrival, later if masked;
// wait ends at once.
#include "test.h"

static volatile unsigned upcalls, deepest;
static volatile uint64_t bits, causes;

static void handler(struct exo_save *save)
{
    upcalls++;
    if (CTX->depth > deepest)
        deepest = CTX->depth;
    causes |= 1u << save->cause;
    bits |= __atomic_exchange_n(&CTX->pending, 0, __ATOMIC_SEQ_CST);
    if (upcalls == 10) // nested: the upcall for these comes only after this one is done
        exo_env_notify(0, 0x70);
}

void test_main(void)
{
    upcalls_to(handler);
    is(exo_env_notify(0, 5), 0);
    is(upcalls, 1);
    is(bits, 5);
    is(causes, 1u << EXO_UP_NOTIFY);
    ok(CTX->notified_by[0] == CTX->env && CTX->notified_by[2] == CTX->env);
    ok(CTX->notified_by[1] == 0);
    CTX->mask = 1;
    is(exo_env_notify(0, 0x10), 0);
    is(upcalls, 1);
    is(CTX->pending, 0x10);
    is(exo_wait(0, 0, EXO_NEVER), -EXO_EINTR);
    is(upcalls, 1);
    CTX->mask = 0;
    exo_ctx_yield(0, 0, 0); // the next return from the kernel
    is(upcalls, 2);
    is(bits, 0x15);
    is(exo_wait(0, 0, now() + 1000000), -EXO_ETIMEDOUT);
    CTX->mask = 1; // or it might come before the wait and be gone
    is(exo_ctx_alarm(now() + 5000000, 0x100), 0);
    is(exo_wait(0, 0, EXO_NEVER), -EXO_EINTR);
    CTX->mask = 0;
    exo_ctx_yield(0, 0, 0);
    is(upcalls, 3);
    is(bits, 0x115);
    exo_ctx_alarm(now() + 5000000, 0x200); // in the middle of user code
    spin_until(bits & 0x200);
    is(upcalls, 4);
    ok(exo_ctx_alarm(now() + 1000000000000, 1) == 0 && exo_ctx_alarm(EXO_NEVER, 0) > 0);
    upcalls = 9;
    is(exo_env_notify(0, 1), 0);
    is(upcalls, 11);
    ok(bits & 0x70);
    is(deepest, 1);
    is(CTX->depth, 0);
}
