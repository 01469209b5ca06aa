// SPDX-License-Identifier: MIT
// Process records: written by init alone, readable by everybody.
//
// A record's place is the index of the process's environment in the kernel's environment table, so
// a server finds the record of a caller from the identity the kernel stamps on a call, and checks
// rec->env against it. The identity of a caller is its environment; there are no per-process
// badges.
// Fields change under `seq` (odd while changing); single words (state, events) may be read alone.
#ifndef PROTO_PROC_H
#define PROTO_PROC_H
#include <exo/info.h>

#define PROC_REC_SIZE    1024
#define PROC_PER_SEGMENT 2048
#define PROC_NGROUPS     32

enum proc_state {
    PROC_FREE,
    PROC_EMBRYO, // made by fork, its first instruction is still to come
    PROC_RUNNING,
    PROC_STOPPED,
    PROC_ZOMBIE,
};

struct proc_sender { // of the last signal of this number
    int32_t pid;
    uint32_t uid;
    int32_t code;  // SI_USER, SI_KERNEL, CLD_*, SI_QUEUE (then fetch the value from init)
    int32_t value; // CLD_*: status
};

struct proc_rec {
    uint32_t size, version;
    uint32_t seq;
    uint32_t state; // enum proc_state
    uint64_t env;   // exo_env_id_t
    int32_t pid, ppid, pgid, sid;
    uint32_t status;      // of a zombie or stopped process: as wait reports it
    uint32_t event;       // +1 at each change of state: what a tracer or parent may wait on
    uint32_t child_event; // +1 when any child changes state
    uint32_t resume;      // +1 at each SIGCONT: a stopped process waits on it
    uint32_t first_child, next_sibling; // record indices; 0 = none
    uint32_t ruid, euid, suid, rgid, egid, sgid;
    uint32_t ngroups, groups[PROC_NGROUPS];
    uint32_t tty; // device number of the controlling terminal, 0 = none
    int32_t nice;
    uint32_t flags;  // PROC_F_*
    uint32_t waited; // bits: stop or continue already reported
    uint32_t job;    // with a bank of its own: its number, above all user ids; 0: none
    uint64_t start_ns;
    uint64_t
        utime_ns; // CPU time used; of the living only in environments they have left (set-id exec)
    uint64_t cutime_ns; // of its waited-for children
    char comm[16];
    char cmdline[128];             // NUL-separated, cut
    struct proc_sender sender[32]; // by signal number - 1 (1..32); others are always queued
};
_Static_assert(sizeof(struct proc_rec) <= PROC_REC_SIZE, "fits its place");

#define PROC_F_NOCLDWAIT 1u // children are not waited for
#define PROC_F_NOCLDSTOP 2u
#define PROC_F_EXECED    4u // has executed a program since fork (setpgid by the parent is refused)
#define PROC_F_CONTINUED 8u // a continue not yet reported to the parent
#define PROC_F_CONFINED                                                                            \
    16u // has a root directory of its own: no set-id exec; inherited, never taken back

// Code of env_kill with which a parent ends an embryo that has already exited (the child of a vfork
// that ran in its parent's environment): bits 8..15 are the exit status.
#define PROC_KILL_EXITED 0x10000u

// Whether an environment still runs: what it owns (locks) is then not up for taking.
static inline int env_is_alive(exo_env_id_t env)
{
    uint32_t index = EXO_ENV_INDEX(env);
    if (index >= EXO_INFO->envs || EXO_ENVS[index].id != env)
        return 0;
    uint32_t state = EXO_ENVS[index].state;
    return state == EXO_ENV_NEW || state == EXO_ENV_LIVE;
}

// Calls to init: w[0] = operation, w[1..5] arguments; reply w[0] = result >= 0 or -LX_E...
enum proc_op {
    PROC_OP_FORK = 1, // () -> pid; w[1] = record index; caps: ENV (CONTROL), ASPACE (READ|WRITE) of
                      // the embryo, whose table is empty: the caller clones its own, windows
                      // included (a window belongs to its slot, so text and process records come
                      // with the slots 6 and 7). In a new job also BANK (BUY) and SLICE (BIND):
                      // they pay for the embryo, and are in its slots 1 and 5 already
    PROC_OP_ABORT,    // (pid) the embryo will not live
    PROC_OP_START,    // (pid) the embryo runs from now on (its context is bound by the caller after
                      // this call)
    PROC_OP_REAP,  // (pid) a zombie child -> w[1] status, w[2] its utime_ns + cutime_ns; frees the
                   // record
    PROC_OP_ACK,   // (pid, what) report of a stop (1) or continue (2) of a child consumed
    PROC_OP_KILL,  // (pid as kill(2), signal) -> 0
    PROC_OP_QUEUE, // (pid, signal, value, code) sigqueue
    PROC_OP_FETCH, // (signal) -> next queued instance: w[1] = pid, w[2] = uid, w[3] = value, w[4] =
                   // code, w[5] = more are queued; -EAGAIN none
    PROC_OP_SETPGID,    // (pid, pgid)
    PROC_OP_SETSID,     // () -> sid
    PROC_OP_SETUID,     // (r, e, s) with -1 = keep, as setresuid
    PROC_OP_SETGID,     // (r, e, s)
    PROC_OP_SETGROUPS,  // (n), message: uint32_t gids
    PROC_OP_STOPPED,    // (signal) the caller stops itself; it then waits on its `resume`
    PROC_OP_EXECED,     // message: comm[16], cmdline; () the caller has executed a program
    PROC_OP_SETNICE,    // (pid, nice)
    PROC_OP_FLAGS,      // (set, clear) of PROC_F_NOCLDWAIT | NOCLDSTOP; set alone: CONFINED
    PROC_OP_SETID_GIVE, // (index in the list of descriptors, ascending from 0, places) caps[0..n):
                        // capabilities of a descriptor the new environment shall have, for the
                        // places 0..3 of struct libos_start_fd whose bits are set
    PROC_OP_SETID_EXEC, // (bytes, address) struct libos_start and strings in the caller's memory
                        // (at most 256 pages): run its path in a fresh environment that nobody else
                        // ever held, with the record and pid of the caller, who dies. The libOS
                        // there opens the file, and claims what its mode says:
    PROC_OP_SETID_CLAIM, // (uid or -1, gid or -1) once, in such an environment, before any program
                         // code ran
    PROC_OP_REBOOT,      // (action) root only
    PROC_OP_PEER,        // (pid) -> cap [0] its ENV with NOTIFY, to who may signal it; gone when it
                         // changes credentials
    PROC_OP_SERVICE,     // servers only: (kind), caps[0] = endpoint: see proto/server.h
    PROC_OP_GROUP,       // servers only: (op, id): see proto/tty.h
    PROC_OP_NPROC,  // (soft, hard) how many processes the caller's real user may have for FORK to
                    // make one more: inherited; -1 none. Only root raises the hard one
    PROC_OP_MEMORY, // (frames) the caller's bank has run out: 0 when it has that much left now,
                    // perhaps because a server gave memory back; -EAGAIN: one has been asked, ask
                    // again soon; -ENOMEM: there is none to be had. In a job of its own: what the
                    // job has
    PROC_OP_KEEP,  // servers only: () the caller cannot give back any more of what it was asked for
    PROC_OP_LIMIT, // (frames) a job: what the caller forks from now on lives from a bank of its own
                   // with so many frames of the caller's, and dies with the caller
};
#endif
