// SPDX-License-Identifier: MIT
//
// A bank that has run out. init may have memory for it, or get some back from a server that keeps a
// cache; that takes a moment, in which the server gives up what it does not need.
//
// May be called from a fault that has interrupted the libOS while it prepared a call: the fields of
// the context block that a call uses are kept, and the message page is not touched, because neither
// the question nor the answer has a message.
#include <mem/mem.h>

#define PATIENCE_NS 300000000ull
#define PAUSE_NS    2000000ull

#define FIELDS_SIZE (offsetof(struct exo_ctx, libos_words) - offsetof(struct exo_ctx, send))

static long ask(uint64_t pages)
{
    exo_ns_t give_up = clock_now() + PATIENCE_NS;
    for (;;) {
        struct exo_msg m = {.w = {PROC_OP_MEMORY, pages}};
        long r = server_call(H_INIT, &m);
        if (r != -LX_EAGAIN || clock_now() > give_up)
            return r;
        if (exo_wait(NULL, 0, clock_now() + PAUSE_NS) == -EXO_EINTR)
            exo_ctx_yield(0, 0, 0);
    }
}

bool memory_more(uint64_t pages)
{
    static bool asking;
    uint8_t fields[FIELDS_SIZE];
    if (libos_bank != H_BANK || asking) // init itself, or a fault on the way
        return false;
    asking = true;
    memcpy(fields, ctx_self()->send, sizeof fields);
    long r = ask(pages);
    memcpy(ctx_self()->send, fields, sizeof fields);
    asking = false;
    return r == 0;
}

// What the dead leave comes back a moment after their death: an embryo that could not be made, the
// other processes of a job that died of the same.
bool memory_pause(void)
{
    static exo_ns_t first, last;
    exo_ns_t now = clock_now();
    if (now - last > PATIENCE_NS)
        first = now;
    last = now;
    if (now - first > PATIENCE_NS)
        return false;
    if (exo_wait(NULL, 0, now + PAUSE_NS) == -EXO_EINTR)
        exo_ctx_yield(0, 0, 0);
    return true;
}

int64_t frames_buy(uint64_t count)
{
    int64_t h = exo_frames_alloc(libos_bank, count, 0, 0);
    if (h == -EXO_ENOMEM && memory_more(count + 1))
        h = exo_frames_alloc(libos_bank, count, 0, 0);
    return h;
}
