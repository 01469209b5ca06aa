// SPDX-License-Identifier: MIT
//
// Signals to other processes without init. POSIX: kill().
//
// init lets the first signal to a process through; with the second it is asked for the right to
// notify that process's environment, and from then on the kernel alone is in the way. The right
// means that the sender may signal the target now: init takes it back when either changes its
// credentials, and it is gone with the environment, so a pid that has a new owner, or one that
// moved to another environment, is never met with an old right. Whatever goes wrong, init is asked.
// A child does not use its parent's rights, for they were given to another.
//
// Not for signals that are queued, nor for those whose effect init must know of.
#include <proc/signal.h>

#define PEERS 8 // the pid says which

static struct peer {
    int pid;
    exo_handle_t env; // 0: not asked for yet
} peers[PEERS];

static struct peer *place_of(int pid)
{
    return &peers[(unsigned)pid % PEERS];
}

static void forget(struct peer *p)
{
    if (p->env)
        exo_cap_delete(p->env);
    *p = (struct peer){0};
}

bool peer_notify(int pid, int signo)
{
    struct peer *p = place_of(pid);
    if (p->pid != pid || !p->env)
        return false;
    if (exo_env_notify(p->env, LX_SIGBIT(signo)) == 0)
        return true;
    forget(p);
    return false;
}

void peer_learn(int pid)
{
    struct peer *p = place_of(pid);
    struct exo_msg m = {.w = {PROC_OP_PEER, (uint64_t)pid}};
    if (p->pid != pid) {
        forget(p);
        p->pid = pid;
    } else if (server_call(H_INIT, &m) == 0) {
        p->env = ctx_self()->recv[0];
    } else {
        p->pid = 0;
    }
}

void peers_forget(void)
{
    for (struct peer *p = peers; p < peers + PEERS; p++)
        if (p->pid)
            forget(p);
}
