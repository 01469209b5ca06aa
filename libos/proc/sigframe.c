// SPDX-License-Identifier: MIT
// Running a handler: the frame on the application's stack, and the way back. Layout: Linux x86-64
// rt_sigframe, so that unwinders and programs that look into their ucontext find what they know:
//
//     rsp -> return address (the pad below, whose bytes unwinders recognise)
//            struct lx_ucontext
//            struct lx_siginfo
//            struct sig_resume    (ours)
//            FPU state            (64-byte aligned, fxsave or xsave form)
//
// A handler runs when no libOS frame is live: from the way out of a call, or from an upcall that
// interrupted the application itself. So it may longjmp away.
//
// Restart and cancellation. The ucontext shows what happens on return: the call has returned, or it
// begins again. Only for a cancellation point that had no effect it must show __cp_begin; what is
// to happen then stands in sig_resume. A handler that moves the instruction pointer (musl's
// cancellation) is obeyed.
//
// The frame is written and read by plain instructions, one for each word: what they are for stands
// in a section of its own, and a fault there that memory management cannot resolve ends the process
// (user.S). Its functions call nothing that touches the application's memory.
#include <proc/signal.h>

struct sigframe {
    uint64_t pad;
    struct lx_ucontext uc;
    struct lx_siginfo info;
    uint8_t info_rest[LX_SIGINFO_SIZE - sizeof(struct lx_siginfo)];
    struct sig_resume resume;
};

#define FRAME_CODE __attribute__((noinline, section(".text.frame")))

#define FXSAVE_SIZE      512
#define FPU_MAX          4096
#define FP_XSTATE_MAGIC1 0x46505853u
#define FP_XSTATE_MAGIC2 0x46505845u
#define SW_RESERVED      464 // in the fxsave area: struct _fpx_sw_bytes

static uint8_t fpu_area[FPU_MAX] __attribute__((aligned(64)));

// mov $15, %rax; syscall: a raw system call, which the kernel bounces to px_rt_sigreturn.
__asm__(".pushsection .text\n"
        ".globl sig_pad\n.hidden sig_pad\n.type sig_pad, @function\n"
        "nop\n" // unwinders look at the byte before the return address
        "sig_pad: mov $15, %rax\n"
        "syscall\n"
        "ud2\n"
        ".popsection\n");
extern const uint8_t sig_pad[];

static uint32_t xsave_size(void)
{
    static uint32_t size;
    if (!size) {
        uint32_t a = 0xd, b, c = 0, d;
        __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
        size = b + 4 <= FPU_MAX ? b : FXSAVE_SIZE;
    }
    return size;
}

static bool has_xsave(void)
{
    return EXO_INFO->features & EXO_CPU_XSAVE;
}

static uint32_t fpu_size(bool extended)
{
    return extended && has_xsave() ? xsave_size() + 4 : FXSAVE_SIZE;
}

// Saves the live FPU state, fpu_size(extended) bytes.
static int fpu_save(uint64_t at, bool extended)
{
    if (!extended || !has_xsave())
        return user_fxsave(at) < 0 ? -LX_EFAULT : user_store32(at + SW_RESERVED, 0);
    uint32_t size = xsave_size(), low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    uint32_t sw[12] = {FP_XSTATE_MAGIC1, size + 4, low, high, size};
    if (user_zero((void *)(at + FXSAVE_SIZE), 64) || user_xsave(at) < 0) // the header must be clean
        return -LX_EFAULT;
    if (user_write(at + SW_RESERVED, sw, sizeof(sw)) < 0)
        return -LX_EFAULT;
    return user_store32(at + size, FP_XSTATE_MAGIC2);
}

// A ucontext is application data: an FPU image that the instruction faults on is repaired.
static void fpu_repair(uint64_t from, bool extended)
{
    uint32_t mxcsr;
    if (user_read(fpu_area, from, FXSAVE_SIZE) < 0)
        return;
    memcpy(&mxcsr, fpu_area + 24, 4);
    mxcsr &= 0xffff;
    memcpy(fpu_area + 24, &mxcsr, 4);
    if (!extended) {
        __asm__ volatile("fxrstor64 %0" : : "m"(fpu_area));
        return;
    }
    uint32_t size = xsave_size(), low, high;
    if (user_read(fpu_area + FXSAVE_SIZE, from + FXSAVE_SIZE, size - FXSAVE_SIZE) < 0)
        return;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    uint64_t header[8] = {0}, mask = (uint64_t)high << 32 | low;
    memcpy(header, fpu_area + FXSAVE_SIZE, 8);
    header[0] &= mask;
    memcpy(fpu_area + FXSAVE_SIZE, header, sizeof(header));
    __asm__ volatile("xrstor64 %0" : : "m"(fpu_area), "a"(~0u), "d"(~0u));
}

