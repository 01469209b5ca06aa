// SPDX-License-Identifier: MIT
// Interfaces within core/, mem/ and proc/{exec,elf,fork,vfork}: what the rest of the libOS does not
// need.
#ifndef CORE_H
#define CORE_H

#include <core/libos.h>
#include <core/limits.h>

// entry.S
extern const char libos_entry[], libos_entry_cp[], libos_entry_leaf[], libos_foreign[];
extern const char libos_upcall[];
extern const char native_check[], native_end[], leaf_check[], leaf_end[], exit_check[], exit_end[];
extern const char foreign_check[], foreign_end[];
extern const char resume_window[], resume_window_end[];
long fork_save(struct exo_regs *regs) __attribute__((returns_twice));
void libos_stack_call(void *arg, void (*fn)(void *arg), uint64_t stack_top)
    __attribute__((noreturn));

uint64_t user_fixup(uint64_t rip); // where to go on after a fault at rip, or 0

// dispatch.c
typedef long (*syscall_fn)(long, long, long, long, long, long);
extern const syscall_fn libos_table[LIBOS_NCALLS];
extern const syscall_fn *libos_calls; // the table in use
const char *syscall_name(unsigned nr);
const char *syscall_args(unsigned nr);
long px_nosys(void);

// Stacks of the one thread there is; upcalls need every page of theirs, the other grows on demand.
#define STACK_PAGES  32ull
#define UPCALL_PAGES 4ull
#define UPCALL_STACK (LIBOS_STACKS + EXO_PAGE_SIZE)
#define UPCALL_TOP   (UPCALL_STACK + UPCALL_PAGES * EXO_PAGE_SIZE)
#define CALL_STACK   (UPCALL_TOP + EXO_PAGE_SIZE)
#define CALL_TOP     (CALL_STACK + STACK_PAGES * EXO_PAGE_SIZE)

extern struct thread main_thread;
extern struct exo_boot *libos_boot; // first environment only, else NULL
void thread_init(void);             // this context becomes the only thread
void thread_set_fs(uint64_t base);
uint64_t thread_get_fs(void);
int stacks_buy(void);

// trace.c
void trace_start(const char *where); // value of EXOC_TRACE
void trace_stop(void);

// trace and vfork put tables of their own before libos_table
extern const syscall_fn *libos_inner; // what the tracer calls
void calls_choose(void);              // sets libos_calls and libos_inner from the state of both
extern bool trace_on;
extern const syscall_fn trace_table[LIBOS_NCALLS], vfork_table[LIBOS_NCALLS];

// frame.c
struct callee {
    uint64_t r15, r14, r13, r12, rbp, rbx;
};
void sys_exit_fill(const struct callee *callee,
                   struct sys_exit *exit);                          // from the call being served
void regs_start(struct exo_save *regs, uint64_t rip, uint64_t rsp); // all else zero

// fork.c
struct embryo { // a process without an instruction yet
    long pid;
    exo_handle_t env, aspace;
    exo_handle_t bank, slice; // of a new job: pay for it; 0: ours do
};
int embryo_make(struct embryo *e); // 0 or -LX_E...
void embryo_abort(struct embryo *e);
void embryo_stillborn(struct embryo *e, int code); // has exited already
// The rest of a fork: 0 in the child, the pid in the parent, or -LX_E... (the embryo is gone then).
// application: with its memory; otherwise the child has the libOS alone and must exec.
long embryo_fork(struct embryo *e, bool application);
void thread_after_fork(void);

// vfork.c
static inline bool vfork_active(void)
{
    return thread_self()->vfork != NULL;
}
// Both call undo(what) in the parent, where what the child has prepared is of no use.
long vfork_leave(void (*undo)(void *what),
                 void *what); // the simulated child becomes a whole process: 0 there, or an error
long vfork_exec(void (*undo)(void *what),
                void *what); // exec in a simulated child, once it can succeed: returns 0 in the
                             // real child, or an error

// mem
unsigned mem_part_handles(exo_handle_t *handles,
                          unsigned max); // windows of the application's mappings
void mem_forget_application(void);       // the pages are not there (embryo without application)
void mem_after_fork_child(void);

// exec.c
void exec_start(struct libos_start *start) __attribute__((noreturn));
#endif
