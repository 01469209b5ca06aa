// SPDX-License-Identifier: MIT
// The interfaces inside the libOS.
//
// A system call is a function px_<name>(a0..a5) named in syscalls.def; it returns >= 0 or -LX_E...
// It runs on the thread's libOS stack, called by core/entry.S, which on the way out delivers
// signals. "In the libOS" means that the instruction pointer is in the libOS's text: an
// asynchronous upcall that finds it there only leaves its bits in `pending` and returns; the way
// out looks at them (and starts over if an upcall comes between look and leave).
//
// Everything here is private memory of one process. Data that other domains can write (rings,
// open-file pages, node pages) is read through volatile, once, and bounded before use; a page that
// goes away faults and is recovered by the accessors below.
#ifndef LIBOS_H
#define LIBOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <exo/stubs.h>
#include <exo/info.h>
#include <lx/errno.h>
#include <lx/stat.h>
#include <core/calls.h>
#include <proto/start.h>
#include <proto/proc.h>
#include <proto/fs.h>

// Restart verdicts, as in Linux: never seen by the application; proc/signal.c turns them into EINTR
// or a restart.
#define ERESTARTSYS    512 // restart if the handler has SA_RESTART
#define ERESTARTNOHAND 514 // restart only if no handler runs
#define ERESTARTBLOCK  516 // the same, for a call with a time: it goes on to the deadline it had

// --- threads (core/thread.c)
// -------------------------------------------------------------------------
struct thread {
    struct exo_ctx *ctx; // the kernel context it runs on
    uint64_t stack_top;  // its libOS stack
    int32_t tid;
    uint64_t sigmask;    // blocked signals, bit n-1
    uint64_t sigpending; // taken from ctx->pending (process-wide ones are in proc_state)
    uint64_t saved_mask; // sigsuspend, ppoll, pselect: to be restored after the handler
    bool restore_mask;
    uint64_t altstack, altstack_size;
    uint32_t altstack_flags;
    uint64_t fs_base;
    uint64_t clear_child_tid;
    uint64_t cp_begin, cp_end; // of the cancellation point: valid while sys_frame()->how has SYS_CP
    struct vfork_state *vfork; // simulated vfork child, or NULL
    exo_ns_t goes_on_to; // with ERESTARTBLOCK: the deadline of the call that begins again, or 0
    TAILQ_ENTRY(thread) link;
};
static inline struct exo_ctx *ctx_self(void)
{
    struct exo_ctx *ctx;
    __asm__("mov %%gs:0x08, %0" : "=r"(ctx));
    return ctx;
}
static inline struct thread *thread_self(void)
{
    struct thread *t;
    __asm__("mov %%gs:0x28, %0" : "=r"(t));
    return t;
}

// For calls that sleep for a time. A stop, or a signal without a handler, must not begin the time
// anew: the call leaves by block_again and takes its deadline by block_deadline, first of all.
static inline exo_ns_t block_deadline(exo_ns_t fresh)
{
    struct thread *t = thread_self();
    exo_ns_t deadline = t->goes_on_to ? t->goes_on_to : fresh;
    t->goes_on_to = 0;
    return deadline;
}
static inline int block_again(exo_ns_t deadline)
{
    thread_self()->goes_on_to = deadline;
    return -ERESTARTBLOCK;
}
static inline uint8_t *msg_page(void) // the context's message page
{
    return (uint8_t *)ctx_self() + EXO_PAGE_SIZE;
}

// The system call being served: at the top of the thread's libOS stack, where core/entry.S puts it.
// Handlers run when no libOS frame is live any more, so there is one at a time.
enum sys_how { SYS_NATIVE = 0, SYS_CP = 1, SYS_FOREIGN = 2 };
struct sys_frame {
    uint64_t arg[6];
    uint32_t nr;
    uint32_t how;     // enum sys_how
    uint64_t user_sp; // native: points at the return address; foreign: as it was at the SYSCALL
};
// The same on the way out with work to do: with the registers a call preserves.
struct sys_exit {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t rip, rflags; // foreign only: where it returns to
    struct sys_frame frame;
};
static inline struct sys_frame *sys_frame(void)
{
    return (struct sys_frame *)ctx_self()->libos_stack - 1;
}
// Who makes a signal deliverable without the kernel's `pending` (raise, unblocking), or returns
// ERESTART..., sets this: the way out then goes through sig_exit_path, which clears it first.
#define CTX_WORK 0 // ctx->libos_words[CTX_WORK]
#define CTX_LEAF 2 // the entry for calls that are never begun again; 1 is entry.S's scratch
static inline void sys_work_set(void)
{
    ctx_self()->libos_words[CTX_WORK] = 1;
}
// Registers after the return of the call with this result (native: those that a call may change are
// 0). False when the return address cannot be read.
bool sys_return_state(const struct sys_exit *exit, long result, struct exo_save *regs);
void sys_restart(const struct sys_exit *exit)
    __attribute__((noreturn)); // serve the call again from the start
