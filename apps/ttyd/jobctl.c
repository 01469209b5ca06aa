// SPDX-License-Identifier: MIT
// Job control decisions; the concept is in jobctl.h.
#include <errno.h>
#include <signal.h>
#include "jobctl.h"

bool job_is_ctty(const struct job_tty *tty, const struct job_caller *who)
{
    return tty->sid > 0 && tty->sid == who->sid && !(who->flags & JOB_NOCTTY);
}

static bool in_foreground(const struct job_tty *tty, const struct job_caller *who)
{
    return !job_is_ctty(tty, who) || tty->pgrp == 0 || tty->pgrp == who->pgid;
}

enum job_verdict job_check_read(const struct job_tty *tty, const struct job_caller *who, int *sig)
{
    if (in_foreground(tty, who)) {
        return JOB_OK;
    }
    if (who->flags & (JOB_TTIN_OFF | JOB_ORPHANED)) {
        return JOB_EIO;
    }
    *sig = SIGTTIN;
    return JOB_STOP;
}

enum job_verdict job_check_change(const struct job_tty *tty, const struct job_caller *who, int *sig)
{
    if (in_foreground(tty, who) || (who->flags & JOB_TTOU_OFF)) {
        return JOB_OK;
    }
    if (who->flags & JOB_ORPHANED) {
        return JOB_EIO;
    }
    *sig = SIGTTOU;
    return JOB_STOP;
}

static bool is_leader(const struct job_caller *who)
{
    return who->pid > 0 && who->pid == who->sid;
}

int job_acquire(struct job_tty *tty, const struct job_caller *who, bool has_other, bool readable,
                bool steal)
{
    bool root = (who->flags & JOB_ROOT) != 0;

    if (is_leader(who) && tty->sid == who->sid) {
        return 0;
    }
    if (!is_leader(who) || has_other) {
        return -EPERM;
    }
    if (tty->sid != 0 && !(steal && root)) {
        return -EPERM;
    }
    if (!readable && !root) {
        return -EPERM;
    }
    tty->sid = who->sid;
    tty->pgrp = who->pgid;
    return 1;
}

bool job_acquire_on_open(struct job_tty *tty, const struct job_caller *who, bool has_other,
                         bool readable)
{
    if (!is_leader(who) || has_other || tty->sid != 0 || !readable) {
        return false;
    }
    tty->sid = who->sid;
    tty->pgrp = who->pgid;
    return true;
}

int job_set_pgrp(struct job_tty *tty, const struct job_caller *who, int32_t pgrp, int32_t group_sid)
{
    if (!job_is_ctty(tty, who)) {
        return -ENOTTY;
    }
    if (pgrp <= 0) {
        return pgrp == 0 ? -ESRCH : -EINVAL;
    }
    if (group_sid == 0) {
        return -ESRCH;
    }
    if (group_sid != who->sid) {
        return -EPERM;
    }
    tty->pgrp = pgrp;
    return 0;
}

int job_release(struct job_tty *tty, const struct job_caller *who, int32_t *hup)
{
    *hup = 0;
    if (!job_is_ctty(tty, who)) {
        return -ENOTTY;
    }
    if (!is_leader(who)) {
        return 0;
    }
    *hup = tty->pgrp;
    tty->sid = 0;
    tty->pgrp = 0;
    return 1;
}
