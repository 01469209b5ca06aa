// SPDX-License-Identifier: MIT
//
// What the kernel tells this process: faults, exceptions, notifications.
//
// Runs on the upcall stack with the interrupted registers in a save area; entry.S loads them again
// on return. A fault is resolved by memory management wherever it happened; what remains is the
// fault of an accessor (go on at its recovery), of the application (a signal), or of the libOS
// itself (the process ends, telling where). Notifications that find the libOS at work only stay in
// ctx->pending: see entry.S for the two windows where that would lose them.
#include <core/core.h>
#include <lx/signal.h>

#define GP_FAULT    13
#define STACK_FAULT 12

static bool within(uint64_t rip, const char *from, const char *to)
{
    return rip >= (uint64_t)from && rip < (uint64_t)to;
}

// Ways out of a call: from the look at what is pending to the last instruction, and where to look
// again.
static const struct leaving {
    const char *from, *to, *again;
} leaving[] = {
    {native_check, native_end, exit_check},
    {leaf_check, leaf_end, exit_check},
    {exit_check, exit_end, exit_check},
    {foreign_check, foreign_end, foreign_check},
};

static const struct leaving *leaving_at(uint64_t rip)
{
    for (size_t i = 0; i < sizeof leaving / sizeof leaving[0]; i++)
        if (within(rip, leaving[i].from, leaving[i].to))
            return &leaving[i];
    return NULL;
}

// Leaves [resume_window..) by doing the iretq, and makes the way out look again. True when it was
// in a window.
static bool leave_windows(struct exo_save *save)
{
    if (within(save->rip, resume_window, resume_window_end)) {
        memcpy(&save->rip, (const void *)save->rsp, 5 * sizeof(uint64_t));
        return true;
    }
    const struct leaving *way = leaving_at(save->rip);
    if (way)
        save->rip = (uint64_t)way->again;
    return false;
}

// Notifications seen after the save area was given back. False: leave without looking again.
int upcall_late(struct exo_save *save)
{
    if (in_libos(save->rip)) {
        leave_windows(save);
        return 0;
    }
    sig_notified(save);
    return 1;
}

static void dump(const struct exo_save *s)
{
    libos_log("rip %lx rsp %lx rax %lx rbx %lx rcx %lx rdx %lx\n", s->rip, s->rsp, s->rax, s->rbx,
              s->rcx, s->rdx);
    libos_log("rsi %lx rdi %lx rbp %lx r8 %lx r9 %lx r10 %lx\n", s->rsi, s->rdi, s->rbp, s->r8,
              s->r9, s->r10);
    libos_log("r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx flags %lx\n", s->r11, s->r12, s->r13, s->r14,
              s->r15, s->rflags);
    uint64_t fp = s->rbp;
    for (int i = 0; i < 12 && fp; i++) {
        uint64_t frame[2] = {0};
        if (user_copy(frame, (const void *)fp, sizeof frame))
            break;
        libos_log("  called from %lx\n", frame[1]);
        fp = frame[0];
    }
}

// Not resolved: an accessor's recovery, the application's signal, or the end.
static void deliver(struct exo_save *save, int signal, int code, uint64_t addr)
{
    uint64_t at = in_libos(save->rip) ? user_fixup(save->rip) : 0;
    if (at) {
        save->rip = at;
        return;
    }
    if (within(save->rip, resume_window, resume_window_end))
        leave_windows(save);
    else if (in_libos(save->rip) && !leaving_at(save->rip)) {
        dump(save);
        libos_panic("libOS: signal %d at %lx, address %lx", signal, save->rip, addr);
    }
    if (libos_machine) { // a server, or init: whose end is everybody's concern
        libos_log("signal %d, address %lx\n", signal, addr);
        dump(save);
    }
    sig_force(signal, code, addr, save);
}

struct exception {
    uint8_t signal, code;
};
static const struct exception exceptions[32] = {
    [0] = {LX_SIGFPE, LX_FPE_INTDIV},  [1] = {LX_SIGTRAP, LX_TRAP_TRACE},
    [3] = {LX_SIGTRAP, LX_SI_KERNEL},  [4] = {LX_SIGSEGV, LX_SI_KERNEL},
    [5] = {LX_SIGSEGV, LX_SI_KERNEL},  [6] = {LX_SIGILL, LX_ILL_ILLOPN},
    [7] = {LX_SIGSEGV, LX_SI_KERNEL},  [11] = {LX_SIGBUS, LX_SI_KERNEL},
    [12] = {LX_SIGBUS, LX_SI_KERNEL},  [13] = {LX_SIGSEGV, LX_SI_KERNEL},
    [16] = {LX_SIGFPE, LX_FPE_FLTINV}, [17] = {LX_SIGBUS, LX_BUS_ADRALN},
    [19] = {LX_SIGFPE, LX_FPE_FLTINV},
};

static void exception(struct exo_save *save)
{
    const struct exception *e = &exceptions[save->vector & 31];
    bool at_rip =
        save->vector == 0 || save->vector == 6 || save->vector == 16 || save->vector == 19;
    if (!e->signal)
        deliver(save, LX_SIGSEGV, LX_SI_KERNEL, 0);
    else
        deliver(save, e->signal, e->code, at_rip ? save->rip : 0);
}

static void page_fault(struct exo_save *save)
{
    struct fault_result why;
    if (!mem_fault(save->addr, save->error, in_libos(save->rip), &why))
        deliver(save, why.signal, why.code, why.addr);
    else if (ctx_self()->pending)
        leave_windows(save);
}

static void notified(struct exo_save *save)
{
    leave_windows(save);
    if (in_libos(save->rip)) {
        leave_windows(save); // the iretq led into the libOS
        return;
    }
    sig_notified(save);
}

void upcall_dispatch(struct exo_save *save)
{
    switch (save->cause) {
    case EXO_UP_PAGEFAULT:
        page_fault(save);
        break;
    case EXO_UP_EXCEPTION:
        exception(save);
        break;
    default: // notification, end of a slice, revocation: what is to be done stands in the context
             // block
        notified(save);
    }
}