void sys_resume(const struct exo_save *regs)
    __attribute__((noreturn)); // continue the application here
// The vDSO, at the end of the text, runs as the application.
extern const char libos_vdso[];
static inline bool in_libos(uint64_t rip)
{
    return rip - LIBOS_TEXT < (uint64_t)libos_vdso - LIBOS_TEXT;
}
extern const volatile struct proc_rec *proc_self_rec;
static inline const volatile struct proc_rec *proc_self(void) // own process record; never NULL
{
    return proc_self_rec;
}
const volatile struct proc_rec *proc_at(uint32_t index); // NULL when not mapped

// --- memory the application points to, and memory others can take away (core/user.c)
// ----------------- Recoverable: a fault that memory management cannot resolve ends the copy.
// Return 0 or -LX_EFAULT.
int user_read(void *dst, uint64_t src, size_t n);
int user_write(uint64_t dst, const void *src, size_t n);
// Either side may fault. Returns the bytes NOT copied. Quadwords first, because each step of a
// repeated instruction costs as much as an instruction on an emulated machine; bytes after a fault,
// so that the count is exact up to the last readable byte.
#define USER_REPEAT(move)                                                                          \
    "1: rep " move "q\n2: mov %[rest], %%rcx\n3: rep " move "b\n4:\n"                              \
    ".pushsection .text.unlikely, \"ax\"\n5: lea (%[rest],%%rcx,8), %%rcx\n jmp 3b\n.popsection\n" \
    ".pushsection .rodata.fixup, \"a\"\n.balign 8\n.quad 1b, 2b, 5b, 3b, 4b, 4b\n.popsection"
static inline size_t user_copy(void *dst, const void *src, size_t n)
{
    size_t left = n >> 3;
    __asm__ volatile(USER_REPEAT("movs")
                     : "+c"(left), "+D"(dst), "+S"(src)
                     : [rest] "r"(n & 7)
                     : "memory");
    return left;
}
static inline size_t user_zero(void *dst, size_t n)
{
    size_t left = n >> 3;
    __asm__ volatile(USER_REPEAT("stos")
                     : "+c"(left), "+D"(dst)
                     : [rest] "r"(n & 7), "a"(0)
                     : "memory");
    return left;
}
#undef USER_REPEAT
// String of at most max bytes with its NUL: length without it, -LX_EFAULT, -LX_ENAMETOOLONG.
long user_string(char *dst, uint64_t src, size_t max);
int user_load32(uint64_t addr, uint32_t *value);
int user_store32(uint64_t addr, uint32_t value);
int user_fxsave(uint64_t addr); // the FPU's state: aligned, sizes and layout are the processor's;
int user_xsave(uint64_t addr);  // restoring also fails when the state is not a sound one
int user_fxrstor(uint64_t addr);
int user_xrstor(uint64_t addr);
int user_cas32(uint64_t addr, uint32_t *expected,
               uint32_t desired); // -LX_EFAULT, 0 = done, -LX_EAGAIN
int user_cas64(uint64_t addr, uint64_t *expected, uint64_t desired);
// One load, in line. False: it faulted.
#define USER_PEEK(name, type)                                                                      \
    static inline bool name(const volatile void *addr, type *value)                                \
    {                                                                                              \
        type v;                                                                                    \
        __asm__ goto("1: mov %1, %0\n2:\n.pushsection .rodata.fixup, \"a\"\n.balign 8\n"           \
                     ".quad 1b, 2b, %l2\n.popsection"                                              \
                     : "=r"(v)                                                                     \
                     : "m"(*(const volatile type *)addr)                                           \
                     :                                                                             \
                     : fault);                                                                     \
        *value = v;                                                                                \
        return true;                                                                               \
    fault:                                                                                         \
        return false;                                                                              \
    }
