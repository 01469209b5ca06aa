// SPDX-License-Identifier: MIT
// Signals: numbers, flags and structures of the Linux x86-64 ABI (signal(7), sigaction(2), the
// kernel's signal frame).
#ifndef LX_SIGNAL_H
#define LX_SIGNAL_H

#include <stdint.h>

#define LX_SIGHUP    1
#define LX_SIGINT    2
#define LX_SIGQUIT   3
#define LX_SIGILL    4
#define LX_SIGTRAP   5
#define LX_SIGABRT   6
#define LX_SIGBUS    7
#define LX_SIGFPE    8
#define LX_SIGKILL   9
#define LX_SIGUSR1   10
#define LX_SIGSEGV   11
#define LX_SIGUSR2   12
#define LX_SIGPIPE   13
#define LX_SIGALRM   14
#define LX_SIGTERM   15
#define LX_SIGSTKFLT 16
#define LX_SIGCHLD   17
#define LX_SIGCONT   18
#define LX_SIGSTOP   19
#define LX_SIGTSTP   20
#define LX_SIGTTIN   21
#define LX_SIGTTOU   22
#define LX_SIGURG    23
#define LX_SIGXCPU   24
#define LX_SIGXFSZ   25
#define LX_SIGVTALRM 26
#define LX_SIGPROF   27
#define LX_SIGWINCH  28
#define LX_SIGIO     29
#define LX_SIGPWR    30
#define LX_SIGSYS    31
#define LX_SIGRTMIN  32
#define LX_NSIG      64

#define LX_SIGBIT(sig) (1ull << ((sig)-1))

#define LX_SIG_DFL 0ull
#define LX_SIG_IGN 1ull

#define LX_SA_NOCLDSTOP 1u
#define LX_SA_NOCLDWAIT 2u
#define LX_SA_SIGINFO   4u
#define LX_SA_RESTORER  0x04000000u
#define LX_SA_ONSTACK   0x08000000u
#define LX_SA_RESTART   0x10000000u
#define LX_SA_NODEFER   0x40000000u
#define LX_SA_RESETHAND 0x80000000u

#define LX_SIG_BLOCK   0
#define LX_SIG_UNBLOCK 1
#define LX_SIG_SETMASK 2

#define LX_SS_ONSTACK    1
#define LX_SS_DISABLE    2
#define LX_SS_AUTODISARM (1u << 31)
#define LX_MINSIGSTKSZ   2048

#define LX_SI_USER       0
#define LX_SI_KERNEL     0x80
#define LX_SI_QUEUE      (-1)
#define LX_SI_TIMER      (-2)
#define LX_SI_TKILL      (-6)
#define LX_SEGV_MAPERR   1
#define LX_SEGV_ACCERR   2
#define LX_BUS_ADRALN    1
#define LX_BUS_ADRERR    2
#define LX_FPE_INTDIV    1
#define LX_FPE_FLTINV    7
#define LX_ILL_ILLOPN    2
#define LX_TRAP_BRKPT    1
#define LX_TRAP_TRACE    2
#define LX_CLD_EXITED    1
#define LX_CLD_KILLED    2
#define LX_CLD_DUMPED    3
#define LX_CLD_STOPPED   5
#define LX_CLD_CONTINUED 6

struct lx_sigaction { // as the system call takes it
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

struct lx_stack {
    uint64_t sp;
    int32_t flags;
    uint32_t pad;
    uint64_t size;
};

struct lx_siginfo { // what of siginfo_t means something: the rest of its LX_SIGINFO_SIZE is 0
    int32_t signo, error, code, pad0;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            union {
                uint64_t value; // SI_QUEUE
                int32_t status; // SIGCHLD
            };
            int64_t utime, stime;
        } from;
        struct {
            int32_t id, overrun;
            uint64_t value;
        } timer;
        struct {
            uint64_t addr;
        } fault;
    };
};
#define LX_SIGINFO_SIZE 128
_Static_assert(sizeof(struct lx_siginfo) == 48, "Linux siginfo_t up to si_stime");

struct lx_mcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
    uint64_t rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2;
    uint64_t fpstate;
    uint64_t reserved[8];
};

struct lx_ucontext {
    uint64_t flags, link;
    struct lx_stack stack;
    struct lx_mcontext mc;
    uint64_t sigmask;
    uint64_t sigmask_rest[15]; // room for the C library's larger set
};

#define LX_P_ALL      0
#define LX_P_PID      1
#define LX_P_PGID     2
#define LX_WNOHANG    1
#define LX_WUNTRACED  2
#define LX_WSTOPPED   2
#define LX_WEXITED    4
#define LX_WCONTINUED 8
#define LX_WNOWAIT    0x01000000
#define LX_WNOTHREAD  0x20000000
#define LX_WALL       0x40000000
#define LX_WCLONE     0x80000000u

#endif
