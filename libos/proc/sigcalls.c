// SPDX-License-Identifier: MIT
// The system calls about signals. Changing masks and actions is private to the process; sending
// goes through init, except to oneself. POSIX: sigaction(), sigprocmask(), sigpending(),
// sigsuspend(), sigtimedwait(), sigqueue(), kill().
#include <lx/time.h>
#include <proc/signal.h>

#define SET_SIZE 8

// The rest of a siginfo_t says nothing.
int siginfo_write(uint64_t to, const struct lx_siginfo *info)
{
    if (user_write(to, info, sizeof(*info)) < 0 ||
        user_zero((void *)(to + sizeof(*info)), LX_SIGINFO_SIZE - sizeof(*info)))
        return -LX_EFAULT;
    return 0;
}

static bool bad_signal(int signo)
{
    return signo < 1 || signo > LX_NSIG;
}

static inline __attribute__((always_inline)) bool action_read(struct lx_sigaction *action,
                                                              uint64_t from)
{
    const struct lx_sigaction *user = (const struct lx_sigaction *)from;
    return user_peek64(&user->handler, &action->handler) &&
           user_peek64(&user->flags, &action->flags) &&
           user_peek64(&user->restorer, &action->restorer) &&
           user_peek64(&user->mask, &action->mask);
}

// POSIX: a pending signal that is ignored from now on is discarded, blocked or not.
static long action_ignores(int signo)
{
    if (sig_ignored(signo)) {
        sig_take();
        sig.pending &= ~LX_SIGBIT(signo);
        sig.local &= ~LX_SIGBIT(signo);
    }
    if (signo == LX_SIGCHLD)
        sig_tell_child_flags();
    return 0;
}

static inline long action_set(int signo, struct lx_sigaction new)
{
    new.mask &= ~SIG_UNBLOCKABLE;
    sig.action[signo - 1] = new;
    if (new.handler <= LX_SIG_IGN || signo == LX_SIGCHLD)
        return action_ignores(signo);
    return 0;
}

// The new one is read and the old one stored first, so that an error changes nothing.
static long __attribute__((noinline)) action_swap(int signo, uint64_t unew, uint64_t uold)
{
    struct lx_sigaction new;
    if (unew && !action_read(&new, unew))
        return -LX_EFAULT;
    if (user_write(uold, &sig.action[signo - 1], sizeof(new)) < 0)
        return -LX_EFAULT;
    return unew ? action_set(signo, new) : 0;
}

long px_rt_sigaction(int signo, uint64_t unew, uint64_t uold, size_t size)
{
    struct lx_sigaction new;
    if (size != SET_SIZE || bad_signal(signo))
        return -LX_EINVAL;
    if (unew && (LX_SIGBIT(signo) & SIG_UNBLOCKABLE))
        return -LX_EINVAL;
    if (uold)
        return action_swap(signo, unew, uold);
    if (!unew)
        return 0;
    return action_read(&new, unew) ? action_set(signo, new) : -LX_EFAULT;
}

long px_rt_sigprocmask(int how, uint64_t uset, uint64_t uold, size_t size)
{
    struct thread *t = thread_self();
    uint64_t old = t->sigmask, set;
    if (size != SET_SIZE)
        return -LX_EINVAL;
    if (uset) {
        if (!user_peek64((const void *)uset, &set))
            return -LX_EFAULT;
        if (how == LX_SIG_BLOCK)
            set |= old;
        else if (how == LX_SIG_UNBLOCK)
            set = old & ~set;
        else if (how != LX_SIG_SETMASK)
            return -LX_EINVAL;
        sig_set_mask(set);
    }
    if (uold && !user_poke64(uold, old))
        return -LX_EFAULT;
    return 0;
}

long px_rt_sigpending(uint64_t uset, size_t size)
{
    if (size > SET_SIZE)
        return -LX_EINVAL;
    sig_take();
    uint64_t set = sig.pending & thread_self()->sigmask;
    return user_write(uset, &set, size);
}

static long wait_for_signal(void)
{
    for (;;) {
        int err = block_wait(NULL, 0, EXO_NEVER);
        if (err < 0)
            return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
    }
}

long px_rt_sigsuspend(uint64_t uset, size_t size)
{
    uint64_t set;
    if (size != SET_SIZE)
        return -LX_EINVAL;
    if (user_read(&set, uset, sizeof(set)) < 0)
        return -LX_EFAULT;
    sig_mask_for_call(set);
    return wait_for_signal();
}

long px_pause(void)
{
    return wait_for_signal();
}

// The signals of the set are taken whether blocked or not; while waiting they must not run
// handlers, so the wait is masked against them and woken by their arrival in ctx->pending alone.
static long timed_wait(uint64_t set, exo_ns_t deadline, struct lx_siginfo *info)
{
    struct thread *t = thread_self();
    for (;;) {
        int signo = sig_next(set, info);
        if (signo)
            return signo;
        if (sig.pending & ~t->sigmask) {
            sys_work_set();
            return -LX_EINTR;
        }
        int64_t err = wait_quietly(NULL, 0, deadline);
        if (err == -EXO_ETIMEDOUT) {
            signo = sig_next(set, info);
            return signo ? signo : -LX_EAGAIN;
        }
    }
}

