// SPDX-License-Identifier: MIT
// Environments, contexts, slices, endpoints: the interfaces the rest of the kernel uses.
//
// An environment is a protection domain: a capability table, an address space, and contexts. A
// context is what a CPU runs: registers, and two frames shared with user code (abi/exo/ctx.h). A
// slice is CPU time: positions in a CPU's vector; contexts bound to it take turns. The kernel has
// one stack per CPU and none per context: a context that sleeps in a call is only its registers,
// and whoever ends the sleep stores the result there.
#ifndef KERNEL_ENV_H
#define KERNEL_ENV_H

#include <sys/tree.h>
#include <object/mem.h>
#include <x86/trap.h>

struct ctx;
struct slice;
struct endpoint;
TAILQ_HEAD(ctx_list, ctx);
TAILQ_HEAD(env_list, env);

struct env {
    struct kobj obj;
    struct cspace caps;                 // the capability table
    struct aspace *aspace;              // holds a reference
    struct bank *bank;                  // pays for table pages; holds a reference
    uint32_t state;                     // enum exo_env_state
    uint32_t index;                     // in the exposed table
    volatile struct exo_env_info *info; // kernel's writable view
    struct ctx_list contexts;
    uint64_t early_bits;         // notified before there was a context 0
    uint64_t asked[3];           // EXO_UP_REVOKE is due: bank, frames, lost; or 0
    uint32_t ncontexts;          // ever made: the next one's number
    struct endpoint *supervisor; // holds a reference until the death is told
    uint64_t cookie;
    LIST_HEAD(, endpoint) served; // endpoints this environment serves
    TAILQ_ENTRY(env) death_link;  // of a slice's dying list, then of the supervisor's deaths
    struct slice *reaper;         // slice whose time the teardown takes; holds a reference
    bool first;                   // without it the machine has no purpose: its death is a panic
};

// What a context that does not run is waiting for.
enum ctx_state {
    CTX_READY,   // nothing: runs when its slice has time
    CTX_WAIT,    // wait: conditions, deadline, notification
    CTX_RECEIVE, // reply_wait: an event on endpoint
    CTX_QUEUED,  // call: the server has not taken it yet
    CTX_SERVED,  // call: the server has it
    CTX_DEAD,
};

// One condition of a sleeping context.
struct wait_entry {
    LIST_ENTRY(wait_entry) link; // of a bucket
    uint64_t key;                // physical address of the word, or address of the object
    uint32_t value;
    uint8_t kind; // enum exo_cond_kind
    uint8_t slot; // in ctx.waits, and in the caller's vector
};

#define CTX_FPU_SIZE 1024

// A point in time at which something happens to a context: a sleep ends, an alarm goes off.
struct deadline {
    RB_ENTRY(deadline) link;
    struct ctx *ctx; // NULL: not set
    uint64_t ns;
    uint64_t bits; // of an alarm; 0: the end of a sleep
};

struct ctx {
    struct kobj obj;
    struct env *env;
    struct slice *slice;   // bound to (holds a reference) or NULL
    struct exo_ctx *block; // the kernel's view of the shared frames
    void *msg;
    struct kobj *frames;       // of block and msg; pinned
    uint64_t block_va;         // where user code sees them
    uint64_t fs_base, gs_base; // when it does not run
    uint32_t index;
    uint8_t state;   // enum ctx_state
    bool queued;     // on its slice's queue
    bool running;    // cpu->ctx of some CPU
    bool notify_new; // bits came since the last upcall
    bool slice_end;  // EXO_UP_SLICE is due
    uint16_t nwaits;
    TAILQ_ENTRY(ctx) link;  // of env->contexts
    TAILQ_ENTRY(ctx) bound; // of slice->bound
    TAILQ_ENTRY(ctx) queue; // of slice->ready, or of an endpoint's callers or receivers
    struct deadline timeout, alarm;
    uint64_t run_from;         // ns: since when it runs
    struct endpoint *endpoint; // QUEUED, SERVED, RECEIVE: holds a reference
    struct ctx *server;        // SERVED: who serves it
    struct ctx *serving;       // whose call it has taken and not answered
    uint64_t badge;            // QUEUED, SERVED: of the capability it called by
    struct regs regs __attribute__((aligned(16)));
    uint8_t fpu[CTX_FPU_SIZE] __attribute__((aligned(64)));
    struct wait_entry waits[64];
};

// --- environments (env.c) ------------------------------------------------------------------------
struct env *env_current(void); // on this CPU; not while idle
int env_new(struct bank *bank, struct aspace *as, struct endpoint *supervisor, uint64_t cookie,
            struct env **env);