static void fpu_restore(uint64_t from)
{
    uint32_t magic;
    if (!from || user_load32(from + SW_RESERVED, &magic) < 0)
        return;
    bool extended = magic == FP_XSTATE_MAGIC1 && has_xsave();
    if ((extended ? user_xrstor(from) : user_fxrstor(from)) < 0)
        fpu_repair(from, extended);
}

// --- entering a handler --------------------------------------------------------------------------

// One that disarms itself may be changed, and used again, by what runs on it.
static bool on_altstack(const struct thread *t, uint64_t sp)
{
    return t->altstack_size && sp - t->altstack <= t->altstack_size && !t->altstack_flags;
}

struct lx_stack sig_altstack(const struct thread *t, uint64_t sp)
{
    int state = !t->altstack_size ? LX_SS_DISABLE : on_altstack(t, sp) ? LX_SS_ONSTACK : 0;
    return (struct lx_stack){t->altstack, state | (int)t->altstack_flags, 0, t->altstack_size};
}

int sig_altstack_set(struct thread *t, const struct lx_stack *new, uint64_t sp)
{
    int mode = new->flags & ~(int)LX_SS_AUTODISARM;
    bool off = mode == LX_SS_DISABLE;
    if (on_altstack(t, sp))
        return -LX_EPERM;
    if (mode && mode != LX_SS_ONSTACK && !off)
        return -LX_EINVAL;
    if (!off && new->size < LX_MINSIGSTKSZ)
        return -LX_ENOMEM;
    t->altstack = off ? 0 : new->sp;
    t->altstack_size = off ? 0 : new->size;
    t->altstack_flags = (uint32_t) new->flags &LX_SS_AUTODISARM;
    return 0;
}

static uint64_t frame_stack(const struct lx_sigaction *action, uint64_t sp)
{
    struct thread *t = thread_self();
    if ((action->flags & LX_SA_ONSTACK) && t->altstack_size && !on_altstack(t, sp))
        return t->altstack + t->altstack_size;
    return sp - 128;
}

// Words one by one: a whole structure would be somebody else's loop.
static inline void put_info(volatile struct lx_siginfo *to, const struct lx_siginfo *from)
{
    volatile uint64_t *word = (volatile uint64_t *)to;
    const uint64_t *value = (const uint64_t *)from;
    // NOLINTBEGIN(clang-analyzer-core.uninitialized.Assign): of a union that begins with zeros
    word[0] = value[0], word[1] = value[1], word[2] = value[2];
    word[3] = value[3], word[4] = value[4], word[5] = value[5];
    // NOLINTEND(clang-analyzer-core.uninitialized.Assign)
}

static inline void put_regs(volatile struct lx_mcontext *mc, const struct exo_save *r)
{
    mc->r8 = r->r8, mc->r9 = r->r9, mc->r10 = r->r10, mc->r11 = r->r11;
    mc->r12 = r->r12, mc->r13 = r->r13, mc->r14 = r->r14, mc->r15 = r->r15;
    mc->rdi = r->rdi, mc->rsi = r->rsi, mc->rbp = r->rbp, mc->rbx = r->rbx;
    mc->rdx = r->rdx, mc->rax = r->rax, mc->rcx = r->rcx;
    mc->rsp = r->rsp, mc->rip = r->rip, mc->rflags = r->rflags;
    mc->cs = (uint16_t)r->cs, mc->gs = 0, mc->fs = 0, mc->ss = (uint16_t)r->ss;
    mc->err = r->error, mc->trapno = r->vector, mc->cr2 = r->addr;
}

static void FRAME_CODE frame_write(volatile struct sigframe *f, const struct exo_save *r,
                                   const struct lx_siginfo *info, uint64_t fpu_at)
{
    struct thread *t = thread_self();
    struct lx_stack stack = sig_altstack(t, r->rsp);
    f->pad = (uint64_t)sig_pad;
    f->uc.flags = 6; // UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS
    f->uc.link = 0;
    f->uc.stack.sp = stack.sp;
    f->uc.stack.flags = stack.flags;
    f->uc.stack.size = stack.size;
    put_regs(&f->uc.mc, r);
    f->uc.mc.oldmask = t->sigmask;
    f->uc.mc.fpstate = fpu_at;
    f->uc.sigmask = t->restore_mask ? t->saved_mask : t->sigmask;
    put_info(&f->info, info);
    f->resume.valid = 0;
}

