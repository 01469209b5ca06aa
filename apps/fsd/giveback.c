// SPDX-License-Identifier: MIT
// Memory is short elsewhere, or here.
//
// We keep our bank: when init wants frames of it back, a notification says so, and before the next
// call is served what is kept for the sake of speed alone is given up, as much as is owed: chunks
// of frames that no block has, then node pages nobody has, then nodes that nobody has open, with
// their segments, the idlest first, then what leases hold; then blocks are gathered in fewer
// chunks, and clients fault those in anew. What files hold is never given. If more is owed than
// there is, init is told, and withdraws.
//
// The other way round, when blocks or records want memory and there is none left, init is asked for
// more.
//
// Upcalls stay masked: the notification is an event of the server's loop. The library OS beneath
// malloc may take the bit all the same; it is that of a signal, whose handler then runs on the way
// out of that call.
#include "fsd.h"
#include <signal.h>

#define ASKED_SIGNAL SIGPWR
#define ASKED_BIT    (1ull << (ASKED_SIGNAL - 1))
#define MORE_FRAMES  256u

static volatile sig_atomic_t asked;

static void on_asked(int signo)
{
    (void)signo;
    asked = 1;
}

void giveback_init(void)
{
    struct sigaction action = {.sa_handler = on_asked};
    sigaction(ASKED_SIGNAL, &action, NULL);
    CTX->mask = 1;
    exo_bank_keep(H_BANK, ASKED_BIT);
}

void giveback_notified(uint64_t bits)
{
    if (bits & ASKED_BIT)
        asked = 1;
}

static uint64_t owed(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    if (exo_cap_identify(H_BANK, &info) < 0)
        return 0;
    uint64_t gone = info.used + info.debt.frames;
    return gone > info.length ? gone - info.length : 0;
}

static long init_call(enum proc_op op, uint64_t arg)
{
    struct exo_msg m = {.w = {op, arg}};
    int64_t err;
    while ((err = exo_call(H_INIT, &m)) == -EXO_EINTR) {
        giveback_notified(__atomic_exchange_n(&CTX->pending, 0, __ATOMIC_SEQ_CST));
        m = (struct exo_msg){.w = {op, arg}};
    }
    return err < 0 ? -LX_EIO : (long)m.w[0];
}

bool giveback_gather(uint64_t frames)
{
    if (!dev_leave_begin(frames))
        return false;
    nodes_leave();
    dev_leave_end();
    return true;
}

void giveback_step(void)
{
    if (!asked)
        return;
    asked = 0;
    for (uint64_t frames; (frames = owed());) {
        if (dev_give_back(frames) || node_evict() || leases_end() || giveback_gather(frames))
            continue;
        init_call(PROC_OP_KEEP, 0);
        return;
    }
}

bool memory_more(void)
{
    return init_call(PROC_OP_MEMORY, MORE_FRAMES) == 0;
}
