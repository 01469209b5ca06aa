// SPDX-License-Identifier: MIT
// User stubs: exo_<name>(args...) for every call of calls.def.
//
// Register convention: rax = EXO_CALL_MARK | number; arguments rdi rsi rdx r10 r8 r9; result in
// rax; rcx and r11 are destroyed as SYSCALL does; all other registers are kept.
//
// call:        rdi endpoint, rsi meta, words w[0..5] in rdx r10 r8 r9 r12 r13.
//              meta = message bytes (0..4096) | number of capabilities to send << 16.
//              Result: rax 0 or error of the transfer itself, rsi = reply's meta, words likewise.
//              The server's own verdict is by convention w[0].
// reply_wait:  rdi endpoint, rsi meta of the reply | EXO_REPLY_* flags, words w[0..5] likewise,
// deadline in r14.
//              Result: rax 0 and in_kind etc. in the context block, rsi = meta and words of the
//              call received. EXO_EV_DEATH: w[0] = exit code, w[1] = enum exo_death. EXO_EV_NOTIFY
//              when the context has bits pending. An error of the reply's transfer is the result of
//              both sides; nothing was waited for then. A reply with capabilities whose caller has
//              died is -EXO_EDEAD. A call that is being served when its server
//              waits again with EXO_REPLY_NONE is over for the caller: -EXO_EDEAD.
// Capabilities beyond what the receiver accepts (exo_ctx.recv_max) are LIMIT, a full receiver
// NOSLOT or NOMEM, a capability that is being revoked AGAIN: the sender's error each time, and
// nothing was transferred.
// -EXO_EINTR of a call says that the server has not seen it.
#ifndef EXO_STUBS_H
#define EXO_STUBS_H
#include <exo/calls.h>

struct exo_msg {
    uint64_t meta;
    uint64_t w[6];
};

static inline int64_t exo_syscall6(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                                   uint64_t e, uint64_t f)
{
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    int64_t ret;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(EXO_CALL_MARK | nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}

#define EXO_ARG_H exo_handle_t
#define EXO_ARG_U uint64_t
#define EXO_ARG_P const volatile void *
#define EXO_STUB(name, parameters, a, b, c, d, e)                                                  \
    static inline int64_t exo_##name parameters                                                    \
    {                                                                                              \
        return exo_syscall6(EXO_CALL_##name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c),          \
                            (uint64_t)(d), (uint64_t)(e), 0);                                      \
    }
#define CALL1(nr, name, ta, a, ...) EXO_STUB(name, (EXO_ARG_##ta a), a, 0, 0, 0, 0)
#define CALL2(nr, name, ta, a, tb, b, ...)                                                         \
    EXO_STUB(name, (EXO_ARG_##ta a, EXO_ARG_##tb b), a, b, 0, 0, 0)
#define CALL3(nr, name, ta, a, tb, b, tc, c, ...)                                                  \
    EXO_STUB(name, (EXO_ARG_##ta a, EXO_ARG_##tb b, EXO_ARG_##tc c), a, b, c, 0, 0)
#define CALL4(nr, name, ta, a, tb, b, tc, c, td, d, ...)                                           \
    EXO_STUB(name, (EXO_ARG_##ta a, EXO_ARG_##tb b, EXO_ARG_##tc c, EXO_ARG_##td d), a, b, c, d, 0)
#define CALL5(nr, name, ta, a, tb, b, tc, c, td, d, te, e, ...)                                    \
    EXO_STUB(name,                                                                                 \
             (EXO_ARG_##ta a, EXO_ARG_##tb b, EXO_ARG_##tc c, EXO_ARG_##td d, EXO_ARG_##te e), a,  \
             b, c, d, e)
#define CALLX(nr, name, ...)
#include <exo/calls.def>

static inline int64_t exo_transfer(uint64_t nr, exo_handle_t endpoint, struct exo_msg *m,
                                   exo_ns_t deadline)
{
    register uint64_t r10 __asm__("r10") = m->w[1];
    register uint64_t r8 __asm__("r8") = m->w[2];
    register uint64_t r9 __asm__("r9") = m->w[3];
    register uint64_t r12 __asm__("r12") = m->w[4];
    register uint64_t r13 __asm__("r13") = m->w[5];
    register uint64_t r14 __asm__("r14") = deadline;
    int64_t ret;
    __asm__ volatile("syscall"
                     : "=a"(ret), "+S"(m->meta), "+d"(m->w[0]), "+r"(r10), "+r"(r8), "+r"(r9),
                       "+r"(r12), "+r"(r13)
                     : "a"(EXO_CALL_MARK | nr), "D"(endpoint), "r"(r14)
                     : "rcx", "r11", "memory");
    m->w[1] = r10, m->w[2] = r8, m->w[3] = r9, m->w[4] = r12, m->w[5] = r13;
    return ret;
}

// Call a server. m is the request and becomes the reply.
static inline int64_t exo_call(exo_handle_t endpoint, struct exo_msg *m)
{
    return exo_transfer(EXO_CALL_call, endpoint, m, 0);
}

// Answer with m (unless m->meta has EXO_REPLY_NONE) and wait for the next event until the deadline.
static inline int64_t exo_reply_wait(exo_handle_t endpoint, struct exo_msg *m, exo_ns_t deadline)
{
    return exo_transfer(EXO_CALL_reply_wait, endpoint, m, deadline);
}
#endif
