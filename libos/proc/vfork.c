// SPDX-License-Identifier: MIT
//
// vfork, clone, and the simulated child.
//
// A vfork child borrows its parent's memory and runs until it executes a program or exits, while
// the parent waits. So it needs no process of its own until then: the libOS keeps the parent's
// registers, gives the child a copy of the descriptor table and of the signal dispositions, and
// lets it run here. An embryo is made at the start, so that the pid exists and what comes later can
// hardly fail. On exec the embryo gets the libOS and the capabilities but none of the application's
// memory, and continues with the exec; the parent's registers come back with the pid.
//
// Only calls whose effect stays in what was copied are carried out in place (vfork_table). Any
// other call turns the child into a real one first: an ordinary fork from here, in which the call
// then runs.
#include <core/core.h>
#include <lx/fcntl.h>
#include <lx/signal.h>

struct vfork_state {
    struct exo_save parent; // where the parent goes on
    struct embryo embryo;
    struct fd_table *fds; // the parent's
    void *signals;
    void (*undo)(void *what); // what the child made in our memory and takes along in its copy
    void *what;
};

// --- the parent comes back
static void __attribute__((noreturn)) parent_resume(long result)
{
    struct thread *t = thread_self();
    struct vfork_state *v = t->vfork;
    struct exo_save regs = v->parent;
    t->vfork = NULL;
    calls_choose();
    fd_table_swap(v->fds);
    fd_table_drop(v->fds); // the child's now
    sig_restore(v->signals);
    if (v->undo)
        v->undo(v->what);
    heap_free(v);
    regs.rax = (uint64_t)result;
    sys_resume(&regs);
}

// In the real child: what was kept for the parent goes.
static void child_settle(void)
{
    struct thread *t = thread_self();
    struct vfork_state *v = t->vfork;
    t->vfork = NULL;
    calls_choose();
    fd_table_drop(v->fds);
    heap_free(v->signals);
    heap_free(v);
}

// 0 in the real child; the parent does not come back here; < 0: nothing happened, and the child has
// no embryo any more.
static long become_real(bool application)
{
    struct vfork_state *v = thread_self()->vfork;
    long pid = embryo_fork(&v->embryo, application);
    if (pid > 0)
        parent_resume(pid);
    if (pid == 0) {
        child_settle();
        return 0;
    }
    int error = embryo_make(&v->embryo); // the old one was given back
    if (error)
        parent_resume(error);
    v->undo = NULL; // whoever made it takes it back
    return pid;
}

// A set-id exec takes the process's pid over: the child must be a process for that, and whole,
// should it fail.
long vfork_leave(void (*undo)(void *what), void *what)
{
    thread_self()->vfork->undo = undo;
    thread_self()->vfork->what = what;
    return become_real(true);
}

long vfork_exec(void (*undo)(void *what), void *what)
{
    thread_self()->vfork->undo = undo;
    thread_self()->vfork->what = what;
    long r = become_real(false);
    if (r == 0)
        mem_forget_application();
    return r;
}

// --- calls of the simulated child
static long divert(long a, long b, long c, long d, long e, long f)
{
    long r = become_real(true);
    return r ? r : libos_table[sys_frame()->nr](a, b, c, d, e, f);
}

static long child_exit(int code)
{
    struct vfork_state *v = thread_self()->vfork;
    long pid = v->embryo.pid;
    embryo_stillborn(&v->embryo, code);
    parent_resume(pid);
}

static long child_pid(void)
{
    return thread_self()->vfork->embryo.pid;
}

static long child_parent(void)
{
    return proc_self()->pid;
}

#define SYS(nr, name, args) long px_##name();
#include <syscalls.def>
#undef SYS

// What concerns descriptors alone; a record lock needs a process that holds it.
static long child_fcntl(long fd, long cmd, long arg, long d, long e, long f)
{
    switch (cmd) {
    case LX_F_DUPFD:
    case LX_F_DUPFD_CLOEXEC:
    case LX_F_GETFD:
    case LX_F_SETFD:
    case LX_F_GETFL:
    case LX_F_SETFL:
        return px_fcntl((int)fd, (int)cmd, (uint64_t)arg);
    default:
        return divert(fd, cmd, arg, d, e, f);
    }
}

// The embryo is a child of this process like any other.
static long child_setpgid(int pid, int pgid)
{
    return px_setpgid(pid ? pid : (int)child_pid(), pgid);
}

#define AS_CALL(f)     ((syscall_fn)(void (*)(void))(f))
#define HERE(nr, name) [nr] = AS_CALL(px_##name)
#pragma GCC diagnostic ignored "-Woverride-init"
// clang-format off
const syscall_fn vfork_table[LIBOS_NCALLS] = {
    [0 ... LIBOS_NCALLS - 1] = divert,
    HERE(0, read), HERE(1, write), HERE(2, open), HERE(3, close), HERE(4, stat), HERE(5, fstat),
    HERE(6, lstat), HERE(7, poll), HERE(8, lseek), HERE(9, mmap), HERE(10, mprotect),
    HERE(11, munmap), HERE(12, brk), HERE(13, rt_sigaction), HERE(14, rt_sigprocmask),
    HERE(15, rt_sigreturn), HERE(19, readv), HERE(20, writev), HERE(21, access), HERE(22, pipe),
    HERE(32, dup), HERE(33, dup2), HERE(59, execve), HERE(63, uname), HERE(79, getcwd),
    HERE(80, chdir), HERE(81, fchdir), HERE(85, creat), HERE(87, unlink), HERE(89, readlink),
    HERE(95, umask), HERE(96, gettimeofday), HERE(97, getrlimit), HERE(102, getuid),
    HERE(104, getgid), HERE(107, geteuid), HERE(108, getegid), HERE(131, sigaltstack),
    HERE(158, arch_prctl), HERE(202, futex), HERE(228, clock_gettime), HERE(257, openat),
    HERE(262, newfstatat), HERE(269, faccessat), HERE(292, dup3), HERE(293, pipe2),
    HERE(318, getrandom), HERE(322, execveat), HERE(436, close_range), [39] = AS_CALL(child_pid),
    [186] = AS_CALL(child_pid), [110] = AS_CALL(child_parent), [60] = AS_CALL(child_exit),
    [231] = AS_CALL(child_exit), [72] = child_fcntl, [109] = AS_CALL(child_setpgid),
};
// clang-format on