static void mask_for_handler(const struct lx_sigaction *action, int signo)
{
    struct thread *t = thread_self();
    uint64_t mask = t->sigmask | action->mask;
    if (!(action->flags & LX_SA_NODEFER))
        mask |= LX_SIGBIT(signo);
    t->sigmask = mask & ~SIG_UNBLOCKABLE;
    t->restore_mask = false;
    if (t->altstack_flags)
        t->altstack = t->altstack_size = t->altstack_flags = 0;
}

void sig_push(const struct lx_siginfo *info, struct exo_save *regs, const struct sig_resume *resume,
              bool extended)
{
    struct lx_sigaction *action = &sig.action[info->signo - 1];
    struct lx_sigaction was = *action;
    uint64_t fpu_at = (frame_stack(&was, regs->rsp) - fpu_size(extended)) & ~63ull;
    uint64_t at = ((fpu_at - sizeof(struct sigframe)) & ~15ull) - 8; // as after a call instruction

    if (fpu_save(fpu_at, extended) < 0)
        proc_exit(LX_SIGSEGV);
    frame_write((struct sigframe *)at, regs, info, fpu_at);
    if (resume &&
        (user_write(at + offsetof(struct sigframe, resume), resume, sizeof(*resume)) < 0 ||
         !user_poke64(at + offsetof(struct sigframe, uc.mc.rip), resume->reported_rip)))
        proc_exit(LX_SIGSEGV);
    if (was.flags & LX_SA_RESETHAND)
        *action = (struct lx_sigaction){.handler = LX_SIG_DFL, .flags = was.flags};
    mask_for_handler(&was, info->signo);
    regs->rip = was.handler;
    regs->rsp = at;
    regs->rdi = (uint64_t)info->signo;
    regs->rsi = at + offsetof(struct sigframe, info);
    regs->rdx = at + offsetof(struct sigframe, uc);
    regs->rax = 0;
    regs->rflags &= ~0x40500ull; // DF, TF, AC
}

// --- the way back --------------------------------------------------------------------------------

static inline void get_regs(struct exo_save *r, const volatile struct lx_mcontext *mc)
{
    r->r8 = mc->r8, r->r9 = mc->r9, r->r10 = mc->r10, r->r11 = mc->r11;
    r->r12 = mc->r12, r->r13 = mc->r13, r->r14 = mc->r14, r->r15 = mc->r15;
    r->rdi = mc->rdi, r->rsi = mc->rsi, r->rbp = mc->rbp, r->rbx = mc->rbx;
    r->rdx = mc->rdx, r->rax = mc->rax, r->rcx = mc->rcx;
    r->rsp = mc->rsp, r->rip = mc->rip;
    r->rflags =
        (mc->rflags & 0x40dd5) | 0x202; // the flags a program may change; interrupts stay on
}

struct frame_rest { // what a frame says besides registers
    uint64_t fpu_at, sigmask;
    struct lx_stack stack;
    uint32_t resume;
};

static void FRAME_CODE frame_read(const volatile struct sigframe *f, struct exo_save *r,
                                  struct frame_rest *rest)
{
    get_regs(r, &f->uc.mc);
    rest->fpu_at = f->uc.mc.fpstate;
    rest->sigmask = f->uc.sigmask;
    rest->stack.sp = f->uc.stack.sp;
    rest->stack.flags = f->uc.stack.flags;
    rest->stack.size = f->uc.stack.size;
    rest->resume = f->resume.valid;
}

// Runs what is deliverable on top of regs, then goes there.
static void __attribute__((noreturn)) leave(struct exo_save *regs)
{
    struct lx_siginfo info;
    ctx_self()->libos_words[CTX_WORK] = 0;
    if (sig_dispatch(&info)) {
        if (sig.pending & ~thread_self()->sigmask)
            sys_work_set();
        regs->error = regs->addr = regs->vector = 0; // this one is of no fault
        sig_push(&info, regs, NULL, true);
    }
    sys_resume(regs);
}