USER_PEEK(user_peek64, uint64_t)
USER_PEEK(user_peek32, uint32_t)
USER_PEEK(user_peek8, uint8_t)
#undef USER_PEEK
// One store, in line. False: it faulted.
#define USER_POKE(name, type)                                                                      \
    static inline bool name(uint64_t addr, type value)                                             \
    {                                                                                              \
        __asm__ goto("1: mov %1, (%0)\n2:\n.pushsection .rodata.fixup, \"a\"\n.balign 8\n"         \
                     ".quad 1b, 2b, %l2\n.popsection"                                              \
                     :                                                                             \
                     : "r"(addr), "r"(value)                                                       \
                     : "memory"                                                                    \
                     : fault);                                                                     \
        return true;                                                                               \
    fault:                                                                                         \
        return false;                                                                              \
    }
USER_POKE(user_poke64, uint64_t)
USER_POKE(user_poke16, uint16_t)
#undef USER_POKE

// --- memory of the libOS (core/heap.c, mem/window.c)
// --------------------------------------------------
void *heap_alloc(size_t size); // zeroed, or NULL
void heap_free(void *p);
void *heap_resize(void *p, size_t old_size, size_t new_size);
// Maps `pages` of a FRAMES or SEGMENT capability (from `first`) somewhere in the window area.
// rights EXO_R_*. 0 or -LX_E...; window_unmap gives the address range back (and unmaps).
int window_map(exo_handle_t cap, uint64_t first, uint64_t pages, uint32_t rights, void **va);
// The same with room for a window of `room` pages, which window_extend makes larger: pages [first,
// first + pages) of the capability, at va + first pages.
int window_map_part(exo_handle_t cap, uint64_t first, uint64_t pages, uint64_t room,
                    uint32_t rights, void **va);
int window_extend(exo_handle_t cap, void *va, uint64_t first, uint64_t pages, uint32_t rights);
void window_unmap(void *va, uint64_t pages);
// Deletes the capability, and with it the window at va (NULL: it has none), and gives the range
// back: one kernel call.
void window_close(void *va, uint64_t pages, exo_handle_t cap);

// Who pays, and the kernel log if this process may write it (0: no). In ordinary processes
// libos_bank == H_BANK.
extern exo_handle_t libos_bank, libos_machine;
// The bank has run out. True when it has room for `pages` now: try again (mem/pressure.c).
bool memory_more(uint64_t pages);
bool memory_pause(void); // before the process dies of it: false when that was tried enough
int64_t frames_buy(uint64_t count); // a run from the bank, after asking for more if need be

// --- errors
// -----------------------------------------------------------------------------------------------
int lx_error(
    int64_t exo); // -EXO_E... -> -LX_E... (BADHANDLE in a server call is -LX_EIO etc.); >= 0 stays

// --- calling servers and waiting (core/server.c)
// ----------------------------------------------------------- Calls a server; m->w[0] = operation.
// Returns the server's verdict w[0] (as int64_t) or, if the transfer failed, -LX_EIO. `send`
// capabilities are put into ctx->send by the caller before (count in m->meta).
long server_call(exo_handle_t endpoint, struct exo_msg *m);
// Sleeps while all conditions hold. 0 something changed, -LX_ETIMEDOUT, -ERESTARTSYS when a signal
// that is neither blocked nor ignored is pending (proc/signal.c decides). Conditions may number
// more than 64.
int block_wait(const struct exo_cond *conds, unsigned n, exo_ns_t deadline);
// exo_wait without an upcall for the notification that ends it: the way out looks at it anyway.
static inline int64_t wait_quietly(const struct exo_cond *conds, unsigned n, exo_ns_t deadline)
{
    volatile uint64_t *mask = &ctx_self()->mask;
    *mask = 1;
    int64_t r = exo_wait(conds, n, deadline);
    *mask = 0;
    return r;
}
exo_ns_t clock_now(void); // monotonic ns, no kernel entry

// --- address space (mem/)
// ------------------------------------------------------------------------------------- A page
// fault of user code or of the accessors above: true when resolved (retry), false: deliver
// SIGSEGV/SIGBUS.
struct fault_result {
    int signal, code;
    uint64_t addr;
};
// inside: the libOS was interrupted (its message page must survive).
bool mem_fault(uint64_t addr, uint64_t error, bool inside, struct fault_result *why);
void mem_init(void);
void mem_drop_application(void); // exec: unmaps everything below EXO_LIBOS_BASE
struct exo_region;
// For aspace_clone, in pieces of at most max: *cursor starts at 0; returns 0 at the end.
unsigned mem_clone_regions(struct exo_region *regions, unsigned max, bool application,
                           uint64_t *cursor);
