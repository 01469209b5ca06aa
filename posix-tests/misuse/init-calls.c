// SPDX-License-Identifier: MIT
//
// init's calls made raw by an ordinary user: other people's processes, groups and children; ids and
// groups it has no right to; what is for servers; operations and signals that do not exist.
#include "misuse.h"

static pid_t victim;

static void others(void)
{
    ATTEMPT("an operation of init that does not exist")
    {
        TRY(ask(H_INIT, 0), -ENOSYS);
        TRY(ask(H_INIT, 41), -ENOSYS);
        TRY(ask(H_INIT, UINT64_MAX), -ENOSYS);
        TRY(ask(H_INIT, 1ull << 32 | PROC_OP_KILL, victim, SIGKILL), -ENOSYS);
    }
    ATTEMPT("another's process killed, stopped, continued, or sent a value")
    {
        TRY(ask(H_INIT, PROC_OP_KILL, victim, SIGKILL), -EPERM);
        TRY(ask(H_INIT, PROC_OP_KILL, victim, SIGSTOP), -EPERM);
        TRY(ask(H_INIT, PROC_OP_KILL, victim, SIGCONT), -EPERM);
        TRY(ask(H_INIT, PROC_OP_KILL, -victim, SIGKILL), -EPERM);
        TRY(ask(H_INIT, PROC_OP_QUEUE, victim, 34, 7, SI_QUEUE), -EPERM);
    }
    ATTEMPT("signals that do not exist")
    {
        TRY(ask(H_INIT, PROC_OP_KILL, getpid(), 65), -EINVAL);
        TRY(ask(H_INIT, PROC_OP_KILL, getpid(), -1), -EINVAL);
        TRY(ask(H_INIT, PROC_OP_QUEUE, getpid(), 1000, 0, 0), -EINVAL);
        TRY(ask(H_INIT, PROC_OP_STOPPED, 9), -EINVAL);
        TRY(ask(H_INIT, PROC_OP_STOPPED, 0), -EINVAL);
        TRY(ask(H_INIT, PROC_OP_STOPPED, 200), -EINVAL);
        TRY(ask(H_INIT, PROC_OP_STOPPED, SIGSTOP), -EAGAIN); // nobody has sent it
        TRY(ask(H_INIT, PROC_OP_FETCH, -5), -EAGAIN);
    }
    ATTEMPT("a capability to notify another's process, or init")
    {
        TRY(ask(H_INIT, PROC_OP_PEER, victim), -EPERM);
        TRY(ask(H_INIT, PROC_OP_PEER, 1), -ESRCH);
        TRY(ask(H_INIT, PROC_OP_PEER, -1), -ESRCH);
        TRY(own_ctx()->recv[0], 0);
    }
    ATTEMPT("another's child started, ended, waited for, acknowledged")
    {
        TRY(ask(H_INIT, PROC_OP_START, victim), -ESRCH);
        TRY(ask(H_INIT, PROC_OP_ABORT, victim), -ESRCH);
        TRY(ask(H_INIT, PROC_OP_REAP, victim), -ECHILD);
        TRY(ask(H_INIT, PROC_OP_ACK, victim, 1), -ECHILD);
        TRY(ask(H_INIT, PROC_OP_ACK, victim, 2), -ECHILD);
        TRY(ask(H_INIT, PROC_OP_REAP, getpid()), -ECHILD);
        TRY(ask(H_INIT, PROC_OP_REAP, 1), -ECHILD);
    }
    ATTEMPT("another's group and niceness, and groups of other sessions")
    {
        TRY(ask(H_INIT, PROC_OP_SETPGID, victim, 0), -ESRCH);
        TRY(ask(H_INIT, PROC_OP_SETPGID, 0, victim), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETPGID, 0, 32000), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETPGID, 0, -3), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETNICE, victim, 19), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETNICE, getpid(), -20), -EACCES);
    }
}