// --- beginning
static long vfork_begin(const struct exo_save *parent, struct exo_save *child)
{
    struct thread *t = thread_self();
    struct vfork_state *v = heap_alloc(sizeof *v);
    if (!v)
        return -LX_ENOMEM;
    v->parent = *parent;
    v->signals = sig_snapshot();
    v->fds = v->signals ? fd_table_copy() : NULL;
    long error = v->fds ? embryo_make(&v->embryo) : -LX_ENOMEM;
    if (error) {
        if (v->fds)
            fd_table_drop(v->fds);
        heap_free(v->signals);
        heap_free(v);
        return error;
    }
    fd_table_swap(v->fds);
    t->vfork = v;
    calls_choose();
    child->rax = 0;
    sys_resume(child);
}

// Native: return address, stack pointer after the return, and the six registers of the stub
// (proc/../vfork.s of the overlay). Foreign: the whole state is known.
long vfork_call(uint64_t back, uint64_t sp, uint64_t saved, long x, long y, long z,
                const struct callee *callee)
{
    struct sys_exit exit;
    struct exo_save parent, child;
    (void)x, (void)y, (void)z;
    sys_exit_fill(callee, &exit);
    if (!sys_return_state(&exit, 0, &child))
        return -LX_EFAULT;
    parent = child;
    if (!(exit.frame.how & SYS_FOREIGN)) {
        uint64_t r[6];
        if (user_read(r, saved, sizeof r))
            return -LX_EFAULT;
        regs_start(&parent, back, sp);
        parent.rbx = r[0], parent.rbp = r[1];
        parent.r12 = r[2], parent.r13 = r[3], parent.r14 = r[4], parent.r15 = r[5];
    }
    return vfork_begin(&parent, &child);
}

// --- clone
#define CLONE_VM             0x00000100u
#define CLONE_VFORK          0x00004000u
#define CLONE_PARENT_SETTID  0x00100000u
#define CLONE_SETTLS         0x00080000u
#define CLONE_CHILD_CLEARTID 0x00200000u
#define CLONE_DETACHED       0x00400000u
#define CLONE_CHILD_SETTID   0x01000000u
#define CLONE_KNOWN                                                                                \
    (0xffu | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_SETTLS | CLONE_CHILD_CLEARTID |  \
     CLONE_DETACHED | CLONE_CHILD_SETTID)
#define CLONE_THREAD 0x00010000u

struct clone_request {
    uint64_t flags, stack, ptid, ctid, tls, entry;
};

static void child_regs(const struct clone_request *q, bool foreign, struct exo_save *regs)
{
    regs->rax = 0;
    if (q->stack)
        regs->rsp = q->stack;
    if (!foreign)
        regs->rip = q->entry;
}

static long clone_fork(const struct clone_request *q, struct exo_save *child)
{
    struct embryo e;
    long pid = embryo_make(&e);
    if (!pid)
        pid = embryo_fork(&e, true);
    if (pid < 0)
        return pid;
    if (pid > 0) {
        int32_t tid = (int32_t)pid;
        if (q->flags & CLONE_PARENT_SETTID)
            user_write(q->ptid, &tid, sizeof tid);
        return pid;
    }
    struct thread *t = thread_self();
    if (q->flags & CLONE_CHILD_SETTID)
        user_write(q->ctid, &t->tid, sizeof t->tid);
    if (q->flags & CLONE_CHILD_CLEARTID)
        t->clear_child_tid = q->ctid;
    if (q->flags & CLONE_SETTLS)
        thread_set_fs(q->tls);
    sys_resume(child);
}

// Threads are not here yet: EAGAIN, as when their number is used up.
long clone_call(uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t ctid, uint64_t tls,
                uint64_t entry, const struct callee *callee)
{
    struct clone_request q = {flags, stack, ptid, ctid, tls, entry};
    struct sys_exit exit;
    struct exo_save parent, child;
    if (flags & CLONE_THREAD)
        return -LX_EAGAIN;
    if (flags & ~(uint64_t)CLONE_KNOWN || ((flags & 0xff) && (flags & 0xff) != LX_SIGCHLD))
        return -LX_EINVAL;
    if (flags & CLONE_VM && !(flags & CLONE_VFORK))
        return -LX_EINVAL;
    sys_exit_fill(callee, &exit);
    if (!sys_return_state(&exit, 0, &parent))
        return -LX_EFAULT;
    child = parent;
    child_regs(&q, exit.frame.how & SYS_FOREIGN, &child);
    if (!(flags & CLONE_VM))
        return clone_fork(&q, &child);
    return vfork_begin(&parent, &child);
}