void env_begin_death(struct env *env, enum exo_death reason, uint64_t code);
void env_started(struct env *env);  // a context was bound to a slice
bool env_teardown(struct env *env); // one bounded step; true when the environment is dead
int env_clear_table_page_return(struct env *env); // gives the table's pages back after cspace_clear
// An ENV capability with `rights`; handle 0 is the caller's own environment.
int env_find(exo_handle_t handle, uint32_t rights, struct env **env);
// A capability in `slot` is held by this environment.
static inline struct env *slot_env(const struct cap_slot *slot)
{
    return (struct env *)((char *)slot->space - offsetof(struct env, caps));
}

// --- contexts (ctx.c) ----------------------------------------------------------------------------
int ctx_new(struct env *env, struct bank *bank, struct kobj *frames, uint64_t va, struct ctx **ctx);
struct ctx *ctx_current(void);
struct ctx *ctx_by_index(struct env *env, uint32_t index);
int ctx_bind(struct ctx *ctx, struct slice *slice);
// Ends whatever the context sleeps in: it becomes ready with `result` in rax.
void ctx_wake(struct ctx *ctx, int64_t result);
// The same without queueing it on its slice, which is the caller's next step, or schedule_handoff.
void ctx_rouse(struct ctx *ctx, int64_t result);
// Takes it out of every queue and tree without making it ready.
void ctx_cancel(struct ctx *ctx);
void ctx_retire(struct ctx *ctx); // its environment is dying: for good
void ctx_notify(struct ctx *ctx, uint64_t bits);
void ctx_drop(struct ctx *ctx);                  // the environment lets go of it
void env_notify(struct env *env, uint64_t bits); // context 0, or for it when it comes
bool ctx_pending(const struct ctx *ctx);         // notification bits are set
bool ctx_interruptible(const struct ctx *ctx); // ... new ones, and an upcall could be delivered now
// A synchronous upcall; the environment dies if it cannot be delivered.
void ctx_upcall(struct ctx *ctx, uint32_t cause, uint64_t vector, uint64_t error, uint64_t addr);
bool ctx_foreign(struct ctx *ctx); // the bounce of a foreign call; false: there is no entry for it
void ctx_return_checks(struct ctx *ctx); // before every return to user code: asynchronous upcalls

// --- slices (slice.c) ----------------------------------------------------------------------------
int slice_root(struct bank *bank, struct slice **slice); // boot: all positions of CPU 0
void slice_enqueue(struct ctx *ctx, bool first);         // ready and bound: onto its slice's queue
void slice_dequeue(struct ctx *ctx);
// The environment's teardown takes this slice's time from now on ... and is done.
void slice_reap(struct slice *slice, struct env *env);
void slice_reaped(struct env *env);
void schedule(void); // makes cpu->ctx the context to run; returns when there is one
// Runs this ready context next, on the time of the slice that is running.
void schedule_to(struct ctx *ctx);
// The running context has gone to sleep; a roused one goes on in its place, or, if NULL, any.
void schedule_handoff(struct ctx *ctx);
void schedule_seed(uint64_t seed); // positions of random length (test of preemption)

// --- endpoints (endpoint.c) ----------------------------------------------------------------------
// Callers get -EXO_EDEAD; true when all did.
bool endpoint_server_died(struct env *env, unsigned budget);
void endpoint_tell_death(struct env *env); // to its supervisor
void endpoint_abandon(struct ctx *ctx);    // whom it serves gets -EXO_EDEAD
void endpoint_leave(struct ctx *ctx);      // takes a context out of QUEUED, SERVED, RECEIVE
void endpoint_notified(struct ctx *ctx);   // RECEIVE: notification bits came

// --- waits and deadlines (wait.c) ----------------------------------------------------------------
void wait_leave(struct ctx *ctx); // takes its conditions out of the buckets
void deadline_set(struct ctx *ctx, struct deadline *deadline, uint64_t ns);
void deadline_clear(struct deadline *deadline);
void deadlines_run(uint64_t now); // ends what is due
uint64_t deadline_next(void);     // EXO_NEVER: none

// --- devices -------------------------------------------------------------------------------------
void irq_raised(uint32_t line);            // irq.c, from the interrupt entry
void irq_slot_gone(struct cap_slot *slot); // its bindings end with it
unsigned device_scan(struct bank *bank, struct kobj **objs, unsigned max); // PCI functions found

#endif