long px_rt_sigtimedwait(uint64_t uset, uint64_t uinfo, uint64_t utime, size_t size)
{
    uint64_t set;
    struct lx_siginfo info;
    struct lx_timespec t;
    exo_ns_t deadline = EXO_NEVER;
    if (size != SET_SIZE)
        return -LX_EINVAL;
    if (user_read(&set, uset, sizeof(set)) < 0)
        return -LX_EFAULT;
    if (utime) {
        if (user_read(&t, utime, sizeof(t)) < 0)
            return -LX_EFAULT;
        if (t.sec < 0 || t.nsec < 0 || t.nsec > 999999999)
            return -LX_EINVAL;
        deadline = clock_now() + (uint64_t)t.sec * 1000000000 + (uint64_t)t.nsec;
    }
    // An ignored signal that is waited for must become pending all the same: block the set
    // meanwhile.
    struct thread *thread = thread_self();
    uint64_t mask = thread->sigmask;
    set &= ~SIG_UNBLOCKABLE;
    thread->sigmask |= set;
    long signo = timed_wait(set, deadline, &info);
    sig_set_mask(mask);
    if (signo > 0 && uinfo && siginfo_write(uinfo, &info) < 0)
        return -LX_EFAULT;
    return signo;
}

long px_sigaltstack(uint64_t unew, uint64_t uold)
{
    struct thread *t = thread_self();
    struct lx_stack new, old = sig_altstack(t, sys_frame()->user_sp);
    if (unew && user_read(&new, unew, sizeof(new)) < 0)
        return -LX_EFAULT;
    int err = unew ? sig_altstack_set(t, &new, sys_frame()->user_sp) : 0;
    if (err < 0 || !uold)
        return err;
    return user_write(uold, &old, sizeof(old));
}

// --- sending -------------------------------------------------------------------------------------

// A signal to oneself needs nobody; stops and SIGKILL are init's, who must know of them.
static long send_self(int signo, int code, uint64_t value)
{
    struct lx_siginfo info = {.signo = signo, .code = code};
    info.from.pid = proc_self()->pid;
    info.from.uid = proc_self()->ruid;
    info.from.value = value;
    if (signo)
        sig_raise(&info);
    return 0;
}

static bool kept_by_init(int signo)
{
    return signo &&
           (LX_SIGBIT(signo) & (SIG_STOPS | LX_SIGBIT(LX_SIGKILL) | LX_SIGBIT(LX_SIGCONT)));
}

static long __attribute__((noinline)) kill_other(int pid, int signo)
{
    bool direct = pid > 0 && signo && signo < LX_SIGRTMIN && !kept_by_init(signo);
    if (direct && peer_notify(pid, signo))
        return 0;
    struct exo_msg m = {.w = {PROC_OP_KILL, (uint64_t)(int64_t)pid, (uint64_t)signo}};
    long r = server_call(H_INIT, &m);
    if (r == 0 && direct)
        peer_learn(pid);
    return r;
}

long px_kill(int pid, int signo)
{
    if (signo < 0 || signo > LX_NSIG)
        return -LX_EINVAL;
    if (pid == proc_self()->pid && !kept_by_init(signo))
        return send_self(signo, LX_SI_USER, 0);
    return kill_other(pid, signo);
}

long px_tgkill(int tgid, int tid, int signo)
{
    if (tgid <= 0 || tid <= 0 || signo < 0 || signo > LX_NSIG)
        return -LX_EINVAL;
    if (tid == thread_self()->tid && tgid == proc_self()->pid && !kept_by_init(signo))
        return send_self(signo, LX_SI_TKILL, 0);
    if (tid != tgid)
        return -LX_ESRCH;
    return px_kill(tgid, signo);
}

// raise(): a signal to the thread that calls.
long px_exoc_raise(int signo)
{
    if (signo < 0 || signo > LX_NSIG)
        return -LX_EINVAL;
    if (kept_by_init(signo))
        return kill_other(proc_self()->pid, signo);
    return send_self(signo, LX_SI_TKILL, 0);
}

long px_tkill(int tid, int signo)
{
    return px_tgkill(tid == thread_self()->tid ? proc_self()->pid : tid, tid, signo);
}

// Only what a process may truly claim: codes below 0, except to oneself.
long px_rt_sigqueueinfo(int pid, int signo, uint64_t uinfo)
{
    struct lx_siginfo info;
    if (signo < 0 || signo > LX_NSIG)
        return -LX_EINVAL;
    if (user_read(&info, uinfo, sizeof(info)) < 0)
        return -LX_EFAULT;
    bool self = pid == proc_self()->pid;
    if (info.code >= 0 && !self)
        return -LX_EPERM;
    if (self && !kept_by_init(signo)) {
        info.signo = signo;
        if (signo)
            sig_raise(&info);
        return 0;
    }
    struct exo_msg m = {.w = {PROC_OP_QUEUE, (uint64_t)(int64_t)pid, (uint64_t)signo,
                              info.from.value, (uint64_t)(int64_t)info.code}};
    return server_call(H_INIT, &m);
}
