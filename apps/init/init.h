// SPDX-License-Identifier: MIT
// init: the process records, and what only a trusted party can do to processes: credentials,
// groups, sessions, signals, death and its report.
//
// One thread, one loop: a call is answered at once, from these tables. init never calls another
// server, so no two servers can wait for each other.
//
// A process is its environment. Its record stands at the index of the environment in the kernel's
// table, so that servers find it from the identity the kernel stamps on a call. init holds the one
// lasting capability to every process's environment.
#ifndef INIT_H
#define INIT_H

#include <exo/boot.h>
#include <exo/domain.h>
#include <lx/errno.h>
#include <lx/signal.h>
#include <proto/proc.h>
#include <proto/server.h>
#include <proto/start.h>
#include <stdbool.h>
#include <sys/queue.h>

struct queued { // a signal with a value, waiting to be fetched
    STAILQ_ENTRY(queued) link;
    int32_t signo, pid, code;
    uint32_t uid;
    uint64_t value;
};

struct job {              // processes with a bank of their own
    LIST_ENTRY(job) link; // inner ones stand before outer ones
    exo_handle_t bank, slice;
    uint64_t size;     // frames it was made with: what it may have, though perhaps not at once
    bool own_slice;    // not the outer one's
    struct job *outer; // whose bank it was split from; NULL: that of all processes
    uint32_t number;
    unsigned depth;
    unsigned refs; // its processes, jobs within it, and its owner
};

struct proc {
    struct proc_rec *rec; // the published record
    uint32_t index;       // of the environment
    int32_t pid;
    exo_handle_t env; // all rights
    uint64_t cookie;  // what the death of `env` is reported with: serial << 16 | pid
    bool pristine;    // a fresh environment running only trusted code: may claim a file's set-id
    struct proc *parent;
    LIST_HEAD(, proc) children;
    LIST_ENTRY(proc) sibling;
    LIST_ENTRY(proc) by_pid;
    STAILQ_HEAD(, queued) queue;
    unsigned queued;
    exo_handle_t (*gift)[4]; // descriptors for its set-id exec
    uint32_t ngifts;
    bool notifiable;           // others may have capabilities to notify it
    bool stop_pending;         // a stop signal was sent and no SIGCONT since
    bool forced;               // its context was taken off the CPU
    exo_ns_t force_at;         // when SIGSTOP is carried out by force, or 0
    uint64_t nproc, nproc_max; // RLIMIT_NPROC
    struct job *job;           // it is in, or NULL
    struct job *makes;         // its children will be in, or NULL: its own
    TAILQ_ENTRY(proc) all;
};
TAILQ_HEAD(proc_list, proc);
extern struct proc_list procs;

// What init holds, set at the start.
struct authority {
    exo_handle_t bank;      // the root bank
    exo_handle_t user_bank; // pays for ordinary processes
    exo_handle_t slice, endpoint, proctab, machine, irq, ioport;
    exo_handle_t service[3];     // endpoints of fsd and ttyd, by enum server_kind
    exo_handle_t service_env[3]; // and their environments
    uint64_t server_env[3];      // their identities
    struct proc *first;          // the first process
    struct exo_libos_image libos;
    struct exo_boot *boot;
    bool exec_mode; // power off when the first process ends
    bool trace;
};
extern struct authority own;

// table.c: records
int table_init(void);
int pid_new(void); // a free one, 0 = none
uint64_t cookie_new(int pid);
// Record EMBRYO for `env`, with the pid its cookie holds; NULL: no memory.
struct proc *proc_new(struct proc *parent, exo_handle_t env, uint64_t cookie);
void proc_free(struct proc *p); // after the last report: record and environment go
void proc_adopt(struct proc *child, struct proc *parent);
int proc_move(struct proc *p, exo_handle_t env, uint64_t cookie);
struct proc *proc_by_env(uint64_t env);
struct proc *proc_by_pid(int pid);
bool pid_in_use(int pid);       // as pid, group or session
void rec_begin(struct proc *p); // before and after a change of more than one word
void rec_end(struct proc *p);
void wake_word(volatile uint32_t *word);

