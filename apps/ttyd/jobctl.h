// SPDX-License-Identifier: MIT
/*
 * Job control: who may use a terminal now, and what happens to who may not.
 *
 * Pure decisions (POSIX.1-2017 11.1.2-11.1.4, ioctl_tty(2)) over facts that the caller of these
 * functions has established; no process table is read here. A verdict of JOB_STOP asks the caller
 * to signal the caller's process group unless that group is orphaned, then to let the client
 * restart its call: deciding orphanhood needs the process table, so it is one of the facts.
 */
#ifndef TTYD_JOBCTL_H
#define TTYD_JOBCTL_H

#include <stdbool.h>
#include <stdint.h>

struct job_tty {
    int32_t sid;  /* session whose controlling terminal this is; 0 none */
    int32_t pgrp; /* its foreground process group; 0 none */
};

enum job_flags {
    JOB_TTIN_OFF = 1 << 0, /* SIGTTIN is ignored or blocked */
    JOB_TTOU_OFF = 1 << 1, /* SIGTTOU is ignored or blocked */
    JOB_ORPHANED = 1 << 2, /* the caller's process group is orphaned */
    JOB_NOCTTY = 1 << 3,   /* the process gave its controlling terminal up (TIOCNOTTY) */
    JOB_ROOT = 1 << 4,     /* privileged */
};

struct job_caller {
    int32_t pid, pgid, sid;
    uint32_t flags; /* enum job_flags */
};

enum job_verdict {
    JOB_OK,
    JOB_STOP, /* signal the caller's group (see *sig) and restart */
    JOB_EIO,
};

/* Whether the terminal is the caller's controlling terminal. */
bool job_is_ctty(const struct job_tty *tty, const struct job_caller *who);

/* A read; on JOB_STOP *sig is SIGTTIN. */
enum job_verdict job_check_read(const struct job_tty *tty, const struct job_caller *who, int *sig);

/* A change of the terminal (TCSETS, TIOCSPGRP, TCFLSH, ..., a write under TOSTOP): SIGTTOU. */
enum job_verdict job_check_change(const struct job_tty *tty, const struct job_caller *who,
                                  int *sig);

/*
 * TIOCSCTTY. `has_other`: the caller's session has a controlling terminal already (another one);
 * `readable`: the terminal is open for reading; `steal`: the argument was 1.
 * Returns 1 and changes *tty if the terminal is newly the session's, 0 if it was, or -EPERM.
 */
int job_acquire(struct job_tty *tty, const struct job_caller *who, bool has_other, bool readable,
                bool steal);

/* open(2) without O_NOCTTY: whether the terminal becomes the caller's (and does so). */
bool job_acquire_on_open(struct job_tty *tty, const struct job_caller *who, bool has_other,
                         bool readable);

/*
 * TIOCSPGRP, after job_check_change. `group_sid`: session of the group, 0 if no such group.
 * Returns 0 and sets the group, -ENOTTY, -EINVAL, -ESRCH or -EPERM.
 */
int job_set_pgrp(struct job_tty *tty, const struct job_caller *who, int32_t pgrp,
                 int32_t group_sid);

/*
 * TIOCNOTTY. Returns -ENOTTY, 0 (only this process loses it: the library OS remembers JOB_NOCTTY)
 * or 1: the session leader gave it up; *tty is cleared and *hup is the group that gets SIGHUP and
 * SIGCONT (0 none).
 */
int job_release(struct job_tty *tty, const struct job_caller *who, int32_t *hup);

#endif