// rt_sigreturn: the stack pointer is just above the return address of the handler's frame. Never
// returns here.
long px_rt_sigreturn(void)
{
    uint64_t at = sys_frame()->user_sp - offsetof(struct sigframe, uc);
    struct frame_rest rest;
    struct exo_save regs;
    struct sig_resume resume;
    frame_read((const struct sigframe *)at, &regs, &rest);
    if (rest.resume &&
        user_read(&resume, at + offsetof(struct sigframe, resume), sizeof(resume)) < 0)
        proc_exit(LX_SIGSEGV);
    fpu_restore(rest.fpu_at);
    struct thread *t = thread_self();
    t->restore_mask = false;
    sig_set_mask(rest.sigmask);
    if (t->altstack_size || !(rest.stack.flags & LX_SS_DISABLE))
        sig_altstack_set(t, &rest.stack, regs.rsp); // as before the handler, unless still in use
    if (rest.resume && regs.rip == resume.reported_rip)
        regs = resume.regs;
    regs.cs = EXO_USER_CS;
    regs.ss = EXO_USER_SS;
    leave(&regs);
}

// --- where handlers start ------------------------------------------------------------------------

extern const uint8_t libos_entry[], libos_entry_cp[];

// The state just before the call was made: as it entered the libOS (native), or at the SYSCALL
// (foreign).
static void regs_before_call(const struct sys_exit *exit, struct exo_save *r)
{
    const struct sys_frame *f = &exit->frame;
    r->rax = f->nr;
    r->rdi = f->arg[0], r->rsi = f->arg[1], r->rdx = f->arg[2];
    r->r8 = f->arg[4], r->r9 = f->arg[5];
    if (f->how & SYS_FOREIGN) {
        r->r10 = f->arg[3];
        r->rip -= 2;
        return;
    }
    r->rcx = f->arg[3];
    r->rsp = f->user_sp;
    r->rip = (uint64_t)((f->how & SYS_CP) ? libos_entry_cp : libos_entry);
    if (f->how & SYS_CP) {
        r->r10 = thread_self()->cp_begin;
        r->r11 = thread_self()->cp_end;
    }
}

static bool had_no_effect(long result)
{
    return result == -ERESTARTSYS || result == -ERESTARTNOHAND || result == -ERESTARTBLOCK;
}

static bool wants_restart(long result, const struct lx_sigaction *action)
{
    return result == -ERESTARTSYS && (action->flags & LX_SA_RESTART);
}

static void __attribute__((noreturn))
run_handler(long result, struct sys_exit *exit, const struct lx_siginfo *info)
{
    struct exo_save regs;
    bool none = had_no_effect(result);
    thread_self()->goes_on_to = 0;
    bool restart = wants_restart(result, &sig.action[info->signo - 1]);
    bool foreign = exit->frame.how & SYS_FOREIGN;
    if (!sys_return_state(exit, none ? -LX_EINTR : result, &regs))
        proc_exit(LX_SIGSEGV);
    if (sig.pending & ~thread_self()->sigmask)
        sys_work_set();
    if (none && (exit->frame.how & SYS_CP)) {
        struct sig_resume resume = {thread_self()->cp_begin, regs, 1};
        if (restart)
            regs_before_call(exit, &resume.regs);
        sig_push(info, &regs, &resume, false);
    } else {
        if (restart)
            regs_before_call(exit, &regs);
        sig_push(info, &regs, NULL, foreign);
    }
    sys_resume(&regs);
}

long sig_exit_path(long result, struct sys_exit *exit)
{
    struct lx_siginfo info;
    struct thread *t = thread_self();
    ctx_self()->libos_words[CTX_WORK] = 0;
    if (sig_dispatch(&info))
        run_handler(result, exit, &info);
    if (t->restore_mask) {
        t->restore_mask = false;
        sig_set_mask(t->saved_mask);
        if (result != -ERESTARTNOHAND && result != -ERESTARTBLOCK && sig_dispatch(&info))
            run_handler(result, exit, &info);
    }
    if (had_no_effect(result))
        sys_restart(exit);
    return result;
}

void sig_notified(struct exo_save *save)
{
    struct lx_siginfo info;
    if (sig_dispatch(&info)) {
        if (sig.pending & ~thread_self()->sigmask)
            sys_work_set();
        sig_push(&info, save, NULL, true);
    }
}

void sig_force(int signo, int code, uint64_t addr, struct exo_save *at)
{
    struct lx_siginfo info = {.signo = signo, .code = code, .from = {0}}; // all of it is shown
    info.fault.addr = addr;
    uint64_t handler = sig.action[signo - 1].handler;
    if (handler <= LX_SIG_IGN || (thread_self()->sigmask & LX_SIGBIT(signo)))
        proc_exit(signo);
    sig_push(&info, at, NULL, true);
}