// life.c: birth and death
long life_fork(struct proc *caller, struct exo_msg *m);
void life_answered(bool arrived); // after each answer: whether what it carried has arrived
long life_start(struct proc *caller, int pid);
long life_abort(struct proc *caller, int pid);
long life_reap(struct proc *caller, int pid, struct exo_msg *m);
long life_ack(struct proc *caller, int pid, unsigned what);
void life_died(uint64_t cookie); // EXO_EV_DEATH
long life_setid_exec(struct proc *caller, const struct exo_msg *m);
long life_setid_give(struct proc *caller, struct exo_msg *m);
long life_setid_claim(struct proc *caller, uint32_t uid, uint32_t gid);
long life_execed(struct proc *caller, const char *message, size_t bytes);
struct proc *life_first(struct proc *parent, const char *path, char *const argv[],
                        char *const envp[], const uint64_t extra[8],
                        const struct exo_slot_fill *more, unsigned nmore);

// start.c: start information and domains
// Packs path, argv, envp into a new start block (malloc); NULL: no memory.
struct libos_start *start_pack(const char *path, char *const argv[], char *const envp[],
                               size_t *bytes);
struct exo_domain domain_for(exo_handle_t bank, uint32_t rights, exo_handle_t slice,
                             uint64_t cookie);
// What the death of a server is reported with: no process has pid 0.
#define SERVER_COOKIE(kind) ((uint64_t)(kind) << 16)
#define SERVER_OF(cookie)   ((cookie)&0xffff ? 0 : (cookie) >> 16)
int server_start(enum server_kind kind, const char *module, exo_handle_t bank,
                 const uint64_t extra[8], const struct exo_slot_fill *more, unsigned nmore);
const struct exo_boot_module *module_find(const char *name);

// memory.c: memory that is short here and left there
void memory_init(exo_handle_t fsd_bank);
long memory_for_process(const struct proc *p, uint64_t frames);
long memory_for_files(uint64_t frames); // fsd's
long memory_kept(void);                 // fsd cannot give more

// job.c: banks for some of the processes
long job_make(struct proc *owner, uint64_t frames);
void job_join(struct proc *p, struct job *j);
void job_leave(struct proc *p);
void job_owner_gone(struct proc *owner);
struct job *job_of_children(const struct proc *parent);
exo_handle_t job_bank(const struct job *j); // of NULL: of the processes in no job
uint32_t job_bank_rights(const struct job *j);
exo_handle_t job_slice(const struct job *j);
LIST_HEAD(job_list, job);
extern struct job_list jobs;

void first_ended(struct proc *p); // main.c: the first process is dead

// end.c: of a machine that ran one command
void end_prepare(void);          // before the first process starts
void end_begin(uint32_t status); // it is dead, with this status: all others go too
bool end_begun(void);
exo_ns_t end_deadline(void);
void end_step(void); // powers off when nothing is left to wait for

// group.c: groups and sessions
long group_setpgid(struct proc *caller, int pid, int pgid);
long group_setsid(struct proc *caller);
bool group_orphaned(int pgid, const struct proc *without);
void group_check_orphans(struct proc *leaving); // SIGHUP and SIGCONT to groups that a death orphans
long group_server_op(struct exo_msg *m);

// signals.c
long signal_kill(struct proc *caller, int pid, int signo);
long signal_peer(struct proc *caller, int pid, struct exo_msg *m);
long signal_queue(struct proc *caller, int pid, int signo, uint64_t value, int code);
long signal_fetch(struct proc *caller, int signo, struct exo_msg *m);
void signal_send(struct proc *target, int signo, int pid, uint32_t uid, int code, int32_t value);
long signal_stopped(struct proc *caller, int signo);
void signal_child_event(struct proc *child, int code,
                        int32_t status); // the parent's word and SIGCHLD
void signal_drop_queue(struct proc *p);
exo_ns_t signal_deadline(void);
void signal_force_due(void);

// ids.c
long ids_setuid(struct proc *p, uint32_t r, uint32_t e, uint32_t s);
long ids_setgid(struct proc *p, uint32_t r, uint32_t e, uint32_t s);
long ids_setgroups(struct proc *p, unsigned n, const uint32_t *groups);
long ids_nice(struct proc *caller, int pid, int nice);
long ids_nproc(struct proc *p, uint64_t soft, uint64_t hard);
bool ids_may_fork(const struct proc *p); // within RLIMIT_NPROC

#endif
