// SPDX-License-Identifier: MIT
/*
 * What a program may ask of its own library OS beyond POSIX: to work with other processes and with
 * physical memory by capability. For research apps: link with -lexoc.
 *
 * Handles are of this process's table. A forked child has the same handles: its table is a clone.
 * An exec keeps the table and drops the application's mappings.
 */
#ifndef EXO_LIBOS_H
#define EXO_LIBOS_H

#include <exo/exo.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The capability that pays for this process's memory. */
exo_handle_t libos_bank(void);

/* A capability to process `pid`'s environment with the NOTIFY right, for libos_yield_to and
 * exo_env_notify. init gives it to who may signal the process, and takes it back when the process
 * changes its credentials. Returns the handle or -errno: ESRCH, EPERM. */
int64_t libos_peer(pid_t pid);

/* Gives the CPU to the environment `peer` for at most ns nanoseconds of the caller's time; returns
 * when it is the caller's turn again. 0 or a negative kernel error (EXO_EDEAD: the peer is gone).
 */
int64_t libos_yield_to(exo_handle_t peer, exo_ns_t ns);

/* Buys `bytes` (rounded up to pages) as one allocation and maps them readable and writable.
 * Processes forked from now on have the same memory at the same address, truly shared. Returns the
 * handle or a negative kernel error. */
int64_t libos_share_memory(size_t bytes, void **address);

/* A job: what this process forks from now on lives from a bank of its own with `frames` frames,
 * taken from this process's bank, and so do their children. It runs out alone: errors of memory are
 * theirs. All of it is killed when this process ends or makes another job. The bank's capability
 * there (libos_bank) may be split, and kept (libos_on_revoke). 0 or -errno: ENOMEM when there is
 * not so much. */
int libos_limit(uint64_t frames);

/* Keeps `bank` (a handle with the BIND right): when frames of it are wanted back, or one of its
 * child banks that were listed for surrender is lost, give_back is called with what the bank owes.
 * Free as much as that: the frames go back when whoever asked looks again. What is not given within
 * the grace (debt->due) is taken by force, from the list or with this process.
 *
 * give_back runs as the handler of SIGPWR, blocked and nested as signals are: only what is
 * async-signal-safe may be called, and kernel calls. The process cannot use SIGPWR otherwise. One
 * bank a process; another replaces it, NULL ends it. A forked child keeps nothing, and after exec
 * this process keeps nothing. 0 or a negative kernel error. */
int64_t libos_on_revoke(exo_handle_t bank, void (*give_back)(const struct exo_bank_debt *debt));

/* One call to a server's endpoint: six words and no message, no library OS in between. m is request
 * and reply. */
int64_t libos_fast_call(exo_handle_t endpoint, struct exo_msg *m);

#ifdef __cplusplus
}
#endif
#endif