struct file;

// --- descriptors (fs/)
// ----------------------------------------------------------------------------------------
void fd_init(const struct libos_start *start);
int fd_before_fork(void); // private open-file state becomes shared pages; 0 or -LX_E...
void fd_after_fork_child(void);
void fd_close_on_exec(void);
void fd_close_all(void); // exit: what the kernel cannot do (flush nothing; FIFO, locks)
// vfork simulation: the child works on a copy of the descriptor table.
struct fd_table *fd_table_copy(void);
void fd_table_swap(struct fd_table *with);
void fd_table_drop(struct fd_table *table);
// For exec and mmap: an open regular file.
struct file *file_open_path(uint64_t user_path_or_zero, const char *path, int flags,
                            long *error); // libOS-internal open
struct file *file_get(int fd);            // + reference, NULL = EBADF
void file_put(struct file *file);
long file_pread(struct file *file, void *dst, size_t n,
                uint64_t offset); // dst may be application memory
int file_stat(struct file *file, struct lx_stat *st);
// Segment number `part` (2 MiB units) of a regular file with rights READ (| WRITE): a handle that
// stays valid while the file is open; mem/ maps it. 0 or -LX_E... Executing is allowed where
// reading is.
int file_segment(struct file *file, uint64_t part, bool write, exo_handle_t *seg);
int file_fill(struct file *file, uint64_t page,
              bool write); // the page is present afterwards; -LX_ENXIO past the end
uint64_t file_size(struct file *file);
void file_settle(struct file *file); // no lease on it is left: it ends where it says

// --- signals and processes (proc/)
// ----------------------------------------------------------------------------
void sig_init(void);
void sig_force(
    int signal, int code, uint64_t addr,
    struct exo_save *at); // synchronous: SIGSEGV, SIGFPE ...; never returns to `at` unhandled
bool sig_interrupts(
    void); // a signal is pending that would end a wait now (takes ctx->pending first)
// (Called with ctx->pending set; returns only when it is taken. May be called on the upcall stack,
// and nests.)
void sig_notified(
    struct exo_save *save); // EXO_UP_NOTIFY outside libOS text: may change *save to run a handler
// The way out of a system call when ctx->pending or CTX_WORK is set: runs a handler (builds its
// frame and leaves by sys_resume), restarts the call (sys_restart), or returns the result. Also
// strips ERESTART... from the result.
long sig_exit_path(long result, struct sys_exit *exit);
void sig_after_fork_child(void);
void sig_after_exec(void);
// vfork simulation: what of the process's signal state the child may change until exec; NULL
// without memory.
void *sig_snapshot(void);         // dispositions, mask, alternate stack
void sig_restore(void *snapshot); // back to it, and frees it
void sig_raise_self(int signal);  // SI_KERNEL, to the calling thread: SIGPIPE
void sig_mask_for_call(
    uint64_t mask); // until the way out of this call: ppoll, pselect, sigsuspend; the old mask
                    // comes back after the handler, or at once when none runs
struct libos_kept;  // what passes over a set-id exec
void sig_keep(struct libos_kept *kept);
void sig_inherit(const struct libos_kept *kept);
void timer_keep(struct libos_kept *kept);
void timer_inherit(const struct libos_kept *kept);
void rlimit_keep(struct libos_kept *kept);
void rlimit_inherit(const struct libos_kept *kept);
void timer_after_fork_child(void);
void timer_after_exec(void);       // POSIX timers go, alarm and itimers stay
uint64_t rlimit_cur(int resource); // proc/rlimit.c: the soft limit, UINT64_MAX = none
void timer_expired(void);          // the context's alarm bit: queue the signals that are due
void proc_exit(int status) __attribute__((noreturn)); // wait-status encoding: code << 8 or signal

// The alarm uses notification bit 31 (signal 32 is never sent between processes); poll on many
// objects bit 32.
#define NOTIFY_ALARM (1ull << 31)
#define NOTIFY_ARMED (1ull << 32)

// --- printing for debugging (core/print.c): %s %d %u %x %p %ld %lx; to the trace or, in servers,
// the kernel log
void libos_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void libos_panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

void *memcpy(void *restrict, const void *restrict, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);
int strcmp(const char *, const char *);

#endif