static void authority(void)
{
    gid_t wheel[2] = {0, 5};
    ATTEMPT("becoming root, by any of the three ids")
    {
        TRY(ask(H_INIT, PROC_OP_SETUID, 0, 0, 0), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETUID, -1, 0, -1), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETUID, -1, -1, 0), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETUID, 0, 1000, 1000), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETUID, 1000, 1001, 1000), -EPERM);
        ERR(setuid(0), EPERM);
    }
    ATTEMPT("a group one is not in")
    {
        TRY(ask(H_INIT, PROC_OP_SETGID, 0, 0, 0), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETGID, -1, 0, -1), -EPERM);
        TRY(ask_with(H_INIT, wheel, sizeof wheel, PROC_OP_SETGROUPS, 2, 0), -EPERM);
    }
    ATTEMPT("the ids of a set-id file claimed after the program has begun")
    {
        TRY(ask(H_INIT, PROC_OP_SETID_CLAIM, 0, 0), -EPERM);
        TRY(ask(H_INIT, PROC_OP_SETID_CLAIM, -1, -1), -EPERM);
    }
    ATTEMPT("what only servers may ask")
    {
        int64_t mine = exo_endpoint_create(H_BANK);
        TRY_TRUE(mine > 0);
        for (int kind = 0; kind < 4; kind++) {
            own_ctx()->send[0] = (struct exo_send){(exo_handle_t)mine, EXO_R_CALL, EXO_SEND_COPY};
            long r = ask_all(H_INIT, EXO_META(0, 1), PROC_OP_SERVICE, (uint64_t)kind, 0, 0, 0, 0);
            TRY(r, kind == SERVER_FSD || kind == SERVER_TTYD ? -EPERM : -EINVAL);
        }
        TRY(ask(H_INIT, PROC_OP_GROUP, PROC_GROUP_KILL, victim, SIGKILL, victim), -EPERM);
        TRY(ask(H_INIT, PROC_OP_GROUP, PROC_GROUP_LEADER, victim, SIGKILL), -EPERM);
        TRY(ask(H_INIT, PROC_OP_GROUP, PROC_GROUP_CTTY, getsid(0), 5), -EPERM);
        TRY(exo_cap_delete((exo_handle_t)mine), 0);
    }
    ATTEMPT("the machine switched off or restarted")
    {
        TRY(ask(H_INIT, PROC_OP_REBOOT, 0x4321fedc), -EPERM);
        TRY(ask(H_INIT, PROC_OP_REBOOT, 0x01234567), -EPERM);
    }
    ATTEMPT("flags of the record that are init's")
    TRY(ask(H_INIT, PROC_OP_FLAGS, 0x80000000u | PROC_F_CONTINUED | PROC_F_EXECED,
            PROC_F_EXECED | PROC_F_CONTINUED),
        0);
    ATTEMPT("a hard limit raised, and limits the wrong way round")
    {
        TRY(ask(H_INIT, PROC_OP_NPROC, 500, 500), 0);
        TRY(ask(H_INIT, PROC_OP_NPROC, 500, 501), -EPERM);
        TRY(ask(H_INIT, PROC_OP_NPROC, -1, -1), -EPERM);
        TRY(ask(H_INIT, PROC_OP_NPROC, 9, 5), -EINVAL);
    }
}

static void lengths(void)
{
    static char page[EXO_MSG_SIZE];
    ATTEMPT("messages shorter than what they say, and longer than can be")
    {
        TRY(ask_with(H_INIT, page, 4, PROC_OP_SETGROUPS, 2, 0), -EINVAL);
        TRY(ask_with(H_INIT, page, 0, PROC_OP_SETGROUPS, PROC_NGROUPS, 0), -EINVAL);
        TRY(ask_with(H_INIT, page, sizeof page, PROC_OP_SETGROUPS, PROC_NGROUPS + 1, 0), -EINVAL);
        TRY(ask_with(H_INIT, page, sizeof page, PROC_OP_SETGROUPS, UINT64_MAX, 0), -EINVAL);
        TRY(ask_with(H_INIT, page, sizeof page, PROC_OP_SETGROUPS, 1ull << 62, 0), -EINVAL);
        TRY(ask_with(H_INIT, page, 15, PROC_OP_EXECED, 0, 0), -EINVAL);
        TRY(ask_all(H_INIT, 4097, PROC_OP_EXECED, 0, 0, 0, 0, 0), -1000 - EXO_EINVAL);
        TRY(ask_all(H_INIT, EXO_META(0, 9), PROC_OP_EXECED, 0, 0, 0, 0, 0), -1000 - EXO_EINVAL);
    }
    ATTEMPT("capabilities sent to init that it has no use for")
    for (int i = 0; i < 300; i++) {
        for (int k = 0; k < 4; k++)
            own_ctx()->send[k] = (struct exo_send){H_SLICE, EXO_R_BIND, EXO_SEND_COPY};
        TRY(ask_all(H_INIT, EXO_META(0, 4), PROC_OP_FLAGS, 0, 0, 0, 0, 0), 0);
    }
    // What init made for the answer goes, again and again; the end of the machine misses nothing.
    ATTEMPT("children asked for by one who takes no answer")
    {
        for (int i = 0; i < 300; i++) {
            own_ctx()->recv_max = i % 2;
            TRY(ask(H_INIT, PROC_OP_FORK), -1000 - EXO_ELIMIT);
        }
        own_ctx()->recv_max = EXO_MSG_CAPS;
        tap_sleep(300);
        TRY(kill(-1, 0), -1); // no process of this user but itself is left
    }
    ATTEMPT("a name with no end in it")
    {
        memset(page, 'x', sizeof page);
        TRY(ask_with(H_INIT, page, sizeof page, PROC_OP_EXECED, 0, 0), 0);
        TRY(record_of(getpid())->comm[15], 0);
    }
}

int main(void)
{
    tap_start();
    victim = victim_start();
    as_user(1000);
    ask_with(H_INIT, "init-calls\0\0\0\0\0\0", 16, PROC_OP_EXECED, 0,
             0); // its mark is there from now on
    others();
    authority();
    lengths();
    return tap_done();
}
