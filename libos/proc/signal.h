// SPDX-License-Identifier: MIT
// Signals inside a process: what signal.c (state and choice), sigframe.c (handler frames) and
// sigcalls.c (system calls) share.
//
// Where pending signals are:
//     ctx->pending        set by the kernel: notifications by init, the alarm; taken by sig_take
//     sig.pending         taken, or raised by the process itself
//     init's queues       values of queued signals (sigqueue, SIGRTMIN and above from other
//                         processes), fetched at delivery
// Information about the sender: of signals that init sent in the process record (sender[]), of own
// ones and those sent directly (peer.c) in sig.info[].
#ifndef PROC_SIGNAL_H
#define PROC_SIGNAL_H

#include <core/libos.h>
#include <lx/signal.h>

struct sig_queued { // own queued signals (timers, sigqueue to oneself)
    TAILQ_ENTRY(sig_queued) link;
    struct lx_siginfo info;
};

struct sig_state {
    struct lx_sigaction action[LX_NSIG];
    uint64_t pending;
    uint64_t local;                      // of these: raised here, info[] valid
    struct lx_siginfo info[LX_SIGRTMIN]; // by number - 1
    TAILQ_HEAD(sig_queue, sig_queued) queue;
    uint32_t child_flags; // PROC_F_* told to init
};
extern struct sig_state sig;

#define SIG_STOPS                                                                                  \
    (LX_SIGBIT(LX_SIGSTOP) | LX_SIGBIT(LX_SIGTSTP) | LX_SIGBIT(LX_SIGTTIN) | LX_SIGBIT(LX_SIGTTOU))
#define SIG_PLAIN       (LX_SIGBIT(LX_SIGRTMIN) - 1) // never queued
#define SIG_NOBODY      65534u                       // user of a sender that is not known any more
#define SIG_UNBLOCKABLE (LX_SIGBIT(LX_SIGKILL) | LX_SIGBIT(LX_SIGSTOP))

// Moves what the kernel set into sig.pending, runs due timers, drops what is ignored.
void sig_take(void);
// Raises a signal in this process with this information.
void sig_raise(const struct lx_siginfo *info);
// The information of a timer's signal that is still pending, or NULL: further expirations count in
// it.
struct lx_siginfo *sig_of_timer(int signo, int id);
void timer_delivered(
    const struct lx_siginfo *info); // timer.c: what timer_getoverrun answers from now on
// The next deliverable signal with its information, taken out of the pending set; 0 = none.
// `among`: which may be taken.
int sig_next(uint64_t among, struct lx_siginfo *info);
bool sig_ignored(int signo);
// Carries out all deliverable signals without handler; stops at the first with one. Returns it, or
// 0.
int sig_dispatch(struct lx_siginfo *info);
void sig_set_mask(uint64_t mask);
void sig_forget(int signo); // if sig_take has seen it
// peer.c: signals to other processes without init.
bool peer_notify(int pid, int signo); // false: init must be asked
void peer_learn(int pid);             // init has let a signal through to it
void peers_forget(void);              // in the child of a fork
int siginfo_write(uint64_t to, const struct lx_siginfo *info); // to a siginfo_t; 0 or -LX_EFAULT
// The alternate stack as sigaltstack(2) shows it to code that runs at `sp`, and its change: 0 or
// -LX_E...
struct lx_stack sig_altstack(const struct thread *t, uint64_t sp);
int sig_altstack_set(struct thread *t, const struct lx_stack *new, uint64_t sp);
void sig_tell_child_flags(
    void); // SIGCHLD's SA_NOCLDWAIT, SA_NOCLDSTOP, or ignored: init acts on them

// What the way out of a system call must do when a handler has returned (sigframe.c).
struct sig_resume {
    uint64_t reported_rip; // in the ucontext; another value after the handler: go there
    struct exo_save regs;  // otherwise continue with these
    uint32_t valid;
};
// Changes *regs so that they enter the handler of info->signo, with a frame on the application's
// stack. `resume`: see above, or NULL when the ucontext tells all. extended: save the whole FPU
// state. The process dies when the stack is unusable.
void sig_push(const struct lx_siginfo *info, struct exo_save *regs, const struct sig_resume *resume,
              bool extended);

#endif
